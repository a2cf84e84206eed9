package io.deltabox;

import io.deltabox.capture.CaptureSink;
import io.deltabox.capture.CaptureSource;
import io.deltabox.capture.CapturedFile;
import io.deltabox.capture.ObjectId;
import io.deltabox.capture.PageRun;
import io.deltabox.capture.record.RecordKind;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.ReadableByteChannel;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Objects;
import java.util.TreeMap;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** The simplest thing behind the seam: whole snapshots on the heap, made from the deltas passed. */
final class KeptSnapshots implements CaptureSink, CaptureSource {
  private static final int PAGE = 4096;

  /** A record as it came. */
  record Kept(RecordKind kind, ByteBuffer bytes) {}

  /** A file as it came; data is null where there is none. */
  record KeptFile(CapturedFile file, @Nullable ByteBuffer data) {}

  /** All of a snapshot. */
  static final class Content {
    final List<Kept> records = new ArrayList<>();
    final Map<Integer, NavigableMap<Long, ByteBuffer>> pages = new HashMap<>();
    final Map<ObjectId, NavigableMap<Long, ByteBuffer>> shared = new HashMap<>();
    final Map<ByteBuffer, KeptFile> files = new HashMap<>();
  }

  private final Map<UUID, Content> snapshots = new HashMap<>();
  private @Nullable UUID building;
  private Content content = new Content();
  private @Nullable String failure;
  private int bytesPassed;
  private int bytesBefore;
  private int deltas;
  private @Nullable Runnable beforePages;

  Content content(UUID snapshot) throws IOException {
    Content found = snapshots.get(snapshot);
    if (found == null) {
      throw new IOException("no such snapshot: id=" + snapshot);
    }
    return found;
  }

  /** Page bytes that came since the last call. */
  int takeBytesPassed() {
    int bytes = bytesPassed;
    bytesPassed = 0;
    return bytes;
  }

  /** Bytes that the pages passed had before. */
  int bytesBefore() {
    return bytesBefore;
  }

  /** Run once before the next pages are taken. */
  void beforePages(Runnable work) {
    beforePages = work;
  }

  /** Snapshots that came as what they change. */
  int deltas() {
    return deltas;
  }

  /** The next commit fails. */
  void failOnce(String message) {
    failure = message;
  }

  boolean idle() {
    return building == null;
  }

  @Override
  public boolean knows(UUID snapshot) {
    return snapshots.containsKey(snapshot);
  }

  @Override
  public void begin(UUID snapshot, @Nullable UUID parent) throws IOException {
    building = snapshot;
    content = new Content();
    if (parent != null) {
      Content old = content(parent);
      old.pages.forEach((key, map) -> content.pages.put(key, new TreeMap<>(map)));
      old.shared.forEach((key, map) -> content.shared.put(key, new TreeMap<>(map)));
      content.files.putAll(old.files);
      deltas++;
    }
  }

  /**
   * What is said to have been there before must be just that, and be said of all that was there.
   */
  private void put(
      NavigableMap<Long, ByteBuffer> map,
      List<PageRun> runs,
      ByteBuffer bytes,
      @Nullable ByteBuffer before) {
    Runnable work = beforePages;
    beforePages = null;
    if (work != null) {
      work.run();
    }
    ByteBuffer in = bytes.duplicate();
    bytesPassed += in.remaining();
    bytesBefore += before == null ? 0 : before.remaining();
    ByteBuffer old = before == null ? null : before.duplicate();
    for (PageRun run : runs) {
      for (long at = run.from(); at < run.to(); at += PAGE) {
        byte[] page = new byte[PAGE];
        in.get(page);
        if (!Objects.equals(map.put(at, ByteBuffer.wrap(page)), page(old))) {
          throw new IllegalArgumentException("not what was there before: page=" + at);
        }
      }
    }
    if (in.hasRemaining()) {
      throw new IllegalArgumentException("more bytes than pages: left=" + in.remaining());
    }
  }

