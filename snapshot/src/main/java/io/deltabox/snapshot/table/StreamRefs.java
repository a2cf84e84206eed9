package io.deltabox.snapshot.table;

import com.google.protobuf.ByteString;
import io.deltabox.snapshot.table.proto.Stream;
import io.deltabox.store.ChunkId;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;

/** The stored form of ids, one after the other, and of streams. */
final class StreamRefs {
  private StreamRefs() {}

  static ByteString bytes(Collection<ChunkId> ids) {
    ByteBuffer bytes = ByteBuffer.allocate(ids.size() * ChunkId.BYTES);
    ids.forEach(id -> id.write(bytes));
    return ByteString.copyFrom(bytes.flip());
  }

  /**
   * @throws IllegalArgumentException if the length is impossible
   */
  static List<ChunkId> ids(ByteString bytes) {
    if (bytes.size() % ChunkId.BYTES != 0) {
      throw new IllegalArgumentException("not ids of chunks: bytes=" + bytes.size());
    }
    ByteBuffer buffer = bytes.asReadOnlyByteBuffer();
    List<ChunkId> ids = new ArrayList<>(bytes.size() / ChunkId.BYTES);
    while (buffer.hasRemaining()) {
      ids.add(ChunkId.read(buffer));
    }
    return ids;
  }

  static Stream encode(StreamRef stream) {
    return Stream.newBuilder().setChunks(bytes(stream.chunks())).setBytes(stream.bytes()).build();
  }

  static StreamRef decode(Stream stream) {
    return new StreamRef(ids(stream.getChunks()), stream.getBytes());
  }
}
