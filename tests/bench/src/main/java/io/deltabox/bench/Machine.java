package io.deltabox.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/** Where the numbers come from. */
final class Machine {
  private Machine() {}

  static Map<String, Object> describe() throws IOException {
    Map<String, Object> map = new LinkedHashMap<>();
    map.put("cores", Runtime.getRuntime().availableProcessors());
    map.put("cpu", field("/proc/cpuinfo", "model name"));
    map.put("kernel", Files.readString(Path.of("/proc/sys/kernel/osrelease")).strip());
    map.put("memory", field("/proc/meminfo", "MemTotal"));
    map.put("jdk", System.getProperty("java.vm.name") + " " + Runtime.version());
    return map;
  }

  /** Runnable tasks, averaged over the last minute. */
  static double load() throws IOException {
    return Double.parseDouble(Files.readString(Path.of("/proc/loadavg")).split(" ")[0]);
  }

  private static String field(String file, String name) throws IOException {
    for (String line : Files.readAllLines(Path.of(file))) {
      if (line.startsWith(name)) {
        return line.substring(line.indexOf(':') + 1).strip();
      }
    }
    return "unknown";
  }
}
