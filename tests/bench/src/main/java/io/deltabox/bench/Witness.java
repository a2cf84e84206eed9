package io.deltabox.bench;

import io.deltabox.capture.CapturePhase;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * Reads when the witness looked last, while a rollback has everything stopped: what the witness
 * remembers of that moment the rollback takes back. Costs the pause one read of 8 bytes.
 *
 * <p>The hook runs on the tracing thread, {@link #lastLook} on the bench's, after the rollback.
 */
final class Witness implements CapturePhase.Hook, AutoCloseable {
  private final FileChannel memory;
  private final long address;
  private final ByteBuffer word = ByteBuffer.allocateDirect(8).order(ByteOrder.nativeOrder());
  private volatile long lastLook;

  private Witness(FileChannel memory, long address) {
    this.memory = memory;
    this.address = address;
  }

  /**
   * @param innerPid the program's number inside its sandbox
   * @param mark argument by which the program is known from all others with that number
   */
  static Witness open(int innerPid, String mark, long address) throws IOException {
    Path process = find(innerPid, mark);
    return new Witness(FileChannel.open(process.resolve("mem"), StandardOpenOption.READ), address);
  }

  private static Path find(int innerPid, String mark) throws IOException {
    try (DirectoryStream<Path> all = Files.newDirectoryStream(Path.of("/proc"), "[0-9]*")) {
      for (Path process : all) {
        if (isIt(process, innerPid, mark)) {
          return process;
        }
      }
    }
    throw new IOException("measured program is not among the processes: pid inside=" + innerPid);
  }

  private static boolean isIt(Path process, int innerPid, String mark) {
    try {
      if (!Files.readString(process.resolve("cmdline"), StandardCharsets.ISO_8859_1)
          .contains(mark)) {
        return false;
      }
      return Files.readString(process.resolve("status"), StandardCharsets.ISO_8859_1)
          .matches("(?s).*\nNSpid:[^\n]*\t" + innerPid + "\n.*");
    } catch (IOException ended) {
      return false;
    }
  }

  @Override
  public void enter(CapturePhase phase) {
    if (phase != CapturePhase.ROLLBACK_PLAN) {
      return;
    }
    try {
      word.clear();
      lastLook = memory.read(word, address) == 8 ? word.getLong(0) : 0;
    } catch (IOException e) {
      lastLook = 0;
    }
  }

  /** Time of the last look before the latest rollback stopped everything. */
  long lastLook() throws IOException {
    if (lastLook == 0) {
      throw new IOException("the witness's time cannot be read while it is stopped");
    }
    return lastLook;
  }

  @Override
  public void close() throws IOException {
    memory.close();
  }
}
