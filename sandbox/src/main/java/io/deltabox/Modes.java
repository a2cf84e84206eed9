package io.deltabox;

import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Set;

/** Permissions written as {@code ls} shows them. */
final class Modes {
  private Modes() {}

  static Set<PosixFilePermission> of(String text) {
    return PosixFilePermissions.fromString(text);
  }
}
