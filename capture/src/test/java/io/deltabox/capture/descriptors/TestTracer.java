package io.deltabox.capture.descriptors;

import io.deltabox.capture.CaptureException;
import io.deltabox.capture.Injection;
import io.deltabox.capture.StoppedProcess;
import io.deltabox.linux.Errno;
import io.deltabox.linux.Memory;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Assumptions;

/**
 * Stops single-threaded processes that wait in a system call and runs calls inside them, one single
 * step each: the smallest tracer that the descriptors part can be tested with. Used by one thread.
 */
final class TestTracer implements AutoCloseable {
  private static final int ARENA = 32;
  private static final int PTRACE = 101;
  private static final int WAIT4 = 61;
  private static final int MMAP = 9;
  private static final int SINGLESTEP = 9;
  private static final int GETREGS = 12;
  private static final int SETREGS = 13;
  private static final int DETACH = 17;
  private static final int SEIZE = 0x4206;
  private static final int INTERRUPT = 0x4207;
  private static final int SETSIGMASK = 0x420b;
  private static final int GETSIGMASK = 0x420a;
  private static final int WALL = 0x40000000;
  private static final int REGISTERS = 27 * 8;
  private static final int SCRATCH = 1 << 17;
  private static final int RAX = 80;
  private static final int ORIG_RAX = 120;
  private static final int RIP = 128;
  private static final int[] ARGUMENTS = {112, 104, 96, 56, 72, 64};

  private final Kernel kernel;
  private final Map<Integer, Long> scratch = new LinkedHashMap<>();

  TestTracer(Kernel kernel) {
    this.kernel = kernel;
  }

  /** Skips the test, visibly, where processes cannot be traced. */
  static void require() throws IOException {
    boolean root = Files.getAttribute(Path.of("/proc/self"), "unix:uid").equals(0);
    if (!root) {
      System.out.println("UNAVAILABLE: tracing (needs root)");
    }
    Assumptions.assumeTrue(root, "needs root");
  }

  /** Waits until a process waits in read(2): a scenario that has nothing more to do. */
  private static void awaitIdle(int pid) throws IOException {
    long deadline = System.nanoTime() + 10_000_000_000L;
    while (!Files.readString(Path.of("/proc/" + pid + "/syscall")).startsWith("0 0x")) {
      if (System.nanoTime() > deadline) {
        throw new IOException("process does not come to rest: pid=" + pid);
      }
      Thread.onSpinWait();
    }
  }

  /** Stops all of them; the result is in the order given, by inner number. */
  Map<Integer, StoppedProcess> stop(List<Integer> pids) throws IOException {
    Map<Integer, StoppedProcess> stopped = new LinkedHashMap<>();
    for (int pid : pids) {
      awaitIdle(pid);
      kernel.check("seize", PTRACE, SEIZE, pid, 0, 0);
      kernel.check("interrupt", PTRACE, INTERRUPT, pid, 0, 0);
      await(pid);
      Stopped process = new Stopped(pid);
      process.prepare();
      stopped.put(pid, process);
    }
    return stopped;
  }

  void resume(Map<Integer, StoppedProcess> stopped) throws IOException {
    for (StoppedProcess process : stopped.values()) {
      ((Stopped) process).release();
    }
  }

  private void await(int pid) throws IOException {
    kernel.check("wait", WAIT4, pid, kernel.address(), WALL, 0);
    int status = kernel.buffer(4).getInt();
    if ((status & 0xff) != 0x7f) {
      throw new IOException("process did not stop: pid=" + pid + " status=" + status);
    }
  }

  @Override
  public void close() {
    kernel.close();
  }

  private final class Stopped implements StoppedProcess {
    private final int pid;
    private final int pidfd;
    private final byte[] registers = new byte[REGISTERS];
    private long mask;
    private long instruction;

    Stopped(int pid) throws IOException {
      this.pid = pid;
      this.pidfd = (int) kernel.check("pidfd", Calls.PIDFD_OPEN, pid, 0, 0, 0);
    }

