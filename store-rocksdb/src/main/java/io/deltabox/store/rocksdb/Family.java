package io.deltabox.store.rocksdb;

import io.deltabox.store.Space;
import java.nio.charset.StandardCharsets;

/** The column families. Their names are stored and never change. */
enum Family {
  /**
   * One record, the number of the newest commit: it tells after a crash whether all is there that
   * was promised to be.
   */
  MARK("default"),
  /** Chunk id to stored form. */
  CHUNK("chunk"),
  /** Chunk id to length of the stored form: tells of existence without a look at content. */
  LENGTH("length"),
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
