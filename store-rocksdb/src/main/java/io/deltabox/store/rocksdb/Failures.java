package io.deltabox.store.rocksdb;

import io.deltabox.store.StoreClosedException;
import io.deltabox.store.StoreCorruptException;
import io.deltabox.store.StoreException;
import io.deltabox.store.StoreFormatException;
import io.deltabox.store.StoreFullException;
import io.deltabox.store.StoreReadOnlyException;
import io.deltabox.store.StoreUnavailableException;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.NoSuchFileException;
import org.jspecify.annotations.Nullable;
import org.rocksdb.RocksDBException;
import org.rocksdb.Status;

/**
 * What failures of the database and of files mean to the caller. The database's own status says
 * little, so its text, which ends in that of strerror(3), is looked at as well.
 */
final class Failures {
  private Failures() {}

  static StoreException of(String what, RocksDBException e) {
    Status status = e.getStatus();
    String reason = String.valueOf(e.getMessage());
    String message = what + ": " + reason;
    StoreException common = common(message, reason, e);
    if (common != null) {
      return common;
    }
    if (status == null) {
      return new StoreException(message, e);
    }
    if (status.getSubCode() == Status.SubCode.NoSpace) {
      return full(message, e);
    }
    return switch (status.getCode()) {
      case Corruption -> new StoreCorruptException(message, e);
      case ShutdownInProgress -> new StoreClosedException(message, e);
      case IOError, TimedOut, Busy, TryAgain -> new StoreUnavailableException(message, e);
      case NotSupported -> new StoreFormatException(message, e);
      default -> new StoreException(message, e);
    };
  }

  static StoreException of(String what, IOException e) {
    if (e instanceof StoreException known) {
      return known;
    }
    String reason = String.valueOf(e.getMessage());
    String message = what + ": " + reason;
    if (e instanceof AccessDeniedException) {
      return readOnly(message, e);
    }
    if (e instanceof NoSuchFileException) {
      return new StoreCorruptException(message + " (a file of the store is gone)", e);
    }
    StoreException common = common(message, reason, e);
    return common != null ? common : new StoreUnavailableException(message, e);
  }

  private static @Nullable StoreException common(String message, String reason, Exception e) {
    if (reason.contains("No space left") || reason.contains("quota exceeded")) {
      return full(message, e);
    }
    if (reason.contains("Read-only file system") || reason.contains("Permission denied")) {
      return readOnly(message, e);
    }
    if (reason.contains("No such file or directory")) {
      return new StoreCorruptException(message + " (a file of the store is gone)", e);
    }
    return null;
  }

  private static StoreException full(String message, Exception e) {
    return new StoreFullException(message + " (make room or move the store)", e);
  }

  private static StoreException readOnly(String message, Exception e) {
    return new StoreReadOnlyException(message + " (the store lies where it cannot be written)", e);
  }
}