  private static @Nullable ByteBuffer page(@Nullable ByteBuffer from) {
    if (from == null) {
      return null;
    }
    byte[] page = new byte[PAGE];
    from.get(page);
    return ByteBuffer.wrap(page);
  }

  @Override
  public void pages(
      int process, List<PageRun> runs, ByteBuffer bytes, @Nullable ByteBuffer before) {
    put(content.pages.computeIfAbsent(process, key -> new TreeMap<>()), runs, bytes, before);
  }

  @Override
  public void dropped(int process, List<PageRun> runs) {
    runs.forEach(
        run ->
            Objects.requireNonNull(content.pages.get(process))
                .subMap(run.from(), run.to())
                .clear());
  }

  @Override
  public void shared(
      ObjectId object, List<PageRun> runs, ByteBuffer bytes, @Nullable ByteBuffer before) {
    put(content.shared.computeIfAbsent(object, key -> new TreeMap<>()), runs, bytes, before);
  }

  @Override
  public void sharedDropped(ObjectId object, List<PageRun> runs) {
    runs.forEach(
        run ->
            Objects.requireNonNull(content.shared.get(object))
                .subMap(run.from(), run.to())
                .clear());
  }

  @Override
  public void file(CapturedFile file, @Nullable ReadableByteChannel data) throws IOException {
    KeptFile old = content.files.get(file.key());
    ByteBuffer bytes = old == null ? null : old.data();
    if (data != null) {
      bytes = ByteBuffer.wrap(Channels.newInputStream(data).readAllBytes());
      if (bytes.remaining() != file.dataBytes()) {
        throw new IOException("content is not as long as its extents: file=" + file);
      }
    }
    content.files.put(copy(file.key()), new KeptFile(file, bytes));
  }

  @Override
  public void fileDropped(ByteBuffer key) {
    Objects.requireNonNull(content.files.remove(key));
  }

  @Override
  public void record(RecordKind kind, ByteBuffer bytes) {
    content.records.add(new Kept(kind, copy(bytes)));
  }

  private static ByteBuffer copy(ByteBuffer bytes) {
    return ByteBuffer.allocate(bytes.remaining()).put(bytes.duplicate()).flip();
  }

  @Override
  public void commit() throws IOException {
    if (failure != null) {
      String said = failure;
      failure = null;
      throw new IOException(said);
    }
    snapshots.put(Objects.requireNonNull(building), content);
    building = null;
  }

  @Override
  public void abort() {
    building = null;
  }

  @Override
  public void prefetch(UUID snapshot) {}

  @Override
  public void records(UUID snapshot, RecordVisitor to) throws IOException {
    for (Kept record : content(snapshot).records) {
      to.record(record.kind(), record.bytes().duplicate());
    }
  }

  @Override
  public void pages(UUID snapshot, int process, PageRun range, PageVisitor to) throws IOException {
    give(content(snapshot).pages.getOrDefault(process, new TreeMap<>()), range, to);
  }

  @Override
  public void shared(UUID snapshot, ObjectId object, PageRun range, PageVisitor to)
      throws IOException {
    give(content(snapshot).shared.getOrDefault(object, new TreeMap<>()), range, to);
  }

  private static void give(NavigableMap<Long, ByteBuffer> map, PageRun range, PageVisitor to)
      throws IOException {
    try {
      map.subMap(range.from(), range.to())
          .forEach(
              (at, bytes) -> {
                try {
                  to.pages(List.of(new PageRun(at, at + PAGE)), bytes.duplicate());
                } catch (IOException e) {
                  throw new UncheckedIOException(e);
                }
              });
    } catch (UncheckedIOException e) {
      throw e.getCause();
    }
  }

  @Override
  public void files(UUID snapshot, FileVisitor to) throws IOException {
    for (KeptFile kept : content(snapshot).files.values()) {
      ByteBuffer data = kept.data();
      to.file(kept.file(), data == null ? null : channel(data));
    }
  }

  private static ReadableByteChannel channel(ByteBuffer data) {
    byte[] bytes = new byte[data.remaining()];
    data.duplicate().get(bytes);
    return Channels.newChannel(new ByteArrayInputStream(bytes));
  }
}
