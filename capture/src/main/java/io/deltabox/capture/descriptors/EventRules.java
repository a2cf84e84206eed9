package io.deltabox.capture.descriptors;

import io.deltabox.linux.Errno;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** Event counters. */
final class EventRules implements KindRules {
  private static final int EFD_SEMAPHORE = 1;

  @Override
  public boolean same(OpenFile current, OpenFile target, Run run) {
    return current.kind() == FileKind.EVENTFD && isSemaphore(current) == isSemaphore(target);
  }

  private static long count(OpenFile file) {
    return Info.number(file.info(), "eventfd-count:", 16);
  }

  private static boolean isSemaphore(OpenFile file) {
    return "1".equals(Info.find(file.info(), "eventfd-semaphore:"));
  }

  @Override
  public boolean differs(OpenFile current, OpenFile target, Run run) {
    return KindRules.flagsDiffer(current, target) || count(current) != count(target);
  }

  @Override
  public void edit(int fd, OpenFile current, OpenFile target, Run run) throws IOException {
    Kernel kernel = run.kernel();
    if (count(current) != count(target)) {
      kernel.setFlags(fd, Flags.O_NONBLOCK);
      long size;
      do {
        // a semaphore gives one at a time; the count is bounded by what the program wrote
        size = kernel.call(Calls.READ, fd, kernel.address(), 8, 0);
      } while (size == 8);
      if (size != -Errno.EAGAIN) {
        Errno.check(size, "read eventfd");
      }
      add(kernel, fd, count(target));
    }
    kernel.setFlags(fd, target.status().flags());
  }

  private static void add(Kernel kernel, int fd, long count) throws IOException {
    ByteBuffer value = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(count).flip();
    kernel.write(fd, value);
  }

  @Override
  public int make(OpenFile target, Run run) throws IOException {
    int flags = Flags.O_CLOEXEC | (isSemaphore(target) ? EFD_SEMAPHORE : 0);
    int fd = run.own((int) run.kernel().check("eventfd", Calls.EVENTFD2, 0, flags, 0, 0));
    add(run.kernel(), fd, count(target));
    run.kernel().setFlags(fd, target.status().flags());
    return fd;
  }
}
