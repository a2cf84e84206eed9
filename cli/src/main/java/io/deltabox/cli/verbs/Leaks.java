package io.deltabox.cli.verbs;

import io.deltabox.cli.CommandContext;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Finds what daemons that are gone have left on the machine. What belongs to a living daemon is no
 * leak: groups name their owner's pid and start time, data roots are locked, sockets answer.
 */
final class Leaks {
  private static final String PREFIX = "deltabox-";
  private static final int START_TIME_FIELD = 19;
  private static final int CGROUP_DEPTH = 8;

  private final CommandContext context;

  /** Something left over. */
  abstract static class Leak {
    private final String text;

    Leak(String text) {
      this.text = text;
    }

    abstract void remove() throws IOException;

    @Override
    public final String toString() {
      return text;
    }
  }

  Leaks(CommandContext context) {
    this.context = context;
  }

  /** Everything that is left over now. */
  List<Leak> find() throws IOException {
    List<Leak> found = new ArrayList<>();
    processes(found);
    mounts(found);
    cgroups(found);
    for (Path place : places()) {
      files(place, found);
    }
    return found;
  }

  private static void processes(List<Leak> found) {
    ProcessHandle.allProcesses()
        .filter(process -> isOurs(process.pid()) && !hasOwner(process))
        .forEach(
            process ->
                found.add(
                    new Leak("process pid=" + process.pid() + " " + name(process.pid())) {
                      @Override
                      void remove() {
                        process.destroyForcibly();
                        process.onExit().join();
                      }
                    }));
  }

  private static boolean isOurs(long pid) {
    String name = name(pid);
    return name.startsWith("deltabox-guard") || name.startsWith("deltabox-init");
  }

  private static String name(long pid) {
    try {
      return Files.readString(Path.of("/proc/" + pid + "/comm")).strip();
    } catch (IOException e) {
      return "";
    }
  }

  /** True if a daemon, or a test that uses the library, is above it. */
  private static boolean hasOwner(ProcessHandle process) {
    Optional<ProcessHandle> above = process.parent();
    while (above.isPresent()) {
      if (name(above.get().pid()).equals("java")) {
        return true;
      }
      above = above.get().parent();
    }
    return false;
  }

  private static void mounts(List<Leak> found) throws IOException {
    for (String line : Files.readAllLines(Path.of("/proc/self/mountinfo"))) {
      if (line.contains(" deltabox") || line.contains("/" + PREFIX)) {
        String point = line.split(" ")[4];
        found.add(
            new Leak("mount " + point) {
              @Override
              void remove() throws IOException {
                run("umount", "-l", point);
              }
            });
      }
    }
  }

  private static void run(String... command) throws IOException {
    try {
      new ProcessBuilder(command).redirectErrorStream(true).start().waitFor();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted: " + String.join(" ", command), e);
    }
  }

  private static void cgroups(List<Leak> found) throws IOException {
    Path top = Path.of("/sys/fs/cgroup");
    if (!Files.isDirectory(top)) {
      return;
    }
    List<Path> groups = new ArrayList<>();
    directories(top, CGROUP_DEPTH, groups);
    groups.removeIf(group -> !String.valueOf(group.getFileName()).startsWith(PREFIX));
    for (Path group : groups) {
      if (!ownerLives(String.valueOf(group.getFileName()))) {
        found.add(
            new Leak("cgroup " + group) {
              @Override
              void remove() throws IOException {
                removeGroup(group);
              }
            });
      }
    }
  }

  /** Names are {@code deltabox-PID.STARTTIME-...}. */
  private static boolean ownerLives(String name) {
    String[] parts = name.substring(PREFIX.length()).split("[.-]");
    if (parts.length < 2) {
      return true;
    }
    try {
      String stat = Files.readString(Path.of("/proc/" + Long.parseLong(parts[0]) + "/stat"));
      String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ");
      return fields[START_TIME_FIELD].equals(parts[1]);
    } catch (IOException e) {
      return false;
    } catch (NumberFormatException e) {
      return true;
    }
  }

