package io.deltabox.capture.descriptors;

import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * The daemon's own ends of pipes of a sandbox: the stdio of its commands. Through them an end that
 * no process of the sandbox has any more can be opened again.
 */
@FunctionalInterface
public interface OuterEnds {
  /** Whatever this process holds: for a sandbox whose pipes are still the ones of the snapshot. */
  OuterEnds OWN = OwnPipes::find;

  /**
   * A descriptor of this process that stands for a pipe; borrowed, null if there is none.
   *
   * @param link what the pipe was called at the snapshot, for example {@code pipe:[42]}
   */
  @Nullable Integer find(String link) throws IOException;
}
