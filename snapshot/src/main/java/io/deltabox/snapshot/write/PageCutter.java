package io.deltabox.snapshot.write;

import io.deltabox.snapshot.PageRange;
import io.deltabox.snapshot.format.ChunkCodec;
import io.deltabox.snapshot.format.ChunkType;
import io.deltabox.snapshot.table.PageLookup;
import io.deltabox.snapshot.table.PageLookup.Place;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Gathers the pages of one map, as they come, into chunks of up to 64. */
final class PageCutter {
  private static final ByteBuffer ZEROS = ByteBuffer.allocateDirect(PageRange.PAGE_BYTES);

  private static final int ZERO = -1;

  /**
   * A page that came.
   *
   * @param at where in the chunk, or {@link #ZERO}
   */
  private record Said(long page, int at) {}

  private final MapDelta delta;
  private final PageLookup parent;
  private final Predecessors predecessors;
  private final boolean complete;

  private ByteBuffer plain = ByteBuffer.allocate(0);
  private List<Predecessors.@Nullable Base> bases = new ArrayList<>();
  private final List<Said> said = new ArrayList<>();
  private long last;
  private int zeros;

  /**
   * @param complete there is no parent: chunks end where those of another complete snapshot do, so
   *     that equal memory becomes equal chunks
   */
  PageCutter(MapDelta delta, PageLookup parent, Predecessors predecessors, boolean complete) {
    this.delta = delta;
    this.parent = parent;
    this.predecessors = predecessors;
    this.complete = complete;
  }

  /** How many pages were zero. */
  int zeros() {
    return zeros;
  }

  MapDelta delta() {
    return delta;
  }

  /**
   * Takes a page.
   *
   * @param before what the parent has there, if known
   * @return a chunk that is full
   */
  @Nullable Piece add(long page, ByteBuffer bytes, @Nullable ByteBuffer before) {
    if (bytes.equals(ZEROS.duplicate())) {
      said.add(new Said(page, ZERO));
      zeros++;
      return null;
    }
    Piece full = mustEndBefore(page) ? finish() : null;
    if (bases.isEmpty()) {
      plain = ByteBuffer.allocateDirect(ChunkCodec.PLAIN_BYTES_MAX);
    }
    said.add(new Said(page, bases.size()));
    last = page;
    plain.put(bytes.duplicate());
    Optional<Place> now = complete ? Optional.empty() : parent.place(page);
    bases.add(now.map(place -> predecessors.find(place, copy(before))).orElse(null));
    return full;
  }

  private static @Nullable ByteBuffer copy(@Nullable ByteBuffer before) {
    return before == null
        ? null
        : ByteBuffer.allocate(PageRange.PAGE_BYTES).put(before.duplicate()).flip();
  }

  private boolean mustEndBefore(long page) {
    int count = bases.size();
    if (count == ChunkCodec.PAGES_MAX) {
      return true;
    }
    return complete
        && count >= ChunkCodec.PAGES_MAX / 2
        && page / ChunkCodec.PAGES_MAX != last / ChunkCodec.PAGES_MAX;
  }

  /** What was gathered; null for nothing, or for zeros only. */
  @Nullable Piece finish() {
    Piece piece = bases.isEmpty() ? null : new Piece(ChunkType.PAGES, plain.flip(), bases);
    for (Said one : said) {
      if (piece == null || one.at() == ZERO) {
        delta.zero(one.page());
      } else {
        delta.put(one.page(), 1, piece, one.at());
      }
    }
    said.clear();
    bases = new ArrayList<>();
    return piece;
  }
}
