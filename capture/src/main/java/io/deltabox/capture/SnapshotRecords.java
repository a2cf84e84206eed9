package io.deltabox.capture;

import io.deltabox.capture.descriptors.DescriptorTable;
import io.deltabox.capture.record.RecordKind;
import io.deltabox.capture.record.RecordReader;
import io.deltabox.capture.record.RecordWriter;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * The records of a snapshot as bytes. What the native code wrote of a process and of a thread is
 * kept as it is, because it goes back as such.
 */
final class SnapshotRecords {
  private SnapshotRecords() {}

  /** All records of a snapshot, files aside. */
  static void send(SnapshotState snapshot, CaptureSource.RecordVisitor to) throws IOException {
    to.record(RecordKind.SNAPSHOT, writeParent(snapshot.parent()));
    for (ProcessSnapshot process : snapshot.processes().values()) {
      to.record(RecordKind.PROCESS, write(process.state()));
    }
    for (var object : snapshot.objects().entrySet()) {
      to.record(
          RecordKind.OBJECT,
          write(object.getKey(), object.getValue().size(), names(snapshot, object.getKey())));
    }
    to.record(RecordKind.DESCRIPTORS, snapshot.descriptors().toRecord());
    to.record(RecordKind.BASE, write(snapshot.base()));
    to.record(
        RecordKind.CLOCKS,
        RecordWriter.of(RecordKind.CLOCKS)
            .number(snapshot.clocks().monotonicNanos())
            .number(snapshot.clocks().boottimeNanos())
            .done());
  }

  private static ByteBuffer write(BaseIdentity base) {
    RecordWriter out = RecordWriter.of(RecordKind.BASE).text(base.digest());
    out.list(
        base.files(),
        file ->
            out.text(file.path())
                .number(file.inode())
                .number(file.bytes())
                .number(file.modifiedNanos())
                .number(file.changedNanos()));
    return out.done();
  }

  static ClockOffsets clocks(ByteBuffer record) throws IOException {
    RecordReader in = RecordReader.of(RecordKind.CLOCKS, record);
    ClockOffsets clocks = new ClockOffsets(in.longNumber(), in.longNumber());
    in.done();
    return clocks;
  }

  /** What clocks must be off by for a snapshot to go on now. */
  static ClockOffsets clocksFor(CaptureSource from, UUID id) throws IOException {
    List<DescriptorTable> descriptors = new ArrayList<>();
    ClockOffsets[] then = {ClockOffsets.NONE};
    from.records(
        id,
        (kind, bytes) -> {
          if (kind == RecordKind.DESCRIPTORS) {
            descriptors.add(DescriptorTable.ofRecord(bytes));
          } else if (kind == RecordKind.CLOCKS) {
            then[0] = clocks(bytes);
          }
        });
    return descriptors.isEmpty()
        ? ClockOffsets.NONE
        : ClockOffsets.goingOn(descriptors.get(0), then[0]);
  }

  static BaseIdentity base(ByteBuffer record) throws IOException {
    RecordReader in = RecordReader.of(RecordKind.BASE, record);
    String digest = in.text();
    List<BaseFile> files =
        in.list(
            () ->
                new BaseFile(
                    in.text(), in.longNumber(), in.longNumber(), in.longNumber(), in.longNumber()));
    in.done();
    return new BaseIdentity(digest, files);
  }

  private static ByteBuffer writeParent(@Nullable UUID parent) {
    RecordWriter out = RecordWriter.of(RecordKind.SNAPSHOT).flag(parent != null);
    if (parent != null) {
      out.number(parent.getMostSignificantBits()).number(parent.getLeastSignificantBits());
    }
    return out.done();
  }

  static @Nullable UUID parent(ByteBuffer record) throws IOException {
    RecordReader in = RecordReader.of(RecordKind.SNAPSHOT, record);
    UUID parent = in.flag() ? new UUID(in.longNumber(), in.longNumber()) : null;
    in.done();
    return parent;
  }

  private static List<ObjectId> names(SnapshotState snapshot, ObjectId object) {
    List<ObjectId> names = new ArrayList<>();
    snapshot
        .aliases()
        .forEach(
            (name, original) -> {
              if (original.equals(object)) {
                names.add(name);
              }
            });
    return names;
  }

