package io.deltabox;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

final class StoredFactsTest {
  private static final SandboxSpec SPEC =
      new SandboxSpec(
          "näme",
          "host",
          1L << 33,
          1.5,
          77,
          1 << 30,
          List.of("/opt/a", "/b"),
          Map.of("K", "ü"),
          new SandboxSpec.BaseTree("0f".repeat(32), Path.of("/images/base")));

  private static final CapturedExec COMMAND =
      new CapturedExec(
          3,
          new ExecSpec(
              List.of("sh", "-c", "écho"),
              Map.of("A", "1", "B", ""),
              "/root",
              5,
              6,
              new TerminalSize(30, 90),
              ExecSpec.Stdin.NONE,
              Duration.ofMillis(1500),
              true),
          Instant.ofEpochSecond(1_700_000_000, 5),
          12,
          true,
          List.of("pipe:[1]", "", "pipe:[2]"),
          4);

  private static final CapturedExec BARE =
      new CapturedExec(4, ExecSpec.of("true"), Instant.EPOCH, 2, false, List.of(), -1);

  @Test
  void spec_writtenAndRead_isTheSame() throws Exception {
    assertThat(StoredFacts.spec(StoredFacts.write(SPEC))).isEqualTo(SPEC);
    SandboxSpec unnamed = SPEC.named(null);
    assertThat(StoredFacts.spec(StoredFacts.write(unnamed))).isEqualTo(unnamed);
  }

  @Test
  void commands_writtenAndRead_areTheSame() throws Exception {
    List<CapturedExec> commands = List.of(COMMAND, BARE);
    assertThat(StoredFacts.commands(StoredFacts.write(commands))).isEqualTo(commands);
    assertThat(StoredFacts.commands(StoredFacts.write(List.of()))).isEmpty();
  }

  @Test
  void read_ofCutRecord_isRefused() {
    ByteBuffer spec = StoredFacts.write(SPEC);
    for (int length = 0; length < spec.limit(); length++) {
      ByteBuffer cut = spec.duplicate().limit(length);
      assertThatThrownBy(() -> StoredFacts.spec(cut)).isInstanceOf(IOException.class);
    }
    ByteBuffer commands = StoredFacts.write(List.of(COMMAND));
    for (int length = 0; length < commands.limit(); length++) {
      ByteBuffer cut = commands.duplicate().limit(length);
      assertThatThrownBy(() -> StoredFacts.commands(cut)).isInstanceOf(IOException.class);
    }
  }

  @Test
  void read_ofAnotherVersion_saysSo() {
    byte[] bytes = new byte[StoredFacts.write(SPEC).remaining()];
    StoredFacts.write(SPEC).get(bytes);
    bytes[0] = 2;
    assertThatThrownBy(() -> StoredFacts.spec(ByteBuffer.wrap(bytes)))
        .hasMessageContaining("another release")
        .hasMessageContaining("version=2");
  }
}
