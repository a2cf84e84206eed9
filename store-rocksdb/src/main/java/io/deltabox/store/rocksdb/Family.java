package io.deltabox.store.rocksdb;

import io.deltabox.store.Space;
import java.nio.charset.StandardCharsets;

/** The column families. Their names are stored and never change. */
enum Family {
  /**
   * One record, the number of the newest commit and where the log ended: what comes behind that has
   * to be read from the log.
   */
  MARK("default"),
  /** Chunk id to where the log holds its stored form. */
  PLACE("place"),
  /** Number of a segment to how full it is. */
  SEGMENT("segment"),
  META("meta"),
  MANIFEST("manifest"),
  SUMMARY("summary"),
  REF("ref"),
  OUTBOX("outbox"),
  PIN("pin"),
  CONDEMNED("condemned"),
  PACK("pack"),
  LOC("loc"),
  DAMAGE("damage"),
  JOURNAL("journal");

  private final String text;

  Family(String text) {
    this.text = text;
  }

  String text() {
    return text;
  }

  byte[] bytes() {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  static Family of(Space space) {
    return switch (space) {
      case META -> META;
      case MANIFEST -> MANIFEST;
      case SUMMARY -> SUMMARY;
      case REF -> REF;
      case OUTBOX -> OUTBOX;
      case PIN -> PIN;
      case CONDEMNED -> CONDEMNED;
      case PACK -> PACK;
      case LOC -> LOC;
      case DAMAGE -> DAMAGE;
      case JOURNAL -> JOURNAL;
    };
  }
}
