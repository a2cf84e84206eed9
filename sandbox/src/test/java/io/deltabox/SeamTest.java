package io.deltabox;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.deltabox.capture.CaptureEngine;
import io.deltabox.capture.CaptureException;
import io.deltabox.capture.CaptureSource;
import io.deltabox.capture.Transfer;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Snapshots leave through the seam and come back, whole, and a sandbox goes back to them. */
@Timeout(300)
final class SeamTest {
  /** Changes a bit of everything at each line it reads, and says how often. */
  private static final String PROGRAM =
      """
      import ctypes, fcntl, mmap, os, random, socket, sys, tempfile, threading, time
      keep = [bytes([i & 255]) * 100 for i in range(20000)]
      shared = mmap.mmap(-1, 1 << 20)
      memory = os.memfd_create('m'); os.ftruncate(memory, 1 << 20)
      view = mmap.mmap(memory, 1 << 20)
      left, right = socket.socketpair()
      reading, writing = os.pipe()
      gone = open('/tmp/gone', 'wb+'); os.unlink('/tmp/gone')
      sparse = open('/root/sparse', 'wb+'); sparse.seek(3 << 20); sparse.write(b'end'); sparse.flush()
      listening = socket.socket(); listening.bind(('127.0.0.1', 0)); listening.listen(4)
      lot = [mmap.mmap(-1, 1 << 20, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS) for i in range(4)]
      threading.Thread(target=lambda: time.sleep(4000), daemon=True).start()
      if os.fork() == 0:
          time.sleep(4000)
      print('ready', flush=True)
      for turn, line in enumerate(sys.stdin):
          keep = [bytes([(i * turn) & 255]) * (90 + turn) for i in range(20000)]
          shared[turn * 4096] = turn + 1
          view[turn * 8192] = turn + 1
          left.send(b'queued %d' % turn)
          os.write(writing, b'piped %d' % turn)
          gone.seek(turn * 10000); gone.write(b'deleted %d' % turn); gone.flush()
          sparse.seek(turn * 70000); sparse.write(b'data %d' % turn); sparse.flush()
          lot.pop() if turn % 2 else lot.append(mmap.mmap(-1, 1 << 19))
          os.makedirs('/root/d%d/e' % turn); os.symlink('e', '/root/d%d/l' % turn)
          open('/root/d%d/e/big' % turn, 'wb').write(os.urandom(300000))
          os.rename('/root/d%d' % turn, '/root/moved%d' % turn)
          if turn: os.unlink('/root/moved%d/e/big' % (turn - 1))
          print(turn, hash(tuple(keep)), sum(shared[:]), sum(view[:]), flush=True)
      """;

  @TempDir static Path directory;
  private static DeltaBox box;

  @BeforeAll
  static void open() throws Exception {
    box = TestBox.open(directory);
  }

  @AfterAll
  static void close() {
    if (box != null) {
      box.close();
    }
  }

  static String hear(InputStream out) throws IOException {
    StringBuilder answer = new StringBuilder();
    for (int c = out.read(); c != '\n'; c = out.read()) {
      assertThat(c).as("end of output after " + answer).isNotNegative();
      answer.append((char) c);
    }
    return answer.toString();
  }

  static String turn(Exec program, InputStream out) throws IOException {
    program.stdin().write("go\n".getBytes(StandardCharsets.UTF_8));
    program.stdin().flush();
    return hear(out);
  }

  static UUID uuid(Snapshot snapshot) {
    return new UUID(snapshot.id().time(), snapshot.id().random());
  }

  private static KeptSnapshots.Content copy(CaptureSource from, UUID id) throws IOException {
    KeptSnapshots copy = new KeptSnapshots();
    Transfer.whole(from, id, copy);
    return copy.content(id);
  }

  static void assertSame(KeptSnapshots.Content found, KeptSnapshots.Content expected) {
    assertThat(found.records).containsExactlyInAnyOrderElementsOf(expected.records);
    // What belongs to no process and no object is not part of the snapshot.
    expected.pages.forEach((process, pages) -> assertThat(found.pages).containsKey(process));
    for (Map.Entry<Integer, ?> entry : found.pages.entrySet()) {
      assertThat(entry.getValue()).isEqualTo(expected.pages.get(entry.getKey()));
    }
    assertThat(found.shared).isEqualTo(expected.shared);
    assertThat(found.files).isEqualTo(expected.files);
  }

  private static Sandbox sandbox() throws IOException {
    Sandbox sandbox = box.create(SandboxSpec.defaults());
    sandbox.checking(true);
    return sandbox;
  }

  static Exec start(Sandbox sandbox) throws IOException {
    return sandbox.start(
        ExecSpec.builder("/usr/bin/python3", "-c", PROGRAM)
            .env("PYTHONHASHSEED", "1")
            .stdin(ExecSpec.Stdin.PIPE)
            .build());
  }

