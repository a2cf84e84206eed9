package io.deltabox.snapshot.format;

import io.deltabox.store.ChunkId;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/**
 * For each page of a chunk, in order, the older page it is to be encoded against: which page of
 * which chunk, and its bytes. Used over and over; for one thread.
 */
public final class PageBases {
  static final int NO_BASE = -1;

  private final List<ChunkId> chunks = new ArrayList<>();
  private final byte[] ordinals = new byte[ChunkCodec.PAGES_MAX];
  private final byte[] places = new byte[ChunkCodec.PAGES_MAX];
  private final ByteBuffer bytes = ByteBuffer.allocateDirect(ChunkCodec.PLAIN_BYTES_MAX);
  private int pages;

  public PageBases clear() {
    chunks.clear();
    bytes.clear();
    pages = 0;
    return this;
  }

  /**
   * The next page has this one for its base.
   *
   * @param chunk one that is stored without bases
   * @param place which page of it
   * @param page its 4 KiB, copied; the position stays
   */
  public PageBases page(ChunkId chunk, int place, ByteBuffer page) {
    if (place < 0 || place >= ChunkCodec.PAGES_MAX || page.remaining() != ChunkCodec.PAGE_BYTES) {
      throw new IllegalArgumentException(
          "not a page of a chunk: place=" + place + " bytes=" + page.remaining());
    }
    // A chunk of 64 pages has few bases, most often the one that was named last.
    int ordinal = chunks.lastIndexOf(chunk);
    if (ordinal < 0) {
      ordinal = chunks.size();
      chunks.add(chunk);
    }
    add(ordinal, place);
    bytes.put(page.duplicate());
    return this;
  }

  /** The next page has no base. */
  public PageBases none() {
    add(NO_BASE, 0);
    return this;
  }

  /** How many pages were told. */
  public int pages() {
    return pages;
  }

  /** True if no page has a base. */
  public boolean isEmpty() {
    return chunks.isEmpty();
  }

  private void add(int ordinal, int place) {
    if (pages == ChunkCodec.PAGES_MAX) {
      throw new IllegalArgumentException("more pages than a chunk has: pages=" + pages);
    }
    ordinals[pages] = (byte) ordinal;
    places[pages] = (byte) place;
    pages++;
  }

  List<ChunkId> chunks() {
    return chunks;
  }

  int ordinal(int page) {
    return ordinals[page];
  }

  int place(int page) {
    return places[page];
  }

  /** Pages of the bases, in the order of the pages that have one. */
  ByteBuffer bytes() {
    return bytes;
  }
}
