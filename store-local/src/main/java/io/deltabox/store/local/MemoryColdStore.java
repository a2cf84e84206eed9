package io.deltabox.store.local;

import io.deltabox.store.Bytes;
import io.deltabox.store.Capability;
import io.deltabox.store.ColdStore;
import io.deltabox.store.NumberedRegister;
import io.deltabox.store.ObjectInfo;
import io.deltabox.store.ObjectName;
import io.deltabox.store.ObjectStore;
import io.deltabox.store.Register;
import io.deltabox.store.StoreException;
import io.deltabox.store.StoreMissingException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** One opening of a cold store in memory. */
final class MemoryColdStore implements ColdStore {
  private final MemoryObjects shared;
  private final Gate gate;
  private final ObjectStore objects = new Objects();

  MemoryColdStore(MemoryObjects shared, Gate gate) {
    this.shared = shared;
    this.gate = gate;
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
    return Set.of();
  }

  @Override
  public void close() throws StoreException {
    gate.close(() -> {});
  }

  private final class Objects implements ObjectStore {
    @Override
    public Put putIfAbsent(ObjectName name, ByteBuffer content) throws StoreException {
      return gate.passToChange(
          () -> {
            if (content.remaining() > BYTES_MAX) {
              throw new IllegalArgumentException(
                  "object too large: name=" + name + " bytes=" + content.remaining());
            }
            Bytes old = shared.objects.putIfAbsent(name, Bytes.of(content));
            return old == null ? Put.CREATED : Put.EXISTS;
          });
    }

    @Override
    public int read(ObjectName name, long offset, ByteBuffer into) throws StoreException {
      return gate.pass(
          () -> {
            Bytes content = shared.objects.get(name);
            if (content == null) {
              throw new StoreMissingException("no such object: name=" + name);
            }
            long rest = Math.max(0, content.length() - offset);
            int bytes = (int) Math.min(into.remaining(), rest);
            if (bytes > 0) {
              into.put(content.buffer().slice((int) offset, bytes));
            }
            return bytes;
          });
    }

    @Override
    public Optional<ObjectInfo> head(ObjectName name) throws StoreException {
      return gate.pass(
          () ->
              Optional.ofNullable(shared.objects.get(name))
                  .map(content -> new ObjectInfo(name, content.length())));
    }

    @Override
    public Cursor list(String prefix) throws StoreException {
      return gate.pass(
          () -> {
            List<ObjectInfo> found = new ArrayList<>();
            for (Map.Entry<ObjectName, Bytes> entry : shared.objects.entrySet()) {
              if (entry.getKey().text().startsWith(prefix)) {
                found.add(new ObjectInfo(entry.getKey(), entry.getValue().length()));
              }
            }
            return ListCursors.objects(gate, found);
          });
    }

    @Override
    public void delete(Collection<ObjectName> names) throws StoreException {
      gate.passToChange(
          () -> {
            names.forEach(shared.objects::remove);
            return true;
          });
    }
  }
}
