package io.deltabox.capture;

import io.deltabox.capture.descriptors.Devices;
import io.deltabox.capture.descriptors.FileKey;
import io.deltabox.capture.descriptors.FileOpener;
import io.deltabox.capture.descriptors.SandboxRoot;
import java.io.IOException;
import java.util.List;
import java.util.OptionalInt;

/** Opens files for the descriptors: by path, as objects that mappings share, and of the base. */
final class SandboxFiles implements FileOpener {
  private final SandboxRoot root;
  private final SharedObjects objects;
  private final boolean namesMoved;

  SandboxFiles(SandboxRoot root, SharedObjects objects, boolean namesMoved) {
    this.namesMoved = namesMoved;
    this.root = root;
    this.objects = objects;
  }

  @Override
  public int openPlace(String path) throws IOException {
    return root.openPlace(path);
  }

  @Override
  public boolean namesMoved() {
    return namesMoved;
  }

  @Override
  public int openGone(String path, int flags) throws IOException {
    return root.openGone(path, flags);
  }

  @Override
  public int makeNameless(String gone) throws IOException {
    return root.makeNameless(gone);
  }

  @Override
  public OptionalInt find(FileKey key, List<String> near) throws IOException {
    return root.find(key, near);
  }

  @Override
  public Devices devices() {
    return root.devices();
  }

  @Override
  public int object(FileKey key) {
    return objects.object(key);
  }

  @Override
  public FileKey original(FileKey key) {
    return objects.original(key);
  }
}
