package io.deltabox.capture.files;

import io.deltabox.capture.CapturedFile;
import io.deltabox.capture.record.RecordKind;
import io.deltabox.capture.record.RecordReader;
import io.deltabox.capture.record.RecordWriter;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Files and directories of a snapshot as bytes. */
final class NodeRecords {
  private NodeRecords() {}

  /**
   * A node as it was read.
   *
   * @param basePath a path in the base of a file of the base, or null
   */
  record Read(FileNode node, @Nullable String basePath) {}

  /** A node without the bytes of its content. */
  static CapturedFile write(FileNode node, @Nullable String basePath) {
    FileContent content = node.content();
    List<CapturedFile.Extent> extents = new ArrayList<>();
    if (content != null) {
      content.pieces().forEach(p -> extents.add(new CapturedFile.Extent(p.from(), p.to())));
    }
    RecordWriter out = RecordWriter.of(RecordKind.FILE);
    write(out, node.meta());
    out.flag(basePath != null).text(basePath == null ? "" : basePath);
    out.list(node.links(), link -> write(out, link.directory()).text(link.name()));
    out.flag(content != null).flag(content == FileContent.UNKNOWN).text(node.target());
    out.number(node.entries().size());
    node.entries().forEach((name, entry) -> write(out.text(name), entry));
    long size = content == null ? 0 : Math.max(0, content.size());
    return new CapturedFile(key(node.id()), size, extents, out.done());
  }

  static ByteBuffer key(FileId id) {
    return write(RecordWriter.bare(), id).done();
  }

  private static RecordWriter write(RecordWriter out, FileId id) {
    return out.text(id.kind().name()).number(id.number()).number(id.birth()).text(id.key());
  }

  private static void write(RecordWriter out, FileEntry entry) {
    FileId id = entry.id();
    out.flag(id != null).number(entry.type());
    if (id != null) {
      write(out, id);
    }
  }

  private static void write(RecordWriter out, FileMeta meta) {
    out.number(meta.mode()).number(meta.uid()).number(meta.gid());
    out.number(meta.mtimeSeconds()).number(meta.mtimeNanos()).number(meta.attributes());
    out.number(meta.deviceMajor()).number(meta.deviceMinor());
    out.list(meta.xattrs(), xattr -> out.text(xattr.name()).text(xattr.value()));
  }

  static FileId key(ByteBuffer key) throws IOException {
    RecordReader in = RecordReader.bare("file key", key);
    FileId id = id(in);
    in.done();
    return id;
  }

  /**
   * The node of a record.
   *
   * @param content of a regular file that was read; of others it is ignored
   */
  static Read read(CapturedFile file, @Nullable FileContent content) throws IOException {
    RecordReader in = RecordReader.of(RecordKind.FILE, file.body());
    FileMeta meta = meta(in);
    boolean hasPath = in.flag();
    String path = in.text();
    List<FileNode.Link> links = in.list(() -> new FileNode.Link(id(in), in.text()));
    boolean has = in.flag();
    boolean unknown = in.flag();
    String target = in.text();
    PersistentMap<String, FileEntry> entries = PersistentMap.empty();
    for (int left = in.number(); left > 0; left--) {
      String name = in.text();
      entries = entries.with(name, entry(in));
    }
    in.done();
    if (has && !unknown && content == null) {
      throw new IOException(
          "read file of a snapshot failed: its content is missing: links=" + links);
    }
    FileContent known = !has ? null : unknown ? FileContent.UNKNOWN : content;
    FileNode node = new FileNode(key(file.key()), meta, List.copyOf(links), known, target, entries);
    return new Read(node, hasPath ? path : null);
  }

  private static FileId id(RecordReader in) throws IOException {
    return new FileId(in.constant(FileId.Kind.class), in.longNumber(), in.longNumber(), in.text());
  }

  private static FileEntry entry(RecordReader in) throws IOException {
    boolean present = in.flag();
    int type = in.number();
    return present ? new FileEntry(id(in), type) : FileEntry.ABSENT;
  }

  private static FileMeta meta(RecordReader in) throws IOException {
    return new FileMeta(
        in.number(),
        in.number(),
        in.number(),
        in.longNumber(),
        in.number(),
        in.number(),
        in.number(),
        in.number(),
        in.list(() -> new FileMeta.Xattr(in.text(), in.text())));
  }
}
