package io.deltabox.capture;

import io.deltabox.linux.Errno;
import io.deltabox.linux.Memory;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/**
 * An {@link Injection} laid out directly in the scratch area that target and daemon share; {@code
 * struct dbx_call} of {@code engine.h}.
 */
final class InjectedBatch implements Injection {
  static final int SCRATCH_BYTES = 131072;
  static final int CALLS_MAX = 325;
  private static final int CALLS = 4096;
  private static final int CALL_BYTES = 88;
  private static final int RESULT = 56;
  private static final int COPY_TO = 64;
  private static final int COPIES_MAX = 3;
  private static final int DATA = 32768;
  private static final int DATA_MAX = SCRATCH_BYTES - DATA;

  private record Value(long value) implements Arg {}

  private record Space(int offset, int bytes) implements Arg {}

  private record Made(int index) implements Call {}

  private final Tracer tracer;
  private final int pid;
  private final int tid;
  private final long remote;
  private final ByteBuffer scratch;
  private final List<Integer> copies = new ArrayList<>();
  private int calls;
  private int data;

  /**
   * @param tid thread that runs the calls, 0 for the main thread
   * @param remote address of the scratch area in the target
   * @param local address of it here
   */
  InjectedBatch(Tracer tracer, int pid, int tid, long remote, long local) {
    this.tracer = tracer;
    this.pid = pid;
    this.tid = tid;
    this.remote = remote;
    this.scratch = Memory.view(local, SCRATCH_BYTES);
  }

  @Override
  public Arg value(long value) {
    return new Value(value);
  }

  @Override
  public Arg bytes(byte[] bytes) {
    Space space = reserve(bytes.length);
    scratch.put(DATA + space.offset, bytes);
    return space;
  }

  @Override
  public Arg space(int bytes) {
    Space space = reserve(bytes);
    for (int i = 0; i < bytes; i++) {
      scratch.put(DATA + space.offset + i, (byte) 0);
    }
    return space;
  }

  private Space reserve(int bytes) {
    if (bytes < 0 || data + bytes > DATA_MAX) {
      throw new IllegalArgumentException("batch has no room: bytes=" + bytes + " used=" + data);
    }
    Space space = new Space(data, bytes);
    data += (bytes + 15) & ~15;
    return space;
  }

  @Override
  public void point(Arg block, int offset, Arg to) {
    scratch.putLong(DATA + ((Space) block).offset + offset, remote + DATA + ((Space) to).offset);
  }

  /**
   * True if so many calls and bytes of data still fit; each block of data may lose 15 bytes to
   * alignment.
   */
  boolean hasRoom(int moreCalls, int bytes) {
    return calls + moreCalls <= CALLS_MAX && data + bytes + 64 <= DATA_MAX;
  }

  int size() {
    return calls;
  }

  @Override
  public Call call(int number, Arg... arguments) {
    if (calls == CALLS_MAX || arguments.length > 6) {
      throw new IllegalArgumentException("batch is full: calls=" + calls);
    }
    int at = CALLS + calls * CALL_BYTES;
    scratch.putLong(at, number);
    for (int i = 0; i < 6; i++) {
      scratch.putLong(
          at + 8 + 8 * i, i < arguments.length ? argument(arguments[i], at + 8 + 8 * i) : 0);
    }
    for (int i = 0; i < COPIES_MAX; i++) {
      scratch.putLong(at + COPY_TO + 8 * i, 0);
    }
    copies.add(0);
    return new Made(calls++);
  }

  private long argument(Arg arg, int slot) {
    if (arg instanceof Value value) {
      return value.value;
    }
    if (arg instanceof Space space) {
      return remote + DATA + space.offset;
    }
    int index = ((Made) arg).index;
    int copy = copies.get(index);
    if (copy == COPIES_MAX) {
      throw new IllegalArgumentException("result is used by too many calls: call=" + index);
    }
    scratch.putLong(CALLS + index * CALL_BYTES + COPY_TO + 8 * copy, remote + slot);
    copies.set(index, copy + 1);
    return 0;
  }

  @Override
  public void run() throws CaptureException {
    if (calls == 0) {
      return;
    }
    int result = tracer.calls.dbx_engine_run(tracer.handle(), pid, tid, calls);
    if (result < 0) {
      throw new CaptureException(
          "run calls inside a process failed: "
              + Errno.text(-result)
              + " pid="
              + pid
              + " calls="
              + calls);
    }
  }

  /**
   * Runs all calls; the last is execve(2). On success the process is another program, stopped
   * before its first instruction, and no result can be read.
   */
  void runExecve(String what) throws CaptureException {
    int result = tracer.calls.dbx_engine_exec(tracer.handle(), pid, calls);
    if (result < 0) {
      throw new CaptureException("execute a program again failed: " + Errno.text(-result) + what);
    }
  }

  @Override
  public long result(Call call) {
    return scratch.getLong(CALLS + ((Made) call).index * CALL_BYTES + RESULT);
  }

  @Override
  public ByteBuffer read(Arg space) {
    Space wanted = (Space) space;
    return scratch
        .duplicate()
        .position(DATA + wanted.offset)
        .limit(DATA + wanted.offset + wanted.bytes)
        .slice()
        .order(scratch.order());
  }
}
