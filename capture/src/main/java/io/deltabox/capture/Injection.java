package io.deltabox.capture;

import java.nio.ByteBuffer;

/**
 * One batch of system calls that a stopped thread of the sandbox runs in a single stop.
 *
 * <p>The calls run with the rights, the descriptors and the address space of that thread, through a
 * scratch page shared with the daemon; its registers and signal mask are put back afterwards. Not
 * thread-safe; used on the sandbox's tracing thread only.
 */
public interface Injection {
  /** A value known now, or when the batch runs. */
  interface Arg {}

  /** One call of the batch; as an argument it stands for the call's result. */
  interface Call extends Arg {}

  /** A number. */
  Arg value(long value);

  /**
   * The address, in the target, of a copy of {@code data}; a batch has room for 48 KiB of data and
   * space together.
   */
  Arg bytes(byte[] data);

  /** The address, in the target, of {@code bytes} zeroed bytes that a call may fill. */
  Arg space(int bytes);

  /**
   * Stores the address of {@code to} in {@code block}, for structures that hold pointers ({@code
   * msghdr}).
   *
   * @param block what {@link #bytes} or {@link #space} returned
   * @param offset of the eight bytes in {@code block}
   * @param to what {@link #bytes} or {@link #space} returned
   */
  void point(Arg block, int offset, Arg to);

  /** Appends a call. */
  Call call(int number, Arg... arguments);

  /**
   * Runs all calls in order; a call that fails does not stop the later ones.
   *
   * @throws CaptureException if the thread is gone or did not come back from the batch
   */
  void run() throws CaptureException;

  /** What a call returned: a value, or the negated error number. Only after {@link #run}. */
  long result(Call call);

  /**
   * What the calls left in a space; valid until the next batch of the same process. Only after
   * {@link #run}.
   */
  ByteBuffer read(Arg space);
}
