package io.deltabox.capture.descriptors;

import io.deltabox.capture.StoppedProcess;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * Files that no descriptor leads to any more, but a mapping does. They are reached through
 * /proc/PID/map_files, which needs CAP_SYS_ADMIN or CAP_CHECKPOINT_RESTORE.
 */
final class MappedFiles {
  private static final int DEVICE = 3;
  private static final int INODE = 4;

  private MappedFiles() {}

  /** Opens a mapped file once more, for reading and writing; null if no process maps it. */
  static @Nullable Integer open(Run run, FileKey key) throws IOException {
    for (StoppedProcess process : run.processes().values()) {
      Path maps = Path.of("/proc/" + process.pid() + "/maps");
      for (String line : Files.readAllLines(maps, StandardCharsets.ISO_8859_1)) {
        String[] words = line.split(" +");
        if (words.length > INODE && key.equals(key(words, run.kernel().devices()))) {
          String name = "/proc/" + process.pid() + "/map_files/" + range(words[0]);
          return run.own(run.kernel().open(name, Flags.O_RDWR, 0));
        }
      }
    }
    return null;
  }

  private static FileKey key(String[] words, Devices devices) {
    String[] device = words[DEVICE].split(":");
    long major = Long.parseLong(device[0], 16);
    long minor = Long.parseLong(device[1], 16);
    return new FileKey(devices.marked(major, minor), Long.parseLong(words[INODE]));
  }

  /** The name in map_files has no leading zeros; the one in maps has eight digits at least. */
  private static String range(String text) {
    String[] ends = text.split("-");
    return Long.toHexString(Long.parseUnsignedLong(ends[0], 16))
        + "-"
        + Long.toHexString(Long.parseUnsignedLong(ends[1], 16));
  }
}
