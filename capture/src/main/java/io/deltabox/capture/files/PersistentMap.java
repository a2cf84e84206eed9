package io.deltabox.capture.files;

import java.util.HashMap;
import java.util.Map;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/**
 * An immutable hash map whose versions share structure: a change copies one path, and the
 * difference of two versions costs as much as they differ.
 *
 * <p>A hash trie with 32 branches per level; keys with equal hashes end in a bucket. Thread-safe.
 */
final class PersistentMap<K, V> {
  /** Receives what differs; a missing side is null. */
  interface Difference<K, V> {
    void at(K key, @Nullable V left, @Nullable V right);
  }

  private record Leaf<K, V>(int hash, K key, V value) {}

  /** Leaves whose hashes are equal. */
  private record Bucket<K, V>(int hash, Map<K, V> all) {}

  /** The array never leaves this class and is never written after construction. */
  @SuppressWarnings("ArrayRecordComponent")
  private record Branch(int bitmap, Object[] slots) {
    @Nullable Object at(int bit) {
      return (bitmap & bit) == 0 ? null : slots[index(bit)];
    }

    int index(int bit) {
      return Integer.bitCount(bitmap & (bit - 1));
    }
  }

  private static final PersistentMap<?, ?> EMPTY = new PersistentMap<>(null, 0);

  private final @Nullable Object root;
  private final int size;

  private PersistentMap(@Nullable Object root, int size) {
    this.root = root;
    this.size = size;
  }

  @SuppressWarnings("unchecked")
  static <K, V> PersistentMap<K, V> empty() {
    return (PersistentMap<K, V>) EMPTY;
  }

  int size() {
    return size;
  }

  boolean isEmpty() {
    return size == 0;
  }

  @SuppressWarnings("unchecked")
  @Nullable V get(K key) {
    int hash = spread(key);
    Object node = root;
    for (int shift = 0; node instanceof Branch branch; shift += 5) {
      node = branch.at(bit(hash, shift));
    }
    if (node instanceof Leaf<?, ?> leaf) {
      return leaf.hash() == hash && leaf.key().equals(key) ? (V) leaf.value() : null;
    }
    return node instanceof Bucket<?, ?> bucket && bucket.hash() == hash
        ? (V) bucket.all().get(key)
        : null;
  }

  PersistentMap<K, V> with(K key, V value) {
    V old = get(key);
    if (old == value) {
      return this;
    }
    Leaf<K, V> leaf = new Leaf<>(spread(key), key, value);
    return new PersistentMap<>(insert(root, 0, leaf), old == null ? size + 1 : size);
  }

  PersistentMap<K, V> without(K key) {
    if (get(key) == null) {
      return this;
    }
    return size == 1 ? empty() : new PersistentMap<>(remove(root, 0, spread(key), key), size - 1);
  }

  void forEach(BiConsumer<? super K, ? super V> action) {
    each(root, action);
  }

  /** Reports every key whose values are not the same object in both maps. */
  void difference(PersistentMap<K, V> other, Difference<K, V> to) {
    difference(root, other.root, to);
  }

  /**
   * Calls {@code action} for every entry below a trie node that {@code first} has not met before;
   * used to visit many versions without repeating what they share.
   */
  void forEachNew(java.util.Set<Object> met, BiConsumer<? super K, ? super V> action) {
    eachNew(root, met, action);
  }

  private void eachNew(
      @Nullable Object node, java.util.Set<Object> met, BiConsumer<? super K, ? super V> action) {
    if (node instanceof Branch branch) {
      if (met.add(branch)) {
        for (Object slot : branch.slots()) {
          eachNew(slot, met, action);
        }
      }
    } else {
      each(node, action);
    }
  }

  private static int spread(Object key) {
    int hash = key.hashCode() * 0x9E3779B9;
    return hash ^ (hash >>> 15);
  }

  private static int bit(int hash, int shift) {
    return 1 << ((hash >>> shift) & 31);
  }

  private static int hashOf(Object node) {
    return node instanceof Leaf<?, ?> leaf ? leaf.hash() : ((Bucket<?, ?>) node).hash();
  }

  private Object insert(@Nullable Object node, int shift, Leaf<K, V> leaf) {
    if (node == null) {
      return leaf;
    }
    if (node instanceof Branch branch) {
      int bit = bit(leaf.hash(), shift);
      Object child = insert(branch.at(bit), shift + 5, leaf);
      return replace(branch, bit, child);
    }
    if (hashOf(node) == leaf.hash()) {
      return merge(node, leaf);
    }
    // Two different hashes at one place: push the old one a level down and try again.
    Branch pushed = new Branch(bit(hashOf(node), shift), new Object[] {node});
    return insert(pushed, shift, leaf);
  }

