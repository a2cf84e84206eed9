package io.deltabox.snapshot.format;

/** What a sealed record is; bound into its sealing. */
public enum SealedKind {
  MANIFEST(1),
  SUMMARY(2),
  NAME(3),
  JOURNAL(4);

  private final int number;

  SealedKind(int number) {
    this.number = number;
  }

  /** Stands for it in stored forms, 1 to 127; never changed. */
  int number() {
    return number;
  }
}
