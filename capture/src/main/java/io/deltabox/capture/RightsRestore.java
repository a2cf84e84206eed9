package io.deltabox.capture;

import io.deltabox.capture.descriptors.Rights;
import io.deltabox.linux.Errno;
import io.deltabox.linux.Memory;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Collection;
import org.jspecify.annotations.Nullable;

/**
 * Priority, processors and rights of one stopped process. Rights come last of all calls a process
 * makes, because the others may need them; those that are gone cannot be had back, so only a
 * process that was made again has more than it should.
 */
final class RightsRestore {
  private static final int CAPABILITIES = 41;
  private static final int VERSION_3 = 0x20080522;

  private final Tracer tracer;
  private final LiveProcess process;
  private final ProcessState then;

  RightsRestore(Tracer tracer, LiveProcess process, ProcessState then) {
    this.tracer = tracer;
    this.process = process;
    this.then = then;
  }

  /** What is set from outside, and what needs no right. */
  void attributes() throws IOException {
    ProcessState now = process.state();
    if (now.nice() != then.nice()) {
      check(tracer.calls.dbx_nice_set(process.pid(), then.nice()), "set nice value");
    }
    if (!Arrays.equals(now.affinity(), then.affinity())) {
      byte[] mask = then.affinity();
      try (Memory block = Memory.allocate(mask.length, Memory.Touch.NOW)) {
        block.slice(0, mask.length).put(mask);
        check(
            tracer.calls.dbx_affinity_set(process.pid(), block.address(), mask.length),
            "set processors");
      }
    }
    Batches calls = new Batches(process, 0);
    if (now.subreaper() != then.subreaper()) {
      prctl(
          calls, "be reaper of descendants", Sys.PR_SET_CHILD_SUBREAPER, then.subreaper() ? 1 : 0);
    }
    if (now.personality() != then.personality()) {
      InjectedBatch batch = calls.room(1, 0);
      calls.expect(
          batch.call(Sys.PERSONALITY, batch.value(then.personality() & 0xffffffffL)),
          "set personality");
    }
    calls.flush();
  }

  /**
   * To the kernel rights are those of a thread, and threads made again were born with those of
   * their maker; so each drops them (credentials(7)).
   *
   * @param is null if unknown: nothing but the mark of a dump is changed then
   * @param threads all of the process, by number in the daemon's namespace
   */
  void rights(@Nullable Rights is, @Nullable Rights wanted, Collection<Integer> threads)
      throws CaptureException {
    boolean same = Arrays.equals(process.state().ids(), then.ids());
    same &= process.state().secureBits() == then.secureBits();
    boolean other = is != null && wanted != null && !(same && is.equals(wanted));
    for (int thread : threads) {
      Batches calls = new Batches(process, thread);
      if (other && is != null && wanted != null) {
        drop(calls, is, wanted);
      }
      if (then.noNewPrivileges() && !process.state().noNewPrivileges()) {
        prctl(calls, "give up gaining privileges", Sys.PR_SET_NO_NEW_PRIVS, 1);
      }
      calls.flush();
    }
    if (other || process.state().dumpable() != then.dumpable()) {
      Batches calls = new Batches(process, 0);
      dumpable(calls);
      calls.flush();
    }
  }

  private void dumpable(Batches calls) throws CaptureException {
    // 2 is what the kernel itself sets (suid_dumpable); a program may not.
    if (then.dumpable() < 2) {
      prctl(calls, "set dumpable", Sys.PR_SET_DUMPABLE, then.dumpable());
    }
  }

