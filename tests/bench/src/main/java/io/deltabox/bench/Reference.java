package io.deltabox.bench;

import io.deltabox.linux.Memory;
import io.deltabox.linux.NativeLibrary;
import java.io.IOException;
import java.util.SplittableRandom;
import jnr.ffi.LibraryLoader;

/**
 * What this machine needs at this moment for work that cannot be avoided: a copy of the dirty bytes
 * from scattered pages, and 1 000 of the cheapest system call. Pauses compare across machines and
 * neighbours by it.
 */
final class Reference implements AutoCloseable {
  private static final int PAGE = 4096;
  private static final int CALLS = 1000;

  /** Of the C library. */
  public interface Libc {
    int getpid();
  }

  private final Libc libc = LibraryLoader.create(Libc.class).load("c");
  private final Memory from;
  private final Memory to;
  private final long[] order;
  private final Samples samples = new Samples();

  Reference(CrSettings settings) throws IOException {
    int pages = (int) Math.min(settings.rssBytes() / PAGE, 1 << 18);
    this.from = Memory.allocate((long) pages * PAGE, Memory.Touch.NOW);
    this.to = Memory.allocate(Math.max(1, settings.dirtyPages()) * (long) PAGE, Memory.Touch.NOW);
    SplittableRandom random = new SplittableRandom(settings.seed());
    this.order = random.longs(settings.dirtyPages(), 0, pages).toArray();
  }

  void measure() {
    long start = System.nanoTime();
    for (int i = 0; i < order.length; i++) {
      NativeLibrary.core()
          .dbx_copy(to.address() + (long) i * PAGE, from.address() + order[i] * PAGE, PAGE);
    }
    int last = 0;
    for (int i = 0; i < CALLS; i++) {
      last += libc.getpid();
    }
    long nanos = System.nanoTime() - start;
    if (last != 0) {
      samples.add(nanos);
    }
  }

  Samples samples() {
    return samples;
  }

  @Override
  public void close() {
    from.close();
    to.close();
  }
}
