package io.deltabox.capture;

import java.util.List;

/**
 * Which base a snapshot was made over.
 *
 * @param digest of an imported base; empty for files of the machine, which have none
 * @param files of the base that its processes use
 */
record BaseIdentity(String digest, List<BaseFile> files) {
  static final BaseIdentity NONE = new BaseIdentity("", List.of());

  BaseIdentity {
    files = List.copyOf(files);
  }
}
