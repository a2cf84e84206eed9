package io.deltabox;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A box of sandboxes: makes, finds and ends them. All of them end with it and with this process.
 * Thread-safe.
 */
@SuppressWarnings("DoNotCallSuggester")
public final class DeltaBox implements AutoCloseable {
  /** Characters of an id a prefix must have at least. */
  public static final int PREFIX_MIN = 6;

  private final DeltaBoxConfig config;
  private final List<Sandbox> sandboxes = new ArrayList<>();

  private DeltaBox(DeltaBoxConfig config) {
    this.config = config;
  }

  /**
   * Opens a box. What an earlier one left behind when it was killed is removed.
   *
   * @throws UnavailableException if this machine or user cannot run sandboxes
   */
  public static DeltaBox open(DeltaBoxConfig config) throws IOException {
    return new DeltaBox(config);
  }

  public DeltaBoxConfig config() {
    return config;
  }

  /**
   * Makes a sandbox and returns when it can run commands; after a failure nothing is left of it.
   *
   * @throws InvalidRequestException if a value of {@code spec} cannot be meant
   * @throws UnavailableException if this machine or user lacks something
   */
  public Sandbox create(SandboxSpec spec) throws IOException {
    throw new UnavailableException("not connected yet");
  }

  /** The running sandboxes, oldest first. */
  public List<Sandbox> sandboxes() {
    synchronized (sandboxes) {
      return List.copyOf(sandboxes);
    }
  }

  /**
   * Finds a running sandbox.
   *
   * @param idOrName full id, a prefix of at least {@value #PREFIX_MIN} characters, or name
   * @throws NotFoundException if nothing fits
   * @throws AmbiguousException if a prefix fits several
   */
  public Sandbox find(String idOrName) throws SandboxException {
    return Lookup.find(
        "sandbox", idOrName, sandboxes(), s -> s.id().toString(), Sandbox::name, "deltabox ls");
  }

  /** Ends all sandboxes. Idempotent. */
  @Override
  public void close() {}

  /** Names the box for logs. */
  @Override
  public @Nullable String toString() {
    return "box " + config.dataDirectory();
  }
}
