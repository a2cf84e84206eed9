package io.deltabox.store.rocksdb;

import io.deltabox.store.ChunkId;
import io.deltabox.store.StoreCorruptException;
import io.deltabox.store.StoreException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.NavigableMap;
import org.rocksdb.FlushOptions;

/** Reads all that is stored and compares it with its checksums. */
final class Verifier {
  private final Handles handles;
  private final Path database;
  private final Segments segments;
  private final Index index;
  private final SegmentLog log;

  /** Held so that no segment goes. */
  private final Object removing;

  Verifier(
      Handles handles,
      Path database,
      Segments segments,
      Index index,
      SegmentLog log,
      Object removing) {
    this.handles = handles;
    this.database = database;
    this.segments = segments;
    this.index = index;
    this.log = log;
    this.removing = removing;
  }

  /**
   * Writes the index out first, so that its tables hold all that counts. Then every entry of every
   * segment, whether a key leads to it or not, and whether every key leads to its entry.
   */
  void verify() throws StoreException {
    if (!handles.readOnly()) {
      handles.call(
          () -> "write out failed: directory=" + database,
          open -> {
            try (FlushOptions options = new FlushOptions().setWaitForFlush(true)) {
              open.flush(options, handles.allFamilies());
            }
            return true;
          });
    }
    handles.call(
        () -> "verify tables failed: directory=" + database,
        open -> {
          open.verifyChecksum();
          return true;
        });
    synchronized (removing) {
      verifySegments();
      verifyPlaces();
    }
  }

  private void verifySegments() throws StoreException {
    Place end = log.settled().end();
    NavigableMap<Integer, Index.Room> rooms = index.rooms();
    rooms.keySet().removeIf(number -> number >= end.segment());
    for (Map.Entry<Integer, Index.Room> one : rooms.entrySet()) {
      verifySegment(one.getKey(), one.getValue().end());
    }
    if (end.segment() > 0) {
      verifySegment(end.segment(), end.offset());
    }
  }

  private void verifySegment(int number, long end) throws StoreException {
    EntryReader reader =
        new EntryReader(segments, new Place(number, SegmentHead.BYTES), end, EntryReader.BODIES);
    boolean more = true;
    while (more) {
      more = handles.call(() -> "verify segment failed", open -> verifySome(reader));
    }
  }

  /** Up to some entries, so that the store can be closed meanwhile; false at the end. */
  private boolean verifySome(EntryReader reader) throws StoreException {
    try {
      for (int i = 0; i < 100 && !reader.atEnd(); i++) {
        Place at = reader.at();
        Entry entry = reader.next();
        if (entry == null || reader.body(entry) == null) {
          throw new StoreCorruptException(
              "segment is damaged: file="
                  + segments.path(at.segment())
                  + " at="
                  + at.offset()
                  + (entry != null && entry.holdsChunk() ? " id=" + entry.id() : ""));
        }
      }
      return !reader.atEnd();
    } catch (IOException e) {
      throw Failures.of("verify segment failed: " + reader.at(), e);
    }
  }

  private void verifyPlaces() throws StoreException {
    try (RangeWalk walk =
        RangeWalk.open(
            handles,
            () -> "verify places failed: directory=" + database,
            Family.PLACE,
            new byte[0],
            null)) {
      while (walk.next()) {
        ChunkId id = ChunkId.read(ByteBuffer.wrap(walk.key()));
        Location location = Location.of(walk.value());
        handles.call(() -> "verify place failed: id=" + id, open -> verifyPlace(id, location));
      }
    }
  }

  private boolean verifyPlace(ChunkId id, Location location) throws StoreException {
    int segment = location.place().segment();
    try {
      ByteBuffer head = ByteBuffer.allocate(Entry.HEAD_BYTES);
      Entry entry = Entry.read(segments.read(segment, head, location.place().offset()));
      if (entry == null
          || !entry.holdsChunk()
          || !entry.id().equals(id)
          || !entry.location().equals(location)) {
        throw new StoreCorruptException(
            "chunk is known and is not where it should be: id="
                + id
                + " file="
                + segments.path(segment)
                + " at="
                + location.place().offset());
      }
      return true;
    } catch (IOException e) {
      throw Failures.of("read segment failed: file=" + segments.path(segment), e);
    }
  }

  /** Bytes of the files of the index; those that go meanwhile are left out. */
  long indexBytes() throws IOException {
    return bytes(database, ".sst", ".log");
  }

  long segmentBytes() throws IOException {
    return bytes(database.resolveSibling("log"), ".seg");
  }

  private static long bytes(Path directory, String... suffixes) throws IOException {
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
