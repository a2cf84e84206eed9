package io.deltabox;

import io.deltabox.linux.Errno;
import io.deltabox.linux.Memory;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The detached mounts of one sandbox, by descriptor. Nothing of them is attached in the namespace
 * of the host, so they end when the last descriptor and the sandbox's namespace do.
 *
 * @param tmpfs root of the private file system: {@code upper/ work/ shm/}
 * @param upper directory of what the sandbox wrote
 * @param overlay the mount that becomes the sandbox's root
 * @param tree a clone of it without any mount on it, for work on the files from outside
 * @param shm clone that becomes {@code /dev/shm}
 * @param shmTree a clone of it for work from outside
 * @param layer upper one of the two layers under the overlay
 * @param baseTree lower one of them
 * @param baseDigest digest of the lower one, or empty
 * @param dev read-only {@code /dev}
 * @param nothing its {@code /dev/null}
 * @param devpts its terminals
 * @param terminals a clone of them for a container that replaces this one
 */
record Mounts(
    Descriptor tmpfs,
    Descriptor upper,
    Descriptor overlay,
    Descriptor tree,
    Descriptor shm,
    Descriptor shmTree,
    Descriptor layer,
    Descriptor baseTree,
    String baseDigest,
    Descriptor dev,
    Descriptor nothing,
    Descriptor devpts,
    Descriptor terminals)
    implements AutoCloseable {
  static final int RDONLY = 1;
  static final int NOSUID = 2;
  static final int NODEV = 4;
  static final int NOEXEC = 8;

  /**
   * Where the engine keeps files for a moment during a rollback: covered inside by the mount on
   * {@code /proc}.
   */
  static final String STAGING = "proc/.deltabox";

  private static final List<String> DEVICES =
      List.of("null 1 3", "zero 1 5", "full 1 7", "random 1 8", "urandom 1 9", "tty 5 0");
  private static final List<String> DEVICE_LINKS =
      List.of(
          "fd /proc/self/fd",
          "stdin /proc/self/fd/0",
          "stdout /proc/self/fd/1",
          "stderr /proc/self/fd/2",
          "ptmx pts/ptmx");

  /**
   * Makes all of them over a base; after a failure none is left.
   *
   * @param terminals of a container that is replaced; null for new ones
   */
  static Mounts make(Base base, long upperBytesMax, @Nullable Descriptor terminals)
      throws IOException {
    List<Descriptor> made = new ArrayList<>();
    try {
      return new Maker(made).make(base, upperBytesMax, terminals);
    } catch (IOException | RuntimeException e) {
      made.forEach(Descriptor::close);
      throw e;
    }
  }

  /** Closes what only the set-up needs; the sandbox has its own now. */
  void closeGiven() {
    overlay.close();
    shm.close();
    dev.close();
  }

  @Override
  public void close() {
    for (Descriptor descriptor :
        List.of(
            overlay, tree, shm, shmTree, layer, baseTree, dev, nothing, devpts, terminals, upper,
            tmpfs)) {
      descriptor.close();
    }
  }

  private static final class Maker {
    private final List<Descriptor> made;
    private final SandboxFunctions.Calls calls = SandboxFunctions.get();

    Maker(List<Descriptor> made) {
      this.made = made;
    }

    private Descriptor keep(int result, String tried) throws IOException {
      Descriptor descriptor = Descriptor.of(result, tried);
      made.add(descriptor);
      return descriptor;
    }

    Mounts make(Base base, long upperBytesMax, @Nullable Descriptor terminals) throws IOException {
      // An inode for every 4 KiB: more files than that would be smaller than their own overhead.
      long inodes = Math.max(1024, upperBytesMax / 4096);
      Descriptor tmpfs =
          keep(
              calls.dbx_sandbox_tmpfs(upperBytesMax, inodes, 0700, NOSUID | NODEV),
              "make private file system bytes=" + upperBytesMax);
      directory(tmpfs, "upper", 0755);
      directory(tmpfs, "work", 0700);
      directory(tmpfs, "shm", 01777);
      Descriptor upper =
          keep(
              calls.dbx_sandbox_open(
                  tmpfs.fd(), "upper", Descriptor.O_PATH | Descriptor.O_DIRECTORY),
              "open upper directory");
      Descriptor overlay = overlay(base, tmpfs, upper);
      Descriptor tree =
          keep(calls.dbx_sandbox_clone(overlay.fd(), "", 0, 0), "clone the root mount");
      directory(tree, STAGING, 0700);
      Descriptor shm =
          keep(calls.dbx_sandbox_clone(tmpfs.fd(), "shm", 0, 0), "clone shared memory mount");
      Descriptor shmTree =
          keep(calls.dbx_sandbox_clone(tmpfs.fd(), "shm", 0, 0), "clone shared memory mount");
      Descriptor layer = open(base.layer().fd(), ".");
      Descriptor baseTree = base.openTree();
      made.add(baseTree);
      Descriptor dev = dev();
      Descriptor nothing =
          keep(calls.dbx_sandbox_open(dev.fd(), "null", Descriptor.O_PATH), "open /dev/null");
      Descriptor devpts =
          terminals == null
              ? keep(calls.dbx_sandbox_devpts(), "make devpts")
              : keep(calls.dbx_sandbox_clone(terminals.fd(), "", 0, 0), "clone devpts");
      Descriptor spare = keep(calls.dbx_sandbox_clone(devpts.fd(), "", 0, 0), "clone devpts");
      return new Mounts(
          tmpfs,
          upper,
          overlay,
          tree,
          shm,
          shmTree,
          layer,
          baseTree,
          base.digest(),
          dev,
          nothing,
          devpts,
          spare);
    }

    private Descriptor open(int parent, String path) throws IOException {
      int flags = Descriptor.O_PATH | Descriptor.O_DIRECTORY;
      Descriptor descriptor = Descriptor.open(parent, path, flags);
      made.add(descriptor);
      return descriptor;
    }

    private void directory(Descriptor parent, String name, int mode) throws IOException {
      Errno.check(
          calls.dbx_sandbox_directory(parent.fd(), name, mode, 0, 0),
          "make directory name=" + name);
    }

    private Descriptor overlay(Base base, Descriptor tmpfs, Descriptor upper) throws IOException {
      int flags = Descriptor.O_PATH | Descriptor.O_DIRECTORY;
      try (Descriptor root = base.openTree();
          Descriptor work = Descriptor.open(tmpfs.fd(), "work", flags);
          Memory lowers = Memory.allocate(8, Memory.Touch.LATER)) {
        ByteBuffer numbers = lowers.slice(0, 8);
        numbers.putInt(0, base.layer().fd()).putInt(4, root.fd());
        return keep(
            calls.dbx_sandbox_overlay(lowers.address(), 2, upper.fd(), work.fd(), NOSUID | NODEV),
            "make overlay");
      }
    }

    private Descriptor dev() throws IOException {
      Descriptor dev = keep(calls.dbx_sandbox_tmpfs(65536, 64, 0755, NOSUID | NOEXEC), "make /dev");
      for (String line : DEVICES) {
        String[] words = line.split(" ");
        Errno.check(
            calls.dbx_sandbox_device(
                dev.fd(), words[0], 0666, Integer.parseInt(words[1]), Integer.parseInt(words[2])),
            "make device node /dev/" + words[0]);
      }
      for (String line : DEVICE_LINKS) {
        String[] words = line.split(" ");
        java.nio.file.Files.createSymbolicLink(
            dev.path().resolve(words[0]), java.nio.file.Path.of(words[1]));
      }
      directory(dev, "pts", 0755);
      directory(dev, "shm", 01777);
      directory(dev, "mqueue", 0755);
      Errno.check(calls.dbx_sandbox_attributes(dev.fd(), RDONLY), "make /dev read-only");
      return dev;
    }
  }
}
