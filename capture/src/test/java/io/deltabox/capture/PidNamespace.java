package io.deltabox.capture;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.deltabox.capture.descriptors.Devices;
import io.deltabox.linux.Errno;
import io.deltabox.linux.Memory;
import io.deltabox.linux.NativeLibrary;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.locks.LockSupport;

/** A program in a plain pid namespace of its own, with what the engine needs of a sandbox. */
final class PidNamespace implements AutoCloseable {
  public interface Calls {
    long dbx_fds_call(long number, long a, long b, long c, long d);
  }

  private static final Calls CALLS = NativeLibrary.bind(Calls.class);
  private static final int SOCKET = 41;
  private static final int ACCEPT = 43;
  private static final int BIND = 49;
  private static final int LISTEN = 50;
  private static final int CLOSE = 3;
  private static final int AF_UNIX = 1;
  private static final int SOCK_SEQPACKET = 5;
  private static final int SOCK_NONBLOCK = 04000;
  private static final int EAGAIN = 11;

  private final Path directory;
  private final Process unshare;
  private final BufferedReader answers;
  private final OutputStream questions;
  private final int channel;
  private final int init;

  PidNamespace(Path directory, String... program) throws IOException {
    requireRoot();
    this.directory = directory;
    Path script = copy("init.py");
    Path socket = directory.resolve("engine.sock");
    int listener = listen(socket);
    List<String> command =
        new ArrayList<>(
            List.of(
                "unshare",
                "--fork",
                "--pid",
                "--mount-proc",
                "--kill-child",
                "/usr/bin/python3",
                script.toString(),
                socket.toString()));
    command.addAll(List.of(program));
    this.unshare =
        new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
    this.answers =
        new BufferedReader(new InputStreamReader(unshare.getInputStream(), StandardCharsets.UTF_8));
    this.questions = unshare.getOutputStream();
    try {
      this.channel = accept(listener, unshare);
    } finally {
      CALLS.dbx_fds_call(CLOSE, listener, 0, 0, 0);
    }
    String child =
        Files.readString(Path.of("/proc/" + unshare.pid() + "/task/" + unshare.pid() + "/children"))
            .trim();
    this.init = Integer.parseInt(child.split(" ")[0]);
  }

  /** Skips the test, visibly, where a pid namespace with its own proc cannot be made. */
  private static void requireRoot() throws IOException {
    boolean root = Files.getAttribute(Path.of("/proc/self"), "unix:uid").equals(0);
    if (!root) {
      System.out.println("UNAVAILABLE: pid namespaces (needs root)");
    }
    assumeTrue(root, "needs root");
  }

  /** Waits for the connection of pid 1 as long as there can be one. */
  private static int accept(int listener, Process unshare) throws IOException {
    long result = CALLS.dbx_fds_call(ACCEPT, listener, 0, 0, 0);
    while (result == -EAGAIN) {
      if (!unshare.isAlive()) {
        throw new IOException("unshare has ended: code=" + unshare.exitValue());
      }
      LockSupport.parkNanos(1_000_000);
      result = CALLS.dbx_fds_call(ACCEPT, listener, 0, 0, 0);
    }
    return (int) Errno.check(result, "accept");
  }

  private static int listen(Path path) throws IOException {
    int socket =
        (int)
            Errno.check(
                CALLS.dbx_fds_call(SOCKET, AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, 0),
                "socket");
    byte[] name = path.toString().getBytes(StandardCharsets.UTF_8);
    try (Memory address = Memory.allocate(4096, Memory.Touch.NOW)) {
      ByteBuffer view = address.slice(0, 110);
      view.putShort((short) AF_UNIX).put(name);
      Errno.check(CALLS.dbx_fds_call(BIND, socket, address.address(), 110, 0), "bind");
    }
    Errno.check(CALLS.dbx_fds_call(LISTEN, socket, 1, 0, 0), "listen");
    return socket;
  }

  Path copy(String resource) throws IOException {
    Path to = directory.resolve(resource);
    try (InputStream in = PidNamespace.class.getResourceAsStream(resource)) {
      Files.write(to, in.readAllBytes());
    }
    return to;
  }

  int channel() {
    return channel;
  }

  int init() {
    return init;
  }

  CaptureTarget target() {
    return new CaptureTarget(
        "test", init, channel, null, ClockOffsets.NONE, Devices.PLAIN, Set.of());
  }

  String line() throws IOException {
    return answers.readLine();
  }

  String ask(String question) throws IOException {
    questions.write((question + "\n").getBytes(StandardCharsets.UTF_8));
    questions.flush();
    return answers.readLine();
  }

  @Override
  public void close() {
    unshare.destroyForcibly();
    CALLS.dbx_fds_call(CLOSE, channel, 0, 0, 0);
  }
}
