package io.deltabox.capture.descriptors;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Watches on files. Watches go back, under their numbers, when the file is found again; queued
 * events have no interface that leaves them queued, so those of the checkpoint are lost and those
 * the rollback caused are dropped.
 */
final class InotifyRules implements KindRules {
  private static final int SET_NEXT_NUMBER = 0x40044900;
  private static final Pattern WATCH =
      Pattern.compile("inotify wd:([0-9a-f]+) ino:([0-9a-f]+) sdev:([0-9a-f]+) mask:([0-9a-f]+).*");

  /**
   * One watch.
   *
   * @param device as the kernel writes it inside: 12 bits of major above 20 bits of minor
   */
  record Watch(int number, long ino, long device, int mask) {
    /** The file's identity as fstat tells it, in the container the watch was read in. */
    FileKey key(OpenFile of) {
      Devices devices = Devices.markOf(of.key().dev());
      return new FileKey(devices.marked(device >>> 20, device & 0xfffff), ino);
    }
  }

  private static Map<Integer, Watch> watches(OpenFile file) {
    Map<Integer, Watch> watches = new TreeMap<>();
    for (String line : Info.lines(file.info(), "inotify ")) {
      Matcher matcher = WATCH.matcher(line);
      if (!matcher.matches()) {
        throw new IllegalArgumentException("fdinfo has no watch: text=" + line);
      }
      Watch watch =
          new Watch(
              Integer.parseInt(matcher.group(1), 16),
              Long.parseUnsignedLong(matcher.group(2), 16),
              Long.parseLong(matcher.group(3), 16),
              Integer.parseUnsignedInt(matcher.group(4), 16));
      watches.put(watch.number(), watch);
    }
    return watches;
  }

  @Override
  public boolean same(OpenFile current, OpenFile target, Run run) {
    return current.kind() == FileKind.INOTIFY;
  }

  /** Always: what the rollback itself did to the files must be dropped from the queue. */
  @Override
  public boolean differs(OpenFile current, OpenFile target, Run run) {
    return true;
  }

  @Override
  public void edit(int fd, OpenFile current, OpenFile target, Run run) throws IOException {
    KindRules.setFlags(fd, current, target, run);
    Map<Integer, Watch> wanted = watches(target);
    Map<Integer, Watch> now = watches(current);
    for (Watch watch : now.values()) {
      if (!watch.equals(wanted.get(watch.number()))) {
        run.kernel().call(Calls.INOTIFY_RM_WATCH, fd, watch.number(), 0, 0);
      }
    }
    for (Watch watch : wanted.values()) {
      if (!watch.equals(now.get(watch.number()))) {
        add(fd, watch, target, run);
      }
    }
  }

  @Override
  public int make(OpenFile target, Run run) throws IOException {
    int flags = Flags.O_CLOEXEC | (target.status().flags() & Flags.O_NONBLOCK);
    int fd = run.own((int) run.kernel().check("inotify", Calls.INOTIFY_INIT1, flags, 0, 0, 0));
    for (Watch watch : watches(target).values()) {
      add(fd, watch, target, run);
    }
    return fd;
  }

  private static void add(int fd, Watch watch, OpenFile target, Run run) throws IOException {
    Kernel kernel = run.kernel();
    Integer place = run.find(watch.key(target), target);
    if (place == null) {
      run.note(
          "an inotify watch is lost: its file is not found, watch="
              + watch.number()
              + " "
              + target);
      return;
    }
    kernel.check("number a watch", Calls.IOCTL, fd, SET_NEXT_NUMBER, watch.number(), 0);
    byte[] path = ("/proc/self/fd/" + place + "\0").getBytes(StandardCharsets.US_ASCII);
    kernel.buffer(path.length).put(path);
    kernel.check(
        "add a watch",
        Calls.INOTIFY_ADD_WATCH,
        fd,
        kernel.address(),
        watch.mask() & 0xffffffffL,
        0);
  }

  /** Drops every queued event; the last thing of all that touches files. */
  static void drain(Run run) throws IOException {
    for (OpenFile target : run.target().files()) {
      if (target.kind() == FileKind.INOTIFY) {
        int fd = run.stealGiven(target);
        boolean waits = (target.status().flags() & Flags.O_NONBLOCK) == 0;
        if (waits) {
          run.kernel().setFlags(fd, target.status().flags() | Flags.O_NONBLOCK);
        }
        run.kernel().drain(fd);
        if (waits) {
          run.kernel().setFlags(fd, target.status().flags());
        }
      }
    }
  }
}
