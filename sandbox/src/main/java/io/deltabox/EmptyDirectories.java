package io.deltabox;

import java.util.List;

/** Directories every sandbox has, empty at first; parents before children. */
final class EmptyDirectories {
  static final List<String> LIST =
      List.of(
          "boot 0755 0",
          "dev 0755 0",
          "etc 0755 0",
          "home 0755 0",
          "home/user 0755 1000",
          "media 0755 0",
          "mnt 0755 0",
          "opt 0755 0",
          "proc 0555 0",
          "root 0700 0",
          "run 0755 0",
          "run/lock 1777 0",
          "srv 0755 0",
          "sys 0555 0",
          "tmp 1777 0",
          "var 0755 0",
          "var/cache 0755 0",
          "var/lib 0755 0",
          "var/log 0755 0",
          "var/mail 0755 0",
          "var/spool 0755 0",
          "var/tmp 1777 0");

  /** One line of the list. */
  record Entry(String path, int mode, int owner) {}

  private EmptyDirectories() {}

  static Entry parse(String line) {
    String[] words = line.split(" ");
    return new Entry(words[0], Integer.parseInt(words[1], 8), Integer.parseInt(words[2]));
  }
}
