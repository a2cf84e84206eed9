package io.deltabox.store;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A register made of objects that are created once, for stores that can do no more: version N of
 * the register {@code a/b} is the object {@code a/b/N} with N in 19 digits.
 *
 * <p>Whoever creates the object of a version has set it. A writer removes in passing what lies more
 * than {@value #KEPT} versions behind its own, so a creation that comes very late can succeed where
 * a version once was and was removed. Therefore a writer looks again after it has created: if the
 * newest version is at most {@value #KEPT} ahead of its own, nobody can have removed another one
 * before, and it has won; else it does not know.
 */
public final class NumberedRegister implements Register {
  private static final System.Logger LOG = System.getLogger(NumberedRegister.class.getName());
  private static final int DIGITS = 19;
  private static final int KEPT = 16;

  private final ObjectStore objects;
  private final ObjectName name;

  /**
   * @param objects borrowed
   */
  public NumberedRegister(ObjectStore objects, ObjectName name) {
    this.objects = objects;
    this.name = name;
  }

  @Override
  public Optional<Versioned> read() throws StoreException {
    for (; ; ) {
      List<ObjectInfo> versions = versions();
      if (versions.isEmpty()) {
        return Optional.empty();
      }
      ObjectInfo newest = versions.get(versions.size() - 1);
      Bytes value = content(newest);
      if (value != null) {
        return Optional.of(new Versioned(version(newest), value));
      }
      // Removed since the listing, so there are two newer ones.
    }
  }

  @Override
  public Result compareAndSet(long expected, Bytes value) throws StoreException {
    if (expected < ABSENT || value.length() > BYTES_MAX) {
      throw new IllegalArgumentException(
          "not a version or value: version=" + expected + " bytes=" + value.length());
    }
    if (newest(versions()) != expected) {
      return new Result.Lost(read());
    }
    long next = expected + 1;
    ObjectStore.Put put = objects.putIfAbsent(object(next), value.buffer());
    if (put == ObjectStore.Put.EXISTS) {
      return new Result.Lost(read());
    }
    List<ObjectInfo> now = versionsAfter(next);
    if (newest(now) < next || newest(now) - KEPT > next) {
      throw new StoreUndecidedException(
          "set register: created, but others are far ahead: name="
              + name
              + " own="
              + next
              + " newest="
              + newest(now));
    }
    removeOld(now, next - KEPT);
    return new Result.Set(next);
  }

  private List<ObjectInfo> versions() throws StoreException {
    List<ObjectInfo> found = new ArrayList<>();
    try (ObjectStore.Cursor cursor = objects.list(name.text() + "/")) {
      while (cursor.next()) {
        if (version(cursor.info()) != ABSENT) {
          found.add(cursor.info());
        }
      }
    }
    return found;
  }

  /** The listing that confirms a creation; without it nothing is known. */
  private List<ObjectInfo> versionsAfter(long created) throws StoreException {
    try {
      return versions();
    } catch (StoreException e) {
      throw new StoreUndecidedException(
          "set register: created and not confirmed: name=" + name + " version=" + created, e);
    }
  }

  private @Nullable Bytes content(ObjectInfo info) throws StoreException {
    if (info.bytes() > BYTES_MAX) {
      throw new StoreCorruptException(
          "value of a register is too long: object=" + info.name() + " bytes=" + info.bytes());
    }
    ByteBuffer buffer = ByteBuffer.allocate((int) info.bytes());
    try {
      int got = objects.read(info.name(), 0, buffer);
      if (got != info.bytes()) {
        throw new StoreCorruptException(
            "value of a register is cut: object="
                + info.name()
                + " bytes="
                + got
                + " expected="
                + info.bytes());
      }
    } catch (StoreMissingException e) {
      return null;
    }
    return Bytes.of(buffer.flip());
  }

  /** The register is set; what cannot be removed now is left for the next writer. */
  private void removeOld(List<ObjectInfo> versions, long before) {
    List<ObjectName> old = new ArrayList<>();
    for (ObjectInfo info : versions) {
      if (version(info) < before) {
        old.add(info.name());
      }
    }
    if (old.isEmpty()) {
      return;
    }
    try {
      objects.delete(old);
    } catch (StoreException e) {
      LOG.log(System.Logger.Level.DEBUG, "old versions of a register stay: name=" + name, e);
    }
  }

  private ObjectName object(long version) {
    String digits = Long.toString(version);
    return name.child("0".repeat(DIGITS - digits.length()) + digits);
  }

  /** {@link #ABSENT} for a name that is not of a version. */
  private long version(ObjectInfo info) {
    String rest = info.name().text().substring(name.text().length() + 1);
    if (rest.length() != DIGITS || !rest.chars().allMatch(c -> c >= '0' && c <= '9')) {
      return ABSENT;
    }
    try {
      return Long.parseLong(rest);
    } catch (NumberFormatException e) {
      return ABSENT;
    }
  }

  private long newest(List<ObjectInfo> versions) {
    return versions.isEmpty() ? ABSENT : version(versions.get(versions.size() - 1));
  }
}
