package io.deltabox.bench;

import java.util.Locale;
import java.util.Map;

/** The report of {@link RebuildBench} as a table for people. */
final class RebuildText {
  private RebuildText() {}

  static String of(Map<String, Object> report) {
    StringBuilder text = new StringBuilder();
    Map<?, ?> settings = map(report, "settings");
    text.append(
        String.format(
            Locale.ROOT,
            "%s rounds (new sandbox %s) after %s of warm-up that do not count; seed %s%n%n",
            settings.get("rounds"),
            settings.get("rounds_new_sandbox"),
            settings.get("warmup_rounds_not_counted"),
            settings.get("seed")));
    line(text, "milliseconds", "p50", "p99", "scratch p50", "ratio", "budget");
    map(report, "rows").forEach((name, row) -> row(text, String.valueOf(name), (Map<?, ?>) row));
    map(report, "rows")
        .forEach(
            (name, row) ->
                text.append(
                    String.format(
                        "%n%s: %s", name, String.valueOf(((Map<?, ?>) row).get("about")))));
    text.append(String.format("%nverified: %s%nmachine:", report.get("verified")));
    map(report, "machine").forEach((k, v) -> text.append(' ').append(k).append('=').append(v));
    return text.toString();
  }

  private static void row(StringBuilder text, String name, Map<?, ?> row) {
    for (String kind : new String[] {"pause", "call", "first_answer"}) {
      Map<?, ?> times = map(row, kind + "_ms");
      if (times.isEmpty()) {
        continue;
      }
      boolean answer = kind.equals("first_answer");
      line(
          text,
          name + " " + kind,
          number(times.get("p50")),
          number(times.get("p99")),
          answer ? number(map(row, "from_scratch_ms").get("p50")) : "",
          answer ? number(row.get("ratio_to_from_scratch")) : "",
          kind.equals(row.get("budget_of"))
              ? number(row.get("budget_ms"))
                  + (Boolean.TRUE.equals(row.get("within_budget")) ? " met" : " missed")
              : "");
    }
    Map<?, ?> copy = map(row, "copy_of_its_memory_ms");
    if (!copy.isEmpty()) {
      line(
          text,
          name + " copy",
          number(copy.get("p50")),
          number(copy.get("p99")),
          "",
          number(row.get("ratio_to_copy")),
          "");
    }
  }

  private static void line(StringBuilder text, String first, String... cells) {
    StringBuilder line = new StringBuilder(String.format(Locale.ROOT, "%-30s", first));
    for (String cell : cells) {
      line.append(String.format(Locale.ROOT, "%14s", cell));
    }
    text.append(line.toString().stripTrailing()).append('\n');
  }

  private static String number(@org.jspecify.annotations.Nullable Object value) {
    return value instanceof Double d ? String.format(Locale.ROOT, "%.3f", d) : "-";
  }

  private static Map<?, ?> map(Map<?, ?> from, String key) {
    return from.get(key) instanceof Map<?, ?> map ? map : Map.of();
  }
}
