package io.deltabox.capture;

import io.deltabox.linux.Memory;
import java.io.IOException;
import java.nio.ByteBuffer;

/**
 * Pages to be put into a process: where to and where from, {@code struct pair} of {@code pages.c}.
 */
final class PagePairs implements AutoCloseable {
  static final int PAIR_BYTES = 16;

  private final Memory memory;
  private final ByteBuffer to;

  PagePairs(int countMax) throws IOException {
    this.memory = Memory.allocate((long) countMax * PAIR_BYTES, Memory.Touch.LATER);
    this.to = memory.slice(0, Math.toIntExact((long) countMax * PAIR_BYTES));
  }

  void add(long address, long from) {
    to.putLong(address).putLong(from);
  }

  int count() {
    return to.position() / PAIR_BYTES;
  }

  long address() {
    return memory.address();
  }

  @Override
  public void close() {
    memory.close();
  }
}
