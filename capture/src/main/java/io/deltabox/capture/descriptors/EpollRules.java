package io.deltabox.capture.descriptors;

import java.io.IOException;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Epoll sets. An entry is bound to an open file description and a number, and neither can be edited
 * from outside the process; a set of which an entry's file is replaced is made anew and filled by
 * calls inside.
 */
final class EpollRules implements KindRules {
  private static final Pattern ENTRY =
      Pattern.compile(
          "tfd:\\s*(\\d+) events:\\s*([0-9a-f]+) data:\\s*([0-9a-f]+).*? ino:([0-9a-f]+).*");

  /** One member of a set. */
  record Entry(int number, int events, long data, long ino) {
    private String wish() {
      return number + " " + events + " " + data;
    }
  }

  static List<Entry> entries(OpenFile file) {
    return Info.lines(file.info(), "tfd:").stream().map(EpollRules::entry).toList();
  }

  private static Entry entry(String line) {
    Matcher matcher = ENTRY.matcher(line);
    if (!matcher.matches()) {
      throw new IllegalArgumentException("fdinfo has no epoll entry: text=" + line);
    }
    return new Entry(
        Integer.parseInt(matcher.group(1)),
        Integer.parseUnsignedInt(matcher.group(2), 16),
        Long.parseUnsignedLong(matcher.group(3), 16),
        Long.parseUnsignedLong(matcher.group(4), 16));
  }

  /** The process in whose table the entry's number leads to the entry's file; null if none. */
  static @Nullable Integer holder(DescriptorTable table, OpenFile set, Entry entry) {
    for (Slot slot : set.slots()) {
      OpenFile member = table.at(new Slot(slot.process(), entry.number()));
      if (member != null && member.key().ino() == entry.ino()) {
        return slot.process();
      }
    }
    return null;
  }

  @Override
  public boolean same(OpenFile current, OpenFile target, Run run) {
    if (current.kind() != FileKind.EPOLL) {
      return false;
    }
    List<Entry> now = entries(current);
    List<Entry> wanted = entries(target);
    if (now.size() != wanted.size()) {
      return false;
    }
    Set<String> left = new HashSet<>();
    now.forEach(entry -> left.add(entry.wish()));
    return wanted.stream().allMatch(entry -> left.contains(entry.wish()));
  }

  @Override
  public boolean differs(OpenFile current, OpenFile target, Run run) {
    return KindRules.flagsDiffer(current, target);
  }

  @Override
  public void edit(int fd, OpenFile current, OpenFile target, Run run) throws IOException {
    KindRules.setFlags(fd, current, target, run);
  }

  @Override
  public int make(OpenFile target, Run run) throws IOException {
    Kernel kernel = run.kernel();
    int fd = run.own((int) kernel.check("epoll", Calls.EPOLL_CREATE1, Flags.O_CLOEXEC, 0, 0, 0));
    if ((target.status().flags() & Flags.O_NONBLOCK) != 0) {
      kernel.setFlags(fd, target.status().flags());
    }
    return fd;
  }
}
