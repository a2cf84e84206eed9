package io.deltabox.cli.daemon;

import io.deltabox.TerminalSize;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What a client asks for.
 *
 * @param directory its working directory
 * @param arguments without the program's own name
 * @param environment the chosen part of its environment
 * @param terminals bit n: descriptor n is a terminal
 * @param size of its terminal
 * @param problem why it cannot be understood, or empty
 */
record Request(
    String directory,
    List<String> arguments,
    Map<String, String> environment,
    int terminals,
    Optional<TerminalSize> size,
    String problem) {
  /** More than any kernel passes to a program: 2 MiB of arguments, each with a pointer. */
  private static final int STRINGS_MAX = 1 << 18;

  Request {
    arguments = List.copyOf(arguments);
    environment = Map.copyOf(environment);
  }

  /** Stands for a request that cannot be understood. */
  static Request malformed(String problem) {
    return new Request("/", List.of(), Map.of(), 0, Optional.empty(), problem);
  }

  /**
   * Reads the body of a request frame; little-endian.
   *
   * @throws IOException if it is malformed
   */
  static Request parse(ByteBuffer body) throws IOException {
    if (body.remaining() < 16) {
      throw new IOException("request is too short: bytes=" + body.remaining());
    }
    int argc = body.getInt();
    int envc = body.getInt();
    int terminals = body.getInt();
    int rows = body.getShort() & 0xffff;
    int columns = body.getShort() & 0xffff;
    if (argc < 0 || argc > STRINGS_MAX || envc < 0 || envc > STRINGS_MAX) {
      throw new IOException("request counts too many strings: argc=" + argc + " envc=" + envc);
    }
    String directory = string(body, "working directory");
    List<String> arguments = new ArrayList<>();
    for (int i = 0; i < argc; i++) {
      String argument = string(body, "argument " + i);
      if (i > 0) {
        arguments.add(argument);
      }
    }
    Map<String, String> environment = new LinkedHashMap<>();
    for (int i = 0; i < envc; i++) {
      String pair = string(body, "environment");
      int split = pair.indexOf('=');
      if (split > 0) {
        environment.put(pair.substring(0, split), pair.substring(split + 1));
      }
    }
    Optional<TerminalSize> size =
        rows > 0 && columns > 0 ? Optional.of(new TerminalSize(rows, columns)) : Optional.empty();
    return new Request(directory, arguments, environment, terminals, size, "");
  }

  private static String string(ByteBuffer body, String what) throws IOException {
    int length = body.remaining() < 4 ? -1 : body.getInt();
    if (length < 0 || length > body.remaining()) {
      throw new IOException("request is cut short: at=" + what + " length=" + length);
    }
    ByteBuffer bytes = body.slice(body.position(), length);
    body.position(body.position() + length);
    try {
      return StandardCharsets.UTF_8
          .newDecoder()
          .onMalformedInput(CodingErrorAction.REPORT)
          .decode(bytes)
          .toString();
    } catch (CharacterCodingException e) {
      throw new IOException(what + " is not UTF-8 text", e);
    }
  }
}
