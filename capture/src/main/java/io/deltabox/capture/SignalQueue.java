package io.deltabox.capture;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Signals waiting for a thread, or with thread 0 for the whole process.
 *
 * @param innerThread number inside the sandbox, or 0
 * @param infos {@code siginfo_t} of 128 bytes each, oldest first
 */
record SignalQueue(int innerThread, List<byte[]> infos) {
  static final int INFO_BYTES = 128;

  SignalQueue {
    infos = List.copyOf(infos);
  }

  static List<byte[]> parse(ByteBuffer body, int count) {
    List<byte[]> infos = new ArrayList<>(count);
    for (int i = 0; i < count; i++) {
      byte[] info = new byte[INFO_BYTES];
      body.get(info);
      infos.add(info);
    }
    return infos;
  }

  boolean same(SignalQueue other) {
    if (innerThread != other.innerThread || infos.size() != other.infos.size()) {
      return false;
    }
    for (int i = 0; i < infos.size(); i++) {
      if (!Arrays.equals(infos.get(i), other.infos.get(i))) {
        return false;
      }
    }
    return true;
  }
}
