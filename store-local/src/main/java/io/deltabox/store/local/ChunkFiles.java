package io.deltabox.store.local;

import io.deltabox.store.Bytes;
import io.deltabox.store.ChunkId;
import io.deltabox.store.ChunkStore;
import io.deltabox.store.StoreCorruptException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Collection;
import java.util.HashSet;
import java.util.Map;
import java.util.NavigableSet;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * Durable chunks, each in a file {@code chunks/FF/ID} where FF are the first two digits of its id:
 * {magic, length, CRC32C, bytes}, little-endian.
 */
final class ChunkFiles {
  private static final int MAGIC = 0x31434244;
  private static final int HEAD_BYTES = 12;
  private static final String TEMPORARY = ".tmp";

  private final Path directory;

  private ChunkFiles(Path directory) {
    this.directory = directory;
  }

  static ChunkFiles open(Path directory, boolean readOnly) throws IOException {
    ChunkFiles files = new ChunkFiles(directory);
    if (!readOnly) {
      Disk.makeDirectories(directory);
      for (int i = 0; i < 256; i++) {
        Files.createDirectories(files.shard(i));
      }
      Disk.syncDirectory(directory);
    }
    return files;
  }

  private Path shard(int number) {
    return directory.resolve(String.format("%02x", number));
  }

  private Path shard(ChunkId id) {
    return shard((int) (id.first() >>> 56));
  }

  private Path file(ChunkId id) {
    return shard(id).resolve(id.toString());
  }

  /** Writes chunks and makes them durable. */
  void write(Map<ChunkId, Bytes> chunks) throws IOException {
    Set<Path> shards = new HashSet<>();
    for (Map.Entry<ChunkId, Bytes> chunk : chunks.entrySet()) {
      ByteBuffer content = chunk.getValue().buffer();
      ByteBuffer head = ByteBuffer.allocate(HEAD_BYTES).order(ByteOrder.LITTLE_ENDIAN);
      head.putInt(MAGIC).putInt(content.remaining()).putInt(Disk.crc(content)).flip();
      Path temporary = shard(chunk.getKey()).resolve(chunk.getKey() + TEMPORARY);
      Files.deleteIfExists(temporary);
      Disk.writeNew(temporary, head, content);
      Disk.rename(temporary, file(chunk.getKey()));
      shards.add(shard(chunk.getKey()));
    }
    for (Path shard : shards) {
      Disk.syncDirectory(shard);
    }
  }

  void delete(Collection<ChunkId> ids) throws IOException {
    Set<Path> shards = new HashSet<>();
    for (ChunkId id : ids) {
      if (Files.deleteIfExists(file(id))) {
        shards.add(shard(id));
      }
    }
    for (Path shard : shards) {
      Disk.syncDirectory(shard);
    }
  }

  boolean has(ChunkId id) {
    return Files.exists(file(id));
  }

  /** Length of the stored form; 0 if there is none. */
  int length(ChunkId id) throws IOException {
    try {
      return (int) Math.max(0, Files.size(file(id)) - HEAD_BYTES);
    } catch (NoSuchFileException e) {
      return 0;
    }
  }

  /** The stored form, checked; null if there is none. */
  @Nullable ByteBuffer read(ChunkId id) throws IOException {
    try (FileChannel channel = FileChannel.open(file(id), StandardOpenOption.READ)) {
      long size = channel.size();
      if (size <= HEAD_BYTES || size > HEAD_BYTES + ChunkStore.BYTES_MAX) {
        throw damaged(id, "impossible length " + size);
      }
      ByteBuffer all = ByteBuffer.allocate((int) size).order(ByteOrder.LITTLE_ENDIAN);
      Disk.readFully(channel, 0, all);
      all.flip();
      ByteBuffer content = all.slice(HEAD_BYTES, all.limit() - HEAD_BYTES);
      if (all.getInt(0) != MAGIC
          || all.getInt(4) != content.remaining()
          || all.getInt(8) != Disk.crc(content)) {
        throw damaged(id, "checksum or length is wrong");
      }
      return content.asReadOnlyBuffer();
    } catch (NoSuchFileException e) {
      return null;
    }
  }

  private StoreCorruptException damaged(ChunkId id, String how) {
    return new StoreCorruptException(
        "chunk is damaged: " + how + ": id=" + id + " file=" + file(id));
  }

  /** All ids from one on. */
  NavigableSet<ChunkId> ids(ChunkId from) throws IOException {
    TreeSet<ChunkId> ids = new TreeSet<>();
    for (int shard = (int) (from.first() >>> 56); shard < 256; shard++) {
      try (var files = Files.newDirectoryStream(shard(shard))) {
        for (Path file : files) {
          String name = String.valueOf(file.getFileName());
          if (!name.endsWith(TEMPORARY)) {
            ids.add(parse(file, name));
          }
        }
      }
    }
    return new TreeSet<>(ids.tailSet(from, true));
  }

  private static ChunkId parse(Path file, String name) throws StoreCorruptException {
    try {
      return ChunkId.parse(name);
    } catch (IllegalArgumentException e) {
      throw new StoreCorruptException("not a file of this store: " + file, e);
    }
  }
}
