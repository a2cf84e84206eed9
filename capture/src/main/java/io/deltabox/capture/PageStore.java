package io.deltabox.capture;

import io.deltabox.linux.Memory;
import io.deltabox.linux.NativeLibrary;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;

/**
 * Page contents outside the Java heap, in slots of 4 KiB; what every {@link PageMap} of a keeper
 * points into.
 *
 * <p>A slot is written once, when it is taken, and is then immutable until it is freed, so many
 * maps may share it. Bounded: {@link #take} refuses beyond the limit. Slabs of 4 MiB are mapped as
 * needed and given back when empty. Not thread-safe; guarded by the keeper.
 */
final class PageStore implements AutoCloseable {
  static final int PAGE_BYTES = 4096;
  private static final int SLAB_PAGES = 1024;

  private final int slotsMax;
  private final List<Memory> slabs = new ArrayList<>();
  private final BitSet used = new BitSet();
  private int usedCount;
  private int searchFrom;

  PageStore(long bytesMax) {
    this.slotsMax = (int) Math.min(Integer.MAX_VALUE - SLAB_PAGES, bytesMax / PAGE_BYTES);
  }

  long bytesUsed() {
    return (long) usedCount * PAGE_BYTES;
  }

  long bytesMax() {
    return (long) slotsMax * PAGE_BYTES;
  }

  boolean hasRoom(long pages) {
    return usedCount + pages <= slotsMax;
  }

  /**
   * Copies a page in.
   *
   * @param address of 4096 bytes
   * @return the slot, or {@link PageMap#ABSENT} when the limit is reached
   */
  int take(long address) throws IOException {
    if (usedCount >= slotsMax) {
      return PageMap.ABSENT;
    }
    int slot = used.nextClearBit(searchFrom);
    while (slot >= slabs.size() * SLAB_PAGES) {
      slabs.add(Memory.allocate((long) SLAB_PAGES * PAGE_BYTES, Memory.Touch.LATER));
    }
    used.set(slot);
    usedCount++;
    searchFrom = slot + 1;
    NativeLibrary.core().dbx_copy(address(slot), address, PAGE_BYTES);
    return slot;
  }

  /** Address of a slot's bytes; valid until the slot is freed. */
  long address(int slot) {
    return slabs.get(slot / SLAB_PAGES).address() + (long) (slot % SLAB_PAGES) * PAGE_BYTES;
  }

  ByteBuffer view(int slot) {
    return Memory.view(address(slot), PAGE_BYTES).asReadOnlyBuffer();
  }

  /** Frees every slot that is not in {@code live}. Returns the pages freed. */
  int keepOnly(BitSet live) {
    int before = usedCount;
    used.and(live);
    usedCount = used.cardinality();
    searchFrom = 0;
    for (int slab = 0; slab < slabs.size(); slab++) {
      int next = used.nextSetBit(slab * SLAB_PAGES);
      if (next < 0 || next >= (slab + 1) * SLAB_PAGES) {
        slabs.get(slab).drop();
      }
    }
    return before - usedCount;
  }

  @Override
  public void close() {
    slabs.forEach(Memory::close);
    slabs.clear();
    used.clear();
    usedCount = 0;
  }
}
