package io.deltabox.linux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import org.junit.jupiter.api.Test;

final class NativeLibraryTest {
  @Test
  void core_afterLoad_passesSixArguments() {
    assertThat(NativeLibrary.core().dbx_abi()).isEqualTo(NativeLibrary.ABI);
    assertThat(NativeLibrary.core().dbx_echo6(1, 2, 3, 4, 5, 6))
        .isEqualTo(1 + 6 + 15 + 28 + 55 + 78);
  }

  @Test
  void allocate_thenWrite_readsBackThroughAnyView() throws Exception {
    try (Memory memory = Memory.allocate(8192, Memory.Touch.NOW)) {
      memory.slice(4096, 8).putLong(0, 42);
      assertThat(memory.slice(0, 8192).getLong(4096)).isEqualTo(42);
      assertThatThrownBy(() -> memory.slice(8190, 8)).isInstanceOf(IndexOutOfBoundsException.class);
      memory.drop();
      ByteBuffer again = memory.slice(4096, 8);
      assertThat(again.getLong(0)).isZero();
    }
  }
}
