package io.deltabox.capture;

import io.deltabox.linux.Memory;
import io.deltabox.linux.NativeLibrary;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.BitSet;

/**
 * Page contents outside the Java heap, in slots of 4 KiB; what every {@link PageMap} of a keeper
 * points into.
 *
 * <p>A slot is written once, when it is taken, and is then immutable until it is freed, so many
 * maps may share it. Bounded: {@link #take} refuses beyond the limit. Slabs of 4 MiB are mapped as
 * needed and given back when empty. Thread-safe, except that a slot must not be read while it is
 * freed.
 */
final class PageStore implements AutoCloseable {
  static final int PAGE_BYTES = 4096;
  private static final int SLAB_PAGES = 1024;

  private final int slotsMax;
  // Replaced as a whole, so that readers need no lock.
  private volatile Memory[] slabs = new Memory[0];
  private final BitSet used = new BitSet();
  private int usedCount;
  private int searchFrom;

  PageStore(long bytesMax) {
    this.slotsMax = (int) Math.min(Integer.MAX_VALUE - SLAB_PAGES, bytesMax / PAGE_BYTES);
  }

  synchronized long bytesUsed() {
    return (long) usedCount * PAGE_BYTES;
  }

  long bytesMax() {
    return (long) slotsMax * PAGE_BYTES;
  }

  synchronized boolean hasRoom(long pages) {
    return usedCount + pages <= slotsMax;
  }

  /**
   * Copies a page in.
   *
   * @param address of 4096 bytes
   * @return the slot, or {@link PageMap#ABSENT} when the limit is reached
   */
  synchronized int take(long address) throws IOException {
    if (usedCount >= slotsMax) {
      return PageMap.ABSENT;
    }
    int slot = used.nextClearBit(searchFrom);
    while (slot >= slabs.length * SLAB_PAGES) {
      Memory[] more = Arrays.copyOf(slabs, slabs.length + 1);
      more[slabs.length] = Memory.allocate((long) SLAB_PAGES * PAGE_BYTES, Memory.Touch.LATER);
      slabs = more;
    }
    used.set(slot);
    usedCount++;
    searchFrom = slot + 1;
    NativeLibrary.core().dbx_copy(address(slot), address, PAGE_BYTES);
    return slot;
  }

  /** Address of a slot's bytes; valid until the slot is freed. */
  long address(int slot) {
    return slabs[slot / SLAB_PAGES].address() + (long) (slot % SLAB_PAGES) * PAGE_BYTES;
  }

  /** Whether the bytes of {@code next} follow those of {@code slot}. */
  boolean adjacent(int slot, int next) {
    return next == slot + 1 && next % SLAB_PAGES != 0;
  }

  ByteBuffer view(int slot) {
    return Memory.view(address(slot), PAGE_BYTES).asReadOnlyBuffer();
  }

  /** Frees every slot that is not in {@code live}. Returns the pages freed. */
  synchronized int keepOnly(BitSet live) {
    int before = usedCount;
    used.and(live);
    usedCount = used.cardinality();
    searchFrom = 0;
    for (int slab = 0; slab < slabs.length; slab++) {
      int next = used.nextSetBit(slab * SLAB_PAGES);
      if (next < 0 || next >= (slab + 1) * SLAB_PAGES) {
        slabs[slab].drop();
      }
    }
    return before - usedCount;
  }

  @Override
  public synchronized void close() {
    for (Memory slab : slabs) {
      slab.close();
    }
    slabs = new Memory[0];
    used.clear();
    usedCount = 0;
  }
}
