package io.deltabox.capture.files;

import io.deltabox.linux.Memory;
import io.deltabox.linux.NativeLibrary;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The captured bytes of files, outside the Java heap.
 *
 * <p>Small contents share slabs, large ones have memory of their own. Nothing is freed by reference
 * counting per snapshot, which would cost as much as a snapshot has files: {@link #retain} visits
 * what the remaining snapshots reach, skipping what they share, and frees the rest. Thread-safe.
 *
 * <p>One store may serve many trackers, so that a state made by one of them can be put back by
 * another.
 */
public final class ContentStore implements AutoCloseable {
  private static final int SLAB_BYTES = 1 << 20;
  private static final int LARGE_BYTES = SLAB_BYTES / 4;

  /** Bytes of one content, valid until the store drops it. */
  static final class Block {
    private final Slab slab;
    private final long offset;
    private final long length;

    private Block(Slab slab, long offset, long length) {
      this.slab = slab;
      this.offset = offset;
      this.length = length;
    }

    long address() {
      return slab.memory.address() + offset;
    }

    long length() {
      return length;
    }
  }

  private static final class Slab {
    final Memory memory;
    long used;
    long live;

    Slab(Memory memory) {
      this.memory = memory;
    }
  }

  private final Set<Block> blocks = Collections.newSetFromMap(new IdentityHashMap<>());
  private @Nullable Slab open;
  private long bytes;

  /** Bytes of memory held, free space in slabs included. */
  public synchronized long bytesHeld() {
    return bytes;
  }

  /** Copies bytes from an address. */
  synchronized Block store(long address, long length) throws IOException {
    Slab slab = slabFor(length);
    Block block = new Block(slab, slab.used, length);
    slab.used += (length + 15) & ~15L;
    slab.live++;
    blocks.add(block);
    NativeLibrary.core().dbx_copy(block.address(), address, length);
    return block;
  }

  private Slab slabFor(long length) throws IOException {
    if (length >= LARGE_BYTES) {
      bytes += length;
      return new Slab(Memory.allocate(length, Memory.Touch.LATER));
    }
    Slab slab = open;
    if (slab == null || slab.used + length > SLAB_BYTES) {
      closeIfDead(slab);
      slab = new Slab(Memory.allocate(SLAB_BYTES, Memory.Touch.LATER));
      bytes += SLAB_BYTES;
      open = slab;
    }
    return slab;
  }

  /** Frees one block; its bytes must not be used any more. */
  synchronized void drop(Block block) {
    if (blocks.remove(block)) {
      block.slab.live--;
      if (block.slab != open) {
        closeIfDead(block.slab);
      }
    }
  }

  private void closeIfDead(@Nullable Slab slab) {
    if (slab != null && slab.live == 0) {
      bytes -= slab.memory.size();
      slab.memory.close();
    }
  }

  /**
   * Frees what nothing uses.
   *
   * @param states that are kept
   * @param trackers all trackers that work with this store
   */
  public void retain(Collection<FileState> states, Collection<FileTracker> trackers) {
    Set<Object> met = Collections.newSetFromMap(new IdentityHashMap<>());
    Set<FileContent> reachable = Collections.newSetFromMap(new IdentityHashMap<>());
    states.forEach(state -> state.collect(met, reachable));
    trackers.forEach(tracker -> tracker.collect(met, reachable));
    retain(reachable);
  }

  private synchronized void retain(Set<FileContent> reachable) {
    Set<Block> used = Collections.newSetFromMap(new IdentityHashMap<>());
    for (FileContent content : reachable) {
      for (FileContent.Piece piece : content.pieces()) {
        used.add(piece.block());
      }
    }
    List<Block> dead = new ArrayList<>();
    for (Block block : blocks) {
      if (!used.contains(block)) {
        dead.add(block);
      }
    }
    dead.forEach(this::drop);
  }

  /** Frees everything; no state whose contents lie here may be used any more. */
  @Override
  public synchronized void close() {
    new ArrayList<>(blocks).forEach(this::drop);
    Slab slab = open;
    open = null;
    closeIfDead(slab);
  }
}
