package io.deltabox.capture.record;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;
import org.junit.jupiter.api.Test;

final class RecordTest {
  private static ByteBuffer sample() {
    RecordWriter out = RecordWriter.of(RecordKind.PROCESS).flag(true).number(-7).number(1L << 40);
    out.text("n\u00e4me").bytes(new byte[5000]).list(List.of("a", "bc"), out::text);
    return out.text(RecordKind.OBJECT.name()).done();
  }

  private static void read(ByteBuffer record) throws IOException {
    RecordReader in = RecordReader.of(RecordKind.PROCESS, record);
    assertThat(in.flag()).isTrue();
    assertThat(in.number()).isEqualTo(-7);
    assertThat(in.longNumber()).isEqualTo(1L << 40);
    assertThat(in.text()).isEqualTo("n\u00e4me");
    assertThat(in.array()).hasSize(5000);
    assertThat(in.list(in::text)).containsExactly("a", "bc");
    assertThat(in.constant(RecordKind.class)).isEqualTo(RecordKind.OBJECT);
    in.done();
  }

  @Test
  void reader_ofWhatWasWritten_givesItBack() throws Exception {
    read(sample());
    assertThat(sample().remaining()).isEqualTo(4 + 1 + 4 + 8 + 8 + 5004 + 4 + 5 + 6 + 10);
  }

  @Test
  void reader_ofATruncatedRecord_saysSo() {
    for (int length = 0; length < sample().remaining(); length++) {
      ByteBuffer part = sample().limit(length);
      assertThatThrownBy(() -> read(part)).isInstanceOf(IOException.class);
    }
  }

  @Test
  void reader_ofAnotherVersionOrKind_saysWhich() {
    ByteBuffer newer = ByteBuffer.allocate(4).put(sample().limit(4)).putShort(2, (short) 0x700);
    assertThatThrownBy(() -> read(newer.flip()))
        .hasMessageContaining("unknown version")
        .hasMessageContaining("known=1");
    assertThatThrownBy(() -> RecordReader.of(RecordKind.FILE, sample()))
        .hasMessageContaining("it is another");
  }

  @Test
  void reader_ofAnImpossibleCount_allocatesNothing() {
    ByteBuffer list = RecordWriter.bare().number(Integer.MAX_VALUE).done();
    assertThatThrownBy(() -> RecordReader.bare("x", list).array())
        .isInstanceOf(IOException.class)
        .hasMessageContaining("damaged");
    RecordReader in = RecordReader.bare("x", list);
    assertThatThrownBy(() -> in.list(in::flag)).hasMessageContaining("damaged");
  }
}
