package io.deltabox;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;

/**
 * Users of a sandbox. On the host's files: the few that programs expect, one ordinary user, nobody
 * of the host. On an imported base: its own.
 */
final class Accounts {
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

  private static final int PASSWD_BYTES_MAX = 1 << 20;
  private static final int PASSWD_FIELDS = 7;

  /** Those a sandbox on the host's files has. */
  static final Accounts OWN = parse(PASSWD);

  private record User(String login, String home, String shell) {}

  private final Map<Integer, User> users;

  private Accounts(Map<Integer, User> users) {
    this.users = Map.copyOf(users);
  }

  /**
   * Those of a tree with a file {@code etc/passwd}, which is read as hostile: no link is followed,
   * and what is no account is skipped.
   */
  static Accounts of(Path tree) throws IOException {
    Path directory = tree.resolve("etc");
    Path file = directory.resolve("passwd");
    if (!Files.isDirectory(directory, LinkOption.NOFOLLOW_LINKS)
        || !Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)) {
      return new Accounts(Map.of());
    }
    try (InputStream in = Files.newInputStream(file, LinkOption.NOFOLLOW_LINKS)) {
      return parse(new String(in.readNBytes(PASSWD_BYTES_MAX), StandardCharsets.UTF_8));
    }
  }

  static Accounts parse(String passwd) {
    Map<Integer, User> users = new HashMap<>();
    for (String line : passwd.split("\n")) {
      String[] fields = line.split(":", -1);
      if (fields.length == PASSWD_FIELDS
          && fields[2].matches("[0-9]{1,9}")
          && fields[5].startsWith("/")
          && line.indexOf('\0') < 0) {
        String shell = fields[6].startsWith("/") ? fields[6] : "/bin/sh";
        users.putIfAbsent(Integer.valueOf(fields[2]), new User(fields[0], fields[5], shell));
      }
    }
    return new Accounts(users);
  }

  private User user(int uid) {
    User user = users.get(uid);
    return user != null ? user : new User("nobody", "/", "/bin/sh");
  }

  /** Home directory of a user inside. */
  String home(int uid) {
    return user(uid).home();
  }

  /** Login name of a user inside. */
  String login(int uid) {
    return user(uid).login();
  }

  /** Shell of root, which commands are told of. */
  String shell() {
    return user(0).shell();
  }
}
