package io.deltabox.snapshot;

import static org.assertj.core.api.Assertions.assertThat;

import io.deltabox.store.Bytes;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.ReadableByteChannel;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Random;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** What a snapshot holds, in plain maps, and random changes of it. */
final class Model {
  /** A file: its body, and its content in one extent; null for none. */
  record File(Bytes body, @Nullable Bytes content) {}

  final Map<String, NavigableMap<Long, Bytes>> maps = new TreeMap<>();
  final NavigableMap<Bytes, File> files = new TreeMap<>();
  final Map<Integer, List<Bytes>> records = new TreeMap<>();

  Model copy() {
    Model copy = new Model();
    maps.forEach((name, pages) -> copy.maps.put(name, new TreeMap<>(pages)));
    copy.files.putAll(files);
    return copy;
  }

  /** Pages that look like memory: some text, some noise, some zeros. */
  static Bytes page(Random random) {
    byte[] page = new byte[PageRange.PAGE_BYTES];
    if (random.nextInt(8) != 0) {
      int words = random.nextInt(400);
      for (int i = 0; i < words; i++) {
        page[random.nextInt(page.length)] = (byte) (32 + random.nextInt(60));
      }
    }
    return Bytes.of(page);
  }

  /** The same page with a few bytes changed. */
  private static Bytes edited(Bytes page, Random random) {
    byte[] bytes = page.toArray();
    for (int i = 0; i < 10; i++) {
      bytes[random.nextInt(bytes.length)] = (byte) random.nextInt();
    }
    return Bytes.of(bytes);
  }

  /** Changes this and tells the writer. */
  void change(Random random, SnapshotWriter writer, int pagesMax) throws IOException {
    for (int i = random.nextInt(4); i > 0; i--) {
      changePages(random, writer, pagesMax);
    }
    if (random.nextInt(3) == 0) {
      dropPages(random, writer);
    }
    if (random.nextInt(6) == 0) {
      TreeSet<String> keep = new TreeSet<>(maps.keySet());
      keep.removeIf(name -> random.nextInt(3) == 0);
      maps.keySet().retainAll(keep);
      writer.keepMaps(keep);
    }
    Map<Bytes, File> parent = new TreeMap<>(files);
    for (int i = random.nextInt(4); i > 0; i--) {
      changeFile(random, writer, parent);
    }
    records.clear();
    for (int i = random.nextInt(6); i > 0; i--) {
      int kind = random.nextInt(4);
      byte[] bytes = new byte[random.nextInt(3000)];
      random.nextBytes(bytes);
      records.computeIfAbsent(kind, k -> new ArrayList<>()).add(Bytes.of(bytes));
      writer.record(kind, ByteBuffer.wrap(bytes));
    }
  }

  private void changePages(Random random, SnapshotWriter writer, int pagesMax) throws IOException {
    String map = "p/" + random.nextInt(4);
    NavigableMap<Long, Bytes> pages = maps.computeIfAbsent(map, name -> new TreeMap<>());
    List<PageRange> ranges = new ArrayList<>();
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    ByteArrayOutputStream before = new ByteArrayOutputStream();
    long page = 65_400L + random.nextInt(200);
    int count = 1 + random.nextInt(pagesMax);
    for (int i = 0; i < count; i++) {
      page += random.nextInt(4) == 0 ? 1 + random.nextInt(30) : 1;
      Bytes old = pages.getOrDefault(page, page(random));
      Bytes now = random.nextBoolean() ? edited(old, random) : page(random);
      before.writeBytes((random.nextInt(10) == 0 ? now : old).toArray());
      bytes.writeBytes(now.toArray());
      pages.put(page, now);
      ranges.add(new PageRange(page, page + 1));
    }
    writer.pages(
        map,
        ranges,
        ByteBuffer.wrap(bytes.toByteArray()),
        random.nextInt(4) == 0 ? null : ByteBuffer.wrap(before.toByteArray()));
  }

