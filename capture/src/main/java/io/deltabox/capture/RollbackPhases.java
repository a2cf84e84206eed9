package io.deltabox.capture;

import java.util.LinkedHashMap;
import java.util.Map;

/** Where the pause of a rollback went, nanoseconds each. */
public record RollbackPhases(
    long freeze,
    long end,
    long files,
    long regions,
    long descriptors,
    long pages,
    long threads,
    long registers,
    long rearm,
    long resume) {
  /** The phases in the order they run, by name. */
  public Map<String, Long> byName() {
    Map<String, Long> phases = new LinkedHashMap<>();
    phases.put("stop", freeze);
    phases.put("end", end);
    phases.put("files", files);
    phases.put("regions", regions);
    phases.put("descriptors", descriptors);
    phases.put("copy", pages);
    phases.put("threads", threads);
    phases.put("registers", registers);
    phases.put("scan", rearm);
    phases.put("resume", resume);
    return phases;
  }
}
