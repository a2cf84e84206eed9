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

  /** Where another process finds the tree of the test that runs. */
  private static String outside = "";

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
      outside = files.outside();
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

  @Test
  void rollback_specialFilesAndAttributes_back() throws IOException {
    roundTrip(
        FileRollbackTest::fill,
        root -> {
          agent.py(
              """
              import socket
              os.chdir("%s")
              os.mkfifo("fifo", 0o640)
              os.mknod("null", 0o20600, os.makedev(1, 3))
              s = socket.socket(socket.AF_UNIX); s.bind("sock"); s.close()
              os.symlink("nowhere", "dangling")
              open(b"caf\\xe9", "w").write("not utf-8")
              os.setxattr("a", "user.k", b"v1")
              os.setxattr("d", "user.d", b"dir")
              os.chmod("a", 0o4711)
              os.chown("d/b", 5, 6)
              os.chdir("/")
              """
                  .formatted(outside));
        },
        root -> {
          agent.py(
              """
              os.chdir("%s")
              os.unlink("fifo"); os.unlink("null"); os.unlink("sock"); os.unlink("dangling")
              os.rename(b"caf\\xe9", b"\\xff")
              os.setxattr("a", "user.k", b"v2"); os.setxattr("a", "user.more", b"x")
              os.removexattr("d", "user.d")
              os.chmod("a", 0); os.chown("d/b", 0, 0); os.utime("d/b", ns=(1, 12345678901))
              os.chdir("/")
              """
                  .formatted(outside));
        });
  }

  @Test
  void rollback_storedBehindTheEndByMapping_zeroWhenItGrows() throws IOException {
    roundTrip(
        FileRollbackTest::fill,
        root -> Files.writeString(root.resolve("grown"), "g".repeat(3000)),
        root ->
            agent.py(
                """
                f = os.open("%s/grown", os.O_RDWR)
                os.ftruncate(f, 100)
                m = mmap.mmap(f, 4096) if False else None
                libc = ctypes.CDLL(None)
                libc.mmap.restype = ctypes.c_void_p
                p = libc.mmap(None, 4096, 3, 1, f, 0)
                ctypes.memset(p + 200, 0x5a, 100)
                os.close(f)
                """
                    .formatted(outside)));
  }

  @Test
  void rollback_fileBeingExecuted_inodeReplaced() throws IOException, InterruptedException {
    try (TestFiles files = new TestFiles(FileRollbackTest::fill)) {
      FileState one = files.checkpoint();
      Files.copy(Path.of("/bin/sleep"), files.root().resolve("program"));
      FileState two = files.checkpoint();
      Map<String, String> truth = files.truth(agent);
      Files.writeString(files.root().resolve("program"), "other");
      Files.delete(files.root().resolve("program"));
      Files.copy(Path.of("/bin/sleep"), files.root().resolve("program"));
      Files.write(
          files.root().resolve("program"),
          new byte[] {1, 2, 3},
          java.nio.file.StandardOpenOption.APPEND);
      files.checkpoint();
      files.tracker.rollback(two, LiveHolders.none());
      assertThat(files.truth(agent)).isEqualTo(truth);
      Files.write(
          files.root().resolve("program"), new byte[] {4}, java.nio.file.StandardOpenOption.APPEND);
      Process running = new ProcessBuilder(files.outside() + "/program", "30").start();
      FileRollbackResult result = files.tracker.rollback(two, LiveHolders.none());
      assertThat(result.replaced()).containsExactly("program");
      assertThat(files.truth(agent)).isEqualTo(truth);
      running.destroyForcibly().waitFor();
      files.tracker.rollback(one, LiveHolders.none());
      assertThat(files.root().resolve("program")).doesNotExist();
    }
  }

  @Test
  void rollback_stateOfAnotherSandbox_sameFilesThere() throws IOException {
    try (TestFiles source = new TestFiles(FileRollbackTest::fill)) {
      Path root = source.root();
      Files.writeString(root.resolve("a"), "changed");
      Files.move(root.resolve("d"), root.resolve("e"));
      Files.delete(root.resolve("e/b"));
      Files.createDirectories(root.resolve("p/q"));
      Files.writeString(root.resolve("p/q/r"), "r");
      Files.createLink(root.resolve("p/r2"), root.resolve("p/q/r"));
      Files.createSymbolicLink(root.resolve("p/s"), Path.of("q/r"));
      Files.writeString(Path.of(source.outsideShared()).resolve("segment"), "shared");
      FileState one = source.checkpoint();
      Map<String, String> truth = source.truth(agent);
      Files.writeString(root.resolve("later"), "not part of it");
      FileState two = source.checkpoint();
      Map<String, String> truthTwo = source.truth(agent);
      try (TestFiles other = new TestFiles(source)) {
        Files.writeString(other.root().resolve("a"), "of the other");
        Files.createDirectory(other.root().resolve("p"));
        FileState own = other.checkpoint();
        other.tracker.rollback(one, LiveHolders.none());
        assertThat(other.truth(agent)).isEqualTo(truth);
        other.tracker.afterThaw();
        Files.writeString(other.root().resolve("p/q/r"), "changed there");
        FileState changed = other.checkpoint();
        Map<String, String> truthChanged = other.truth(agent);
        other.tracker.rollback(two, LiveHolders.none());
        assertThat(other.truth(agent)).isEqualTo(truthTwo);
        other.tracker.rollback(own, LiveHolders.none());
        assertThat(other.root().resolve("a")).hasContent("of the other");
        other.tracker.rollback(changed, LiveHolders.none());
        assertThat(other.truth(agent)).isEqualTo(truthChanged);
      }
      source.tracker.rollback(one, LiveHolders.none());
      assertThat(source.truth(agent)).isEqualTo(truth);
    }
  }

  @Test
  void capture_areaTooSmall_nothingForgotten() throws IOException {
    try (TestFiles files = new TestFiles(FileRollbackTest::fill)) {
      FileState one = files.checkpoint();
      Files.write(files.root().resolve("large"), new byte[9 << 20]);
      Files.write(files.root().resolve("other"), new byte[] {7});
      FileState two = files.checkpoint();
      Map<String, String> truth = files.truth(agent);
      assertThat(StateWalk.of(files, two)).isEqualTo(truth);
      files.tracker.rollback(one, LiveHolders.none());
      files.tracker.rollback(two, LiveHolders.none());
      assertThat(files.truth(agent)).isEqualTo(truth);
    }
  }

  @Test
  void rollback_heldBaseDirectoryRemoved_madeAgainInsteadOfShown() throws IOException {
    try (TestFiles files = new TestFiles(FileRollbackTest::fill)) {
      FileState one = files.checkpoint();
      Map<String, String> truth = files.truth(agent);
      agent.py("os.chdir('" + files.outside() + "/d/sub')");
      try {
        agent.py("shutil.rmtree('" + files.outside() + "/d')");
        FileRollbackResult result =
            files.tracker.rollback(one, ProcHolders.read(java.util.List.of((int) agent.pid())));
        assertThat(result.exposed()).isZero();
        assertThat(files.truth(agent)).isEqualTo(truth);
      } finally {
        agent.py("os.chdir('/')");
      }
      Files.writeString(files.root().resolve("d/b"), "later");
      files.checkpoint();
      files.tracker.rollback(one, LiveHolders.none());
      assertThat(files.truth(agent)).isEqualTo(truth);
    }
  }

  @Test
  void rollback_installedTree_movedAwayAtOnce() throws IOException {
    try (TestFiles files = new TestFiles(FileRollbackTest::fill)) {
      FileState one = files.checkpoint();
      Map<String, String> truth = files.truth(agent);
      for (int i = 0; i < 200; i++) {
        Path dir = files.root().resolve("install/d" + i % 10);
        Files.createDirectories(dir);
        Files.writeString(dir.resolve("f" + i), "x");
      }
      FileRollbackResult result = files.tracker.rollback(one, LiveHolders.none());
      assertThat(result.removed()).isEqualTo(1);
      assertThat(files.truth(agent)).isEqualTo(truth);
      files.tracker.afterThaw();
      assertThat(files.checkpoint().diff(one)).isEmpty();
    }
  }

  @Test
  void diff_changes_namesEachKind() throws IOException {
    try (TestFiles files = new TestFiles(FileRollbackTest::fill)) {
      FileState one = files.checkpoint();
      Files.writeString(files.root().resolve("a"), "changed");
      Files.writeString(files.root().resolve("new"), "n");
      Files.move(files.root().resolve("d/b"), files.root().resolve("moved"));
      Files.delete(files.root().resolve("d/sub/c"));
      Files.delete(files.root().resolve("d/sub"));
      FileState two = files.checkpoint();
      assertThat(one.diff(two))
          .extracting(change -> change.kind() + " " + change.path())
          .containsExactly("MODIFIED a", "REMOVED d/sub", "MOVED moved", "ADDED new");
      assertThat(two.diff(one))
          .extracting(change -> change.kind() + " " + change.path())
          .containsExactly("MODIFIED a", "MOVED d/b", "ADDED d/sub", "REMOVED new");
    }
  }
}
