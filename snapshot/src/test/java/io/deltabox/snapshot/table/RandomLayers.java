package io.deltabox.snapshot.table;

import io.deltabox.snapshot.Extent;
import io.deltabox.snapshot.FileEntry;
import io.deltabox.store.Bytes;
import io.deltabox.store.testkit.Samples;
import java.util.List;
import java.util.Random;
import java.util.TreeMap;
import java.util.TreeSet;

/** Layers of few maps and files, so that they meet. */
final class RandomLayers {
  private static final int MAPS = 4;
  private static final int FILES = 12;

  private RandomLayers() {}

  static Layer layer(Random random) {
    TreeMap<String, PageRuns> maps = new TreeMap<>();
    TreeSet<String> fresh = new TreeSet<>();
    TreeSet<String> gone = new TreeSet<>();
    for (int map = 0; map < MAPS; map++) {
      String name = "p/" + map;
      switch (random.nextInt(6)) {
        case 0 -> gone.add(name);
        case 1 -> {
          fresh.add(name);
          maps.put(name, runs(random));
        }
        case 2, 3, 4 -> maps.put(name, runs(random));
        default -> {}
      }
    }
    TreeMap<Bytes, StoredFile> files = new TreeMap<>();
    TreeSet<Bytes> goneFiles = new TreeSet<>();
    for (int file = 0; file < FILES; file++) {
      Bytes key = Bytes.of("file " + file);
      switch (random.nextInt(4)) {
        case 0 -> goneFiles.add(key);
        case 1 -> files.put(key, file(random, key));
        default -> {}
      }
    }
    return new Layer(maps, fresh, gone, files, goneFiles);
  }

  static PageRuns runs(Random random) {
    PageRuns.Builder runs = new PageRuns.Builder();
    long page = random.nextInt(3) * 65_530L + random.nextInt(10);
    for (int i = random.nextInt(60); i >= 0; i--) {
      page += random.nextInt(5) == 0 ? random.nextInt(40_000) : random.nextInt(3);
      int count = 1 + random.nextInt(random.nextInt(10) == 0 ? 60 : 4);
      switch (random.nextInt(6)) {
        case 0 -> runs.addGone(page, count);
        case 1 -> runs.addZero(page, count);
        default -> runs.add(page, count, Samples.id(random.nextInt(9)), random.nextInt(65 - count));
      }
      page += count;
    }
    return runs.build();
  }

  private static StoredFile file(Random random, Bytes key) {
    if (random.nextBoolean()) {
      return new StoredFile(new FileEntry(key, Bytes.of("dir"), 0, List.of()), List.of());
    }
    int bytes = 1 + random.nextInt(100_000);
    long hole = random.nextInt(3) * 4096L;
    Extent extent = new Extent(hole, bytes);
    return new StoredFile(
        new FileEntry(
            key, Samples.bytes(random, random.nextInt(50)), hole + bytes, List.of(extent)),
        List.of(new FilePiece(Samples.id(random), bytes)));
  }
}
