package io.deltabox.capture;

import io.deltabox.capture.record.RecordKind;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;

/** Copies snapshots from a source to a sink. */
public final class Transfer {
  private Transfer() {}

  /** The process that a record of kind {@link RecordKind#PROCESS} tells of. */
  public static int processOf(ByteBuffer record) throws IOException {
    return SnapshotRecords.process(record).inner();
  }

  /** The object that a record of kind {@link RecordKind#OBJECT} tells of. */
  public static ObjectId objectOf(ByteBuffer record) throws IOException {
    return SnapshotRecords.object(record).id();
  }

  /** Copies all of one snapshot; after a failure the sink has been told to forget it. */
  public static void whole(CaptureSource from, UUID snapshot, CaptureSink to) throws IOException {
    to.begin(snapshot, null);
    try {
      List<Integer> processes = new ArrayList<>();
      List<ObjectId> objects = new ArrayList<>();
      from.records(
          snapshot,
          (kind, bytes) -> {
            if (kind == RecordKind.PROCESS) {
              processes.add(processOf(bytes));
            } else if (kind == RecordKind.OBJECT) {
              objects.add(objectOf(bytes));
            }
            to.record(kind, bytes);
          });
      for (int process : processes) {
        from.pages(
            snapshot,
            process,
            PageRun.EVERYTHING,
            (runs, bytes) -> to.pages(process, runs, bytes, null));
      }
      for (ObjectId object : objects) {
        from.shared(
            snapshot,
            object,
            PageRun.EVERYTHING,
            (runs, bytes) -> to.shared(object, runs, bytes, null));
      }
      from.files(snapshot, to::file);
      to.commit();
    } catch (IOException | RuntimeException e) {
      to.abort();
      throw e;
    }
  }
}
