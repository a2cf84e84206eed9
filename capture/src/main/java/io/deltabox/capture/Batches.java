package io.deltabox.capture;

import io.deltabox.linux.Errno;
import java.util.ArrayList;
import java.util.List;

/** Any number of calls for one thread that must all succeed, run in as few stops as they fit in. */
final class Batches {
  private record Expected(Injection.Call call, String tried) {}

  private final LiveProcess process;
  private final int tid;
  private InjectedBatch batch;
  private final List<Expected> expected = new ArrayList<>();

  Batches(LiveProcess process, int tid) {
    this.process = process;
    this.tid = tid;
    this.batch = process.injectIn(tid);
  }

  /** The batch to append to: has room for {@code calls} calls and {@code bytes} of data. */
  InjectedBatch room(int calls, int bytes) throws CaptureException {
    if (!batch.hasRoom(calls, bytes)) {
      flush();
    }
    return batch;
  }

  /** Marks a call of the current batch as one that must succeed. */
  void expect(Injection.Call call, String tried) {
    expected.add(new Expected(call, tried));
  }

  void flush() throws CaptureException {
    if (batch.size() > 0) {
      batch.run();
      for (Expected one : expected) {
        long result = batch.result(one.call);
        if (result < 0 && result > -4096) {
          throw new CaptureException(
              one.tried + " failed: " + Errno.text((int) -result) + " " + process.state().label());
        }
      }
    }
    expected.clear();
    batch = process.injectIn(tid);
  }
}