    void prepare() throws IOException {
      kernel.check("sigmask", PTRACE, GETSIGMASK, pid, 8, kernel.address());
      mask = kernel.buffer(8).getLong();
      kernel.buffer(8).putLong(-1);
      kernel.check("sigmask", PTRACE, SETSIGMASK, pid, 8, kernel.address());
      kernel.check("registers", PTRACE, GETREGS, pid, 0, kernel.address());
      kernel.buffer(REGISTERS).get(registers);
      instruction = view(registers).getLong(RIP) - 2;
      byte[] code = new byte[2];
      read(instruction, code);
      if (code[0] != 0x0f || code[1] != 0x05) {
        throw new IOException("process does not wait in a system call: pid=" + pid);
      }
      if (!scratch.containsKey(pid)) {
        long address = call(MMAP, new long[] {0, SCRATCH, 3, 0x21, -1, 0});
        scratch.put(pid, Errno.check(address, "map scratch"));
      }
    }

    void release() throws IOException {
      kernel.buffer(8).putLong(mask);
      kernel.check("sigmask", PTRACE, SETSIGMASK, pid, 8, kernel.address());
      kernel.check("detach", PTRACE, DETACH, pid, 0, 0);
      kernel.closeQuietly(pidfd);
    }

    long call(int number, long[] arguments) throws IOException {
      byte[] changed = registers.clone();
      ByteBuffer edit = view(changed);
      edit.putLong(RAX, number).putLong(ORIG_RAX, -1).putLong(RIP, instruction);
      for (int i = 0; i < arguments.length; i++) {
        edit.putLong(ARGUMENTS[i], arguments[i]);
      }
      kernel.buffer(REGISTERS).put(changed);
      kernel.check("registers", PTRACE, SETREGS, pid, 0, kernel.address());
      kernel.check("step", PTRACE, SINGLESTEP, pid, 0, 0);
      await(pid);
      kernel.check("registers", PTRACE, GETREGS, pid, 0, kernel.address());
      long result = kernel.buffer(REGISTERS).getLong(RAX);
      kernel.buffer(REGISTERS).put(registers);
      kernel.check("registers", PTRACE, SETREGS, pid, 0, kernel.address());
      return result;
    }

    void read(long address, byte[] to) throws IOException {
      try (RandomAccessFile mem = new RandomAccessFile("/proc/" + pid + "/mem", "r")) {
        mem.seek(address);
        mem.readFully(to);
      }
    }

    void write(long address, byte[] from) throws IOException {
      try (RandomAccessFile mem = new RandomAccessFile("/proc/" + pid + "/mem", "rw")) {
        mem.seek(address);
        mem.write(from);
      }
    }

    @Override
    public int pid() {
      return pid;
    }

    @Override
    public int innerPid() {
      return pid;
    }

    @Override
    public int pidfd() {
      return pidfd;
    }

    @Override
    public Injection inject() {
      Long base = scratch.get(pid);
      if (base == null) {
        throw new IllegalStateException("no scratch");
      }
      return new Steps(this, base);
    }
  }

  private static ByteBuffer view(byte[] bytes) {
    return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }

  /** A batch that is a single step for each call. */
  private static final class Steps implements Injection {
    private final Stopped process;
    private final long base;
    private final byte[] data = new byte[SCRATCH];
    private final List<Step> steps = new ArrayList<>();
    private int used;

    private record Plain(long value) implements Arg {}

    private record Block(int offset, int length) implements Arg {}

    private static final class Step implements Call {
      final int number;
      final Arg[] arguments;
      long result;

      Step(int number, Arg[] arguments) {
        this.number = number;
        this.arguments = arguments;
      }
    }

    Steps(Stopped process, long base) {
      this.process = process;
      this.base = base;
    }

    @Override
    public Arg value(long value) {
      return new Plain(value);
    }

    @Override
    public Arg bytes(byte[] bytes) {
      Block block = new Block(used, bytes.length);
      System.arraycopy(bytes, 0, data, used, bytes.length);
      used += (bytes.length + 7) & ~7;
      return block;
    }

