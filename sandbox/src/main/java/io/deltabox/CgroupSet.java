package io.deltabox;

import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The groups of one sandbox.
 *
 * @param unified its version 2 group, in which each command has one of its own, or null
 * @param version1 its groups in version 1 hierarchies
 */
record CgroupSet(@Nullable Path unified, List<Path> version1) {

  /** All of them. */
  List<Path> directories() {
    List<Path> all = new ArrayList<>(version1);
    if (unified != null) {
      all.add(unified);
    }
    return all;
  }

  /** Makes the group of a command, or returns null where there are none. */
  @Nullable Path makeCommand(int exec) throws IOException {
    if (unified == null) {
      return null;
    }
    Path group = commandGroup(unified, exec);
    try {
      Files.createDirectory(group);
    } catch (FileAlreadyExistsException again) {
      return group;
    }
    return group;
  }

  /**
   * Kills everything a command started, however it was started.
   *
   * @return false where there is no group for it
   */
  boolean killCommand(int exec) throws IOException {
    if (unified == null) {
      return false;
    }
    Path kill = commandGroup(unified, exec).resolve("cgroup.kill");
    if (!Files.exists(kill)) {
      return false;
    }
    try {
      Cgroups.write(kill, "1");
    } catch (NoSuchFileException ended) {
      // Its last process has ended since, and its group was removed.
      return false;
    }
    return true;
  }

  /** Removes the group of a command that has ended, unless something of it still runs. */
  void removeCommand(int exec) {
    if (unified != null) {
      removeEmpty(commandGroup(unified, exec));
    }
  }

  private static Path commandGroup(Path unified, int exec) {
    return unified.resolve("e" + exec);
  }

  /** Removes all; they must be empty. Those removed already are fine. */
  void remove() {
    for (Path group : directories()) {
      removeTree(group);
    }
  }

  static void removeTree(Path group) {
    try (var list = Files.newDirectoryStream(group, Files::isDirectory)) {
      for (Path child : list) {
        removeEmpty(child);
      }
    } catch (IOException gone) {
      return;
    }
    removeEmpty(group);
  }

  private static void removeEmpty(Path group) {
    try {
      Files.deleteIfExists(group);
    } catch (IOException busy) {
      System.getLogger(CgroupSet.class.getName())
          .log(System.Logger.Level.DEBUG, "cgroup stays: {0}", busy.getMessage());
    }
  }
}
