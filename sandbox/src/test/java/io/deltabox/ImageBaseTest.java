package io.deltabox;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Sandboxes on a file tree of their own instead of the host's files. */
final class ImageBaseTest {
  private static final String DIGEST = "ab".repeat(32);

  @TempDir Path directory;
  private DeltaBox box;

  @BeforeEach
  void open() throws Exception {
    box = TestBox.open(directory.resolve("data"));
  }

  @AfterEach
  void close() {
    box.close();
  }

  /**
   * The host's shell and a few programs with what they are linked with, and a passwd of its own.
   */
  private Path image(String name) throws Exception {
    Path root = Files.createDirectories(directory.resolve(name));
    String script =
        "set -e; cd \"$0\"; mkdir -p bin etc home/agent tmp usr/share; chmod 1777 tmp;"
            + " for p in sh cat sleep ls mv rm mkdir; do f=$(readlink -f $(command -v $p));"
            + " cp $f bin/$p; ldd $f | grep -o '/[^ )]*' | while read l; do"
            + " mkdir -p .$(dirname $l); cp -L $l .$l; done; done;"
            + " echo 'root:x:0:0::/home/agent:/bin/sh' > etc/passwd; echo own > usr/share/mark;"
            + " find . -exec touch -h -d '2020-02-02' {} +";
    Process made =
        new ProcessBuilder("sh", "-c", script, root.toString()).redirectErrorStream(true).start();
    String said = new String(made.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(made.waitFor()).as(said).isZero();
    return root;
  }

  private static SandboxSpec on(Path image) {
    return SandboxSpec.builder().base(new SandboxSpec.BaseTree(DIGEST, image)).build();
  }

  private static String out(Sandbox sandbox, String script) throws Exception {
    return sandbox.exec("sh", "-c", script).stdout().trim();
  }

  @Test
  void create_onATree_showsTheTreeAndNothingOfTheHost() throws Exception {
    try (Sandbox sandbox = box.create(on(image("image")))) {
      assertThat(out(sandbox, "cat /usr/share/mark; echo $HOME; pwd"))
          .isEqualTo("own\n/home/agent\n/home/agent");
      assertThat(out(sandbox, "ls /usr")).isEqualTo("share");
      assertThat(out(sandbox, "cat /etc/hostname")).isEqualTo("sandbox");
      assertThatThrownBy(() -> sandbox.exec("python3"))
          .isInstanceOf(StartException.class)
          .hasMessageContaining("no such program in the sandbox and its base");
    }
  }

  @Test
  void rollback_onATree_bringsFilesAndProcessBack() throws Exception {
    try (Sandbox sandbox = box.create(on(image("image")))) {
      sandbox.checking(List.of("/usr", "/bin"));
      Exec shell =
          sandbox.start(
              ExecSpec.builder("sh", "-c", "while :; do sleep 1; done").background(true).build());
      sandbox.exec("sh", "-c", "echo new > /usr/share/mark; mv /bin/ls /bin/list");
      Snapshot saved = sandbox.checkpoint("saved");
      sandbox.exec("sh", "-c", "rm -r /usr/share; echo x > /etc/passwd; mv /bin/list /bin/ls");
      sandbox.rollback(saved);
      assertThat(out(sandbox, "cat /usr/share/mark; list /usr")).isEqualTo("new\nshare");
      assertThat(out(sandbox, "cat /etc/passwd")).startsWith("root:");
      assertThat(shell.status().ended()).isFalse();
    }
  }

  @Test
  void restore_onATreeLaidOutAnew_isTheSame() throws Exception {
    Path first = image("first");
    Snapshot saved;
    RestorePoint point;
    try (Sandbox sandbox = box.create(on(first))) {
      sandbox.start(
          ExecSpec.builder("sh", "-c", "while :; do sleep 1; done").background(true).build());
      sandbox.exec("sh", "-c", "echo new > /usr/share/mark; mv /bin/ls /bin/list");
      sandbox.checking(List.of("/usr", "/bin"));
      saved = sandbox.checkpoint("saved");
      point = Objects.requireNonNull(sandbox.restorePoint(saved));
    }
    Path second = directory.resolve("second");
    Process copy = new ProcessBuilder("cp", "-a", first.toString(), second.toString()).start();
    assertThat(copy.waitFor()).isZero();
    RestorePoint moved =
        new RestorePoint(
            point.snapshot(), on(second), point.commands(), point.check(), point.source());
    try (Sandbox sandbox = box.restore(moved, null)) {
      assertThat(out(sandbox, "cat /usr/share/mark; list /usr")).isEqualTo("new\nshare");
      assertThat(sandbox.processes()).hasSizeGreaterThan(1);
    }
  }

  @Test
  void restore_overAnotherDigest_isRefused() throws Exception {
    Path image = image("image");
    RestorePoint point;
    try (Sandbox sandbox = box.create(on(image))) {
      point = Objects.requireNonNull(sandbox.restorePoint(sandbox.checkpoint("saved")));
    }
    SandboxSpec other =
        SandboxSpec.builder().base(new SandboxSpec.BaseTree("cd".repeat(32), image)).build();
    RestorePoint moved =
        new RestorePoint(point.snapshot(), other, point.commands(), point.check(), point.source());
    assertThatThrownBy(() -> box.restore(moved, null))
        .hasMessageContaining("made over another base")
        .hasMessageContaining("expected=" + DIGEST);
  }
}
