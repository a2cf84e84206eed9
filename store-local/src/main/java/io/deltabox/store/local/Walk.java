package io.deltabox.store.local;

import io.deltabox.store.StoreClosedException;
import io.deltabox.store.StoreException;
import java.util.Iterator;
import org.jspecify.annotations.Nullable;

/** What all cursors share: a walk over an iterator, while the store and the cursor are open. */
class Walk<T> implements AutoCloseable {
  private final Gate gate;
  private final Iterator<T> rest;
  private @Nullable T current;
  private boolean closed;

  Walk(Gate gate, Iterator<T> rest) {
    this.gate = gate;
    this.rest = rest;
  }

  public boolean next() throws StoreException {
    return gate.pass(
        () -> {
          if (closed) {
            throw new StoreClosedException("the cursor is closed");
          }
          current = rest.hasNext() ? rest.next() : null;
          return current != null;
        });
  }

  T current() {
    T here = current;
    if (here == null) {
      throw new IllegalStateException("the cursor stands nowhere");
    }
    return here;
  }

  @Override
  public void close() {
    closed = true;
  }
}
