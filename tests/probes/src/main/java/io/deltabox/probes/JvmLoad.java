package io.deltabox.probes;

import java.io.IOException;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;

/** A Java program under load: threads that allocate, share a map and keep an invariant. */
public final class JvmLoad {
  private static final int KEYS = 5000;
  private static final int WORKERS = 3;

  private JvmLoad() {}

  /** Runs until its input ends; answers every byte {@code c} with a line. */
  public static void main(String[] args) throws IOException, InterruptedException {
    Map<Long, long[]> kept = new ConcurrentHashMap<>();
    AtomicLong counter = new AtomicLong();
    for (int i = 0; i < WORKERS; i++) {
      Thread worker = new Thread(() -> work(kept, counter), "worker-" + i);
      worker.setDaemon(true);
      worker.start();
    }
    System.out.println("ready");
    for (int c = System.in.read(); c >= 0; c = System.in.read()) {
      if (c == 'c') {
        boolean good = kept.entrySet().stream().allMatch(e -> e.getValue()[0] == e.getKey());
        System.out.println(good ? "ok" : "BAD map");
      }
    }
  }

  private static void work(Map<Long, long[]> kept, AtomicLong counter) {
    while (true) {
      long n = counter.incrementAndGet();
      long key = n % KEYS;
      kept.put(key, new long[] {key, n, ~n});
      if (n % 2000 == 0) {
        Thread.onSpinWait();
        try {
          Thread.sleep(1);
        } catch (InterruptedException e) {
          Thread.currentThread().interrupt();
          return;
        }
      }
    }
  }
}
