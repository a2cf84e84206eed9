package io.deltabox.capture.descriptors;

import io.deltabox.capture.CaptureException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/**
 * Opens files below the root of a living process of the sandbox, which is its pid 1 as a rule. Not
 * thread-safe; holds one descriptor until {@link #close}.
 */
public final class SandboxRoot implements FileOpener, AutoCloseable {
  private final int pid;
  private @Nullable Kernel kernel;
  private int root = -1;

  private final Devices devices;

  private SandboxRoot(int pid, Devices devices) {
    this.pid = pid;
    this.devices = devices;
  }

  /**
   * Takes hold of a root.
   *
   * @param pid a living process, in the daemon's pid namespace
   * @param devices of its container
   */
  public static SandboxRoot of(int pid, Devices devices) throws IOException {
    SandboxRoot root = later(pid, devices);
    root.kernel();
    return root;
  }

  /**
   * The same on first use: most rollbacks open nothing.
   *
   * @param pid a process that lives until {@link #close}
   * @param devices of its container
   */
  public static SandboxRoot later(int pid, Devices devices) {
    return new SandboxRoot(pid, devices);
  }

  private Kernel kernel() throws IOException {
    Kernel open = kernel;
    if (open != null) {
      return open;
    }
    Kernel made = new Kernel(devices);
    try {
      int flags = Flags.O_PATH | Flags.O_DIRECTORY | Flags.O_CLOEXEC;
      root = made.open("/proc/" + pid + "/root", flags, 0);
      kernel = made;
      return made;
    } catch (IOException e) {
      made.close();
      throw e;
    }
  }

  @Override
  public Devices devices() {
    return devices;
  }

  /** Identity of what a descriptor of the daemon leads to. */
  public FileKey key(int file) throws IOException {
    return kernel().stat(file).key();
  }

  @Override
  public int openPlace(String path) throws IOException {
    return kernel().openBelow(root, path, Flags.O_PATH | Flags.O_NOFOLLOW | Flags.O_CLOEXEC);
  }

  @Override
  public int openGone(String path, int flags) throws IOException {
    int slash = path.lastIndexOf('/');
    int directory = openPlace(slash <= 0 ? "/" : path.substring(0, slash));
    try {
      return kernel().openGone(directory, path.substring(slash + 1), flags);
    } finally {
      kernel().closeQuietly(directory);
    }
  }

  @Override
  public int makeNameless(String gone) throws IOException {
    String path = FileOpener.withoutMark(gone);
    IOException failure = new CaptureException("make a file without a name failed: path=" + path);
    while (!path.isEmpty()) {
      path = path.substring(0, Math.max(0, path.lastIndexOf('/')));
      try {
        int flags = Flags.O_TMPFILE | Flags.O_RDWR | Flags.O_CLOEXEC;
        return kernel().openBelow(root, path.isEmpty() ? "/" : path, flags);
      } catch (IOException e) {
        failure.addSuppressed(e);
      }
    }
    throw failure;
  }

  /** The same with content, mode, owner and times of another file. */
  public int makeNamelessCopy(String gone, int source) throws IOException {
    int file = makeNameless(gone);
    try {
      kernel().copy(source, file);
      kernel().setAttributes(file, kernel().stat(source).attributes());
      return file;
    } catch (IOException e) {
      kernel().closeQuietly(file);
      throw e;
    }
  }

  @Override
  public OptionalInt find(FileKey key, List<String> near) throws IOException {
    if (!devices.own(key.dev())) {
      return OptionalInt.empty();
    }
    List<String> starts = new ArrayList<>(near);
    starts.add("/");
    FileSearch search = new FileSearch(kernel(), key);
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
    if (kernel != null) {
      kernel.closeQuietly(root);
      kernel.close();
      kernel = null;
    }
  }
}
