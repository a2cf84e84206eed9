package io.deltabox.capture;

/** Where processes that are made again as children of pid 1 belong. */
@FunctionalInterface
public interface ProcessBirths {
  /** Nowhere in particular. */
  ProcessBirths ANYWHERE = number -> -1;

  /**
   * A descriptor of the directory of the control group a process is to be born in, borrowed until
   * the rollback is over; negative for the one of pid 1.
   *
   * @param number of the process inside the sandbox
   */
  int group(int number);
}