  private static ByteBuffer write(ObjectId id, long size, List<ObjectId> names) {
    RecordWriter out = RecordWriter.of(RecordKind.OBJECT);
    out.number(id.device()).number(id.inode()).number(size);
    out.list(names, name -> out.number(name.device()).number(name.inode()));
    return out.done();
  }

  /** An object with its size and without content, and what else descriptors call it. */
  record ObjectRecord(ObjectId id, long size, List<ObjectId> names) {}

  static ObjectRecord object(ByteBuffer record) throws IOException {
    RecordReader in = RecordReader.of(RecordKind.OBJECT, record);
    ObjectId id = new ObjectId(in.longNumber(), in.longNumber());
    long size = in.longNumber();
    List<ObjectId> names = in.list(() -> new ObjectId(in.longNumber(), in.longNumber()));
    ObjectRecord read = new ObjectRecord(id, size, names);
    in.done();
    return read;
  }

  private static ByteBuffer write(ProcessState state) {
    RecordWriter out = RecordWriter.of(RecordKind.PROCESS).bytes(state.record());
    ImageState image = state.image();
    out.flag(image != null);
    if (image != null) {
      out.bytes(image.record());
    }
    out.list(state.threads(), thread -> out.bytes(thread.record()));
    out.list(state.regions(), region -> write(out, region));
    out.list(
        state.signals(), queue -> out.number(queue.innerThread()).list(queue.infos(), out::bytes));
    out.list(state.timers(), timer -> write(out, timer));
    return out.done();
  }

  private static void write(RecordWriter out, PosixTimer timer) {
    out.number(timer.id()).number(timer.signal()).number(timer.value()).number(timer.how());
    out.number(timer.thread()).number(timer.clock()).list(timer.setting(), out::number);
  }

  private static PosixTimer timer(RecordReader in) throws IOException {
    return new PosixTimer(
        in.number(),
        in.number(),
        in.longNumber(),
        in.number(),
        in.number(),
        in.number(),
        in.list(in::longNumber));
  }

  private static void write(RecordWriter out, Region region) {
    out.number(region.start()).number(region.end()).number(region.offset());
    out.number(region.inode()).number(region.device());
    out.number(region.flags()).text(region.name()).number(region.advice());
  }

  static ProcessState process(ByteBuffer record) throws IOException {
    RecordReader in = RecordReader.of(RecordKind.PROCESS, record);
    byte[] body = in.array();
    requireBytes("process", body.length, ProcessState.RECORD_BYTES_MIN);
    ImageState image = in.flag() ? image(in) : null;
    List<ThreadState> threads = in.list(() -> thread(in));
    List<Region> regions = in.list(() -> region(in));
    List<SignalQueue> signals = in.list(() -> signals(in));
    List<PosixTimer> timers = in.list(() -> timer(in));
    in.done();
    return new ProcessState(body, image, threads, regions, signals, timers);
  }

  private static ImageState image(RecordReader in) throws IOException {
    ByteBuffer body = in.bytes();
    requireBytes("image", body.remaining(), ImageState.RECORD_BYTES_MIN);
    return new ImageState(body);
  }

  private static ThreadState thread(RecordReader in) throws IOException {
    ByteBuffer body = in.bytes();
    requireBytes("thread", body.remaining(), ThreadState.RECORD_BYTES_MIN);
    return new ThreadState(body);
  }

  private static void requireBytes(String what, int found, int least) throws IOException {
    if (found < least) {
      throw new IOException(
          "read record failed: damaged: " + what + " bytes=" + found + " least=" + least);
    }
  }

  private static Region region(RecordReader in) throws IOException {
    return new Region(
        in.longNumber(),
        in.longNumber(),
        in.longNumber(),
        in.longNumber(),
        in.longNumber(),
        in.number(),
        in.text(),
        in.number());
  }

  private static SignalQueue signals(RecordReader in) throws IOException {
    int thread = in.number();
    List<byte[]> infos = new ArrayList<>(in.list(in::array));
    return new SignalQueue(thread, infos);
  }
}
