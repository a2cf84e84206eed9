package io.deltabox.capture;

import io.deltabox.capture.files.FileState;
import java.io.IOException;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Passes a snapshot of the keeper to a sink as what it changes against another one. */
final class SnapshotSender {
  private final PageStore store;
  private final CaptureSink sink;

  SnapshotSender(PageStore store, CaptureSink sink) {
    this.store = store;
    this.sink = sink;
  }

  /**
   * After a failure the sink has been told to forget it.
   *
   * @param since null: complete
   */
  void send(SnapshotState snapshot, @Nullable SnapshotState since) throws IOException {
    sink.begin(snapshot.id(), since == null ? null : since.id());
    try {
      SnapshotRecords.send(snapshot, sink::record);
      for (Map.Entry<Integer, ProcessSnapshot> entry : snapshot.processes().entrySet()) {
        int process = entry.getKey();
        ProcessSnapshot old = since == null ? null : since.processes().get(process);
        new PageTransfer(store)
            .difference(old == null ? PageMap.EMPTY : old.pages(), entry.getValue().pages())
            .run(
                (runs, bytes, before) -> sink.pages(process, runs, bytes, before),
                runs -> sink.dropped(process, runs));
      }
      for (Map.Entry<ObjectId, ObjectState> entry : snapshot.objects().entrySet()) {
        ObjectId object = entry.getKey();
        ObjectState old = since == null ? null : since.objects().get(object);
        new PageTransfer(store)
            .difference(old == null ? PageMap.EMPTY : old.pages(), entry.getValue().pages())
            .run(
                (runs, bytes, before) -> sink.shared(object, runs, bytes, before),
                runs -> sink.sharedDropped(object, runs));
      }
      FileState files = snapshot.files();
      if (files != null) {
        files.send(since == null ? null : since.files(), sink);
      }
      sink.commit();
    } catch (IOException | RuntimeException e) {
      sink.abort();
      throw e;
    }
  }
}
