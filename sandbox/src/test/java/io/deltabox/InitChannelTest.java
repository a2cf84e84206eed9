package io.deltabox;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.deltabox.linux.Errno;
import io.deltabox.linux.ErrnoException;
import io.deltabox.linux.Memory;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Pid 1 is inside the sandbox: whatever it sends is a report, a refusal or its end. */
final class InitChannelTest {
  private final SandboxFunctions.Calls calls = SandboxFunctions.get();
  private InitChannel channel;
  private Descriptor other;

  @BeforeEach
  void open() throws Exception {
    Descriptor.Pair pair = Descriptor.Pair.make(calls::dbx_sandbox_socketpair, "make socket");
    channel = new InitChannel(pair.first());
    other = pair.second();
  }

  @AfterEach
  void close() {
    channel.close();
    other.close();
  }

  private void send(byte[] bytes, int descriptors) throws Exception {
    try (Memory memory = Memory.allocate(4096, Memory.Touch.LATER)) {
      memory.slice(0, bytes.length).put(bytes);
      var numbers = memory.slice(2048, 4 * descriptors);
      for (int i = 0; i < descriptors; i++) {
        numbers.putInt(other.fd());
      }
      Errno.check(
          calls.dbx_sandbox_send(
              other.fd(), memory.address(), bytes.length, memory.address() + 2048, descriptors),
          "send");
    }
  }

  private static byte[] message(int kind) {
    byte[] bytes = new byte[InitMessage.BYTES];
    bytes[0] = (byte) kind;
    bytes[4] = 7;
    return bytes;
  }

  private static long openDescriptors() throws Exception {
    try (var list = Files.list(Path.of("/proc/self/fd"))) {
      return list.count();
    }
  }

  @Test
  void receive_report_isRead() throws Exception {
    send(message(6), 0);
    InitChannel.Received received = Objects.requireNonNull(channel.receive(0));
    assertThat(received.message().kind()).isEqualTo(InitMessage.Kind.EXITED);
    assertThat(received.message().exec()).isEqualTo(7);
  }

  @Test
  void receive_nothingThere_timesOut() {
    assertThatThrownBy(() -> channel.receive(0))
        .isInstanceOfSatisfying(
            ErrnoException.class, e -> assertThat(e.errno()).isEqualTo(Errno.ETIMEDOUT));
  }

  @Test
  void receive_otherSideGone_isNull() throws Exception {
    other.close();
    assertThat(channel.receive(0)).isNull();
  }

  @Test
  void receive_wrongSizes_areRefused() throws Exception {
    for (int size : new int[] {1, InitMessage.BYTES - 1, InitMessage.BYTES + 1, 2000}) {
      send(new byte[size], 0);
      assertThatThrownBy(() -> channel.receive(0))
          .as("size=" + size)
          .isInstanceOf(IOException.class);
    }
  }

  @Test
  void receive_randomMessages_areReportsOrRefused() throws Exception {
    long seed = System.nanoTime();
    Random random = new Random(seed);
    long before = openDescriptors();
    for (int i = 0; i < 2000; i++) {
      byte[] bytes = new byte[InitMessage.BYTES];
      random.nextBytes(bytes);
      bytes[0] = (byte) random.nextInt(10);
      bytes[1] = bytes[2] = bytes[3] = 0;
      send(bytes, random.nextInt(5));
      try {
        InitChannel.Received received = Objects.requireNonNull(channel.receive(0), "seed=" + seed);
        received.descriptors().forEach(Descriptor::close);
        assertThat(bytes[0]).isBetween((byte) 1, (byte) 6);
      } catch (IOException refused) {
        assertThat(bytes[0]).isNotIn((byte) 1, (byte) 6);
      }
    }
    assertThat(openDescriptors()).isEqualTo(before);
  }
}
