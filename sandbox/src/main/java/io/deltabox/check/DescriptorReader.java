package io.deltabox.check;

import io.deltabox.linux.Errno;
import io.deltabox.linux.Memory;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;

/**
 * Reads the descriptors of the processes of one image: where they point, their offsets and flags,
 * what is queued, and which of them share an open file description or a nameless object.
 */
final class DescriptorReader {
  private static final int BYTES = 48;
  private static final int LARGEFILE = 0100000;

  private record Holder(int pid, int fd, int number) {}

  private final CheckFunctions functions;
  private final Memory scratch;
  private final Objects objects;
  private final Map<String, List<Holder>> descriptions = new HashMap<>();
  private int descriptionCount;

  DescriptorReader(CheckFunctions functions, Memory scratch, Objects objects) {
    this.functions = functions;
    this.objects = objects;
    this.scratch = scratch;
  }

  void read(int pid, Map<Integer, Integer> innerPids, Map<String, String> facts)
      throws IOException {
    for (int fd : ProcFile.numbers("/proc/" + pid + "/fd")) {
      String link = ProcFile.link("/proc/" + pid + "/fd/" + fd);
      String key = "descriptor " + fd;
      String info = ProcFile.read("/proc/" + pid + "/fdinfo/" + fd);
      Map<String, String> fields = ProcFile.fields(info);
      String path = "/proc/" + pid + "/fd/" + fd;
      facts.put(
          key + " target",
          objects.ofDescriptor(
              link,
              link.startsWith("/") ? identity(path) : ProcFile.field(fields, "ino"),
              innerPids.getOrDefault(pid, pid) + "/" + fd));
      facts.put(key + " description", "#" + description(pid, fd, link));
      facts.put(key + " content", content(pid, fd, link));
      if (isRemoved(link)) {
        facts.put(key + " owner", owner(path));
      }
      facts.put(key + " info", String.join("; ", info(info, innerPids)));
    }
  }

  private static boolean isRemoved(String link) {
    return link.startsWith("/") && link.endsWith(" (deleted)");
  }

  /** The number in fdinfo is not unique: an overlay numbers directories apart from files. */
  private static String identity(String link) throws IOException {
    Map<String, Object> found = Files.readAttributes(Path.of(link), "unix:dev,ino,isDirectory");
    return found.get("isDirectory") + " " + found.get("dev") + " " + found.get("ino");
  }

  /** What is compared with the tree for a file that has a name. */
  private static String owner(String link) throws IOException {
    Map<String, Object> found =
        Files.readAttributes(Path.of(link), "unix:uid,gid,lastModifiedTime,isDirectory");
    Object time =
        Boolean.TRUE.equals(found.get("isDirectory")) ? "" : found.get("lastModifiedTime");
    return "uid=" + found.get("uid") + " gid=" + found.get("gid") + " mtime=" + time;
  }

  private int description(int pid, int fd, String link) throws IOException {
    List<Holder> holders = descriptions.computeIfAbsent(link, k -> new ArrayList<>());
    for (Holder holder : holders) {
      int order = functions.dbx_check_compare_files(pid, fd, holder.pid(), holder.fd());
      Errno.check(order, "compare descriptors pid=" + pid + " fd=" + fd);
      if (order == 0) {
        return holder.number();
      }
    }
    holders.add(new Holder(pid, fd, descriptionCount));
    return descriptionCount++;
  }

  private String content(int pid, int fd, String link) throws IOException {
    int whole = isRemoved(link) || link.startsWith("/memfd:") ? 1 : 0;
    Errno.check(
        functions.dbx_check_descriptor(pid, fd, whole, scratch.address()),
        "look at a descriptor pid=" + pid + " fd=" + fd + " target=" + link);
    ByteBuffer raw = scratch.slice(0, BYTES);
    return String.format(
        "mode=%o queued=%d hash=%016x%016x size=%d detail=%x",
        raw.getLong(0),
        raw.getLong(8),
        raw.getLong(16),
        raw.getLong(24),
        whole == 1 ? raw.getLong(32) : 0,
        raw.getLong(40));
  }

  /**
   * What {@code fdinfo} says, without numbers the kernel gives to new objects and without times
   * that go on by themselves.
   */
  private static List<String> info(String text, Map<Integer, Integer> innerPids) {
    TreeSet<String> kept = new TreeSet<>();
    for (String line : text.split("\n")) {
      String[] words = line.trim().split("[\\s:]+");
      switch (words[0]) {
        case "", "mnt_id", "ino", "eventfd-id", "scm_fds", "NSpid" -> {}
        case "it_value", "ticks" -> {} // a running timer may fire while this is read
        case "tfd" -> kept.add("tfd " + words[1] + " events " + words[3] + " data " + words[5]);
        case "inotify" -> kept.add("inotify " + words[2] + " " + after(line, " mask:"));
        case "lock" -> kept.add(lock(line));
        case "flags" -> kept.add("flags " + flags(words[1]));
        case "Pid" -> kept.add("pid " + innerPids.getOrDefault(Integer.parseInt(words[1]), -1));
        default -> kept.add(String.join(" ", words));
      }
    }
    return List.copyOf(kept);
  }

  /**
   * O_LARGEFILE is left out: pipe(2) does not set it, every open(2) on a 64-bit kernel does, and it
   * means nothing there.
   */
  private static String flags(String octal) {
    return Integer.toOctalString(Integer.parseInt(octal, 8) & ~LARGEFILE);
  }

  private static String after(String line, String marker) {
    int at = line.indexOf(marker);
    return at < 0 ? "" : line.substring(at + 1).split("\\s")[0];
  }

  /** {@code lock: 1: FLOCK ADVISORY WRITE pid dev:ino from to}: kind and range. */
  private static String lock(String line) {
    String[] words = line.trim().split("\\s+");
    int end = words.length;
    return "lock "
        + String.join(" ", List.of(words).subList(2, 5))
        + " "
        + words[end - 2]
        + " "
        + words[end - 1];
  }
}
