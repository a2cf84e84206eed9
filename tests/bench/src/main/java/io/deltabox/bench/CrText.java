package io.deltabox.bench;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeSet;

/** The report as a table for people. */
final class CrText {
  private static final List<String> OPERATIONS = List.of("checkpoint", "rollback", "rollback20");

  private CrText() {}

  static String of(Map<String, Object> report) {
    StringBuilder text = new StringBuilder();
    Map<?, ?> settings = map(report, "settings");
    text.append(
        String.format(
            Locale.ROOT,
            "%d MiB, %s threads, %s dirty pages and %s files per round; %s rounds after %s of"
                + " warm-up that do not count; seed %s%n%n",
            Long.parseLong(String.valueOf(settings.get("rss_bytes"))) >> 20,
            settings.get("threads"),
            settings.get("dirty_pages"),
            settings.get("files"),
            settings.get("rounds"),
            settings.get("warmup_rounds_not_counted"),
            settings.get("seed")));
    times(text, report);
    phases(text, map(report, "phases"));
    text.append(
        String.format(
            Locale.ROOT,
            "%nreference (copy of the dirty bytes + 1000 getpid): %s ms; verified rollbacks: %s;"
                + " stops over the deadline, tried again: %s; criu: %s%n",
            report.get("reference_ms"),
            report.get("verified_rollbacks"),
            report.get("stops_over_deadline_tried_again"),
            map(report, "peers").get("criu")));
    StringBuilder machine = new StringBuilder("machine:");
    map(report, "machine").forEach((k, v) -> machine.append(' ').append(k).append('=').append(v));
    return text.append(machine).toString();
  }

  private static void times(StringBuilder text, Map<String, Object> report) {
    List<List<String>> rows = new ArrayList<>();
    rows.add(List.of("milliseconds", "p50", "p90", "p99", "max"));
    for (String operation : OPERATIONS) {
      Map<?, ?> times = map(report, operation);
      for (String kind : List.of("pause", "seen", "call")) {
        Map<?, ?> row = map(times, kind + "_ms");
        if (!row.isEmpty()) {
          rows.add(
              List.of(
                  operation + " " + kind,
                  number(row.get("p50")),
                  number(row.get("p90")),
                  number(row.get("p99")),
                  number(row.get("max"))));
        }
      }
    }
    table(text, rows);
  }

  private static void phases(StringBuilder text, Map<?, ?> phases) {
    List<String> head = new ArrayList<>(List.of("phase, p50"));
    TreeSet<String> names = new TreeSet<>();
    for (String operation : OPERATIONS) {
      if (phases.containsKey(operation)) {
        head.add(operation);
        map(phases, operation).keySet().forEach(k -> names.add(String.valueOf(k)));
      }
    }
    List<List<String>> rows = new ArrayList<>();
    rows.add(head);
    for (String name : names) {
      List<String> row = new ArrayList<>(List.of(name));
      head.stream().skip(1).forEach(o -> row.add(number(map(phases, o).get(name))));
      rows.add(row);
    }
    text.append('\n');
    table(text, rows);
  }

  private static void table(StringBuilder text, List<List<String>> rows) {
    for (List<String> row : rows) {
      StringBuilder line = new StringBuilder(String.format(Locale.ROOT, "%-18s", row.get(0)));
      row.stream().skip(1).forEach(c -> line.append(String.format(Locale.ROOT, "%12s", c)));
      text.append(line).append('\n');
    }
  }

  private static String number(@org.jspecify.annotations.Nullable Object value) {
    return value instanceof Double d ? String.format(Locale.ROOT, "%.3f", d) : "-";
  }

  private static Map<?, ?> map(Map<?, ?> from, String key) {
    return from.get(key) instanceof Map<?, ?> map ? map : Map.of();
  }
}