    @Override
    public Arg space(int bytes) {
      return bytes(new byte[bytes]);
    }

    @Override
    public void point(Arg block, int offset, Arg to) {
      view(data).putLong(((Block) block).offset() + offset, base + ((Block) to).offset());
    }

    @Override
    public Call call(int number, Arg... arguments) {
      Step step = new Step(number, arguments.clone());
      steps.add(step);
      return step;
    }

    @Override
    public void run() throws CaptureException {
      try {
        byte[] out = new byte[used];
        System.arraycopy(data, 0, out, 0, used);
        process.write(base, out);
        for (Step step : steps) {
          long[] values = new long[step.arguments.length];
          for (int i = 0; i < values.length; i++) {
            values[i] = value(step.arguments[i]);
          }
          step.result = process.call(step.number, values);
        }
        byte[] in = new byte[used];
        process.read(base, in);
        System.arraycopy(in, 0, data, 0, used);
      } catch (IOException e) {
        throw new CaptureException("inject failed: " + e.getMessage(), e);
      }
    }

    private long value(Arg arg) {
      if (arg instanceof Plain number) {
        return number.value();
      }
      return arg instanceof Block block ? base + block.offset() : ((Step) arg).result;
    }

    @Override
    public long result(Call call) {
      return ((Step) call).result;
    }

    @Override
    public ByteBuffer read(Arg space) {
      Block block = (Block) space;
      return ByteBuffer.wrap(data, block.offset(), block.length())
          .slice()
          .order(ByteOrder.LITTLE_ENDIAN);
    }
  }

  /** The descriptor tables of stopped processes, read as the engine does. */
  static DescriptorTable scan(Map<Integer, StoppedProcess> stopped) throws IOException {
    int room = 64 << 20;
    try (Memory records = Memory.allocate(room, Memory.Touch.LATER);
        Memory arena = Memory.allocate(ARENA, Memory.Touch.NOW)) {
      window(stopped, arena, records, room);
      ByteBuffer after = arena.slice(0, ARENA);
      long used = after.getLong(16);
      if (used != after.getLong(24)) {
        throw new IOException("arena too small: need=" + after.getLong(24));
      }
      return DescriptorTable.parse(records.slice(0, (int) used), Devices.PLAIN);
    }
  }

  /** What the window says it needs when it has no more than some room. */
  static long need(Map<Integer, StoppedProcess> stopped, int room) throws IOException {
    try (Memory records = Memory.allocate(room + 1L, Memory.Touch.LATER);
        Memory arena = Memory.allocate(ARENA, Memory.Touch.NOW)) {
      window(stopped, arena, records, room);
      return arena.slice(0, ARENA).getLong(24);
    }
  }

  private static void window(
      Map<Integer, StoppedProcess> stopped, Memory arena, Memory records, int room)
      throws IOException {
    FdsFunctions functions = Kernel.functions();
    try (Memory context = Memory.allocate(functions.dbx_fds_context_bytes(), Memory.Touch.LATER)) {
      arena.slice(0, ARENA).putLong(records.address()).putLong(room).putLong(0).putLong(0);
      functions.dbx_fds_begin(context.address());
      for (StoppedProcess process : stopped.values()) {
        int result =
            functions.dbx_fds_window(
                process.pid(), process.pidfd(), process.pid(), arena.address(), context.address());
        Errno.check(result, "read descriptors");
      }
    }
  }

  /** A process and its descendants, parents first. */
  static List<Integer> tree(int pid) throws IOException {
    List<Integer> all = new ArrayList<>(List.of(pid));
    for (int i = 0; i < all.size(); i++) {
      int one = all.get(i);
      String children = Files.readString(Path.of("/proc/" + one + "/task/" + one + "/children"));
      for (String child : children.trim().split(" ")) {
        if (!child.isEmpty()) {
          all.add(Integer.parseInt(child));
        }
      }
    }
    return all;
  }
}
