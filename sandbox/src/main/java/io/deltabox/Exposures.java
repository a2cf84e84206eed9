package io.deltabox;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Host paths to be shown inside: read-only, device-less clones of their mounts with everything
 * mounted below. A path that leads through links is shown both where it was named and where it is.
 */
record Exposures(List<BaseLayer.Exposure> list, List<SandboxHost.Exposed> exposed)
    implements AutoCloseable {
  private static final int MAX = 64;
  private static final List<String> FORBIDDEN = List.of("/proc", "/sys", "/dev", "/run");

  /** May be shown where a link elsewhere leads to it; at its own place lies the sandbox's own. */
  private static final String SHARED_MEMORY = "/dev/shm";

  static Exposures open(List<String> paths) throws IOException {
    if (paths.size() > MAX) {
      throw new InvalidRequestException(
          "too many exposed paths: found=" + paths.size() + " most=" + MAX);
    }
    List<BaseLayer.Exposure> list = new ArrayList<>();
    List<SandboxHost.Exposed> exposed = new ArrayList<>();
    Exposures result = new Exposures(list, exposed);
    try {
      for (String text : paths) {
        Path path = check(text);
        Path real = path.toRealPath();
        requireAllowed(path);
        if (!real.startsWith(SHARED_MEMORY)) {
          requireAllowed(real);
          add(list, exposed, real, real);
        }
        if (!path.equals(real)) {
          add(list, exposed, path, real);
        }
      }
      return result;
    } catch (IOException | RuntimeException e) {
      result.close();
      throw e;
    }
  }

  private static Path check(String text) throws InvalidRequestException {
    Path path;
    try {
      path = Path.of(text).normalize();
    } catch (InvalidPathException e) {
      throw new InvalidRequestException("exposed path is none: found=" + Text.quote(text));
    }
    if (!path.isAbsolute() || path.getNameCount() == 0) {
      throw new InvalidRequestException(
          "exposed path must be absolute and not '/': found=" + Text.quote(text));
    }
    if (!Files.isDirectory(path) && !Files.isRegularFile(path)) {
      throw new InvalidRequestException(
          "exposed path is no directory or file of the host: found=" + Text.quote(text));
    }
    return path;
  }

  private static void requireAllowed(Path real) throws InvalidRequestException {
    for (String forbidden : FORBIDDEN) {
      if (real.startsWith(forbidden)) {
        throw new InvalidRequestException(
            "exposed path must not lie below "
                + forbidden
                + ": found="
                + Text.quote(real.toString()));
      }
    }
  }

  private static void add(
      List<BaseLayer.Exposure> list, List<SandboxHost.Exposed> exposed, Path target, Path source)
      throws IOException {
    if (list.stream().anyMatch(e -> e.target().equals(target))) {
      return;
    }
    Descriptor clone =
        Descriptor.of(
            SandboxFunctions.get()
                .dbx_sandbox_clone(
                    Descriptor.NOWHERE,
                    source.toString(),
                    1,
                    Mounts.RDONLY | Mounts.NOSUID | Mounts.NODEV),
            "expose path=" + source);
    list.add(new BaseLayer.Exposure(target, Files.isDirectory(source)));
    exposed.add(new SandboxHost.Exposed(clone, target.toString()));
  }

  @Override
  public void close() {
    exposed.forEach(e -> e.mount().close());
  }
}
