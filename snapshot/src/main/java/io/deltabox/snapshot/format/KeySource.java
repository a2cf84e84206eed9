package io.deltabox.snapshot.format;

import java.nio.file.Path;

/** Where the master key of a store comes from. */
public sealed interface KeySource {
  /**
   * A file beside the store, made with the store. Losing it loses the store.
   *
   * @see KeyFile
   */
  record InFile(Path path) implements KeySource {}

  /** A passphrase; the key itself lies in the store, wrapped. */
  record ByPassphrase(Passphrase passphrase) implements KeySource {}

  /** A key that the caller keeps. */
  record Given(MasterKey key) implements KeySource {}

  /** Asks for a passphrase, when it is needed. */
  @FunctionalInterface
  interface Passphrase {
    /**
     * @return not empty; overwritten after use
     */
    char[] get();
  }

  static KeySource file(Path path) {
    return new InFile(path);
  }

  static KeySource passphrase(Passphrase passphrase) {
    return new ByPassphrase(passphrase);
  }

  static KeySource given(MasterKey key) {
    return new Given(key);
  }
}
