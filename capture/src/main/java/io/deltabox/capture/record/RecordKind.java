package io.deltabox.capture.record;

/**
 * What a record of a snapshot tells. Numbers and versions are part of the stored format: a number
 * is never used again, and a change of the layout raises the version.
 */
public enum RecordKind {
  /** The snapshot itself: its parent in the lineage. One per snapshot. */
  SNAPSHOT(1, 1),
  /** A process: identity, threads with registers, regions, signals. */
  PROCESS(2, 1),
  /** A shared memory object: identity and size. */
  OBJECT(3, 1),
  /** All descriptors of all processes and what is inside of pipes, sockets and so on. One. */
  DESCRIPTORS(4, 2),
  /** The part of a file that is neither its identity nor its content. */
  FILE(5, 1),
  /** Which files of the base the processes use. One. */
  BASE(6, 1),
  /** How far the clocks inside were from the machine's. One. */
  CLOCKS(7, 1);

  private final int number;
  private final int version;

  RecordKind(int number, int version) {
    this.number = number;
    this.version = version;
  }

  /** Stands for it in stored bytes. */
  public int number() {
    return number;
  }

  /** The layout written now. */
  public int version() {
    return version;
  }
}
