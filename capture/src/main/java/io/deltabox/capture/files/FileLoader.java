package io.deltabox.capture.files;

import io.deltabox.capture.CapturedFile;
import io.deltabox.linux.Memory;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ReadableByteChannel;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Makes a state of files from what comes through the seam. Contents are kept by the tracker's store
 * until no state uses them. Not thread-safe; used once.
 */
public final class FileLoader {
  private static final int PART_BYTES = 1 << 20;

  private final BaseTree base;
  private final ContentStore store;
  private PersistentMap<FileId, FileNode> nodes;
  private PersistentMap<FileId, String> basePaths;

  FileLoader(ContentStore store, FileState parent) {
    this.store = store;
    this.base = parent.base();
    this.nodes = parent.nodes();
    this.basePaths = parent.basePaths();
  }

  /**
   * @param content null: none, or that of the parent's file with this key
   */
  public void add(CapturedFile file, @Nullable ReadableByteChannel content) throws IOException {
    FileNode old = nodes.get(NodeRecords.key(file.key()));
    FileContent read = content != null ? read(file, content) : old == null ? null : old.content();
    NodeRecords.Read node = NodeRecords.read(file, read);
    FileId id = node.node().id();
    nodes = nodes.with(id, node.node());
    basePaths =
        node.basePath() == null ? basePaths.without(id) : basePaths.with(id, node.basePath());
  }

  public void drop(ByteBuffer key) throws IOException {
    FileId id = NodeRecords.key(key);
    nodes = nodes.without(id);
    basePaths = basePaths.without(id);
  }

  /** The state of everything added. */
  public FileState build() {
    return new FileState(base, nodes, basePaths);
  }

  private FileContent read(CapturedFile file, ReadableByteChannel from) throws IOException {
    long total = file.dataBytes();
    if (total == 0) {
      return new FileContent(file.size(), List.of());
    }
    ContentStore.Block block;
    try (Memory memory = Memory.allocate(total, Memory.Touch.LATER)) {
      for (long at = 0; at < total; ) {
        int got = from.read(memory.slice(at, (int) Math.min(PART_BYTES, total - at)));
        if (got < 0) {
          throw new EOFException(
              "content of a file is too short: found=" + at + " expected=" + total);
        }
        at += got;
      }
      block = store.store(memory.address(), total);
    }
    List<FileContent.Piece> pieces = new ArrayList<>();
    long offset = 0;
    for (CapturedFile.Extent extent : file.extents()) {
      pieces.add(new FileContent.Piece(extent.from(), extent.to(), block, offset));
      offset += extent.bytes();
    }
    return new FileContent(file.size(), pieces);
  }
}
