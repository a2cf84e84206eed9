package io.deltabox;

import java.io.IOException;

/** Where a sandbox that is rebuilt gets its next container from, and whom it tells. */
interface Containers {
  /** An empty container like another one, with the same terminals. */
  SandboxHost like(SandboxHost old) throws IOException;

  /** From now on the sandbox runs in this one; the box closes it with the sandbox. */
  void moved(SandboxHost next);
}
