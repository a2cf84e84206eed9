package io.deltabox.capture.files;

import io.deltabox.linux.Errno;
import io.deltabox.linux.Memory;
import io.deltabox.linux.OptionalFeature;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Set;

/** Reads from /proc what processes hold of files: about 40 us for a small process. */
public final class ProcHolders {
  private static final int ENTRY_BYTES = 24;
  private static final int DELETED = 1;
  private static final int DIRECTORY = 2;
  private static final int WRITABLE = 4;

  private ProcHolders() {}

  /** The holdings of these processes; those that have ended hold nothing. */
  public static LiveHolders read(Collection<Integer> pids) throws IOException {
    return read(pids, Set.of());
  }

  /** The same without some features of the kernel. */
  public static LiveHolders read(Collection<Integer> pids, Set<OptionalFeature> without)
      throws IOException {
    int bits = OptionalFeature.bits(without);
    for (int cap = 1024; ; ) {
      try (Memory memory =
          Memory.allocate(4L * pids.size() + 8 + (long) cap * ENTRY_BYTES, Memory.Touch.LATER)) {
        ByteBuffer numbers = memory.slice(0, 4 * pids.size());
        pids.forEach(numbers::putInt);
        int at = (4 * pids.size() + 7) & ~7;
        long count =
            Errno.check(
                FileOps.calls()
                    .dbx_file_holders(
                        memory.address(), pids.size(), memory.address() + at, cap, bits),
                "read what processes hold");
        if (count <= cap) {
          return parse(memory.slice(at, (int) count * ENTRY_BYTES), (int) count);
        }
        cap = (int) count * 2;
      }
    }
  }

  private static LiveHolders parse(ByteBuffer in, int count) {
    List<LiveHolders.Holder> holders = new ArrayList<>(count);
    for (int i = 0; i < count; i++) {
      int flags = in.getInt(i * ENTRY_BYTES + 16);
      holders.add(
          new LiveHolders.Holder(
              in.getLong(i * ENTRY_BYTES),
              in.getLong(i * ENTRY_BYTES + 8),
              (flags & DELETED) != 0,
              (flags & DIRECTORY) != 0,
              (flags & WRITABLE) != 0));
    }
    return new LiveHolders(holders);
  }
}
