package io.deltabox.store.rocksdb;

import io.deltabox.store.ChunkId;
import io.deltabox.store.StoreCorruptException;
import io.deltabox.store.StoreException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.rocksdb.FlushOptions;

/** Reads all that is stored and compares it with its checksums. */
final class Verifier {
  private final Handles handles;
  private final Path directory;

  Verifier(Handles handles, Path directory) {
    this.handles = handles;
    this.directory = directory;
  }

  /**
   * What the database needs is there. It looks for its tables when it is opened, and for blob files
   * only when one is read.
   */
  void requireFiles() throws StoreException {
    Set<Path> gone = missing();
    if (!gone.isEmpty()) {
      // What the database has replaced meanwhile is no longer needed.
      gone.retainAll(missing());
    }
    if (!gone.isEmpty()) {
      throw new StoreCorruptException("files of the store are gone: files=" + gone);
    }
  }

  private Set<Path> missing() throws StoreException {
    return handles.call(
        () -> "list files failed: directory=" + directory,
        database -> {
          Set<Path> missing = new TreeSet<>();
          for (String name : database.getLiveFiles(false).files) {
            Path file = directory.resolve(name.substring(name.lastIndexOf('/') + 1));
            if (!Files.exists(file)) {
              missing.add(file);
            }
          }
          return missing;
        });
  }

  /**
   * Writes out first what is in memory only, so that the log holds nothing that counts. The
   * database checks its tables, and no blob files: those are checked by reading every chunk.
   */
  void verify() throws StoreException {
    if (!handles.readOnly()) {
      handles.call(
          () -> "write out failed: directory=" + directory,
          database -> {
            try (FlushOptions options = new FlushOptions().setWaitForFlush(true)) {
              database.flush(options, handles.allFamilies());
            }
            return true;
          });
      requireFiles();
    }
    handles.call(
        () -> "verify tables failed: directory=" + directory,
        database -> {
          database.verifyChecksum();
          return true;
        });
    verifyChunks();
  }

  private void verifyChunks() throws StoreException {
    List<RangeWalk> both =
        RangeWalk.openAll(
            handles,
            () -> "verify chunks failed: directory=" + directory,
            List.of(Family.LENGTH, Family.CHUNK));
    try (RangeWalk lengths = both.get(0);
        RangeWalk chunks = both.get(1)) {
      while (lengths.next()) {
        requireSame(lengths, chunks.next(), chunks);
      }
      if (chunks.next()) {
        throw new StoreCorruptException("chunk is there and not known: id=" + id(chunks.key()));
      }
    }
  }

  private static void requireSame(RangeWalk lengths, boolean more, RangeWalk chunks)
      throws StoreException {
    byte[] id = lengths.key();
    if (!more || !Arrays.equals(chunks.key(), id)) {
      throw new StoreCorruptException("chunk is known and its content is gone: id=" + id(id));
    }
    int expected = RocksChunks.length(lengths.value());
    if (chunks.value().length != expected) {
      throw new StoreCorruptException(
          "chunk has another length: id="
              + id(id)
              + " bytes="
              + chunks.value().length
              + " expected="
              + expected);
    }
  }

  private static ChunkId id(byte[] key) {
    return ChunkId.read(ByteBuffer.wrap(key));
  }

  /** Bytes of all files; those that go meanwhile are left out. */
  long diskBytes(String... suffixes) throws IOException {
    long bytes = 0;
    try (var files = Files.newDirectoryStream(directory)) {
      for (Path file : files) {
        if (Arrays.stream(suffixes).anyMatch(file.toString()::endsWith)) {
          bytes += file.toFile().length();
        }
      }
    }
    return bytes;
  }
}
