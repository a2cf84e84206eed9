package io.deltabox.capture.descriptors;

import io.deltabox.capture.Injection;
import io.deltabox.linux.Errno;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Locks on files. Those of a process are dropped when it closes any descriptor of the file, so they
 * are taken again whenever one was closed or the locks differ; those of an open file description
 * are set through a borrowed descriptor. All are released before any is taken.
 */
final class Locks {
  private static final short READ = 0;
  private static final short WRITE = 1;
  private static final short UNLOCK = 2;
  private static final int FLOCK_BYTES = 32;
  private static final int SHARED = 1;
  private static final int EXCLUSIVE = 2;
  private static final int NONBLOCKING = 4;
  private static final int RELEASE = 8;

  private final Run run;
  private final Matching matching;

  /**
   * One lock as fdinfo tells it.
   *
   * @param kind POSIX, FLOCK, OFDLCK or LEASE
   * @param length 0: to the end of the file
   */
  record Lock(String kind, short mode, long from, long length) {
    static List<Lock> of(String info) {
      List<Lock> locks = new ArrayList<>();
      for (String line : Info.lines(info, "lock:")) {
        String[] words = line.trim().split("\\s+");
        if (words.length < 9) {
          throw new IllegalArgumentException("fdinfo has no lock: text=" + line);
        }
        long from = Long.parseLong(words[7]);
        long length = words[8].equals("EOF") ? 0 : Long.parseLong(words[8]) - from + 1;
        locks.add(new Lock(words[2], words[4].equals("READ") ? READ : WRITE, from, length));
      }
      return locks;
    }

    private byte[] request(boolean release) {
      return ByteBuffer.allocate(FLOCK_BYTES)
          .order(ByteOrder.LITTLE_ENDIAN)
          .putShort(release ? UNLOCK : mode)
          .putShort((short) 0)
          .putInt(0)
          .putLong(from)
          .putLong(length)
          .array();
    }
  }

  Locks(Run run, Matching matching) {
    this.run = run;
    this.matching = matching;
  }

  /**
   * Runs while the present descriptors are open yet: what holds a lock and goes may be held by the
   * daemon until the end.
   */
  void releaseUnwanted() throws IOException {
    Set<OpenFile> wanted = new HashSet<>();
    for (OpenFile target : run.target().files()) {
      OpenFile now = matching.current(target);
      if (now != null) {
        wanted.add(now);
      }
    }
    for (OpenFile now : run.current().files()) {
      if (!wanted.contains(now) && !of(Lock.of(now.info()), false).isEmpty()) {
        release(run.steal(now));
      }
    }
  }

  /** Runs when every descriptor is in its place. */
  void restore() throws IOException {
    Set<Slot> posix = new HashSet<>();
    Set<OpenFile> described = new HashSet<>();
    for (OpenFile target : run.target().files()) {
      OpenFile now = matching.current(target);
      List<Lock> have = now == null ? List.of() : of(Lock.of(now.info()), false);
      if (!of(Lock.of(target.info()), false).equals(have)) {
        described.add(target);
      }
    }
    for (ProcessFiles process : run.target().processes().values()) {
      for (Descriptor wanted : process.descriptors().values()) {
        collect(new Slot(process.process(), wanted.number()), wanted, posix);
      }
    }
    for (boolean release : new boolean[] {true, false}) {
      for (Slot slot : posix) {
        posix(slot, release);
      }
      for (OpenFile file : described) {
        described(file, release);
      }
    }
  }

  private void collect(Slot slot, Descriptor wanted, Set<Slot> posix) {
    Descriptor now = now(slot, wanted.file());
    List<Lock> then = Lock.of(wanted.info());
    List<Lock> have = now == null ? List.of() : Lock.of(now.info());
    if (has(then, "POSIX") || has(have, "POSIX")) {
      posix.add(slot);
    }
  }

  private @Nullable Descriptor now(Slot slot, OpenFile wanted) {
    ProcessFiles process = run.current().processes().get(slot.process());
    Descriptor now = process == null ? null : process.descriptors().get(slot.number());
    return now != null && matching.current(wanted) == now.file() ? now : null;
  }

  private static boolean has(List<Lock> locks, String kind) {
    return locks.stream().anyMatch(lock -> lock.kind().equals(kind));
  }

  private static List<Lock> of(List<Lock> locks, boolean posix) {
    return locks.stream().filter(lock -> lock.kind().equals("POSIX") == posix).toList();
  }

  private static Lock whole() {
    return new Lock("POSIX", WRITE, 0, 0);
  }

  private void posix(Slot slot, boolean release) throws IOException {
    Injection batch = run.process(slot.process()).inject();
    List<Injection.Call> calls = new ArrayList<>();
    ProcessFiles process = run.target().processes().get(slot.process());
    Descriptor descriptor = process == null ? null : process.descriptors().get(slot.number());
    if (descriptor == null) {
      return;
    }
    List<Lock> locks = release ? List.of(whole()) : of(Lock.of(descriptor.info()), true);
    for (Lock lock : locks) {
      calls.add(
          batch.call(
              Calls.FCNTL,
              batch.value(slot.number()),
              batch.value(Calls.F_SETLK),
              batch.bytes(lock.request(release))));
    }
    if (calls.isEmpty()) {
      return;
    }
    batch.run();
    for (Injection.Call call : calls) {
      Errno.check(batch.result(call), "lock a file again, " + slot);
    }
  }

  private void release(int fd) throws IOException {
    Kernel kernel = run.kernel();
    kernel.check("release a lock", Calls.FLOCK, fd, RELEASE, 0, 0);
    kernel.buffer(FLOCK_BYTES).put(whole().request(true));
    kernel.call(Calls.FCNTL, fd, Calls.F_OFD_SETLK, kernel.address(), 0);
  }

  private void described(OpenFile file, boolean release) throws IOException {
    int fd = run.stealGiven(file);
    Kernel kernel = run.kernel();
    if (release) {
      release(fd);
      return;
    }
    for (Lock lock : of(Lock.of(file.info()), false)) {
      if (lock.kind().equals("FLOCK")) {
        int mode = lock.mode() == READ ? SHARED : EXCLUSIVE;
        kernel.check("lock a file again", Calls.FLOCK, fd, mode | NONBLOCKING, 0, 0);
      } else if (lock.kind().equals("OFDLCK")) {
        kernel.buffer(FLOCK_BYTES).put(lock.request(false));
        kernel.check("lock a file again", Calls.FCNTL, fd, Calls.F_OFD_SETLK, kernel.address(), 0);
      }
    }
  }
}
