package io.deltabox.bench;

import io.deltabox.ExecSpec;
import io.deltabox.Sandbox;
import java.io.IOException;

/** The measured program in its sandbox, and the conversation with it. Used by one thread. */
final class Workload implements AutoCloseable {
  private final Conversation talk;

  private Workload(Conversation talk) {
    this.talk = talk;
  }

  /** Puts the program into the sandbox, starts it and waits until its memory is touched. */
  static Workload start(Sandbox sandbox, CrSettings settings)
      throws IOException, InterruptedException {
    String program = Installed.put(sandbox, "workload");
    Conversation talk =
        new Conversation(
            sandbox.start(
                ExecSpec.of(
                    program,
                    Long.toString(settings.rssBytes()),
                    Integer.toString(settings.threads()),
                    Installed.DIRECTORY,
                    Long.toString(settings.seed()))));
    talk.expect("ready");
    return new Workload(talk);
  }

  int pid() {
    return talk.exec().pid();
  }

  /** Writes pages and files; they are all written when this returns. */
  void dirty(CrSettings settings) throws IOException {
    talk.say("dirty " + settings.dirtyPages() + " " + settings.files());
    talk.expect("ready");
  }

  /** The largest gap the witness saw, and when it ended on the machine's monotonic clock. */
  record Gap(long nanos, long end) {}

  Gap gap() throws IOException {
    String[] words = talk.ask("gap").split(" ");
    return new Gap(Long.parseLong(words[0]), Long.parseLong(words[1]));
  }

  /** Address inside of the time of the witness's last look. */
  long address() throws IOException {
    return Long.parseLong(talk.ask("where"));
  }

  /** What tells states apart: all memory and all files. */
  String digest(CrSettings settings) throws IOException {
    return talk.ask("digest") + " " + talk.ask("files " + settings.files());
  }

  @Override
  public void close() throws IOException {
    talk.close();
  }
}
