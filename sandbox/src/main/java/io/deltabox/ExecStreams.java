package io.deltabox;

import java.io.IOException;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Both sides of a command's input and output. The daemon's: {@code input}, {@code output}, {@code
 * errors} (null with a terminal, which input and output are both). The command's: {@code given},
 * closed once it has them.
 */
record ExecStreams(
    Descriptor input, Descriptor output, @Nullable Descriptor errors, List<Descriptor> given)
    implements AutoCloseable {
  private static final int READ_END = 0;
  private static final int WRITE_END = 1;

  static ExecStreams open(ExecSpec spec, SandboxHost host) throws IOException {
    TerminalSize size = spec.tty();
    return size == null ? pipes(spec.stdin(), host) : terminal(size, host.devptsFd(), spec.uid());
  }

  /** The same for a command of a snapshot, whose terminal has to have its number again. */
  static ExecStreams open(CapturedExec exec, SandboxHost host) throws IOException {
    if (exec.terminal() < 0) {
      return open(exec.spec(), host);
    }
    // The kernel gives the lowest free number.
    List<ExecStreams> passedOver = new ArrayList<>();
    try {
      while (true) {
        ExecStreams streams = open(exec.spec(), host);
        int number = SandboxFunctions.get().dbx_sandbox_terminal_number(streams.output().fd());
        if (number == exec.terminal()) {
          return streams;
        }
        passedOver.add(streams);
        if (number > exec.terminal()) {
          throw new SandboxException(
              "make terminal again failed: its number is taken: number=" + exec.terminal());
        }
      }
    } finally {
      for (ExecStreams streams : passedOver) {
        streams.input().close();
        streams.close();
      }
    }
  }

  /** What the kernel calls the daemon's ends. */
  List<String> links() throws IOException {
    List<String> links = new ArrayList<>();
    for (Descriptor end : Arrays.asList(input, output, errors)) {
      boolean open = end != null && end.open();
      links.add(open ? Files.readSymbolicLink(end.path()).toString() : "");
    }
    return links;
  }

  /** The daemon's end of that name, or null. */
  @Nullable Descriptor end(String link) throws IOException {
    int index = links().indexOf(link);
    return index < 0 ? null : Arrays.asList(input, output, errors).get(index);
  }

  /** Closes the ends that were closed at a snapshot. */
  void closeLike(List<String> links) {
    List<@Nullable Descriptor> own = Arrays.asList(input, output, errors);
    for (int i = 0; i < links.size(); i++) {
      Descriptor end = own.get(i);
      if (end != null && links.get(i).isEmpty()) {
        end.close();
      }
    }
  }

  private static ExecStreams terminal(TerminalSize size, int devpts, int uid) throws IOException {
    Descriptor.Pair pair =
        Descriptor.Pair.make(
            address ->
                SandboxFunctions.get()
                    .dbx_sandbox_terminal(devpts, address, size.rows(), size.columns(), uid),
            "open a terminal");
    Descriptor slave = pair.second();
    try {
      Descriptor input = pair.first().duplicate();
      return new ExecStreams(input, pair.first(), null, List.of(slave, slave, slave));
    } catch (IOException e) {
      pair.first().close();
      slave.close();
      throw e;
    }
  }

  private static ExecStreams pipes(ExecSpec.Stdin stdin, SandboxHost host) throws IOException {
    Descriptor.Pair out = pipe(READ_END);
    try {
      Descriptor.Pair err = pipe(READ_END);
      try {
        if (stdin == ExecSpec.Stdin.NONE) {
          Descriptor nothing = host.nothing();
          Descriptor closed = new Descriptor(-1);
          return new ExecStreams(
              closed, out.first(), err.first(), List.of(nothing, out.second(), err.second()));
        }
        Descriptor.Pair in = pipe(WRITE_END);
        return new ExecStreams(
            in.second(), out.first(), err.first(), List.of(in.first(), out.second(), err.second()));
      } catch (IOException e) {
        err.first().close();
        err.second().close();
        throw e;
      }
    } catch (IOException e) {
      out.first().close();
      out.second().close();
      throw e;
    }
  }

  private static Descriptor.Pair pipe(int ownEnd) throws IOException {
    return Descriptor.Pair.make(
        address -> SandboxFunctions.get().dbx_sandbox_pipe(address, ownEnd), "make a pipe");
  }

  void closeGiven() {
    given.forEach(Descriptor::close);
  }

  /** Closes all but the input, which its writer closes. */
  @Override
  public void close() {
    closeGiven();
    output.close();
    if (errors != null) {
      errors.close();
    }
  }
}
