package io.deltabox.capture.descriptors;

import io.deltabox.capture.Injection;
import java.io.IOException;
import java.nio.charset.StandardCharsets;

/** The program's side of terminals, and {@code /dev/tty}, which only its session can open. */
final class TerminalRules implements KindRules {
  private static final int AT_FDCWD = -100;

  private final DeviceRules device = new DeviceRules();

  @Override
  public boolean same(OpenFile current, OpenFile target, Run run) {
    return device.same(current, target, run);
  }

  @Override
  public boolean differs(OpenFile current, OpenFile target, Run run) {
    return device.differs(current, target, run);
  }

  @Override
  public void edit(int fd, OpenFile current, OpenFile target, Run run) throws IOException {
    device.edit(fd, current, target, run);
  }

  /** After the masters, which are made before anything is closed. */
  @Override
  public Making making() {
    return Making.AFTER_CLOSING;
  }

  @Override
  public int make(OpenFile target, Run run) throws IOException {
    if (target.kind() == FileKind.PTY_SLAVE) {
      return device.make(target, run);
    }
    int flags = target.status().flags() | Flags.O_CLOEXEC | Flags.O_NOCTTY;
    byte[] path = "/dev/tty\0".getBytes(StandardCharsets.US_ASCII);
    return run.madeInside(
        target.slots().first().process(),
        batch ->
            batch.call(
                Calls.OPENAT,
                batch.value(AT_FDCWD),
                batch.bytes(path),
                batch.value(flags & ~Flags.O_ASYNC),
                batch.value(0)));
  }

  /** The number of the pty behind either side. */
  static int index(OpenFile file) {
    if (file.kind() == FileKind.PTY_MASTER) {
      return (int) Info.number(file.info(), "tty-index:", 10);
    }
    long rdev = file.status().rdev();
    int major = (int) (rdev >>> 8 & 0xfff);
    int minor = (int) ((rdev & 0xff) | (rdev >>> 12 & 0xfff00));
    return minor + 256 * (major - 136);
  }

  /** A call of ioctl(2) with an argument in memory. */
  static Injection.Call ioctl(Injection batch, int number, long request, byte[] argument) {
    return batch.call(
        Calls.IOCTL, batch.value(number), batch.value(request), batch.bytes(argument));
  }
}
