package io.deltabox.capture.descriptors;

import io.deltabox.capture.Injection;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Settings, size and foreground group of terminals. The size of one whose master is outside is the
 * size of somebody's window, and stays.
 */
final class Terminals {
  private static final int SET_SETTINGS = 0x402c542b;
  private static final int SET_WINDOW = 0x5414;
  private static final int SET_GROUP = 0x5410;
  private static final int FLUSH = 0x540b;
  private static final int BOTH_QUEUES = 2;

  private final Run run;

  private Terminals(Run run) {
    this.run = run;
  }

  /** Runs when every descriptor is in its place. */
  static void restore(Run run) throws IOException {
    Terminals terminals = new Terminals(run);
    for (Map.Entry<Integer, TerminalState> entry : run.target().contents().terminals().entrySet()) {
      TerminalState now = run.current().contents().terminals().get(entry.getKey());
      terminals.settings(entry.getValue(), now);
      terminals.queues(entry.getValue(), now);
      terminals.foreground(entry.getValue(), now);
    }
  }

  private @Nullable OpenFile end(int index) {
    OpenFile master = end(index, FileKind.PTY_MASTER);
    return master != null ? master : end(index, FileKind.PTY_SLAVE);
  }

  private @Nullable OpenFile end(int index, FileKind kind) {
    for (OpenFile file : run.target().files()) {
      if (file.kind() == kind && TerminalRules.index(file) == index) {
        return file;
      }
    }
    return null;
  }

  private void settings(TerminalState wanted, @Nullable TerminalState now) throws IOException {
    boolean settings =
        wanted.settings().hasRemaining()
            && (now == null || !now.settings().equals(wanted.settings()));
    boolean window = wanted.master() && (now == null || !now.window().equals(wanted.window()));
    OpenFile end = end(wanted.index());
    if (end == null || !(settings || window)) {
      return;
    }
    int fd = run.stealGiven(end);
    Kernel kernel = run.kernel();
    if (settings) {
      kernel.buffer(wanted.settings().remaining()).put(wanted.settings().duplicate());
      kernel.check("set terminal", Calls.IOCTL, fd, SET_SETTINGS, kernel.address(), 0);
    }
    if (window) {
      TerminalState.Window size = wanted.window();
      kernel
          .buffer(8)
          .putShort((short) size.rows())
          .putShort((short) size.columns())
          .putShort((short) size.width())
          .putShort((short) size.height());
      kernel.check("set terminal size", Calls.IOCTL, fd, SET_WINDOW, kernel.address(), 0);
    }
  }

  /**
   * Drops what was queued since between two programs inside; what was queued at the checkpoint
   * cannot be put back. What is on its way from or to somebody outside stays.
   */
  private void queues(TerminalState wanted, @Nullable TerminalState now) throws IOException {
    OpenFile master = end(wanted.index(), FileKind.PTY_MASTER);
    OpenFile slave = end(wanted.index(), FileKind.PTY_SLAVE);
    if (now == null || master == null || slave == null || now.queued() == wanted.queued()) {
      return;
    }
    for (OpenFile end : List.of(slave, master)) {
      int fd = run.stealGiven(end);
      run.kernel().check("flush a terminal", Calls.IOCTL, fd, FLUSH, BOTH_QUEUES, 0);
    }
    if (wanted.queued() != 0) {
      run.note("bytes queued in a terminal are lost: pty=" + wanted.index());
    }
  }

  /** Only a member of the session may say which group is in the foreground. */
  private void foreground(TerminalState wanted, @Nullable TerminalState now) throws IOException {
    if (wanted.foreground() <= 0 || (now != null && now.foreground() == wanted.foreground())) {
      return;
    }
    Integer group = innerGroup(wanted.foreground());
    Slot speaker = speaker(wanted);
    if (group == null || speaker == null) {
      run.note("the foreground group of a terminal is lost: pty=" + wanted.index());
      return;
    }
    byte[] argument = ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN).putInt(group).array();
    Injection batch = run.process(speaker.process()).inject();
    Injection.Call call = TerminalRules.ioctl(batch, speaker.number(), SET_GROUP, argument);
    batch.run();
    if (batch.result(call) < 0) {
      run.note(
          "the foreground group of a terminal is lost: pty="
              + wanted.index()
              + " error="
              + -batch.result(call));
    }
  }

  private @Nullable Integer innerGroup(int group) {
    for (ProcessFiles process : run.target().processes().values()) {
      if (process.ids().group() == group) {
        return process.ids().innerGroup();
      }
    }
    return null;
  }

  private @Nullable Slot speaker(TerminalState terminal) {
    for (ProcessFiles process : run.target().processes().values()) {
      if (process.ids().session() != terminal.session()) {
        continue;
      }
      for (Descriptor descriptor : process.descriptors().values()) {
        OpenFile file = descriptor.file();
        boolean slave =
            file.kind() == FileKind.PTY_SLAVE && TerminalRules.index(file) == terminal.index();
        if (slave || file.kind() == FileKind.TTY) {
          return new Slot(process.process(), descriptor.number());
        }
      }
    }
    return null;
  }
}
