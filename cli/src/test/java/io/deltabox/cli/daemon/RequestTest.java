package io.deltabox.cli.daemon;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.deltabox.TerminalSize;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

final class RequestTest {
  private static ByteBuffer body(int argc, int envc, String... strings) {
    ByteBuffer body = ByteBuffer.allocate(4096).order(ByteOrder.LITTLE_ENDIAN);
    body.putInt(argc).putInt(envc).putInt(5).putShort((short) 24).putShort((short) 80);
    for (String string : strings) {
      byte[] bytes = string.getBytes(StandardCharsets.UTF_8);
      body.putInt(bytes.length).put(bytes);
    }
    return body.flip();
  }

  @Test
  void parse_wellFormed_givesAllParts() throws Exception {
    Request request = Request.parse(body(3, 1, "/here", "deltabox", "ls", "", "TERM=xterm"));
    assertThat(request.directory()).isEqualTo("/here");
    assertThat(request.arguments()).isEqualTo(List.of("ls", ""));
    assertThat(request.environment()).isEqualTo(Map.of("TERM", "xterm"));
    assertThat(request.size()).contains(new TerminalSize(24, 80));
  }

  @Test
  void parse_cutAnywhere_isRefused() {
    ByteBuffer whole = body(2, 1, "/", "deltabox", "ls", "A=b");
    for (int length = 0; length < whole.limit(); length++) {
      ByteBuffer cut = whole.duplicate().order(ByteOrder.LITTLE_ENDIAN).limit(length);
      assertThatThrownBy(() -> Request.parse(cut)).isInstanceOf(IOException.class);
    }
  }

  @Test
  void parse_impossibleCounts_areRefusedBeforeAnythingIsMade() {
    assertThatThrownBy(() -> Request.parse(body(Integer.MAX_VALUE, 0, "/")))
        .hasMessageContaining("too many");
    assertThatThrownBy(() -> Request.parse(body(-1, 0, "/"))).hasMessageContaining("too many");
  }
}
