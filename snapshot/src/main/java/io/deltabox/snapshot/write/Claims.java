package io.deltabox.snapshot.write;

import io.deltabox.store.ChunkId;
import java.util.Collection;
import java.util.HashSet;
import java.util.Set;

/**
 * Who is about to write which chunks. A chunk is looked up, encoded and written under a claim, so
 * that none that is there is ever written again in another form: what is encoded against it relies
 * on the form it has. All ids of a batch are claimed in one step, so nobody waits for each other.
 */
final class Claims {
  private final Set<ChunkId> claimed = new HashSet<>();

  /** Waits until nobody else has any of them. */
  synchronized void claim(Collection<ChunkId> ids) throws InterruptedException {
    while (ids.stream().anyMatch(claimed::contains)) {
      wait();
    }
    claimed.addAll(ids);
  }

  synchronized void release(Collection<ChunkId> ids) {
    claimed.removeAll(new HashSet<>(ids));
    notifyAll();
  }
}
