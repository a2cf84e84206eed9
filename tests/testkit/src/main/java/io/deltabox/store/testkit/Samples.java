package io.deltabox.store.testkit;

import io.deltabox.store.Bytes;
import io.deltabox.store.Chunk;
import io.deltabox.store.ChunkId;
import io.deltabox.store.ChunkStore;
import io.deltabox.store.HotStore;
import io.deltabox.store.RecordRange;
import io.deltabox.store.RecordStore;
import io.deltabox.store.Space;
import io.deltabox.store.StoreException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;

/** Content for tests, and short ways to read a store whole. */
public final class Samples {
  private Samples() {}

  /** A seed, printed so that a failure can be run again with {@code -Ddeltabox.seed=N}. */
  public static long seed(String suite) {
    long seed = Long.getLong("deltabox.seed", System.nanoTime() & 0xffffffL);
    System.out.println("SEED " + suite + " " + seed);
    return seed;
  }

  /** A tenth by default, the full figure when the build is a long one. */
  public static int count(int sample, int full) {
    return Boolean.getBoolean("deltabox.long") ? full : sample;
  }

  public static ChunkId id(Random random) {
    return new ChunkId(random.nextLong(), random.nextLong(), random.nextLong(), random.nextLong());
  }

  /** An id that tells its number. */
  public static ChunkId id(long number) {
    return new ChunkId(number * 0x9e3779b97f4a7c15L, number, ~number, number << 7);
  }

  public static Bytes bytes(Random random, int length) {
    byte[] bytes = new byte[length];
    random.nextBytes(bytes);
    return Bytes.of(bytes);
  }

  /** The content that belongs to a number. */
  public static Bytes content(long number, int length) {
    return bytes(new Random(number), length);
  }

  public static Chunk chunk(ChunkId id, Bytes content) {
    return new Chunk(id, content.buffer());
  }

  /** What is found of some chunks. */
  public static Map<ChunkId, Bytes> read(ChunkStore chunks, Collection<ChunkId> ids)
      throws StoreException {
    Map<ChunkId, Bytes> found = new HashMap<>();
    Set<ChunkId> missing =
        chunks.read(
            ids,
            (id, bytes) -> {
              if (found.put(id, Bytes.of(bytes)) != null) {
                throw new AssertionError("handed over twice: " + id);
              }
            });
    for (ChunkId id : missing) {
      if (found.containsKey(id)) {
        throw new AssertionError("found and missing: " + id);
      }
    }
    return found;
  }

  public static List<ChunkId> ids(ChunkStore chunks, ChunkId from) throws StoreException {
    List<ChunkId> all = new ArrayList<>();
    try (ChunkStore.Cursor cursor = chunks.ids(from)) {
      while (cursor.next()) {
        all.add(cursor.id());
      }
    }
    return all;
  }

  public static Map<Bytes, Bytes> scan(RecordStore records, Space space, RecordRange range)
      throws StoreException {
    Map<Bytes, Bytes> all = new LinkedHashMap<>();
    try (RecordStore.Cursor cursor = records.scan(space, range)) {
      while (cursor.next()) {
        all.put(cursor.key(), cursor.value());
      }
    }
    return all;
  }

  /** All records of all spaces. */
  public static Map<Space, Map<Bytes, Bytes>> records(HotStore store) throws StoreException {
    Map<Space, Map<Bytes, Bytes>> all = new HashMap<>();
    for (Space space : Space.values()) {
      Map<Bytes, Bytes> records = scan(store.records(), space, RecordRange.ALL);
      if (!records.isEmpty()) {
        all.put(space, records);
      }
    }
    return all;
  }

  static ByteBuffer direct(Bytes content) {
    ByteBuffer direct = ByteBuffer.allocateDirect(content.length());
    return direct.put(content.buffer()).flip();
  }
}
