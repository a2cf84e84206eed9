package io.deltabox.snapshot.format;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class KeyFileTest {
  @TempDir Path directory;
  private final SecureRandom random = new SecureRandom();
  private Path path;
  private KeyFile file;

  KeyFileTest() {
    path = Path.of("unset");
    file = new KeyFile(path);
  }

  @BeforeEach
  void name() {
    path = directory.resolve("deep/key");
    file = new KeyFile(path);
  }

  @Test
  void make_noFile_isReadByOwnerOnlyAndAgain() throws Exception {
    assertThat(file.read()).isNull();
    MasterKey key = file.make(random);
    assertThat(new KeyFile(path).read()).isEqualTo(key);
    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(path)))
        .isEqualTo("rw-------");
    assertThat(key.toString()).isEqualTo("MasterKey[...]");
    try (Stream<Path> left = Files.list(path.getParent())) {
      assertThat(left).containsExactly(path);
    }
  }

  @Test
  void make_fileThere_keepsItsKey() throws Exception {
    MasterKey first = file.make(random);
    assertThat(file.make(random)).isEqualTo(first);
    assertThat(file.read()).isEqualTo(first);
  }

  @Test
  void make_manyAtOnce_agreeOnOneKey() throws Exception {
    ExecutorService threads = Executors.newFixedThreadPool(8);
    try {
      List<Callable<MasterKey>> makers =
          Stream.generate(() -> (Callable<MasterKey>) () -> new KeyFile(path).make(random))
              .limit(8)
              .toList();
      Set<String> keys = new HashSet<>();
      for (Future<MasterKey> made : threads.invokeAll(makers)) {
        keys.add(HexFormat.of().formatHex(made.get().toArray()));
      }
      assertThat(keys).hasSize(1);
    } finally {
      threads.shutdown();
    }
  }

  @Test
  void read_rightsForOthers_isRefused() throws Exception {
    file.make(random);
    Files.setPosixFilePermissions(path, PosixFilePermissions.fromString("rw-r-----"));
    assertThatThrownBy(() -> file.read())
        .isInstanceOf(KeyException.class)
        .hasMessageContaining("chmod 600")
        .hasMessageContaining(path.toString());
  }

  @Test
  void read_damagedLine_isNamedAndNeverAKey() throws Exception {
    file.make(random);
    String line = Files.readString(path);
    for (int i = 0; i < line.length() - 1; i++) {
      char other = line.charAt(i) == '1' ? '2' : '1';
      Files.writeString(path, line.substring(0, i) + other + line.substring(i + 1));
      assertThatThrownBy(() -> file.read()).isInstanceOf(KeyException.class);
      Files.writeString(path, line.substring(0, i));
      assertThatThrownBy(() -> file.read()).isInstanceOf(KeyException.class);
    }
    Files.writeString(path, line.replace("key:1:", "key:2:"));
    assertThatThrownBy(() -> file.read()).hasMessageContaining("version");
    Files.writeString(path, line.repeat(30));
    assertThatThrownBy(() -> file.read()).hasMessageContaining("not a key file");
  }
}
