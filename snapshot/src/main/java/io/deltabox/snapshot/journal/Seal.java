package io.deltabox.snapshot.journal;

import io.deltabox.store.StoreException;

/** How bytes are hidden and made safe against change. Implementations are thread-safe. */
public interface Seal {
  /**
   * @param place what the bytes belong to; they open only with the same
   */
  byte[] seal(byte[] plain, byte[] place) throws StoreException;

  /**
   * The reverse.
   *
   * @throws io.deltabox.store.StoreCorruptException if it was not sealed so, or was changed
   */
  byte[] open(byte[] sealed, byte[] place) throws StoreException;

  /** Leaves bytes as they are. */
  Seal NONE =
      new Seal() {
        @Override
        public byte[] seal(byte[] plain, byte[] place) {
          return plain.clone();
        }

        @Override
        public byte[] open(byte[] sealed, byte[] place) {
          return sealed.clone();
        }
      };
}
