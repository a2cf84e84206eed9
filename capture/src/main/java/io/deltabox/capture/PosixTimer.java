package io.deltabox.capture;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;

/**
 * A timer made with timer_create(2), as {@code /proc/PID/timers} and timer_gettime(2) show it.
 *
 * @param signal number of the signal it sends
 * @param value what comes with the signal
 * @param how {@code SIGEV_SIGNAL} and so on
 * @param thread number, in the daemon's namespace or as told inside, of the thread the signal goes
 *     to; 0 for the process
 * @param clock as timer_create(2) takes it
 * @param setting {@code struct itimerspec}: interval and time left, seconds and nanoseconds each
 */
record PosixTimer(
    int id, int signal, long value, int how, int thread, int clock, List<Long> setting) {
  static final int SIGEV_SIGNAL = 0;
  static final int SIGEV_NONE = 1;
  static final int SIGEV_THREAD = 2;
  static final int SIGEV_THREAD_ID = 4;

  private static final int SIGEVENT_BYTES = 64;
  private static final int SETTING_WORDS = 4;

  PosixTimer {
    setting = List.copyOf(setting);
  }

  /** Reads {@code struct dbx_record_timers} after its process number. */
  static List<PosixTimer> parse(ByteBuffer body) {
    int count = body.getInt();
    byte[] text = new byte[body.getInt()];
    body.getInt();
    List<List<Long>> settings = new ArrayList<>(count);
    for (int i = 0; i < count; i++) {
      List<Long> setting = new ArrayList<>(SETTING_WORDS);
      for (int word = 0; word < SETTING_WORDS; word++) {
        setting.add(body.getLong());
      }
      settings.add(setting);
    }
    body.get(text);
    List<PosixTimer> timers = new ArrayList<>(count);
    String[] groups = new String(text, java.nio.charset.StandardCharsets.US_ASCII).split("ID: ");
    // The clock's line ends in "ID: " as well: each timer is two groups.
    for (int i = 0; i < count && 2 * i + 2 < groups.length; i++) {
      timers.add(parse(groups[2 * i + 1], groups[2 * i + 2], settings.get(i)));
    }
    return timers;
  }

  /**
   * @param first number of the timer, then lines {@code signal: 60/00007ffe} and {@code notify:
   *     signal/tid.77}
   * @param clock number of the clock
   */
  private static PosixTimer parse(String first, String clock, List<Long> setting) {
    String[] lines = first.split("\n");
    String[] signal = after(lines[1]).split("/");
    String[] notify = after(lines[2]).split("[/.]");
    int kind =
        switch (notify[0]) {
          case "signal" -> SIGEV_SIGNAL;
          case "none" -> SIGEV_NONE;
          default -> SIGEV_THREAD;
        };
    boolean one = notify[1].equals("tid");
    return new PosixTimer(
        Integer.parseInt(lines[0].trim()),
        Integer.parseInt(signal[0]),
        Long.parseUnsignedLong(signal[1], 16),
        one ? kind | SIGEV_THREAD_ID : kind,
        one ? Integer.parseInt(notify[2]) : 0,
        Integer.parseInt(clock.split("\n")[0].trim()),
        setting);
  }

  private static String after(String line) {
    return line.substring(line.indexOf(':') + 1).trim();
  }

  /** The same, with the number that its thread has inside; 0 if that thread has ended. */
  PosixTimer inside(List<ThreadState> threads) {
    if ((how & SIGEV_THREAD_ID) == 0) {
      return this;
    }
    int inner = 0;
    for (ThreadState one : threads) {
      inner = one.tid() == thread ? one.inner() : inner;
    }
    return new PosixTimer(id, signal, value, how, inner, clock, setting);
  }

  /** True if both are set up alike, whatever time they show. */
  boolean sameSetup(PosixTimer other) {
    return equals(
        new PosixTimer(
            other.id, other.signal, other.value, other.how, other.thread, other.clock, setting));
  }

  /** {@code struct sigevent} to make it again with. */
  byte[] event() {
    return ByteBuffer.allocate(SIGEVENT_BYTES)
        .order(ByteOrder.LITTLE_ENDIAN)
        .putLong(value)
        .putInt(signal)
        .putInt(how)
        .putInt(thread)
        .array();
  }

  /** {@code struct itimerspec}. */
  byte[] settingBytes() {
    ByteBuffer bytes = ByteBuffer.allocate(SETTING_WORDS * 8).order(ByteOrder.LITTLE_ENDIAN);
    setting.forEach(bytes::putLong);
    return bytes.array();
  }
}
