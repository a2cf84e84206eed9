package io.deltabox;

import io.deltabox.capture.Outside;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What a rollback needs of the commands: the groups their first processes are made again in - what
 * they give birth to follows them - and the outer ends of their pipes. Used by one rollback.
 */
final class CommandsOutside implements Outside, AutoCloseable {
  private final Commands commands;
  private final CgroupSet groups;
  private final Set<Integer> captured;
  private final List<Descriptor> opened = new ArrayList<>();

  /**
   * @param captured ids of the commands that the snapshot contains
   */
  CommandsOutside(Commands commands, CgroupSet groups, Set<Integer> captured) {
    this.commands = commands;
    this.groups = groups;
    this.captured = captured;
  }

  @Override
  public @Nullable Integer end(String link) throws IOException {
    return commands.end(link);
  }

  @Override
  public int group(int number) {
    for (RunningExec exec : commands.all()) {
      if (exec.pid() == number && captured.contains(exec.id())) {
        return directory(exec.id());
      }
    }
    return -1;
  }

  /** Without its group it lives all the same; only ending all of it at once is not possible. */
  private int directory(int exec) {
    try {
      // A group that was killed once kills what is born into it (kernel/cgroup/cgroup.c, kill_seq).
      groups.removeCommand(exec);
      Path group = groups.makeCommand(exec);
      if (group == null) {
        return -1;
      }
      Descriptor directory =
          Descriptor.open(Descriptor.NOWHERE, group.toString(), Descriptor.O_RDONLY);
      opened.add(directory);
      return directory.fd();
    } catch (IOException e) {
      System.getLogger(CommandsOutside.class.getName())
          .log(System.Logger.Level.WARNING, "no group for a command: {0}", e.getMessage());
      return -1;
    }
  }

  @Override
  public void close() {
    opened.forEach(Descriptor::close);
    opened.clear();
  }
}
