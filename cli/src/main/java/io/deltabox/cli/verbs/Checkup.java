package io.deltabox.cli.verbs;

import io.deltabox.InvalidRequestException;
import io.deltabox.linux.Errno;
import io.deltabox.linux.OptionalFeature;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/** Looks at the machine: one finding per kernel feature, right and program. */
final class Checkup {
  /** Layers and clones of mounts that are attached nowhere; older kernels want them attached. */
  private static final int FLOOR_MAJOR = 6;

  private static final int FLOOR_MINOR = 15;

  /** Room for the demo: 256 MB of live objects, their snapshots and files. */
  private static final long SHM_BYTES_MIN = 1L << 30;

  private final List<Finding> findings = new ArrayList<>();

  /**
   * What was found out about one thing.
   *
   * @param needed true if nothing works without it
   * @param found what is there
   * @param wayOut what to do when it is not
   */
  record Finding(String what, boolean ok, boolean needed, String found, String wayOut) {}

  List<Finding> run() throws IOException {
    kernel();
    features();
    switches();
    namespaces();
    cgroups();
    rights();
    programs();
    memory();
    return List.copyOf(findings);
  }

  private void add(String what, boolean ok, boolean needed, String found, String wayOut) {
    findings.add(new Finding(what, ok, needed, found, wayOut));
  }

  private void kernel() throws IOException {
    String release = Files.readString(Path.of("/proc/sys/kernel/osrelease")).strip();
    String[] parts = release.split("[.-]");
    int major = Integer.parseInt(parts[0]);
    int minor = Integer.parseInt(parts[1]);
    boolean ok = major > FLOOR_MAJOR || (major == FLOOR_MAJOR && minor >= FLOOR_MINOR);
    add("kernel version", ok, true, release, "boot Linux 6.15 or later");
    String arch = System.getProperty("os.arch", "");
    add("processor", arch.equals("amd64"), true, arch, "only x86-64 is supported so far");
  }

  private void features() {
    probe("userfaultfd async write-protect", DoctorFunctions.USERFAULTFD, true, "6.7");
    probe("PAGEMAP_SCAN", DoctorFunctions.PAGEMAP_SCAN, true, "6.7");
    probe("fanotify with names and targets", DoctorFunctions.FANOTIFY, true, "5.17");
    probe("overlayfs by the new mount calls", DoctorFunctions.OVERLAYFS, true, "6.7");
    probe("tmpfs by the new mount calls", DoctorFunctions.TMPFS, true, "6.7");
    probe("overlay of detached mounts", DoctorFunctions.DETACHED, true, "6.15");
    probe("PROCMAP_QUERY", DoctorFunctions.PROCMAP_QUERY, false, "6.11");
    present("/dev/userfaultfd", "lazy restore (Linux 6.1, CONFIG_USERFAULTFD)");
  }

  private void probe(String what, int number, boolean needed, String since) {
    int result = DoctorFunctions.NATIVE.dbx_doctor_probe(number);
    String way =
        result == -Errno.EPERM
            ? "run as root, or allow it to this user"
            : "needs Linux " + since + " with this feature built in";
    add(what, result >= 0, needed, result >= 0 ? "" : Errno.text(-result), way);
  }

  /** What was switched off on purpose is named, so that nobody looks for the reason elsewhere. */
  private void switches() throws InvalidRequestException {
    String variable = OptionalFeature.VARIABLE;
    Set<OptionalFeature> switchedOff;
    try {
      switchedOff = OptionalFeature.switchedOff();
    } catch (IllegalArgumentException e) {
      throw new InvalidRequestException(String.valueOf(e.getMessage()));
    }
    for (OptionalFeature feature : OptionalFeature.values()) {
      boolean off = switchedOff.contains(feature);
      add(
          "use of " + feature.text(),
          !off,
          false,
          off ? "switched off by " + variable : "",
          "take it out of " + variable + " and restart the daemon");
    }
  }

  private void present(String path, String purpose) {
    boolean ok = Files.exists(Path.of(path));
    add(path, ok, false, ok ? "" : "not there", "only needed for " + purpose);
  }

