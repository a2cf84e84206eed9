package io.deltabox;

import io.deltabox.linux.Errno;
import io.deltabox.linux.Memory;
import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.PosixFilePermission;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/**
 * The layer between the host's root directory and what a sandbox writes: it lets only an allow list
 * of the host through.
 *
 * <p>It lies on a private tmpfs that is attached nowhere. Programs and libraries ({@code /usr /bin
 * /sbin /lib*}) pass through; {@code /etc} is replaced by copies of listed files with other
 * accounts; the usual empty directories are there; every other name in the root directory is whited
 * out. A name that appears in the host's root directory later would show, therefore {@link
 * #current} is asked before each use and {@link RootWatch} hides it in layers in use.
 *
 * <p>No whiteout may lie below a directory that is opaque in this same layer: overlayfs would list
 * it.
 */
final class BaseLayer implements Base {
  private static final Set<String> PASSED =
      Set.of("usr", "bin", "sbin", "lib", "lib32", "lib64", "libx32");

  /** Copied if everybody may read them; what holds or may hold secrets is not here. */
  private static final List<String> ETC =
      List.of(
          "alternatives",
          "bash.bashrc",
          "bash_completion",
          "ca-certificates.conf",
          "debian_version",
          "fedora-release",
          "fonts",
          "gai.conf",
          "host.conf",
          "inputrc",
          "issue",
          "java-11-openjdk",
          "java-17-openjdk",
          "java-21-openjdk",
          "java-25-openjdk",
          "ld.so.cache",
          "ld.so.conf",
          "ld.so.conf.d",
          "localtime",
          "locale.alias",
          "locale.conf",
          "locale.gen",
          "login.defs",
          "lsb-release",
          "magic",
          "mailcap",
          "mime.types",
          "networks",
          "nsswitch.conf",
          "os-release",
          "perl",
          "pki/ca-trust/extracted",
          "pki/tls/cert.pem",
          "pki/tls/certs",
          "profile",
          "protocols",
          "python3",
          "python3.9",
          "python3.10",
          "python3.11",
          "python3.12",
          "python3.13",
          "python3.14",
          "redhat-release",
          "rpc",
          "services",
          "shells",
          "skel",
          "ssl/cert.pem",
          "ssl/certs",
          "ssl/openssl.cnf",
          "system-release",
          "terminfo",
          "timezone",
          "vim");

  private static final long BYTES_MAX = 256L << 20;
  private static final long INODES_MAX = 65536;
  private static final long COPIED_BYTES_MAX = 8L << 20;

  /**
   * A host path shown inside.
   *
   * @param target absolute path without links, the same on the host and inside
   * @param directory whether it is one
   */
  record Exposure(Path target, boolean directory) {}

  /** What two sandboxes must agree on to share one. */
  record Key(List<Exposure> exposures, String hostname) {
    Key {
      exposures = List.copyOf(exposures);
    }
  }

  private final Layer layer;
  private final long rootNames;

  private BaseLayer(Layer layer, long rootNames) {
    this.layer = layer;
    this.rootNames = rootNames;
  }

  /** Builds the layer; the caller closes it. */
  static BaseLayer build(Key key) throws IOException {
    Layer layer = Layer.make(BYTES_MAX, INODES_MAX);
    try {
      BaseLayer made = new BaseLayer(layer, rootNames());
      made.fill(key.exposures(), key.hostname());
      return made;
    } catch (IOException | RuntimeException e) {
      layer.close();
      throw e;
    }
  }

  @Override
  public Descriptor layer() {
    return layer.mount();
  }

  @Override
  public Descriptor openTree() throws IOException {
    return Descriptor.open(Descriptor.NOWHERE, "/", Descriptor.O_PATH | Descriptor.O_DIRECTORY);
  }

  @Override
  public String digest() {
    return "";
  }

  @Override
  public Accounts accounts() {
    return Accounts.OWN;
  }

  /**
   * False if it is closed, or the host's root directory has other names now than when this was
   * built.
   */
  @Override
  public boolean current() throws IOException {
    return layer.mount().open() && rootNames == rootNames();
  }

  /** True if a host path shows inside without being exposed. */
  static boolean shown(Path path) {
    return path.getNameCount() > 0 && PASSED.contains(path.getName(0).toString());
  }

  @Override
  public void close() {
    layer.close();
  }

