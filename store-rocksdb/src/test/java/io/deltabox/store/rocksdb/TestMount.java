package io.deltabox.store.rocksdb;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.List;

/** A file system of a test's own; needs root. */
final class TestMount implements AutoCloseable {
  private final Path at;

  private TestMount(Path at) {
    this.at = at;
  }

  static TestMount tmpfs(Path at, String options) throws IOException {
    Files.createDirectories(at);
    boolean mounted = run("mount", "-t", "tmpfs", "-o", options, "test", at.toString());
    Unavailable.require(mounted, "mounts (needs root)");
    return new TestMount(at);
  }

  /** An empty ext4 in a file. */
  static TestMount newExt4(Path image, long bytes, Path at) throws IOException {
    Files.write(image, new byte[0]);
    try (var channel = FileChannel.open(image, StandardOpenOption.WRITE)) {
      channel.write(ByteBuffer.allocate(1), bytes - 1);
    }
    Unavailable.require(
        run("mkfs.ext4", "-q", "-F", image.toString()) && loop(image, at),
        "loop devices (needs root and e2fsprogs)");
    return new TestMount(at);
  }

  /** The ext4 in a file, as it is. */
  static TestMount ext4(Path image, Path at) throws IOException {
    if (!loop(image, at)) {
      throw new IOException("mount failed: image=" + image);
    }
    return new TestMount(at);
  }

  private static boolean loop(Path image, Path at) throws IOException {
    Files.createDirectories(at);
    return run("mount", "-o", "loop", image.toString(), at.toString());
  }

  Path path() {
    return at;
  }

  /**
   * Copies the image of an ext4 as it is at one moment: again until nothing was written to it
   * meanwhile. What the file system has not sent to it yet is not in the copy.
   */
  void copyImage(Path image, Path copy) throws IOException {
    for (int attempt = 0; attempt < 1000; attempt++) {
      String before = written();
      Files.copy(image, copy, StandardCopyOption.REPLACE_EXISTING);
      if (before.equals(written())) {
        return;
      }
    }
    throw new IOException("never still enough to be copied: " + at);
  }

  /** How much was written to the loop device; see stat in the kernel's documentation of blocks. */
  private String written() throws IOException {
    try (var mounts = Files.lines(Path.of("/proc/self/mounts"))) {
      String device =
          mounts
              .map(line -> line.split(" "))
              .filter(fields -> fields[1].equals(at.toString()))
              .map(fields -> fields[0].substring(fields[0].lastIndexOf('/') + 1))
              .reduce((first, last) -> last)
              .orElseThrow();
      String[] stat = Files.readString(Path.of("/sys/block", device, "stat")).strip().split(" +");
      return "writes=" + stat[4] + " sectors=" + stat[6] + " under way=" + stat[8];
    }
  }

  void remount(String options) throws IOException {
    if (!run("mount", "-o", "remount," + options, at.toString())) {
      throw new IOException("remount failed: " + at);
    }
  }

  @Override
  public void close() throws IOException {
    if (!run("umount", at.toString())) {
      throw new IOException("umount failed: " + at);
    }
  }

  private static boolean run(String... command) throws IOException {
    try {
      Process process = new ProcessBuilder(List.of(command)).redirectErrorStream(true).start();
      String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      boolean done = process.onExit().join().exitValue() == 0;
      if (!done) {
        System.out.println(String.join(" ", command) + ": " + output.strip());
      }
      return done;
    } catch (IOException e) {
      return false;
    }
  }
}