  private void drop(Batches calls, Rights is, Rights wanted) throws CaptureException {
    for (int i = 0; i < CAPABILITIES; i++) {
      if ((((is.bounding() & ~wanted.bounding()) >>> i) & 1) != 0) {
        prctl(calls, "bound capabilities", Sys.PR_CAPBSET_DROP, i);
      }
    }
    if (!is.groups().equals(wanted.groups())) {
      groups(calls, wanted.groups());
    }
    int[] ids = then.ids();
    boolean user = !Arrays.equals(process.state().ids(), then.ids());
    boolean bits = process.state().secureBits() != then.secureBits();
    boolean keep = user && (wanted.permitted() != 0 || bits);
    if (keep) {
      prctl(calls, "keep capabilities", Sys.PR_SET_KEEPCAPS, 1);
    }
    if (user) {
      ids(calls, "set group", Sys.SETRESGID, ids, 3);
      ids(calls, "set user", Sys.SETRESUID, ids, 0);
    }
    if (bits) {
      // Setting them needs a capability that it may not keep, and they may forbid the ambient ones.
      sets(calls, is.permitted(), is.permitted(), wanted.inheritable());
      ambient(calls, is, wanted, user);
      prctl(calls, "set secure bits", Sys.PR_SET_SECUREBITS, then.secureBits());
      sets(calls, wanted.effective(), wanted.permitted(), wanted.inheritable());
      return;
    }
    sets(calls, wanted.effective(), wanted.permitted(), wanted.inheritable());
    ambient(calls, is, wanted, user);
    if (keep) {
      prctl(calls, "keep capabilities", Sys.PR_SET_KEEPCAPS, 0);
    }
  }

  private static void groups(Batches calls, String groups) throws CaptureException {
    String[] words = groups.isEmpty() ? new String[0] : groups.split(" ");
    ByteBuffer list =
        ByteBuffer.allocate(Math.max(4, 4 * words.length)).order(ByteOrder.LITTLE_ENDIAN);
    for (String word : words) {
      list.putInt((int) Long.parseLong(word));
    }
    InjectedBatch batch = calls.room(1, list.capacity());
    calls.expect(
        batch.call(Sys.SETGROUPS, batch.value(words.length), batch.bytes(list.array())),
        "set supplementary groups");
  }

  private static void ids(Batches calls, String tried, int call, int[] ids, int from)
      throws CaptureException {
    InjectedBatch batch = calls.room(1, 0);
    calls.expect(
        batch.call(
            call,
            batch.value(ids[from] & 0xffffffffL),
            batch.value(ids[from + 1] & 0xffffffffL),
            batch.value(ids[from + 2] & 0xffffffffL)),
        tried);
  }

  private static void sets(Batches calls, long effective, long permitted, long inheritable)
      throws CaptureException {
    ByteBuffer header = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putInt(0, VERSION_3);
    ByteBuffer data = ByteBuffer.allocate(24).order(ByteOrder.LITTLE_ENDIAN);
    for (int half = 0; half < 2; half++) {
      data.putInt((int) (effective >>> (32 * half)));
      data.putInt((int) (permitted >>> (32 * half)));
      data.putInt((int) (inheritable >>> (32 * half)));
    }
    InjectedBatch batch = calls.room(1, 32);
    calls.expect(
        batch.call(Sys.CAPSET, batch.bytes(header.array()), batch.bytes(data.array())),
        "set capabilities");
  }

  /** Another user has none to begin with. */
  private static void ambient(Batches calls, Rights is, Rights wanted, boolean user)
      throws CaptureException {
    if (is.ambient() == wanted.ambient() && !(user && wanted.ambient() != 0)) {
      return;
    }
    prctl(calls, "clear ambient capabilities", Sys.PR_CAP_AMBIENT, Sys.PR_CAP_AMBIENT_CLEAR_ALL);
    for (int i = 0; i < CAPABILITIES; i++) {
      if (((wanted.ambient() >>> i) & 1) != 0) {
        InjectedBatch batch = calls.room(1, 0);
        calls.expect(
            batch.call(
                Sys.PRCTL,
                batch.value(Sys.PR_CAP_AMBIENT),
                batch.value(Sys.PR_CAP_AMBIENT_RAISE),
                batch.value(i),
                batch.value(0),
                batch.value(0)),
            "raise ambient capability");
      }
    }
  }

  private static void prctl(Batches calls, String tried, int option, long value)
      throws CaptureException {
    InjectedBatch batch = calls.room(1, 0);
    calls.expect(
        batch.call(
            Sys.PRCTL,
            batch.value(option),
            batch.value(value),
            batch.value(0),
            batch.value(0),
            batch.value(0)),
        tried);
  }

  private void check(int result, String tried) throws CaptureException {
    if (result < 0) {
      throw new CaptureException(tried + " failed: " + Errno.text(-result) + " " + then.label());
    }
  }
}