  /** Appends the directories below one; what vanishes meanwhile is left out. */
  private static void directories(Path top, int depth, List<Path> found) {
    try (DirectoryStream<Path> all = Files.newDirectoryStream(top)) {
      for (Path path : all) {
        if (Files.isDirectory(path, LinkOption.NOFOLLOW_LINKS) && depth > 0) {
          found.add(path);
          directories(path, depth - 1, found);
        }
      }
    } catch (IOException | DirectoryIteratorException e) {
      System.getLogger(Leaks.class.getName()).log(System.Logger.Level.DEBUG, "gone: " + top, e);
    }
  }

  private static void removeGroup(Path group) throws IOException {
    List<Path> all = new ArrayList<>();
    all.add(group);
    directories(group, CGROUP_DEPTH, all);
    all.sort(Comparator.reverseOrder());
    for (Path each : all) {
      for (String pid : Files.readAllLines(each.resolve("cgroup.procs"))) {
        ProcessHandle.of(Long.parseLong(pid))
            .ifPresent(
                process -> {
                  process.destroyForcibly();
                  process.onExit().join();
                });
      }
      Files.deleteIfExists(each);
    }
  }

  private static List<Path> places() {
    List<Path> places = new ArrayList<>();
    places.add(Path.of("/run"));
    places.add(Path.of("/tmp"));
    places.add(Path.of("/dev/shm"));
    String runtime = System.getenv("XDG_RUNTIME_DIR");
    if (runtime != null && runtime.startsWith("/")) {
      places.add(Path.of(runtime));
    }
    return places.stream().distinct().filter(Files::isDirectory).toList();
  }

  private void files(Path place, List<Leak> found) throws IOException {
    try (DirectoryStream<Path> all = Files.newDirectoryStream(place, PREFIX + "*")) {
      for (Path path : all) {
        if (Files.isDirectory(path) && Files.isReadable(path) && leftOver(path)) {
          found.add(
              new Leak("files " + path) {
                @Override
                void remove() throws IOException {
                  removeTree(path);
                }
              });
        }
      }
    }
  }

  private boolean leftOver(Path path) throws IOException {
    if (path.equals(context.data()) || path.equals(context.sockets())) {
      return false;
    }
    if (Files.exists(path.resolve("libdeltabox.so"))) {
      return !mapped(path.resolve("libdeltabox.so").toString());
    }
    if (Files.exists(path.resolve("daemon.lock"))) {
      return !locked(path.resolve("daemon.lock"));
    }
    return Files.exists(path.resolve("cli.sock")) && !answers(path.resolve("cli.sock"));
  }

  private static boolean locked(Path file) throws IOException {
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE);
        FileLock lock = channel.tryLock()) {
      return lock == null;
    }
  }

  private static boolean answers(Path socket) {
    try (SocketChannel channel = SocketChannel.open(UnixDomainSocketAddress.of(socket))) {
      return channel.isConnected();
    } catch (IOException e) {
      return false;
    }
  }

  private static boolean mapped(String library) throws IOException {
    try (DirectoryStream<Path> all = Files.newDirectoryStream(Path.of("/proc"), "[0-9]*")) {
      for (Path process : all) {
        if (mapsContain(process.resolve("maps"), library)) {
          return true;
        }
      }
    }
    return false;
  }

  private static boolean mapsContain(Path maps, String library) {
    try (Stream<String> lines = Files.lines(maps, StandardCharsets.ISO_8859_1)) {
      return lines.anyMatch(line -> line.contains(library));
    } catch (IOException | UncheckedIOException e) {
      return false;
    }
  }

  private static void removeTree(Path top) throws IOException {
    List<Path> all;
    try (Stream<Path> walk = Files.walk(top)) {
      all = walk.sorted(Comparator.reverseOrder()).toList();
    }
    for (Path path : all) {
      Files.deleteIfExists(path);
    }
  }
}
