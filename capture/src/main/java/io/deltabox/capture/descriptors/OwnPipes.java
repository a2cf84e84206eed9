package io.deltabox.capture.descriptors;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * The daemon's own ends of pipes of a sandbox: the stdio of its commands. Through them an end that
 * the last process of the sandbox has closed can be opened again.
 */
final class OwnPipes {
  private OwnPipes() {}

  /**
   * A descriptor of this process that leads to a pipe; borrowed, null if there is none.
   *
   * @param link for example {@code pipe:[42]}
   */
  static @Nullable Integer find(String link) throws IOException {
    try (DirectoryStream<Path> numbers = Files.newDirectoryStream(Path.of("/proc/self/fd"))) {
      for (Path number : numbers) {
        if (target(number).equals(link)) {
          return Integer.parseInt(number.getFileName().toString());
        }
      }
    }
    return null;
  }

  private static String target(Path number) throws IOException {
    try {
      return Files.readSymbolicLink(number).toString();
    } catch (NoSuchFileException e) {
      return "";
    }
  }
}
