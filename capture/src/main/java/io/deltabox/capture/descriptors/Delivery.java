package io.deltabox.capture.descriptors;

import io.deltabox.capture.CaptureException;
import io.deltabox.capture.Injection;
import io.deltabox.capture.StoppedProcess;
import io.deltabox.linux.Errno;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Gives a stopped process descriptors of the daemon: a socket pair made inside, one end borrowed,
 * all descriptors in as few messages as the kernel allows, then moved to their numbers.
 */
final class Delivery {
  private static final int PER_MESSAGE = 253;
  private static final int CALLS_PER_BATCH = 300;
  private static final int AF_UNIX = 1;
  private static final int SOCK_DGRAM = 2;
  private static final int MSG_CMSG_CLOEXEC = 0x40000000;
  private static final int MSGHDR = 56;
  private static final int CMSGHDR = 16;
  private static final int FD_CLOEXEC = 1;

  private final Kernel kernel;
  private final StoppedProcess process;

  /** One descriptor to give. */
  record Parcel(int fd, int number, boolean closeOnExec) {}

  Delivery(Kernel kernel, StoppedProcess process) {
    this.kernel = kernel;
    this.process = process;
  }

  /**
   * Gives all of them.
   *
   * @param parcels their numbers are free in the process
   * @param used numbers the process uses
   */
  void deliver(List<Parcel> parcels, Set<Integer> used) throws IOException {
    if (parcels.isEmpty()) {
      return;
    }
    List<Integer> received = pass(parcels);
    Map<Integer, Integer> wanted = new HashMap<>();
    Map<Integer, Boolean> closeOnExec = new HashMap<>();
    for (int i = 0; i < parcels.size(); i++) {
      wanted.put(received.get(i), parcels.get(i).number());
      closeOnExec.put(parcels.get(i).number(), parcels.get(i).closeOnExec());
    }
    move(wanted, closeOnExec, used);
  }

  /** Gives one descriptor under any free number; whoever asked has the process close it. */
  int lend(int fd) throws IOException {
    return pass(List.of(new Parcel(fd, -1, true))).get(0);
  }

  private List<Integer> pass(List<Parcel> parcels) throws IOException {
    Injection make = process.inject();
    Injection.Arg ends = make.space(8);
    Injection.Call made =
        make.call(
            Calls.SOCKETPAIR,
            make.value(AF_UNIX),
            make.value(SOCK_DGRAM | Flags.O_CLOEXEC),
            make.value(0),
            ends);
    make.run();
    check(make, made, "make a socket pair");
    ByteBuffer numbers = make.read(ends).order(ByteOrder.LITTLE_ENDIAN);
    int inner = numbers.getInt(0);
    int outer = numbers.getInt(4);
    return receive(parcels, inner, outer);
  }

  private List<Integer> receive(List<Parcel> parcels, int inner, int outer) throws IOException {
    send(parcels, outer);
    Injection take = process.inject();
    List<Injection.Call> calls = new ArrayList<>();
    List<Injection.Arg> controls = new ArrayList<>();
    List<Integer> counts = new ArrayList<>();
    for (int from = 0; from < parcels.size(); from += PER_MESSAGE) {
      int count = Math.min(PER_MESSAGE, parcels.size() - from);
      int control = CMSGHDR + ((4 * count + 7) & ~7);
      Injection.Arg space = take.space(control);
      controls.add(space);
      counts.add(count);
      calls.add(receiveCall(take, inner, space, control));
    }
    take.call(Calls.CLOSE, take.value(inner));
    take.call(Calls.CLOSE, take.value(outer));
    take.run();
    List<Integer> received = new ArrayList<>();
    for (int i = 0; i < calls.size(); i++) {
      check(take, calls.get(i), "receive descriptors");
      ByteBuffer control = take.read(controls.get(i)).order(ByteOrder.LITTLE_ENDIAN);
      int got = (int) (control.getLong(0) - CMSGHDR) / 4;
      if (got != counts.get(i)) {
        throw new CaptureException(
            "give descriptors failed: the process may not have so many, pid="
                + process.innerPid()
                + " given="
                + counts.get(i)
                + " received="
                + got);
      }
      for (int k = 0; k < got; k++) {
        received.add(control.getInt(CMSGHDR + 4 * k));
      }
    }
    return received;
  }

  private static Injection.Call receiveCall(
      Injection take, int inner, Injection.Arg space, int control) {
    ByteBuffer vector = ByteBuffer.allocate(16).order(ByteOrder.LITTLE_ENDIAN).putLong(8, 1);
    ByteBuffer header =
        ByteBuffer.allocate(MSGHDR)
            .order(ByteOrder.LITTLE_ENDIAN)
            .putLong(24, 1)
            .putLong(40, control);
    Injection.Arg iov = take.bytes(vector.array());
    Injection.Arg message = take.bytes(header.array());
    take.point(iov, 0, take.space(8));
    take.point(message, 16, iov);
    take.point(message, 32, space);
    return take.call(Calls.RECVMSG, take.value(inner), message, take.value(MSG_CMSG_CLOEXEC));
  }

  private void send(List<Parcel> parcels, int outer) throws IOException {
    int socket = kernel.steal(process.pidfd(), outer);
    try {
      for (int from = 0; from < parcels.size(); from += PER_MESSAGE) {
        List<Integer> fds = new ArrayList<>();
        for (Parcel parcel : parcels.subList(from, Math.min(parcels.size(), from + PER_MESSAGE))) {
          fds.add(parcel.fd());
        }
        kernel.send(socket, fds);
      }
    } finally {
      kernel.closeQuietly(socket);
    }
  }

  private void move(
      Map<Integer, Integer> wanted, Map<Integer, Boolean> closeOnExec, Set<Integer> used)
      throws CaptureException {
    Batch batch = new Batch();
    Set<Integer> stay = new HashSet<>();
    wanted.forEach(
        (from, to) -> {
          if (from.equals(to)) {
            stay.add(to);
          }
        });
    for (Moves.Move move : Moves.plan(wanted, used)) {
      boolean keepOnExec = Boolean.FALSE.equals(closeOnExec.get(move.to()));
      batch.add(Calls.DUP3, move.from(), move.to(), keepOnExec ? 0 : Flags.O_CLOEXEC);
      batch.add(Calls.CLOSE, move.from(), 0, 0);
    }
    for (int number : stay) {
      boolean close = Boolean.TRUE.equals(closeOnExec.get(number));
      batch.add(Calls.FCNTL, number, Calls.F_SETFD, close ? FD_CLOEXEC : 0);
    }
    batch.flush();
  }

  private static void check(Injection injection, Injection.Call call, String tried)
      throws IOException {
    Errno.check(injection.result(call), tried + " in the sandbox");
  }

  /** Plain calls of three numbers, run in batches as large as one may be. */
  final class Batch {
    private Injection injection = process.inject();
    private final List<Injection.Call> calls = new ArrayList<>();

    void add(int number, long a, long b, long c) throws CaptureException {
      if (calls.size() == CALLS_PER_BATCH) {
        flush();
      }
      calls.add(injection.call(number, injection.value(a), injection.value(b), injection.value(c)));
    }

    void flush() throws CaptureException {
      if (calls.isEmpty()) {
        return;
      }
      injection.run();
      for (Injection.Call call : calls) {
        long result = injection.result(call);
        if (result < 0) {
          throw new CaptureException(
              "move descriptors failed: "
                  + Errno.text((int) -result)
                  + " pid="
                  + process.innerPid());
        }
      }
      calls.clear();
      injection = process.inject();
    }
  }
}