  private static long rootNames() throws IOException {
    return Errno.check(SandboxFunctions.get().dbx_sandbox_names("/"), "list host root directory");
  }

  private void fill(List<Exposure> exposures, String hostname) throws IOException {
    Set<String> made = new TreeSet<>(PASSED);
    for (String line : EmptyDirectories.LIST) {
      EmptyDirectories.Entry entry = EmptyDirectories.parse(line);
      layer.directory(entry.path(), entry.mode(), entry.owner(), entry.owner());
      made.add(Path.of(entry.path()).getName(0).toString());
    }
    layer.link("var/run", "/run");
    layer.link("var/lock", "/run/lock");
    fillEtc(hostname);
    for (Exposure exposure : exposures) {
      if (!shown(exposure.target())) {
        mountPoint(exposure);
        made.add(exposure.target().getName(0).toString());
      }
    }
    hideRest();
    for (String name : made) {
      if (!PASSED.contains(name)) {
        opaque(name);
      }
    }
    layer.settleTimes();
  }

  /** Every other name of the host's root directory. */
  void hideRest() throws IOException {
    byte[] passed = SandboxHost.Strings.pack(List.copyOf(PASSED));
    try (Memory memory = Memory.allocate(passed.length, Memory.Touch.LATER)) {
      memory.slice(0, passed.length).put(passed);
      Errno.check(
          SandboxFunctions.get()
              .dbx_sandbox_hide_rest(layer.mount().fd(), "/", memory.address(), PASSED.size()),
          "hide names of the host's root directory");
    }
  }

  private void opaque(String name) throws IOException {
    Errno.check(
        SandboxFunctions.get().dbx_sandbox_opaque(layer.path(name).toString()),
        "hide contents of host path=/" + name);
  }

  /** Directories on the way and, at the end, a directory or empty file to mount on. */
  private void mountPoint(Exposure exposure) throws IOException {
    Path relative = Path.of("/").relativize(exposure.target());
    for (int depth = 1; depth < relative.getNameCount(); depth++) {
      String ancestor = relative.subpath(0, depth).toString();
      if (!layer.hasDirectory(ancestor)) {
        layer.directory(ancestor, 0755, 0, 0);
      }
    }
    layer.mountPoint(relative.toString(), exposure.directory());
  }

  private void fillEtc(String hostname) throws IOException {
    for (String name : ETC) {
      copy(Path.of("/etc", name), layer.path("etc").resolve(name));
    }
    layer.file("etc/passwd", Accounts.PASSWD, Modes.of("rw-r--r--"));
    layer.file("etc/group", Accounts.GROUP, Modes.of("rw-r--r--"));
    layer.file("etc/shadow", Accounts.SHADOW, Modes.of("rw-------"));
    layer.names(hostname);
  }

  private static void copy(Path from, Path to) throws IOException {
    if (!Files.exists(from, LinkOption.NOFOLLOW_LINKS)) {
      return;
    }
    Files.createDirectories(to.getParent());
    Files.walkFileTree(
        from,
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult preVisitDirectory(Path dir, BasicFileAttributes attrs)
              throws IOException {
            if (!Files.getPosixFilePermissions(dir).contains(PosixFilePermission.OTHERS_READ)) {
              return FileVisitResult.SKIP_SUBTREE;
            }
            Path made = Files.createDirectories(to.resolve(from.relativize(dir)));
            Files.setPosixFilePermissions(made, Modes.of("rwxr-xr-x"));
            return FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult visitFile(Path file, BasicFileAttributes attrs)
              throws IOException {
            copyFile(file, attrs, to.resolve(from.relativize(file)));
            return FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult visitFileFailed(Path file, IOException e) {
            // Gone since it was listed.
            return FileVisitResult.CONTINUE;
          }
        });
  }

  private static void copyFile(Path from, BasicFileAttributes attrs, Path to) throws IOException {
    try {
      if (attrs.isSymbolicLink()) {
        Files.createSymbolicLink(to, Files.readSymbolicLink(from));
      } else if (attrs.isRegularFile()
          && attrs.size() <= COPIED_BYTES_MAX
          && Files.getPosixFilePermissions(from).contains(PosixFilePermission.OTHERS_READ)) {
        Files.copy(
            from, to, StandardCopyOption.COPY_ATTRIBUTES, StandardCopyOption.REPLACE_EXISTING);
      }
    } catch (NoSuchFileException gone) {
      return;
    }
  }
}
