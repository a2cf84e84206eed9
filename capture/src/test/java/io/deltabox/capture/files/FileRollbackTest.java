package io.deltabox.capture.files;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Single rules of checkpoint and rollback of files. */
class FileRollbackTest {
  @SuppressWarnings("NullAway.Init")
  private static Agent agent;

  @BeforeAll
  static void start() throws IOException {
    assumeTrue(TestFiles.available());
    agent = new Agent();
  }

  @AfterAll
  static void stop() throws IOException {
    if (agent != null) {
      agent.close();
    }
  }

  private static void fill(Path base) throws IOException {
    Files.createDirectories(base.resolve("d/sub"));
    Files.writeString(base.resolve("a"), "base a");
    Files.writeString(base.resolve("d/b"), "base b");
    Files.writeString(base.resolve("d/sub/c"), "base c");
  }

  private interface Change {
    void at(Path root) throws IOException;
  }

  /** Changes the tree, rolls back, and compares with an independent walk; then forward again. */
  private static void roundTrip(TestFiles.Fill fill, Change before, Change after)
      throws IOException {
    try (TestFiles files = new TestFiles(fill)) {
      before.at(files.root());
      FileState one = files.checkpoint();
      Map<String, String> truthOne = files.truth(agent);
      after.at(files.root());
      FileState two = files.checkpoint();
      Map<String, String> truthTwo = files.truth(agent);
      files.tracker.rollback(one, LiveHolders.none());
      assertThat(files.truth(agent)).isEqualTo(truthOne);
      files.tracker.afterThaw();
      files.tracker.rollback(two, LiveHolders.none());
      assertThat(files.truth(agent)).isEqualTo(truthTwo);
      files.tracker.afterThaw();
      files.tracker.rollback(one, LiveHolders.none());
      assertThat(files.truth(agent)).isEqualTo(truthOne);
      FileRollbackResult again = files.tracker.rollback(one, LiveHolders.none());
      assertThat(again.removed() + again.created() + again.written()).isZero();
      assertThat(files.truth(agent)).isEqualTo(truthOne);
    }
  }

  @Test
  void rollback_fileWritten_contentsBack() throws IOException {
    roundTrip(
        FileRollbackTest::fill, root -> {}, root -> Files.writeString(root.resolve("a"), "x"));
  }

  @Test
  void rollback_fileMade_gone() throws IOException {
    roundTrip(
        FileRollbackTest::fill, root -> {}, root -> Files.writeString(root.resolve("new"), "x"));
  }

  @Test
  void rollback_baseFileRemoved_shownAgain() throws IOException {
    roundTrip(FileRollbackTest::fill, root -> {}, root -> Files.delete(root.resolve("d/b")));
  }

  @Test
  void rollback_baseTreeRemoved_shownAgain() throws IOException {
    roundTrip(
        FileRollbackTest::fill,
        root -> {},
        root -> {
          Files.delete(root.resolve("d/b"));
          Files.delete(root.resolve("d/sub/c"));
          Files.delete(root.resolve("d/sub"));
          Files.delete(root.resolve("d"));
        });
  }

  @Test
  void rollback_baseDirectoryRenamed_movedBack() throws IOException {
    roundTrip(
        FileRollbackTest::fill,
        root -> {},
        root -> {
          Files.move(root.resolve("d"), root.resolve("e"));
          Files.writeString(root.resolve("e/b"), "changed");
        });
  }

  @Test
  void rollback_treeMadeAndRemoved_back() throws IOException {
    roundTrip(
        FileRollbackTest::fill,
        root -> {
          Files.createDirectories(root.resolve("p/q"));
          Files.writeString(root.resolve("p/q/r"), "r");
          Files.createLink(root.resolve("p/r2"), root.resolve("p/q/r"));
          Files.createSymbolicLink(root.resolve("p/s"), Path.of("q/r"));
        },
        root -> {
          Files.delete(root.resolve("p/q/r"));
          Files.delete(root.resolve("p/q"));
          Files.move(root.resolve("p/r2"), root.resolve("r3"));
          Files.delete(root.resolve("p/s"));
          Files.delete(root.resolve("p"));
        });
  }
}
