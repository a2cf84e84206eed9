package io.deltabox.snapshot.format;

/** What the plain bytes of a chunk are; part of its id. */
public enum ChunkType {
  /** Pages of 4 KiB. */
  PAGES(1),
  /** A piece of the content of a file. */
  FILE(2),
  /** A piece of a stream of records. */
  RECORDS(3),
  /** A piece of a table. */
  TABLE(4);

  private final int number;

  ChunkType(int number) {
    this.number = number;
  }

  /** Stands for it in stored forms, 1 to 127; never changed. */
  int number() {
    return number;
  }
}
