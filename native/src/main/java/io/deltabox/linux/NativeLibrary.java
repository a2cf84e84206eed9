package io.deltabox.linux;

import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;
import jnr.ffi.LibraryLoader;
import jnr.ffi.LibraryOption;
import org.jspecify.annotations.Nullable;

/**
 * The mechanism library, unpacked from the jar and checked once per process.
 *
 * <p>The file is unpacked to a fresh directory only the owner can enter, loaded and deleted at
 * once. A temporary directory mounted {@code noexec} cannot be loaded from, so several places are
 * tried. Thread-safe.
 */
public final class NativeLibrary {
  /** The number the library and this class must agree on; {@code DBX_ABI} in {@code dbx.h}. */
  static final int ABI = 1;

  private static final String NAME = "libdeltabox.so";

  /** Never closed: later bindings load through its descriptor. */
  private static final AtomicReference<@Nullable FileInputStream> HELD = new AtomicReference<>();

  private NativeLibrary() {}

  /** Functions of {@code core.c}. */
  public interface Core {
    int dbx_abi();

    String dbx_error_text(int errno);

    long dbx_echo6(long a, long b, long c, long d, long e, long f);

    long dbx_echo5(long a, int b, long c, int d, long e);

    long dbx_map(long bytes, int touch);

    int dbx_unmap(long address, long bytes);

    int dbx_drop(long address, long bytes);

    long dbx_clock_nanos(int clock);

    void dbx_copy(long to, long from, long bytes);
  }

  private static final class Holder {
    static final Path LIBRARY = locate();
    static final Core CORE = check(bindUnchecked(Core.class));
  }

  /**
   * Binds the functions of one header.
   *
   * @param functions an interface whose methods are exported functions of the library
   * @throws UnsatisfiedLinkError if the library cannot be unpacked and loaded, or fails its
   *     self-test
   */
  public static <T> T bind(Class<T> functions) {
    core();
    return bindUnchecked(functions);
  }

  /** The functions every user needs. */
  public static Core core() {
    return Holder.CORE;
  }

  /**
   * Folder of the jar that holds the binaries of this machine, for example {@code
   * native/linux-x86_64}.
   */
  static String resourceFolder() {
    String arch = System.getProperty("os.arch", "");
    return "native/linux-" + (arch.equals("amd64") ? "x86_64" : arch);
  }

  /**
   * Unpacks one of the programs in the jar and marks it executable.
   *
   * @param program {@code deltabox-init} or {@code deltabox-client}
   * @param directory where to put it; must exist
   * @return the file written
   */
  public static Path unpackProgram(String program, Path directory) throws IOException {
    return unpack(program, directory);
  }

  /**
   * The bytes of one of the programs in the jar.
   *
   * @param program {@code deltabox-init} or {@code deltabox-client}
   */
  public static byte[] program(String program) throws IOException {
    try (InputStream in = resource(program)) {
      return in.readAllBytes();
    }
  }

  private static <T> T bindUnchecked(Class<T> functions) {
    // The sixth integer argument is passed corrupted by jnr-ffi's assembler stubs on x86-64; must
    // be set before the first use.
    System.setProperty("jnr.ffi.x86asm.enabled", "false");
    return LibraryLoader.create(functions)
        .option(LibraryOption.LoadNow, true)
        .load(Holder.LIBRARY.toString());
  }

  private static Path locate() {
    List<String> tried = new ArrayList<>();
    for (String place : places()) {
      try {
        Path directory =
            Files.createTempDirectory(
                Path.of(place),
                "deltabox-",
                PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
        try {
          Path file = unpack(NAME, directory);
          System.load(file.toString());
          return hold(file);
        } finally {
          // At once: a process that is killed leaves no file behind.
          delete(directory.resolve(NAME), directory);
        }
      } catch (IOException | UnsatisfiedLinkError e) {
        tried.add(place + " (" + e.getMessage() + ")");
      }
    }
    throw new UnsatisfiedLinkError("load native library failed, tried " + String.join(", ", tried));
  }

  private static List<String> places() {
    List<String> places = new ArrayList<>();
    String runtime = System.getenv("XDG_RUNTIME_DIR");
    if (runtime != null && !runtime.isEmpty()) {
      places.add(runtime);
    }
    places.add(System.getProperty("java.io.tmpdir", "/tmp"));
    places.add("/dev/shm");
    return places;
  }

  private static Path unpack(String name, Path directory) throws IOException {
    Path file = directory.resolve(name);
    try (InputStream in = resource(name)) {
      Files.copy(in, file, StandardCopyOption.REPLACE_EXISTING);
    }
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwx------"));
    return file;
  }

  private static InputStream resource(String name) throws IOException {
    String resource = "/" + resourceFolder() + "/" + name;
    InputStream in = NativeLibrary.class.getResourceAsStream(resource);
    if (in == null) {
      throw new IOException("no native code for this machine in the jar: resource=" + resource);
    }
    return in;
  }

  /** Keeps a file open and returns a name that reaches it after it was deleted. */
  private static Path hold(Path file) throws IOException {
    FileInputStream open = new FileInputStream(file.toFile());
    HELD.set(open);
    try (Stream<Path> descriptors = Files.list(Path.of("/proc/self/fd"))) {
      for (Path descriptor : descriptors.toList()) {
        if (refersTo(descriptor, file.toRealPath())) {
          return descriptor;
        }
      }
    }
    throw new IOException("find open library failed: path=" + file);
  }

  private static boolean refersTo(Path descriptor, Path file) throws IOException {
    try {
      return Files.readSymbolicLink(descriptor).equals(file);
    } catch (NoSuchFileException closedSince) {
      return false;
    }
  }

  private static void delete(Path file, Path directory) {
    try {
      Files.deleteIfExists(file);
      Files.deleteIfExists(directory);
    } catch (IOException e) {
      System.getLogger(NativeLibrary.class.getName())
          .log(System.Logger.Level.DEBUG, "unpacked library left over", e);
    }
  }

  private static Core check(Core core) {
    if (core.dbx_abi() != ABI) {
      throw new UnsatisfiedLinkError(
          "native library has another version: found=" + core.dbx_abi() + " expected=" + ABI);
    }
    long big = 0x1122334455667788L;
    if (core.dbx_echo6(1, 2, 3, 4, 5, big) != 1 + 6 + 15 + 28 + 55 + 13 * big
        || core.dbx_echo5(big, -2, 3, -4, 5) != big - 6 + 15 - 28 + 55) {
      throw new UnsatisfiedLinkError(
          "native calls pass arguments corrupted: start java with -Djnr.ffi.x86asm.enabled=false");
    }
    return core;
  }
}
