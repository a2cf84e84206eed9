package io.deltabox.check;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Small readers of {@code /proc}. Bytes that are not ASCII are kept one to one. */
final class ProcFile {
  private ProcFile() {}

  static String read(String path) throws IOException {
    return new String(Files.readAllBytes(Path.of(path)), StandardCharsets.ISO_8859_1);
  }

  /** The lines {@code key: value} of a file. */
  static Map<String, String> fields(String text) {
    Map<String, String> fields = new LinkedHashMap<>();
    for (String line : text.split("\n")) {
      int colon = line.indexOf(':');
      if (colon > 0) {
        fields.put(line.substring(0, colon), line.substring(colon + 1).trim());
      }
    }
    return fields;
  }

  static String field(Map<String, String> fields, String key) {
    return fields.getOrDefault(key, "");
  }

  /** The last word, which is the number in the innermost namespace for the {@code NS...} lines. */
  static String last(String words) {
    return words.substring(Math.max(words.lastIndexOf('\t'), words.lastIndexOf(' ')) + 1);
  }

  static String link(String path) throws IOException {
    return Files.readSymbolicLink(Path.of(path)).toString();
  }

  /** The names in a directory that are numbers, ascending. */
  static List<Integer> numbers(String directory) throws IOException {
    List<Integer> numbers = new ArrayList<>();
    try (DirectoryStream<Path> entries = Files.newDirectoryStream(Path.of(directory))) {
      for (Path entry : entries) {
        String name = String.valueOf(entry.getFileName());
        if (!name.isEmpty() && name.chars().allMatch(c -> c >= '0' && c <= '9')) {
          numbers.add(Integer.parseInt(name));
        }
      }
    }
    Collections.sort(numbers);
    return numbers;
  }
}
