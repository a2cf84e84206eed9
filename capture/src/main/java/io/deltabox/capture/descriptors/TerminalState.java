package io.deltabox.capture.descriptors;

import java.nio.ByteBuffer;

/**
 * Settings of a pty.
 *
 * @param index its number in its devpts instance
 * @param foreground process group as the daemon numbers it; 0 unknown
 * @param queued bytes somebody inside has not read yet, in both directions as far as seen
 * @param settings struct termios2; empty when it could not be read
 */
record TerminalState(
    int index,
    boolean master,
    int foreground,
    int session,
    boolean locked,
    int queued,
    Window window,
    ByteBuffer settings) {

  /** Size in characters and pixels. */
  record Window(int rows, int columns, int width, int height) {}

  static TerminalState read(ByteBuffer body) {
    body.getLong();
    int index = body.getInt();
    boolean master = body.getInt() != 0;
    int foreground = body.getInt();
    int session = body.getInt();
    boolean locked = body.getInt() != 0;
    body.getInt();
    int queued = body.getInt();
    Window window =
        new Window(
            body.getShort() & 0xffff,
            body.getShort() & 0xffff,
            body.getShort() & 0xffff,
            body.getShort() & 0xffff);
    byte[] settings = new byte[body.getInt()];
    body.get(settings);
    return new TerminalState(
        index,
        master,
        foreground,
        session,
        locked,
        queued,
        window,
        ByteBuffer.wrap(settings).asReadOnlyBuffer());
  }

  /** Seen through several descriptors: some tell the foreground group, some do not. */
  TerminalState merge(TerminalState other) {
    TerminalState better = master ? this : other.master ? other : this;
    int group = foreground > 0 ? foreground : other.foreground;
    int leader = session > 0 ? session : other.session;
    return new TerminalState(
        better.index,
        better.master,
        group,
        leader,
        better.locked,
        master == other.master ? Math.max(queued, other.queued) : queued + other.queued,
        better.window,
        better.settings);
  }
}
