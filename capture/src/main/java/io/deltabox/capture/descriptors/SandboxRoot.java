package io.deltabox.capture.descriptors;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;

/**
 * Opens files below the root of a living process of the sandbox, which is its pid 1 as a rule. Not
 * thread-safe; holds one descriptor until {@link #close}.
 */
public final class SandboxRoot implements FileOpener, AutoCloseable {
  private final Kernel kernel;
  private final int root;

  private SandboxRoot(Kernel kernel, int root) {
    this.kernel = kernel;
    this.root = root;
  }

  /**
   * Takes hold of a root.
   *
   * @param pid a living process, in the daemon's pid namespace
   */
  public static SandboxRoot of(int pid) throws IOException {
    Kernel kernel = new Kernel();
    try {
      int flags = Flags.O_PATH | Flags.O_DIRECTORY | Flags.O_CLOEXEC;
      return new SandboxRoot(kernel, kernel.open("/proc/" + pid + "/root", flags, 0));
    } catch (IOException e) {
      kernel.close();
      throw e;
    }
  }

  @Override
  public int openPlace(String path) throws IOException {
    return kernel.openBelow(root, path, Flags.O_PATH | Flags.O_NOFOLLOW | Flags.O_CLOEXEC);
  }

  @Override
  public OptionalInt find(FileKey key, List<String> near) throws IOException {
    List<String> starts = new ArrayList<>(near);
    starts.add("/");
    FileSearch search = new FileSearch(kernel, key);
    for (String start : starts) {
      OptionalInt found = search.below(openPlace(start));
      if (found.isPresent()) {
        return found;
      }
    }
    return OptionalInt.empty();
  }

  @Override
  public void close() {
    kernel.closeQuietly(root);
    kernel.close();
  }
}
