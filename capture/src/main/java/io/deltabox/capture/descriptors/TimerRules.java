package io.deltabox.capture.descriptors;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Timer descriptors. A relative timer gets back the time it had left; an absolute one its moment,
 * which may have passed meanwhile, because clocks do not go back.
 */
final class TimerRules implements KindRules {
  private static final long NANOS = 1_000_000_000L;
  private static final int ABSOLUTE = 1;
  private static final int SET_TICKS = 0x40085400;
  private static final int REALTIME = 0;
  private static final int BOOTTIME = 7;
  private static final int REALTIME_ALARM = 8;
  private static final int BOOTTIME_ALARM = 9;
  private static final Pattern PAIR = Pattern.compile("\\((\\d+), (\\d+)\\)");

  private record Timer(int clock, long ticks, int flags, long left, long interval) {
    static Timer of(OpenFile file) {
      String info = file.info();
      return new Timer(
          (int) Info.number(info, "clockid:", 10),
          Info.number(info, "ticks:", 10),
          (int) Info.number(info, "settime flags:", 8),
          nanos(Info.field(info, "it_value:")),
          nanos(Info.field(info, "it_interval:")));
    }

    private static long nanos(String pair) {
      Matcher matcher = PAIR.matcher(pair);
      if (!matcher.matches()) {
        throw new IllegalArgumentException("fdinfo has no time: text=" + pair);
      }
      return Long.parseLong(matcher.group(1)) * NANOS + Long.parseLong(matcher.group(2));
    }
  }

  @Override
  public boolean same(OpenFile current, OpenFile target, Run run) {
    return current.kind() == FileKind.TIMERFD
        && Timer.of(current).clock() == Timer.of(target).clock();
  }

  @Override
  public boolean differs(OpenFile current, OpenFile target, Run run) {
    Timer wanted = Timer.of(target);
    return KindRules.flagsDiffer(current, target)
        || wanted.left() != 0
        || !Timer.of(current).equals(wanted);
  }

  @Override
  public void edit(int fd, OpenFile current, OpenFile target, Run run) throws IOException {
    KindRules.setFlags(fd, current, target, run);
    arm(fd, target, run);
  }

  @Override
  public int make(OpenFile target, Run run) throws IOException {
    int clock = Timer.of(target).clock();
    Kernel kernel = run.kernel();
    int fd =
        run.own((int) kernel.check("timerfd", Calls.TIMERFD_CREATE, clock, Flags.O_CLOEXEC, 0, 0));
    kernel.setFlags(fd, target.status().flags());
    arm(fd, target, run);
    return fd;
  }

  private static void arm(int fd, OpenFile target, Run run) throws IOException {
    Timer timer = Timer.of(target);
    boolean absolute = (timer.flags() & ABSOLUTE) != 0 && timer.left() != 0;
    long value = absolute ? moment(timer, target, run) : timer.left();
    Kernel kernel = run.kernel();
    ByteBuffer out = kernel.buffer(32);
    out.putLong(timer.interval() / NANOS).putLong(timer.interval() % NANOS);
    out.putLong(value / NANOS).putLong(value % NANOS);
    int flags = absolute ? timer.flags() : timer.flags() & ~ABSOLUTE;
    kernel.check("timerfd_settime", Calls.TIMERFD_SETTIME, fd, flags, kernel.address(), 0);
    if (timer.ticks() != 0) {
      kernel.buffer(8).putLong(timer.ticks());
      kernel.check("set timer ticks", Calls.IOCTL, fd, SET_TICKS, kernel.address(), 0);
    }
  }

  private static long moment(Timer timer, OpenFile target, Run run) {
    ProcessFiles holder = run.target().processes().get(target.slots().first().process());
    if (holder == null) {
      throw new IllegalStateException("open file without its process: " + target);
    }
    ProcessFiles.Clocks clocks = holder.clocks();
    long base =
        switch (timer.clock()) {
          case REALTIME, REALTIME_ALARM -> clocks.realtimeNanos();
          case BOOTTIME, BOOTTIME_ALARM -> clocks.boottimeNanos() + run.later().boottimeNanos();
          default -> clocks.monotonicNanos() + run.later().monotonicNanos();
        };
    return base + target.status().readNanos() - clocks.monotonicNanos() + timer.left();
  }
}
