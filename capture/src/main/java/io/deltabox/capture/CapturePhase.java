package io.deltabox.capture;

import java.util.Locale;

/** Where in a checkpoint or a rollback something may go wrong; tests make it go wrong there. */
public enum CapturePhase {
  CHECKPOINT_PREPARE,
  CHECKPOINT_WINDOW,
  CHECKPOINT_READ,
  CHECKPOINT_KEEP,
  CHECKPOINT_COMMIT,
  ROLLBACK_FREEZE,
  ROLLBACK_PLAN,
  ROLLBACK_END,
  ROLLBACK_FILES,
  ROLLBACK_PROCESSES,
  ROLLBACK_REGIONS,
  ROLLBACK_OBJECTS,
  ROLLBACK_DESCRIPTORS,
  ROLLBACK_PAGES,
  ROLLBACK_THREADS,
  ROLLBACK_REGISTERS,
  ROLLBACK_REARM;

  /** True from the phase on in which a rollback has edited the sandbox. */
  public boolean edits() {
    return compareTo(ROLLBACK_END) >= 0;
  }

  /** As messages tell it. */
  String step() {
    return name().substring(name().indexOf('_') + 1).toLowerCase(Locale.ROOT);
  }

  /** Called on entering each phase; whatever it throws happens there. */
  @FunctionalInterface
  public interface Hook {
    /** Does nothing. */
    Hook NONE = phase -> {};

    void enter(CapturePhase phase) throws CaptureException;
  }
}