  @SuppressWarnings("unchecked")
  private Object merge(Object node, Leaf<K, V> leaf) {
    if (node instanceof Leaf<?, ?> old && old.key().equals(leaf.key())) {
      return leaf;
    }
    Map<K, V> all = new HashMap<>();
    if (node instanceof Leaf<?, ?> old) {
      all.put((K) old.key(), (V) old.value());
    } else {
      all.putAll((Map<K, V>) ((Bucket<?, ?>) node).all());
    }
    all.put(leaf.key(), leaf.value());
    return new Bucket<>(leaf.hash(), Map.copyOf(all));
  }

  private static Branch replace(Branch branch, int bit, Object child) {
    int index = branch.index(bit);
    Object[] old = branch.slots();
    if ((branch.bitmap() & bit) != 0) {
      Object[] slots = old.clone();
      slots[index] = child;
      return new Branch(branch.bitmap(), slots);
    }
    Object[] slots = new Object[old.length + 1];
    System.arraycopy(old, 0, slots, 0, index);
    slots[index] = child;
    System.arraycopy(old, index, slots, index + 1, old.length - index);
    return new Branch(branch.bitmap() | bit, slots);
  }

  @SuppressWarnings("unchecked")
  private @Nullable Object remove(@Nullable Object node, int shift, int hash, K key) {
    if (node instanceof Branch branch) {
      int bit = bit(hash, shift);
      Object child = remove(branch.at(bit), shift + 5, hash, key);
      return child == null ? drop(branch, bit) : replace(branch, bit, child);
    }
    if (node instanceof Bucket<?, ?> bucket) {
      Map<K, V> rest = new HashMap<>((Map<K, V>) bucket.all());
      rest.remove(key);
      if (rest.size() == 1) {
        Map.Entry<K, V> only = rest.entrySet().iterator().next();
        return new Leaf<>(hash, only.getKey(), only.getValue());
      }
      return new Bucket<>(hash, Map.copyOf(rest));
    }
    return null;
  }

  private static @Nullable Object drop(Branch branch, int bit) {
    Object[] old = branch.slots();
    if (old.length == 1) {
      return null;
    }
    int index = branch.index(bit);
    Object[] slots = new Object[old.length - 1];
    System.arraycopy(old, 0, slots, 0, index);
    System.arraycopy(old, index + 1, slots, index, slots.length - index);
    return new Branch(branch.bitmap() & ~bit, slots);
  }

  @SuppressWarnings("unchecked")
  private static <K, V> void each(@Nullable Object node, BiConsumer<? super K, ? super V> action) {
    if (node instanceof Branch branch) {
      for (Object slot : branch.slots()) {
        PersistentMap.<K, V>each(slot, action);
      }
    } else if (node instanceof Leaf<?, ?> leaf) {
      action.accept((K) leaf.key(), (V) leaf.value());
    } else if (node instanceof Bucket<?, ?> bucket) {
      ((Map<K, V>) bucket.all()).forEach(action);
    }
  }

  private static <K, V> void difference(
      @Nullable Object left, @Nullable Object right, Difference<K, V> to) {
    if (left == right) {
      return;
    }
    if (left instanceof Branch a && right instanceof Branch b) {
      for (int bits = a.bitmap() | b.bitmap(); bits != 0; bits &= bits - 1) {
        int bit = Integer.lowestOneBit(bits);
        PersistentMap.<K, V>difference(a.at(bit), b.at(bit), to);
      }
      return;
    }
    if (left == null) {
      PersistentMap.<K, V>each(right, (key, value) -> to.at(key, null, value));
      return;
    }
    if (right == null) {
      PersistentMap.<K, V>each(left, (key, value) -> to.at(key, value, null));
      return;
    }
    Map<K, V> lefts = new HashMap<>();
    Map<K, V> rights = new HashMap<>();
    PersistentMap.<K, V>each(left, lefts::put);
    PersistentMap.<K, V>each(right, rights::put);
    lefts.forEach(
        (key, value) -> {
          V other = rights.remove(key);
          if (other != value) {
            to.at(key, value, other);
          }
        });
    rights.forEach((key, value) -> to.at(key, null, value));
  }
}
