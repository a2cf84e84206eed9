package io.deltabox.snapshot.read;

import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/** Keeps what was used last, up to a bound. Thread-safe. */
public final class Recent<K, V> {
  private record Sized<T>(T value, long bytes) {}

  private final long bytesMax;
  private final LinkedHashMap<K, Sized<V>> entries = new LinkedHashMap<>(16, 0.75f, true);
  private long bytes;

  public Recent(long bytesMax) {
    this.bytesMax = bytesMax;
  }

  public synchronized Optional<V> get(K key) {
    return Optional.ofNullable(entries.get(key)).map(Sized::value);
  }

  public synchronized void put(K key, V value, long valueBytes) {
    Sized<V> before = entries.put(key, new Sized<>(value, valueBytes));
    bytes += valueBytes - (before == null ? 0 : before.bytes());
    Iterator<Map.Entry<K, Sized<V>>> oldest = entries.entrySet().iterator();
    while (bytes > bytesMax && oldest.hasNext()) {
      bytes -= oldest.next().getValue().bytes();
      oldest.remove();
    }
  }

  /** Forgets all. */
  public synchronized void clear() {
    entries.clear();
    bytes = 0;
  }
}