  private void namespaces() throws IOException {
    for (String name : List.of("user", "mnt", "pid", "ipc", "uts", "net", "cgroup")) {
      boolean there = Files.exists(Path.of("/proc/self/ns/" + name));
      add("namespace " + name, there, true, "", "needs a kernel with this namespace built in");
    }
    String max = read("/proc/sys/user/max_user_namespaces", "0");
    add(
        "user namespaces allowed",
        !max.equals("0"),
        true,
        "max=" + max,
        "raise sysctl user.max_user_namespaces");
    String unprivileged = read("/proc/sys/kernel/unprivileged_userns_clone", "1");
    add(
        "user namespaces for ordinary users",
        root() || unprivileged.equals("1"),
        true,
        "kernel.unprivileged_userns_clone=" + unprivileged,
        "run as root or set the sysctl to 1");
    present("/proc/sys/kernel/ns_last_pid", "threads and processes made again with their ids");
  }

  private void cgroups() throws IOException {
    List<String> mounts = Files.readAllLines(Path.of("/proc/self/mounts"));
    for (String controller : List.of("memory", "pids", "cpu")) {
      String found = controller(mounts, controller);
      add(
          "cgroup " + controller,
          !found.isEmpty(),
          false,
          found,
          "no limit of this kind: run as root, or in a systemd unit with Delegate=yes");
    }
  }

  /** Where a controller can be used: its version 1 hierarchy, else version 2, else nowhere. */
  private static String controller(List<String> mounts, String controller) throws IOException {
    String best = "";
    for (String mount : mounts) {
      String[] fields = mount.split(" ");
      Path at = Path.of(fields[1]);
      boolean one =
          fields[2].equals("cgroup") && List.of(fields[3].split(",")).contains(controller);
      boolean two =
          fields[2].equals("cgroup2")
              && List.of(read(at + "/cgroup.controllers", "").split(" ")).contains(controller);
      if ((one || two) && Files.isWritable(at)) {
        best = (one ? "version 1 at " : "version 2 at ") + at;
      }
    }
    return best;
  }

  private void rights() throws IOException {
    add("root", root(), false, "uid=" + uid(), "rootless sandboxes have fewer features");
    String scope = read("/proc/sys/kernel/yama/ptrace_scope", "0");
    add(
        "ptrace allowed",
        scope.compareTo(root() ? "3" : "2") < 0,
        true,
        "yama.ptrace_scope=" + scope,
        "lower sysctl kernel.yama.ptrace_scope");
  }

  private static boolean root() {
    return uid().equals("0");
  }

  private static String uid() {
    try {
      for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
        if (line.startsWith("Uid:")) {
          return line.split("\\s+")[2];
        }
      }
    } catch (IOException e) {
      return "unknown";
    }
    return "unknown";
  }

  private void programs() {
    Runtime.Version java = Runtime.version();
    add("java", java.feature() >= 17, true, java.toString(), "apt install openjdk-17-jdk-headless");
    for (String program : List.of("python3", "git", "bash")) {
      boolean there = Files.isExecutable(Path.of("/usr/bin", program));
      add(
          program + " in /usr/bin",
          there,
          false,
          "",
          "only the demo needs it: apt install " + program);
    }
  }

  private void memory() throws IOException {
    long bytes = 0;
    if (Files.isDirectory(Path.of("/dev/shm"))) {
      bytes = Files.getFileStore(Path.of("/dev/shm")).getTotalSpace();
    }
    add(
        "tmpfs /dev/shm",
        bytes >= SHM_BYTES_MIN,
        false,
        Format.bytes(bytes),
        "mount -o remount,size=2g /dev/shm; trial daemons use /tmp until then");
    for (String line : Files.readAllLines(Path.of("/proc/meminfo"))) {
      if (line.startsWith("MemAvailable:")) {
        long free = Long.parseLong(line.replaceAll("\\D", "")) << 10;
        String shown = Format.bytes(free).toLowerCase(Locale.ROOT);
        add("memory", free >= SHM_BYTES_MIN, false, shown + " available", "free some memory");
      }
    }
  }

  private static String read(String path, String otherwise) throws IOException {
    Path file = Path.of(path);
    return Files.isReadable(file) ? Files.readString(file).strip() : otherwise;
  }
}
