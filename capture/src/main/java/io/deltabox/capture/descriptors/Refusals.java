package io.deltabox.capture.descriptors;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What of a table cannot be checkpointed. */
public final class Refusals {
  private static final String CLOSE = "close it or end the process before the checkpoint";

  private static final Map<String, String> ANONYMOUS =
      Map.of(
          "anon_inode:[io_uring]", "io_uring shares memory with the kernel that cannot be followed",
          "anon_inode:[userfaultfd]",
              "a program that handles its own page faults cannot be tracked",
          "anon_inode:[fanotify]", "fanotify queues cannot be read without losing them",
          "anon_inode:[perf_event]", "performance counters cannot be put back",
          "anon_inode:[landlock-ruleset]", "a landlock ruleset cannot be read",
          "anon_inode:seccomp notify", "a seccomp listener cannot be made again");

  private final DescriptorTable table;
  private final List<Refusal> found = new ArrayList<>();

  private Refusals(DescriptorTable table) {
    this.table = table;
  }

  /** All of it, in order of processes; empty if the table can be put back. */
  public static List<Refusal> of(DescriptorTable table) {
    Refusals refusals = new Refusals(table);
    refusals.troubles();
    for (OpenFile file : table.files()) {
      String reason = reason(file);
      if (reason != null) {
        refusals.add(file.slots().first(), file.link(), reason);
      }
    }
    return List.copyOf(refusals.found);
  }

  private static @Nullable String reason(OpenFile file) {
    if (file.kind() != FileKind.UNKNOWN) {
      return null;
    }
    return ANONYMOUS.getOrDefault(file.link(), "this kind of descriptor is not supported");
  }

  private void troubles() {
    Map<Integer, Integer> inner = new HashMap<>();
    for (ProcessFiles process : table.processes().values()) {
      inner.put(process.ids().pid(), process.process());
    }
    for (Trouble trouble : table.contents().troubles()) {
      Slot slot = new Slot(inner.getOrDefault(trouble.pid(), 0), trouble.number());
      OpenFile file = table.at(slot);
      add(slot, file == null ? "unknown" : file.link(), trouble.reason());
    }
  }

  private void add(Slot slot, String thing, String reason) {
    ProcessFiles process = table.processes().get(slot.process());
    String program = process == null ? "unknown" : process.exe().path();
    found.add(new Refusal(slot.process(), program, slot.number(), thing, reason, CLOSE));
  }
}
