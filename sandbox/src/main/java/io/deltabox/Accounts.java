package io.deltabox;

/**
 * Users and groups of every sandbox: the few that programs expect, one ordinary user, nobody of the
 * host.
 */
final class Accounts {
  static final int USER = 1000;
  static final String USER_HOME = "/home/user";

  static final String PASSWD =
      """
      root:x:0:0:root:/root:/bin/bash
      daemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin
      bin:x:2:2:bin:/bin:/usr/sbin/nologin
      sys:x:3:3:sys:/dev:/usr/sbin/nologin
      mail:x:8:8:mail:/var/mail:/usr/sbin/nologin
      www-data:x:33:33:www-data:/var/www:/usr/sbin/nologin
      user:x:1000:1000:user:/home/user:/bin/bash
      nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin
      """;

  static final String GROUP =
      """
      root:x:0:
      daemon:x:1:
      bin:x:2:
      sys:x:3:
      adm:x:4:
      tty:x:5:
      disk:x:6:
      mail:x:8:
      utmp:x:43:
      www-data:x:33:
      shadow:x:42:
      staff:x:50:
      users:x:100:
      user:x:1000:
      nogroup:x:65534:
      """;

  static final String SHADOW =
      """
      root:*:19000:0:99999:7:::
      user:*:19000:0:99999:7:::
      nobody:*:19000:0:99999:7:::
      """;

  private Accounts() {}

  /** Home directory of a user inside. */
  static String home(int uid) {
    return switch (uid) {
      case 0 -> "/root";
      case USER -> USER_HOME;
      default -> "/";
    };
  }

  /** Login name of a user inside. */
  static String login(int uid) {
    return switch (uid) {
      case 0 -> "root";
      case USER -> "user";
      default -> "nobody";
    };
  }
}
