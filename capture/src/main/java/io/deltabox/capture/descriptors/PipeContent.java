package io.deltabox.capture.descriptors;

import java.nio.ByteBuffer;
import java.util.List;

/**
 * What is inside a pipe.
 *
 * @param capacity bytes it holds at most
 * @param events what poll(2) says of the end it was seen through
 * @param packets content in the portions read(2) gives; one for an ordinary pipe
 * @param readable whether a process of the sandbox holds a read end, so that the content is known
 */
record PipeContent(int capacity, int events, List<ByteBuffer> packets, boolean readable) {
  static final int POLLERR = 8;
  static final int POLLHUP = 16;

  PipeContent {
    packets = List.copyOf(packets);
  }

  /** Whether reading one would give what reading the other gives. */
  boolean sameContent(PipeContent other) {
    return other.readable == readable
        && other.capacity == capacity
        && other.packets.equals(packets);
  }

  int bytes() {
    int sum = 0;
    for (ByteBuffer packet : packets) {
      sum += packet.remaining();
    }
    return sum;
  }
}
