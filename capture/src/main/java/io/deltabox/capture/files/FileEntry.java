package io.deltabox.capture.files;

import org.jspecify.annotations.Nullable;

/**
 * What a name in a directory stands for.
 *
 * @param id the file, or null: nothing, although the base may have the name
 * @param type type bits of the mode
 */
record FileEntry(@Nullable FileId id, int type) {
  static final FileEntry ABSENT = new FileEntry(null, 0);

  boolean present() {
    return id != null;
  }

  boolean isDirectory() {
    return type == FileMeta.TYPE_DIRECTORY;
  }

  boolean sameFile(FileEntry other) {
    return id == null ? other.id == null : id.equals(other.id);
  }
}
