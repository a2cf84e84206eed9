package io.deltabox.capture.files;

import io.deltabox.capture.CaptureException;
import org.jspecify.annotations.Nullable;

/**
 * What a file has to be after a rollback.
 *
 * @param content its contents if they are stored; null when they are the base's, or it has none
 * @param basePath where the base has it, when contents or attributes come from there
 */
record WantedFile(
    FileMeta meta, @Nullable FileContent content, @Nullable String basePath, String target) {
  static WantedFile of(FileNode node) {
    return new WantedFile(node.meta(), node.content(), null, node.target());
  }

  static WantedFile ofBase(BaseTree base, String path) throws CaptureException {
    FileMeta meta = base.meta(path);
    return new WantedFile(meta, null, path, meta.isSymlink() ? base.linkTarget(path) : "");
  }
}
