package io.deltabox;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Clocks in sandboxes made of snapshots. */
@Timeout(120)
final class ClockTest {
  private static final long GONE_BY = 2_000_000_000L;

  @TempDir static Path directory;
  private static DeltaBox box;

  @BeforeAll
  static void open() throws Exception {
    box = TestBox.open(directory);
  }

  @AfterAll
  static void close() {
    if (box != null) {
      box.close();
    }
  }

  private static long ask(TestPython python, String code) throws Exception {
    return Long.parseLong(python.ask("say(" + code + ")"));
  }

  private static String now(int clock) {
    return "time.clock_gettime_ns(" + clock + ")";
  }

  private static void letTimeGoBy(TestPython python) throws Exception {
    long from = ask(python, now(1));
    String wait = "exec(\"while time.monotonic_ns()<" + (from + GONE_BY) + ": pass\")";
    assertThat(python.ask(wait + "; say('x')")).isEqualTo("x");
  }

  @Test
  void restore_timeGoneBySince_clocksGoOnFromTheSnapshot() throws Exception {
    try (Sandbox source = box.create(SandboxSpec.defaults())) {
      TestPython python = TestPython.start(source, 0);
      long monotonic = ask(python, now(1));
      long bootTime = ask(python, now(7));
      Snapshot then = source.checkpoint("then");
      letTimeGoBy(python);
      try (Sandbox made = box.restore(then, null)) {
        TestPython again = python.in(made);
        goesOn(ask(again, now(1)), monotonic, ask(python, now(1)));
        goesOn(ask(again, now(7)), bootTime, ask(python, now(7)));
        assertThat(ask(again, now(0))).isGreaterThan(ask(python, now(0)) - GONE_BY);
        ExecResult other =
            made.exec("/usr/bin/python3", "-c", "import time; print(time.monotonic_ns())");
        goesOn(Long.parseLong(other.stdout().strip()), monotonic, ask(python, now(1)));
        rollBackAndMakeAgain(again, made);
      }
    }
  }

  /** Not back, and behind the clock of the sandbox in which time has gone by since. */
  private static void goesOn(long found, long then, long elsewhere) {
    assertThat(found).isGreaterThanOrEqualTo(then).isLessThanOrEqualTo(elsewhere - GONE_BY);
  }

  /** A rollback does not turn clocks back, but what is made of its snapshots goes on from them. */
  private static void rollBackAndMakeAgain(TestPython python, Sandbox source) throws Exception {
    long then = ask(python, now(1));
    Snapshot later = source.checkpoint("later");
    letTimeGoBy(python);
    python.exec().kill();
    assertThat(source.rollback(later).processesMade()).isEqualTo(2);
    assertThat(ask(python, now(1))).isGreaterThan(then + GONE_BY);
    try (Sandbox made = box.restore(later, null)) {
      goesOn(ask(python.in(made), now(1)), then, ask(python, now(1)));
    }
  }

  @Test
  void restore_timersAtAMoment_keepTheirMoment() throws Exception {
    String left =
        "(libc.timerfd_gettime(FD,buffer),int.from_bytes(buffer[16:24],'little')*10**9"
            + "+int.from_bytes(buffer[24:32],'little'))[1]";
    try (Sandbox source = box.create(SandboxSpec.defaults())) {
      TestPython python = TestPython.start(source, 0);
      assertThat(
              python.ask(
                  "buffer=ctypes.create_string_buffer(32); fds={c:libc.timerfd_create(c,0) for c in"
                      + " (1,7)}; ends={c:time.clock_gettime_ns(c)//10**9+1000 for c in (1,7)};"
                      + " [libc.timerfd_settime(fds[c],1,struct.pack('qqqq',0,0,ends[c],0),None)"
                      + " for c in (1,7)]; say('x')"))
          .isEqualTo("x");
      Snapshot then = source.checkpoint("then");
      letTimeGoBy(python);
      try (Sandbox made = box.restore(then, null)) {
        for (int clock : new int[] {1, 7}) {
          String due = left.replace("FD", "fds[" + clock + "]") + "+" + now(clock);
          long differs = ask(python.in(made), due + "-ends[" + clock + "]*10**9");
          assertThat(differs).isBetween(-GONE_BY / 2, GONE_BY / 2);
        }
      }
    }
  }
}
