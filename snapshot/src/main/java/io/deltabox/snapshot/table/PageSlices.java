package io.deltabox.snapshot.table;

import com.google.protobuf.ByteString;
import io.deltabox.snapshot.PageRange;
import io.deltabox.snapshot.table.proto.PageSlice;
import io.deltabox.store.ChunkId;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.roaringbitmap.PeekableIntIterator;
import org.roaringbitmap.RoaringBitmap;

/**
 * The stored form of the pages of a map: slices of {@value #PAGES} pages, each for itself, so that
 * slices that did not change are the same bytes in the next table.
 */
final class PageSlices {
  /** As many as one container of a RoaringBitmap has. */
  static final int PAGES = 1 << 16;

  private PageSlices() {}

  static List<PageSlice> encode(String map, PageRuns runs) {
    List<PageSlice> slices = new ArrayList<>();
    long page = 0;
    for (int run = 0; run < runs.size(); run = runs.from(page)) {
      long number = Math.max(runs.first(run), page) / PAGES;
      page = (number + 1) * PAGES;
      PageRange slice = new PageRange(number * PAGES, page);
      slices.add(new Encoder().encode(map, number, runs.within(slice)));
    }
    return slices;
  }

  /** Encodes one slice. */
  private static final class Encoder {
    private final PageSlice.Builder slice = PageSlice.newBuilder();
    private final Map<ChunkId, Integer> ordinals = new LinkedHashMap<>();
    private final RoaringBitmap gone = new RoaringBitmap();
    private final RoaringBitmap zero = new RoaringBitmap();
    private final RoaringBitmap content = new RoaringBitmap();

    /** Per chunk, the page behind the last one that was named. */
    private int[] next = new int[16];

    private int count;
    private int ordinal;
    private int place;

    PageSlice encode(String map, long number, PageRuns runs) {
      slice.setMap(map).setNumber(number);
      for (int run = 0; run < runs.size(); run++) {
        long from = runs.first(run) - number * PAGES;
        long to = from + runs.count(run);
        if (runs.gone(run)) {
          gone.add(from, to);
        } else if (runs.zero(run)) {
          zero.add(from, to);
        } else {
          content.add(from, to);
          add(runs.chunk(run), runs.at(run), runs.count(run));
        }
      }
      flush();
      ByteBuffer ids = ByteBuffer.allocate(ordinals.size() * ChunkId.BYTES);
      ordinals.keySet().forEach(id -> id.write(ids));
      slice.setChunks(ByteString.copyFrom(ids.flip()));
      return slice.setGone(bytes(gone)).setZero(bytes(zero)).setContent(bytes(content)).build();
    }

    private void add(ChunkId chunk, int at, int pages) {
      int which = ordinals.computeIfAbsent(chunk, id -> ordinals.size());
      if (count > 0 && which == ordinal && at == place + count) {
        count += pages;
        return;
      }
      flush();
      count = pages;
      ordinal = which;
      place = at;
    }

    private void flush() {
      if (count == 0) {
        return;
      }
      if (ordinal >= next.length) {
        next = Arrays.copyOf(next, Math.max(ordinal + 1, next.length * 2));
      }
      slice.addCounts(count).addOrdinals(ordinal).addPlaces(place - next[ordinal]);
      next[ordinal] = place + count;
      count = 0;
    }

    private static ByteString bytes(RoaringBitmap set) {
      if (set.isEmpty()) {
        return ByteString.EMPTY;
      }
      set.runOptimize();
      ByteBuffer bytes = ByteBuffer.allocate(set.serializedSizeInBytes());
      set.serialize(bytes);
      return ByteString.copyFrom(bytes.flip());
    }
  }

  /**
   * Adds the runs of a slice.
   *
   * @throws IllegalArgumentException if it is none that {@link #encode} makes
   */
  static void decode(PageSlice slice, PageRuns.Builder into) {
    if (slice.getNumber() < 0 || slice.getNumber() >= PageRange.PAGES_MAX / PAGES) {
      throw new IllegalArgumentException("impossible slice: number=" + slice.getNumber());
    }
    new Decoder(slice).decode(into);
  }

  /** Decodes one slice. */
  private static final class Decoder {
    private final PageSlice slice;
    private final long base;
    private final List<ChunkId> chunks;
    private final int[] next;
    private int run;
    private int left;
    private int place;

    Decoder(PageSlice slice) {
      this.slice = slice;
      this.base = slice.getNumber() * PAGES;
      this.chunks = StreamRefs.ids(slice.getChunks());
      this.next = new int[chunks.size()];
      int runs = slice.getCountsCount();
      if (runs != slice.getOrdinalsCount() || runs != slice.getPlacesCount()) {
        throw new IllegalArgumentException("columns of different length: runs=" + runs);
      }
    }

    void decode(PageRuns.Builder into) {
      PeekableIntIterator gone = set(slice.getGone()).getIntIterator();
      PeekableIntIterator zero = set(slice.getZero()).getIntIterator();
      PeekableIntIterator content = set(slice.getContent()).getIntIterator();
      while (true) {
        int nextGone = peek(gone);
        int nextZero = peek(zero);
        int nextContent = peek(content);
        int page = Math.min(nextGone, Math.min(nextZero, nextContent));
        if (page == PAGES) {
          break;
        }
        if (page == nextGone) {
          into.addGone(base + gone.next(), 1);
        } else if (page == nextZero) {
          into.addZero(base + zero.next(), 1);
        } else {
          addContent(base + content.next(), into);
        }
      }
      if (left != 0 || run != slice.getCountsCount()) {
        throw new IllegalArgumentException("more places than pages: map=" + slice.getMap());
      }
    }

    private static int peek(PeekableIntIterator set) {
      return set.hasNext() ? set.peekNext() : PAGES;
    }

    private void addContent(long page, PageRuns.Builder into) {
      if (left == 0) {
        if (run == slice.getCountsCount()) {
          throw new IllegalArgumentException("more pages than places: map=" + slice.getMap());
        }
        int ordinal = slice.getOrdinals(run);
        left = slice.getCounts(run);
        if (ordinal < 0 || ordinal >= next.length) {
          throw new IllegalArgumentException("no such chunk: ordinal=" + ordinal);
        }
        place = next[ordinal] + slice.getPlaces(run);
        if (left < 1 || place < 0 || place > TableFormat.CHUNK_PAGES_MAX - left) {
          throw new IllegalArgumentException("outside of a chunk: page=" + place + "+" + left);
        }
        next[ordinal] = place + left;
        run++;
      }
      into.add(page, 1, chunks.get(slice.getOrdinals(run - 1)), place);
      place++;
      left--;
    }

    /** A set that was stored, with every number looked at: the library believes what it reads. */
    private static RoaringBitmap set(ByteString bytes) {
      RoaringBitmap set = new RoaringBitmap();
      if (bytes.isEmpty()) {
        return set;
      }
      try {
        set.deserialize(bytes.asReadOnlyByteBuffer());
      } catch (IOException | RuntimeException e) {
        throw new IllegalArgumentException("not a set of pages: bytes=" + bytes.size(), e);
      }
      int before = -1;
      PeekableIntIterator numbers = set.getIntIterator();
      while (numbers.hasNext()) {
        int number = numbers.next();
        if (number <= before || number >= PAGES) {
          throw new IllegalArgumentException("not a set of pages: number=" + number);
        }
        before = number;
      }
      if (before < 0 || set.serializedSizeInBytes() != bytes.size()) {
        throw new IllegalArgumentException("not a set of pages: bytes=" + bytes.size());
      }
      return set;
    }
  }
}
