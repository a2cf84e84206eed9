package io.deltabox;

import java.io.IOException;

/**
 * The read-only files under a sandbox: a small layer of DeltaBox's own over a tree. Several
 * sandboxes may share one; those that run keep what they need of it when it is closed.
 */
interface Base extends AutoCloseable {
  /** The small layer; borrowed. */
  Descriptor layer();

  /** Opens the root of the tree below it; the caller closes it. */
  Descriptor openTree() throws IOException;

  /** False if it is closed or no longer right for new sandboxes. */
  boolean current() throws IOException;

  /** Digest of the tree; empty for files of the host, which have none. */
  String digest();

  /** Users the tree knows. */
  Accounts accounts();

  @Override
  void close();
}
