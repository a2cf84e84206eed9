package io.deltabox.capture;

import java.util.Arrays;
import java.util.BitSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Which stored page holds the content of each page of an address space: an immutable radix tree
 * from page number to slot.
 *
 * <p>A page without an entry has no bytes of its own: it reads as zeros in anonymous memory and as
 * its file in a file mapping. Trees made from each other share what is equal, so a checkpoint costs
 * memory in proportion to what changed, and comparing two costs time in proportion to what differs.
 * Numbers have 35 bits: 7 for the root, four levels of 6, 4 for the leaf (the user half of a 47-bit
 * address space in pages of 4 KiB).
 *
 * <p>Thread-safe, being immutable; an {@link Editor} is not.
 */
public final class PageMap {
  /** No content of its own. */
  public static final int ABSENT = -1;

  static final PageMap EMPTY = new PageMap(null);

  private static final int LEAF_BITS = 4;
  private static final int NODE_BITS = 6;
  private static final int ROOT_BITS = 7;
  private static final int LEVELS = 4;
  private static final int ROOT_SHIFT = LEAF_BITS + LEVELS * NODE_BITS;

  /** One past the largest page number. */
  static final long PAGES_MAX = 1L << (ROOT_SHIFT + ROOT_BITS);

  /** Receives pages in ascending order. */
  @FunctionalInterface
  public interface Visitor {
    void page(long number, int slot);
  }

  /** Receives pages that differ, in ascending order; either slot may be {@link #ABSENT}. */
  @FunctionalInterface
  public interface DiffVisitor {
    void page(long number, int before, int after);
  }

  /**
   * A leaf holds slots, an inner node holds children; whoever has the owner token may still change
   * it.
   */
  static final class Node {
    final @Nullable Node[] children;
    final int[] slots;
    final Object owner;

    Node(@Nullable Node[] children, int[] slots, Object owner) {
      this.children = children;
      this.slots = slots;
      this.owner = owner;
    }
  }

  private static final @Nullable Node[] NO_CHILDREN = new Node[0];
  private static final int[] NO_SLOTS = new int[0];

  private final @Nullable Node root;

  private PageMap(@Nullable Node root) {
    this.root = root;
  }

  /** The slot of a page, or {@link #ABSENT}. */
  public int get(long page) {
    Node node = root;
    int shift = ROOT_SHIFT;
    while (node != null && shift >= LEAF_BITS) {
      node = node.children[(int) (page >>> shift) & (node.children.length - 1)];
      shift = shift == LEAF_BITS ? 0 : shift - NODE_BITS;
    }
    return node == null ? ABSENT : node.slots[(int) page & ((1 << LEAF_BITS) - 1)];
  }

  /** Marks every slot in use; parts that {@code visited} holds already are skipped. */
  void mark(BitSet slots, Set<Node> visited) {
    mark(root, slots, visited);
  }

  private static void mark(@Nullable Node node, BitSet slots, Set<Node> visited) {
    if (node == null || !visited.add(node)) {
      return;
    }
    for (int slot : node.slots) {
      if (slot != ABSENT) {
        slots.set(slot);
      }
    }
    for (Node child : node.children) {
      mark(child, slots, visited);
    }
  }

  /** True if both are the same tree, not merely equal ones. */
  boolean same(PageMap other) {
    return root == other.root;
  }

  /** Number of pages that differ. */
  long differences(PageMap other) {
    long[] count = new long[1];
    diff(other, (page, before, after) -> count[0]++);
    return count[0];
  }

  /** Visits every page that has content. */
  public void forEach(Visitor visitor) {
    range(root, ROOT_SHIFT, 0, 0, PAGES_MAX, visitor);
  }

  /** Visits pages that have content in {@code [from, to)}. */
  public void forEach(long from, long to, Visitor visitor) {
    range(root, ROOT_SHIFT, 0, from, to, visitor);
  }

  private static void range(
      @Nullable Node node, int shift, long base, long from, long to, Visitor visitor) {
    if (node == null) {
      return;
    }
    if (shift < LEAF_BITS) {
      for (int i = 0; i < node.slots.length; i++) {
        long page = base + i;
        if (node.slots[i] != ABSENT && page >= from && page < to) {
          visitor.page(page, node.slots[i]);
        }
      }
      return;
    }
    int next = shift == LEAF_BITS ? 0 : shift - NODE_BITS;
    long width = 1L << shift;
    int first = from <= base ? 0 : (int) Math.min(node.children.length, (from - base) >>> shift);
    for (int i = first; i < node.children.length; i++) {
      long start = base + i * width;
      if (start >= to) {
        return;
      }
      range(node.children[i], next, start, from, to, visitor);
    }
  }

