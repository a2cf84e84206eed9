package io.deltabox.capture;

import io.deltabox.capture.descriptors.OuterEnds;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * What the daemon has of a sandbox and a rollback needs: the control groups of its commands, and
 * its ends of their pipes. Called on the tracing thread while everything is stopped.
 */
public interface Outside {
  /** No groups, and whatever pipes this process has. */
  Outside NONE =
      new Outside() {
        @Override
        public int group(int number) {
          return -1;
        }

        @Override
        public @Nullable Integer end(String link) throws IOException {
          return OuterEnds.OWN.find(link);
        }
      };

  /**
   * A descriptor of the directory of the control group a process that is made again as a child of
   * pid 1 is to be born in, borrowed until the rollback is over; negative for the one of pid 1.
   *
   * @param number of the process inside the sandbox
   */
  int group(int number);

  /**
   * A descriptor of this process that stands for a pipe of the snapshot; borrowed, null if there is
   * none.
   *
   * @param link what the pipe was called at the snapshot, for example {@code pipe:[42]}
   */
  @Nullable Integer end(String link) throws IOException;
}
