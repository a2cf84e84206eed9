package io.deltabox.capture;

/** A process of the sandbox all whose threads are stopped. Valid until the thaw. */
public interface StoppedProcess {
  /** Its number in the daemon's pid namespace. */
  int pid();

  /** Its number inside the sandbox. */
  int innerPid();

  /** A pidfd of it; borrowed, open until the thaw. */
  int pidfd();

  /** A new, empty batch for its main thread. */
  Injection inject();
}