  /** Visits every page whose slot is not the same in {@code after}. */
  public void diff(PageMap after, DiffVisitor visitor) {
    diff(root, after.root, ROOT_SHIFT, 0, visitor);
  }

  private static void diff(
      @Nullable Node a, @Nullable Node b, int shift, long base, DiffVisitor visitor) {
    if (a == b) {
      return;
    }
    if (shift < LEAF_BITS) {
      for (int i = 0; i < 1 << LEAF_BITS; i++) {
        int before = a == null ? ABSENT : a.slots[i];
        int after = b == null ? ABSENT : b.slots[i];
        if (before != after) {
          visitor.page(base + i, before, after);
        }
      }
      return;
    }
    int next = shift == LEAF_BITS ? 0 : shift - NODE_BITS;
    int width = a != null ? a.children.length : b != null ? b.children.length : 0;
    for (int i = 0; i < width; i++) {
      diff(
          a == null ? null : a.children[i],
          b == null ? null : b.children[i],
          next,
          base + ((long) i << shift),
          visitor);
    }
  }

  /** Starts changes; this map stays as it is. */
  Editor edit() {
    return new Editor(root);
  }

  /** Collects changes to one map; nodes it made itself are changed in place. */
  static final class Editor {
    private @Nullable Node root;
    private boolean changed;
    private Object token = new Object();

    private Editor(@Nullable Node root) {
      this.root = root;
    }

    int get(long page) {
      return new PageMap(root).get(page);
    }

    /** True once a change was made that had an effect. */
    boolean changed() {
      return changed;
    }

    void put(long page, int slot) {
      if (page < 0 || page >= PAGES_MAX) {
        throw new IllegalArgumentException("page number out of range: page=" + page);
      }
      if (slot == ABSENT) {
        removeRange(page, page + 1);
        return;
      }
      Node node = own(root, ROOT_SHIFT);
      root = node;
      int shift = ROOT_SHIFT;
      while (shift >= LEAF_BITS) {
        int index = (int) (page >>> shift) & (node.children.length - 1);
        shift = shift == LEAF_BITS ? 0 : shift - NODE_BITS;
        Node child = own(node.children[index], shift);
        node.children[index] = child;
        node = child;
      }
      node.slots[(int) page & ((1 << LEAF_BITS) - 1)] = slot;
      changed = true;
    }

    /** Pages of {@code [from, to)} have no content any more. */
    void removeRange(long from, long to) {
      if (from < to) {
        root = remove(root, ROOT_SHIFT, 0, from, to);
      }
    }

    private @Nullable Node remove(@Nullable Node node, int shift, long base, long from, long to) {
      int bits =
          shift < LEAF_BITS
              ? LEAF_BITS
              : shift == ROOT_SHIFT ? ROOT_BITS + shift : NODE_BITS + shift;
      long end = base + (1L << bits);
      if (node == null || end <= from || base >= to) {
        return node;
      }
      if (from <= base && end <= to) {
        changed = true;
        return null;
      }
      return shift < LEAF_BITS
          ? removeSlots(node, base, from, to)
          : removeChildren(node, shift, base, from, to);
    }

    private @Nullable Node removeSlots(Node node, long base, long from, long to) {
      Node mine = null;
      for (int i = 0; i < node.slots.length; i++) {
        if (node.slots[i] != ABSENT && base + i >= from && base + i < to) {
          mine = mine == null ? own(node, 0) : mine;
          mine.slots[i] = ABSENT;
          changed = true;
        }
      }
      return mine == null ? node : mine;
    }

    private Node removeChildren(Node node, int shift, long base, long from, long to) {
      int next = shift == LEAF_BITS ? 0 : shift - NODE_BITS;
      Node mine = node;
      for (int i = 0; i < node.children.length; i++) {
        Node child = mine.children[i];
        if (child == null) {
          continue;
        }
        Node kept = remove(child, next, base + ((long) i << shift), from, to);
        if (kept != child) {
          mine = own(mine, shift);
          mine.children[i] = kept;
        }
      }
      return mine;
    }

    private Node own(@Nullable Node node, int shift) {
      if (node != null && node.owner == token) {
        return node;
      }
      if (shift < LEAF_BITS) {
        int[] slots;
        if (node == null) {
          slots = new int[1 << LEAF_BITS];
          Arrays.fill(slots, ABSENT);
        } else {
          slots = node.slots.clone();
        }
        return new Node(NO_CHILDREN, slots, token);
      }
      int width = shift == ROOT_SHIFT ? 1 << ROOT_BITS : 1 << NODE_BITS;
      return new Node(node == null ? new Node[width] : node.children.clone(), NO_SLOTS, token);
    }

    /** The changed map; the editor may go on, what was built does not change. */
    PageMap build() {
      token = new Object();
      return new PageMap(root);
    }
  }
}