  @Test
  void snapshots_throughTheSeamAndBack_areEqualAndCanBeRolledBackTo() throws Exception {
    KeptSnapshots kept = new KeptSnapshots();
    try (Sandbox sandbox = sandbox()) {
      CaptureEngine engine = sandbox.engine();
      engine.passOnTo(kept);
      Exec program = start(sandbox);
      InputStream out = program.stdout();
      assertThat(hear(out)).isEqualTo("ready");
      assertThat(turn(program, out)).startsWith("0 ");
      Snapshot one = sandbox.checkpoint("one");
      int whole = kept.takeBytesPassed();
      String second = turn(program, out);
      Snapshot two = sandbox.checkpoint("two");
      String third = turn(program, out);
      Snapshot three = sandbox.checkpoint("three");
      assertThat(kept.deltas()).isEqualTo(2);
      int passed = kept.takeBytesPassed();
      assertThat(passed).isPositive().isLessThan(3 * whole);
      assertThat(kept.bytesBefore()).isBetween(passed / 4, passed);
      for (Snapshot snapshot : new Snapshot[] {one, two, three}) {
        assertSame(kept.content(uuid(snapshot)), copy(engine.keeper().source(), uuid(snapshot)));
      }
      for (Snapshot snapshot : new Snapshot[] {one, two}) {
        engine.remove(uuid(snapshot));
        assertThatThrownBy(() -> sandbox.rollback(snapshot)).isInstanceOf(CaptureException.class);
        engine.load(kept, uuid(snapshot));
        assertSame(kept.content(uuid(snapshot)), copy(engine.keeper().source(), uuid(snapshot)));
      }
      sandbox.rollback(one);
      assertThat(turn(program, out)).isEqualTo(second);
      sandbox.rollback(two);
      assertThat(turn(program, out)).isEqualTo(third);
      sandbox.rollback(one);
      sandbox.rollback(three);
      assertThat(turn(program, out)).startsWith("3 ");
    }
  }

  @Test
  void checkpoint_whenTheSinkFails_failsAndForgetsNothing() throws Exception {
    KeptSnapshots kept = new KeptSnapshots();
    try (Sandbox sandbox = sandbox()) {
      CaptureEngine engine = sandbox.engine();
      Exec program = start(sandbox);
      InputStream out = program.stdout();
      assertThat(hear(out)).isEqualTo("ready");
      Snapshot before = sandbox.checkpoint("before");
      engine.passOnTo(kept);
      String first = turn(program, out);
      kept.failOnce("the sink is full");
      assertThatThrownBy(() -> sandbox.checkpoint("lost")).hasMessageContaining("sink is full");
      assertThat(kept.idle()).isTrue();
      assertThat(engine.snapshots()).containsExactly(uuid(before));
      Snapshot after = sandbox.checkpoint("after");
      assertThat(after.parent()).isEqualTo(before.id());
      assertSame(kept.content(uuid(after)), copy(engine.keeper().source(), uuid(after)));
      sandbox.rollback(before);
      assertThat(turn(program, out)).isEqualTo(first);
      sandbox.rollback(after);
      assertThat(turn(program, out)).startsWith("1 ");
    }
  }

  /**
   * A slow sink holds up neither removals nor checkpoints, and still is given what it was promised.
   */
  @Test
  void send_whileItsSnapshotsAreRemoved_passesThemWhole() throws Exception {
    KeptSnapshots kept = new KeptSnapshots();
    KeptSnapshots expected = new KeptSnapshots();
    try (Sandbox sandbox = sandbox()) {
      CaptureEngine engine = sandbox.engine();
      Exec program = start(sandbox);
      InputStream out = program.stdout();
      assertThat(hear(out)).isEqualTo("ready");
      Snapshot one = sandbox.checkpoint("one");
      turn(program, out);
      Snapshot two = sandbox.checkpoint("two");
      engine.keeper().send(uuid(one), null, kept);
      Transfer.whole(engine.keeper().source(), uuid(two), expected);
      List<String> failures = new ArrayList<>();
      kept.beforePages(
          () -> {
            Thread other = new Thread(() -> removeBoth(sandbox, program, out, failures));
            other.start();
            join(other);
          });
      engine.keeper().send(uuid(two), uuid(one), kept);
      assertThat(failures).isEmpty();
      assertSame(kept.content(uuid(two)), expected.content(uuid(two)));
      assertThat(sandbox.snapshots()).extracting(Snapshot::name).containsExactly("three");
      assertThatThrownBy(() -> engine.keeper().send(uuid(two), null, kept))
          .hasMessageContaining("no such snapshot");
    }
  }

  private static void removeBoth(
      Sandbox sandbox, Exec program, InputStream out, List<String> failures) {
    try {
      turn(program, out);
      sandbox.checkpoint("three");
      sandbox.remove("one");
      sandbox.remove("two");
      turn(program, out);
      sandbox.prepare();
    } catch (IOException e) {
      failures.add(String.valueOf(e));
    }
  }

  private static void join(Thread thread) {
    try {
      thread.join(60_000);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    assertThat(thread.isAlive()).isFalse();
  }
}
