package io.deltabox.snapshot.format;

/** What a store does for its content against those who have no key. */
public enum Protection {
  /** They read nothing and change nothing unnoticed. */
  ENCRYPTED(1),
  /** They read everything, and change nothing unnoticed. For tests and for what is public. */
  AUTHENTICATED_ONLY(2);

  private final int number;

  Protection(int number) {
    this.number = number;
  }

  /** Stands for it in stored forms. */
  int number() {
    return number;
  }
}
