package io.deltabox.check;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The checker's walk over a tree that is the root of some process. */
final class FileReaderTest {
  @TempDir Path root;

  private Process holder;
  private Oracle oracle = new Oracle(Scope.writable());

  private interface Change {
    void make() throws IOException;
  }

  @BeforeEach
  void start() throws Exception {
    boolean privileged = "root".equals(System.getProperty("user.name"));
    if (!privileged) {
      System.out.println("UNAVAILABLE: changing the root directory needs root");
    }
    Assumptions.assumeTrue(privileged);
    Files.createDirectories(root.resolve("home/deep"));
    Files.createDirectories(root.resolve("usr"));
    Files.createDirectories(root.resolve("proc"));
    Files.writeString(root.resolve("home/file"), "content");
    Files.writeString(root.resolve("home/deep/other"), "other");
    Files.createLink(root.resolve("home/link"), root.resolve("home/deep/other"));
    Files.createSymbolicLink(root.resolve("home/symlink"), Path.of("file"));
    Files.writeString(root.resolve("usr/base"), "base");
    String program = "import os,sys; os.chroot(sys.argv[1]); print(1, flush=True); os.read(0, 1)";
    holder = new ProcessBuilder("/usr/bin/python3", "-c", program, root.toString()).start();
    assertThat(holder.getInputStream().read()).isEqualTo('1');
  }

  @AfterEach
  void end() throws Exception {
    if (holder != null) {
      holder.destroyForcibly().waitFor(10, TimeUnit.SECONDS);
    }
  }

  private List<Difference> after(Change change) throws IOException {
    int pid = Math.toIntExact(holder.pid());
    Image before = oracle.image(pid);
    FileTime time = Files.getLastModifiedTime(root.resolve("home"));
    change.make();
    if (Files.exists(root.resolve("home"))) {
      Files.setLastModifiedTime(root.resolve("home"), time);
    }
    return before.compare(oracle.image(pid));
  }

  @Test
  void image_ofTree_readsEverythingButTheBase() throws Exception {
    Image image = oracle.image(Math.toIntExact(holder.pid()));
    assertThat(image.fileCount()).isEqualTo(8);
    assertThat(after(() -> Files.writeString(root.resolve("usr/base"), "BASE"))).isEmpty();
    oracle = new Oracle(Scope.writable().withBase(Scope.Base.ATTRIBUTES));
    assertThat(after(() -> Files.writeString(root.resolve("usr/base"), "longer"))).hasSize(1);
  }

  @Test
  void compare_sameSizeAndTimeOtherContent_seesIt() throws Exception {
    List<Difference> found =
        after(
            () -> {
              Path file = root.resolve("home/file");
              FileTime time = Files.getLastModifiedTime(file);
              Files.writeString(file, "CONTENT");
              Files.setLastModifiedTime(file, time);
            });
    assertThat(found).extracting(Difference::what).containsExactly("/home/file");
  }

  @Test
  void compare_afterEachChange_namesThePath() throws Exception {
    Path file = root.resolve("home/file");
    assertThat(
            after(
                () ->
                    Files.setPosixFilePermissions(
                        file, PosixFilePermissions.fromString("r--------"))))
        .extracting(Difference::what)
        .containsExactly("/home/file");
    assertThat(
            after(
                () -> Files.setLastModifiedTime(file, FileTime.from(Instant.ofEpochSecond(9, 7)))))
        .anyMatch(d -> d.found().contains("mtime=9.000000007"));
    assertThat(after(() -> Files.setAttribute(file, "unix:uid", 5))).hasSize(1);
    assertThat(
            after(
                () -> {
                  Files.delete(root.resolve("home/symlink"));
                  Files.createSymbolicLink(root.resolve("home/symlink"), Path.of("link"));
                }))
        .anyMatch(d -> d.found().contains("target=link"));
    assertThat(
            after(
                () -> {
                  FileTime time = Files.getLastModifiedTime(root.resolve("home/link"));
                  Files.delete(root.resolve("home/link"));
                  Files.writeString(root.resolve("home/link"), "other");
                  Files.setLastModifiedTime(root.resolve("home/link"), time);
                }))
        .anyMatch(d -> d.expected().contains("same file as"));
    assertThat(after(() -> Files.writeString(root.resolve("top"), "t")))
        .extracting(Difference::what)
        .containsExactly("/", "/top");
    assertThat(after(() -> Files.delete(root.resolve("home/deep/other"))))
        .anyMatch(d -> d.found().equals("absent"));
    assertThat(
            after(
                () -> Files.setAttribute(file, "user:note", "x".getBytes(StandardCharsets.UTF_8))))
        .hasSize(1);
  }
}
