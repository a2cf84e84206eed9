package io.deltabox.store.local;

import io.deltabox.store.Capability;
import io.deltabox.store.ColdStore;
import io.deltabox.store.NumberedRegister;
import io.deltabox.store.ObjectInfo;
import io.deltabox.store.ObjectName;
import io.deltabox.store.ObjectStore;
import io.deltabox.store.Register;
import io.deltabox.store.StoreException;
import io.deltabox.store.StoreMissingException;
import io.deltabox.store.StoreUndecidedException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;

/**
 * Objects as files. The object {@code a/b} is the file {@code objects/a/b+}: the sign is no part of
 * any name, so {@code a} and {@code a/b} can both be. A new one is written aside, made durable, and
 * linked to its name: link(2) fails if the name exists, so that decides, and no reader sees a part.
 */
final class FileColdStore implements ColdStore {
  private static final String MARK = "+";

  private final Path root;
  private final Path aside;
  private final Gate gate;
  private final ObjectStore objects = new Objects();

  FileColdStore(Path directory, Gate gate) throws IOException {
    this.root = directory.resolve("objects");
    this.aside = directory.resolve("aside");
    this.gate = gate;
    Disk.makeDirectories(root);
    Disk.makeDirectories(aside);
  }

  @Override
  public ObjectStore objects() {
    return objects;
  }

  @Override
  public Register register(ObjectName name) {
    return new NumberedRegister(objects, name);
  }

  @Override
  public Set<Capability> capabilities() {
    return Set.of(Capability.DURABLE, Capability.SHARED);
  }

  @Override
  public void close() throws StoreException {
    gate.close(() -> {});
  }

  private Path file(ObjectName name) {
    return root.resolve(name.text() + MARK);
  }

  private static Path directory(Path file) {
    Path parent = file.getParent();
    if (parent == null) {
      throw new IllegalStateException("no directory: " + file);
    }
    return parent;
  }

  private final class Objects implements ObjectStore {
    @Override
    public Put putIfAbsent(ObjectName name, ByteBuffer content) throws StoreException {
      if (content.remaining() > BYTES_MAX) {
        throw new IllegalArgumentException(
            "object too large: name=" + name + " bytes=" + content.remaining());
      }
      return gate.passToChange(() -> put(name, content));
    }

    private Put put(ObjectName name, ByteBuffer content) throws StoreException {
      Path file = file(name);
      Path temporary = aside.resolve(UUID.randomUUID().toString());
      try {
        Disk.makeDirectories(directory(file));
        try {
          Disk.writeNew(temporary, content);
          return link(temporary, file, name);
        } finally {
          Files.deleteIfExists(temporary);
        }
      } catch (IOException e) {
        throw Disk.failure("create object failed: name=" + name, e);
      }
    }

    private Put link(Path temporary, Path file, ObjectName name) throws IOException {
      Put put;
      try {
        Files.createLink(file, temporary);
        put = Put.CREATED;
      } catch (FileAlreadyExistsException e) {
        put = Put.EXISTS;
      }
      try {
        Disk.syncDirectory(directory(file));
      } catch (IOException e) {
        throw new StoreUndecidedException("make object durable failed: name=" + name, e);
      }
      return put;
    }

    @Override
    public int read(ObjectName name, long offset, ByteBuffer into) throws StoreException {
      return gate.pass(
          () -> {
            int before = into.position();
            try (FileChannel channel = FileChannel.open(file(name), StandardOpenOption.READ)) {
              Disk.readFully(channel, offset, into);
            } catch (NoSuchFileException e) {
              throw new StoreMissingException("no such object: name=" + name, e);
            } catch (IOException e) {
              throw Disk.failure("read object failed: name=" + name, e);
            }
            return into.position() - before;
          });
    }

    @Override
    public Optional<ObjectInfo> head(ObjectName name) throws StoreException {
      return gate.pass(
          () -> {
            try {
              return Optional.of(new ObjectInfo(name, Files.size(file(name))));
            } catch (NoSuchFileException e) {
              return Optional.empty();
            } catch (IOException e) {
              throw Disk.failure("look at object failed: name=" + name, e);
            }
          });
    }

    @Override
    public Cursor list(String prefix) throws StoreException {
      return gate.pass(
          () -> {
            List<ObjectInfo> found = new ArrayList<>();
            // Nothing above the last slash of the prefix can start with it.
            Path top = root.resolve(prefix.substring(0, prefix.lastIndexOf('/') + 1)).normalize();
            try {
              if (top.startsWith(root) && Files.isDirectory(top)) {
                Files.walkFileTree(top, new Collector(prefix, found));
              }
            } catch (IOException e) {
              throw Disk.failure("list objects failed: prefix=" + prefix, e);
            }
            found.sort(Comparator.comparing(ObjectInfo::name));
            return ListCursors.objects(gate, found);
          });
    }

    @Override
    public void delete(Collection<ObjectName> names) throws StoreException {
      gate.passToChange(
          () -> {
            Set<Path> directories = new LinkedHashSet<>();
            try {
              for (ObjectName name : names) {
                if (Files.deleteIfExists(file(name))) {
                  directories.add(directory(file(name)));
                }
              }
              for (Path directory : directories) {
                Disk.syncDirectory(directory);
              }
            } catch (IOException e) {
              throw Disk.failure("delete objects failed", e);
            }
            return true;
          });
    }
  }

  /** Gathers what a listing shows; an object that goes meanwhile need not be seen. */
  private final class Collector extends SimpleFileVisitor<Path> {
    private final String prefix;
    private final List<ObjectInfo> found;

    Collector(String prefix, List<ObjectInfo> found) {
      this.prefix = prefix;
      this.found = found;
    }

    @Override
    public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
      String text = root.relativize(file).toString();
      if (text.endsWith(MARK) && text.startsWith(prefix)) {
        ObjectName name = new ObjectName(text.substring(0, text.length() - MARK.length()));
        found.add(new ObjectInfo(name, attributes.size()));
      }
      return FileVisitResult.CONTINUE;
    }

    @Override
    public FileVisitResult visitFileFailed(Path file, IOException e) throws IOException {
      if (e instanceof NoSuchFileException) {
        return FileVisitResult.CONTINUE;
      }
      throw e;
    }
  }
}
