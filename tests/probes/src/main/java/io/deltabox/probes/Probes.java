package io.deltabox.probes;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;

/** Puts the programs where a sandbox can be shown them. */
public final class Probes {
  private static final List<String> FILES =
      List.of(
          "memory",
          "tree",
          "eintr",
          "regions",
          "state",
          "descriptors",
          "workload",
          "workload.py",
          "load.py",
          "files.py",
          "tree.sh",
          "load.js");

  private Probes() {}

  /**
   * Writes all programs into a directory, readable and executable by everybody.
   *
   * @param directory must exist
   * @return {@code directory}
   */
  public static Path unpack(Path directory) throws IOException {
    Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwxr-xr-x"));
    for (String name : FILES) {
      copy("/probes/" + name, directory.resolve(name));
    }
    String loader = JvmLoad.class.getName().replace('.', '/') + ".class";
    Path target = directory.resolve("classes").resolve(loader);
    Files.createDirectories(target.getParent());
    copy("/" + loader, target);
    return directory;
  }

  private static void copy(String resource, Path to) throws IOException {
    try (InputStream in = Probes.class.getResourceAsStream(resource)) {
      if (in == null) {
        throw new IOException("no such probe in the jar: resource=" + resource);
      }
      Files.copy(in, to, StandardCopyOption.REPLACE_EXISTING);
    }
    Files.setPosixFilePermissions(to, PosixFilePermissions.fromString("rwxr-xr-x"));
  }
}
