package io.deltabox;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.deltabox.capture.Transfer;
import io.deltabox.snapshot.SnapshotInfo;
import io.deltabox.snapshot.SnapshotOptions;
import io.deltabox.snapshot.SnapshotStore;
import io.deltabox.snapshot.format.KeySource;
import io.deltabox.snapshot.format.Protection;
import io.deltabox.store.Durability;
import io.deltabox.store.OpenOptions;
import io.deltabox.store.StoreException;
import io.deltabox.store.StoreMissingException;
import io.deltabox.store.Stores;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Snapshots of sandboxes in a store, and sandboxes made of them when all else is gone. */
@Timeout(300)
final class StoredSnapshotTest {
  private static final String PROGRAM =
      """
      import hashlib, mmap, os, socket, sys, threading, time
      keep = [bytes([i & 255]) * 100 for i in range(20000)]
      shared = mmap.mmap(-1, 1 << 20)
      reading, writing = os.pipe()
      threading.Thread(target=lambda: time.sleep(4000), daemon=True).start()
      if os.fork() == 0:
          time.sleep(4000)
      print('ready', flush=True)
      def digest():
          files = b''.join(open('/root/d/' + name, 'rb').read() for name in sorted(os.listdir('/root/d')))
          return hashlib.sha256(b''.join(keep) + shared[:] + files).hexdigest()
      os.makedirs('/root/d')
      for turn, line in enumerate(sys.stdin):
          before = digest()
          keep[turn * 50:turn * 50 + 400] = [os.urandom(100) for i in range(400)]
          shared[turn * 4096:turn * 4096 + 8] = os.urandom(8)
          os.write(writing, b'piped %d' % turn)
          open('/root/d/big%d' % turn, 'wb').write(os.urandom(300000))
          if turn > 1: os.unlink('/root/d/big%d' % (turn - 2))
          print(turn, before, digest(), flush=True)
      """;

  @TempDir Path directory;

  private SnapshotStore store() throws StoreException {
    return SnapshotStore.open(
        Stores.openHot(URI.create("file:" + directory.resolve("store")), OpenOptions.create()),
        KeySource.file(directory.resolve("key")),
        Protection.ENCRYPTED,
        SnapshotOptions.standard());
  }

  private static String hear(InputStream out) throws IOException {
    StringBuilder answer = new StringBuilder();
    for (int c = out.read(); c != '\n'; c = out.read()) {
      assertThat(c).as("end of output after " + answer).isNotNegative();
      answer.append((char) c);
    }
    return answer.toString();
  }

  private static String say(Exec program, InputStream out) throws IOException {
    program.stdin().write("go\n".getBytes(StandardCharsets.UTF_8));
    program.stdin().flush();
    return hear(out);
  }

  private static UUID uuid(Snapshot snapshot) {
    return CapturedState.uuid(snapshot.id());
  }

  private static void store(Sandbox sandbox, Snapshot snapshot, SnapshotStore store)
      throws IOException {
    RestorePoint point = sandbox.restorePoint(snapshot);
    Id parent = snapshot.parent();
    StoreSink sink = new StoreSink(store, requireNonNull(point), Durability.SYNC);
    UUID since = parent == null ? null : CapturedState.uuid(parent);
    sandbox
        .engine()
        .keeper()
        .send(uuid(snapshot), since != null && sink.knows(since) ? since : null, sink);
  }

  @Test
  void restore_fromStoreAfterBoxAndStoreWereClosed_goesOnFromEachSnapshot() throws Exception {
    List<Snapshot> made = new ArrayList<>();
    List<String> digests = new ArrayList<>();
    List<KeptSnapshots.Content> contents = new ArrayList<>();
    int exec;
    try (SnapshotStore store = store();
        DeltaBox box = TestBox.open(directory.resolve("box"));
        Sandbox sandbox = box.create(SandboxSpec.builder().name("first").env("A", "ü").build())) {
      Exec program = start(sandbox);
      exec = program.id();
      InputStream out = program.stdout();
      assertThat(hear(out)).isEqualTo("ready");
      for (int turn = 0; turn < 4; turn++) {
        digests.add(say(program, out).split(" ")[2]);
        Snapshot snapshot = sandbox.checkpoint("s" + turn);
        store(sandbox, snapshot, store);
        made.add(snapshot);
        KeptSnapshots copy = new KeptSnapshots();
        Transfer.whole(sandbox.engine().keeper().source(), uuid(snapshot), copy);
        contents.add(copy.content(uuid(snapshot)));
      }
    }
    try (SnapshotStore store = store();
        DeltaBox box = TestBox.open(directory.resolve("box"))) {
      StoreSource source = new StoreSource(store);
      for (int turn : new int[] {2, 0, 3}) {
        Snapshot snapshot = made.get(turn);
        KeptSnapshots copy = new KeptSnapshots();
        Transfer.whole(source, uuid(snapshot), copy);
        SeamTest.assertSame(copy.content(uuid(snapshot)), contents.get(turn));
        RestorePoint point = source.point(uuid(snapshot));
        assertFacts(point, snapshot);
        try (Sandbox again = box.restore(point, null)) {
          Exec program = again.exec(exec);
          String expected = (turn + 1) + " " + digests.get(turn) + " ";
          assertThat(say(program, program.stdout())).startsWith(expected);
          Snapshot next = again.checkpoint("next");
          store(again, next, store);
          assertThat(store.find(uuid(next)).map(SnapshotInfo::parent)).contains(uuid(snapshot));
          again.rollback(point.snapshot());
          assertThat(say(program, program.stdout())).startsWith(expected);
        }
      }
      assertThat(store.verify()).isNotNull();
    }
  }

  private static void assertFacts(RestorePoint point, Snapshot snapshot) {
    Snapshot found = point.snapshot();
    assertThat(found.id()).isEqualTo(snapshot.id());
    assertThat(found.sandboxId()).isEqualTo(snapshot.sandboxId());
    assertThat(found.parent()).isEqualTo(snapshot.parent());
    assertThat(found.name()).isEqualTo(snapshot.name());
    assertThat(found.stats()).isEqualTo(snapshot.stats());
    assertThat(point.spec().name()).isEqualTo("first");
    assertThat(point.spec().env()).containsEntry("A", "ü");
    assertThat(point.commands()).hasSize(1);
  }

  private static Exec start(Sandbox sandbox) throws IOException {
    return sandbox.start(
        ExecSpec.builder("/usr/bin/python3", "-c", PROGRAM).stdin(ExecSpec.Stdin.PIPE).build());
  }

  @Test
  void point_ofUnknownSnapshot_isMissing() throws Exception {
    try (SnapshotStore store = store()) {
      assertThatThrownBy(() -> new StoreSource(store).point(UUID.randomUUID()))
          .isInstanceOf(StoreMissingException.class);
    }
  }
}
