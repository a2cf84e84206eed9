package io.deltabox.snapshot.write;

import io.deltabox.snapshot.PageRange;
import io.deltabox.snapshot.read.Recent;
import io.deltabox.snapshot.table.PageLookup.Place;
import io.deltabox.store.ChunkId;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.zip.CRC32;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * What pages can be encoded against: the version of a page that is stored plain and nearest in its
 * history. Knows of chunks that this process wrote: of a plain one the sums of its pages, with
 * which the bytes a caller says were there before are checked; of one that is encoded against
 * others, where each page's base is, whose bytes it keeps. What it does not know is stored without
 * a base, which costs room and nothing else. Thread-safe.
 *
 * <p>Two different checksums of 32 bits make one of 64: pages are not mistaken for each other.
 * Memory: 0.6 KiB per chunk of 64 pages, 4 KiB per page that serves as a base.
 */
final class Predecessors {
  /**
   * A page that another one can be encoded against.
   *
   * @param bytes its 4 KiB
   */
  record Base(Place place, ByteBuffer bytes) {}

  /** Per page its base's place, null for none. */
  private record Based(List<@Nullable Place> places) {}

  /** The sums of a chunk's pages. */
  private static final class Plain {
    private final long[] sums;

    Plain(long[] sums) {
      this.sums = sums;
    }

    long sum(int page) {
      return sums[page];
    }
  }

  private final Recent<ChunkId, Plain> plain;
  private final Recent<ChunkId, Based> based;
  private final Recent<Place, ByteBuffer> pages;

  Predecessors(long bytesMax) {
    this.plain = new Recent<>(bytesMax / 4);
    this.based = new Recent<>(bytesMax / 4);
    this.pages = new Recent<>(bytesMax / 2);
  }

  /**
   * The base for a page.
   *
   * @param now where the parent has it
   * @param before what the caller says that the parent has there
   */
  @Nullable Base find(Place now, @Nullable ByteBuffer before) {
    Optional<Plain> sums = plain.get(now.chunk());
    if (sums.isPresent()) {
      if (before != null && sum(before) == sums.get().sum(now.page())) {
        return new Base(now, before);
      }
      return pages.get(now).map(bytes -> new Base(now, bytes)).orElse(null);
    }
    Optional<Based> known = based.get(now.chunk());
    Place base = known.isEmpty() ? null : known.get().places().get(now.page());
    if (base == null) {
      return null;
    }
    return pages.get(base).map(bytes -> new Base(base, bytes)).orElse(null);
  }

  /** A chunk of pages was written without bases. */
  void wrotePlain(ChunkId id, ByteBuffer bytes) {
    long[] sums = new long[bytes.remaining() / PageRange.PAGE_BYTES];
    for (int page = 0; page < sums.length; page++) {
      int at = bytes.position() + page * PageRange.PAGE_BYTES;
      sums[page] = sum(bytes.slice(at, PageRange.PAGE_BYTES));
    }
    plain.put(id, new Plain(sums), 100 + 8L * sums.length);
  }

  /** A chunk of pages was written against bases. */
  void wroteBased(ChunkId id, List<@Nullable Base> bases) {
    @Nullable Place[] places = new @Nullable Place[bases.size()];
    for (int page = 0; page < places.length; page++) {
      Base base = bases.get(page);
      if (base != null) {
        places[page] = base.place();
        if (pages.get(base.place()).isEmpty()) {
          ByteBuffer copy = ByteBuffer.allocate(PageRange.PAGE_BYTES);
          copy.put(base.bytes().duplicate()).flip();
          pages.put(base.place(), copy.asReadOnlyBuffer(), PageRange.PAGE_BYTES + 100);
        }
      }
    }
    based.put(id, new Based(Arrays.asList(places)), 100 + 32L * places.length);
  }

  /** Forgets all: chunks were removed, and may be written again in another form. */
  void forget() {
    plain.clear();
    based.clear();
    pages.clear();
  }

  private static long sum(ByteBuffer page) {
    CRC32 one = new CRC32();
    one.update(page.duplicate());
    CRC32C other = new CRC32C();
    other.update(page.duplicate());
    return one.getValue() << 32 | other.getValue();
  }
}