  private void dropPages(Random random, SnapshotWriter writer) throws IOException {
    String map = "p/" + random.nextInt(4);
    long from = 65_400L + random.nextInt(300);
    PageRange range = new PageRange(from, from + 1 + random.nextInt(100));
    NavigableMap<Long, Bytes> pages = maps.get(map);
    if (pages != null) {
      pages.subMap(range.from(), range.to()).clear();
      if (pages.isEmpty()) {
        maps.remove(map);
      }
    }
    writer.dropPages(map, List.of(range));
  }

  private void changeFile(Random random, SnapshotWriter writer, Map<Bytes, File> parent)
      throws IOException {
    Bytes key = Bytes.of("file " + random.nextInt(10));
    File old = parent.get(key);
    switch (random.nextInt(4)) {
      case 0 -> {
        files.remove(key);
        writer.dropFile(key);
      }
      case 1 -> {
        File next =
            new File(Bytes.of("body " + random.nextInt()), old == null ? null : old.content());
        files.put(key, next);
        writer.file(entry(key, next), null);
      }
      default -> {
        byte[] content = new byte[random.nextInt(8) == 0 ? 900_000 : 1 + random.nextInt(20_000)];
        random.nextBytes(content);
        File next = new File(Bytes.of("body"), Bytes.of(content));
        files.put(key, next);
        writer.file(
            entry(key, next), Channels.newChannel(new java.io.ByteArrayInputStream(content)));
      }
    }
  }

  private static FileEntry entry(Bytes key, File file) {
    Bytes content = file.content();
    return content == null
        ? new FileEntry(key, file.body(), 0, List.of())
        : new FileEntry(
            key, file.body(), content.length(), List.of(new Extent(0, content.length())));
  }

  /** A snapshot that is read holds this. */
  void assertSame(SnapshotReader reader, String where) throws IOException {
    maps.values().removeIf(Map::isEmpty);
    assertThat(reader.maps()).as(where).isEqualTo(maps.keySet());
    long count = 0;
    for (String map : maps.keySet()) {
      NavigableMap<Long, Bytes> found = new TreeMap<>();
      reader.pages(map, PageRange.ALL, (ranges, bytes) -> collect(ranges, bytes, found));
      assertThat(found.equals(maps.get(map))).as(where + " map " + map).isTrue();
      count += found.size();
    }
    assertThat(reader.info().pages()).as(where).isEqualTo(count);
    Map<Bytes, File> foundFiles = new TreeMap<>();
    reader.files(
        (entry, content) ->
            foundFiles.put(
                entry.key(), new File(entry.body(), content == null ? null : all(content))));
    assertThat(foundFiles.equals(files)).as(where + " files").isTrue();
    Map<Integer, List<Bytes>> foundRecords = new HashMap<>();
    reader.records(
        (kind, bytes) ->
            foundRecords.computeIfAbsent(kind, k -> new ArrayList<>()).add(Bytes.of(bytes)));
    assertThat(foundRecords).as(where).isEqualTo(records);
  }

  private static void collect(List<PageRange> ranges, ByteBuffer bytes, Map<Long, Bytes> into) {
    int at = bytes.position();
    for (PageRange range : ranges) {
      for (long page = range.from(); page < range.to(); page++) {
        into.put(page, Bytes.of(bytes.slice(at, PageRange.PAGE_BYTES)));
        at += PageRange.PAGE_BYTES;
      }
    }
    assertThat(at).isEqualTo(bytes.limit());
  }

  private static Bytes all(ReadableByteChannel content) throws IOException {
    return Bytes.of(Channels.newInputStream(content).readAllBytes());
  }

  static SnapshotSpec spec(@Nullable UUID parent, UUID id) {
    return new SnapshotSpec(id, parent, Instant.ofEpochSecond(1), Map.of("kind", "test"));
  }
}
