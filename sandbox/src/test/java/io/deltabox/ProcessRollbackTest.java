package io.deltabox;

import static org.assertj.core.api.Assertions.assertThat;

import io.deltabox.ExecStatus.Outcome;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Processes that died, became other programs or went one-way since a snapshot. Every rollback is
 * compared by the independent reader.
 */
@Timeout(240)
final class ProcessRollbackTest {
  private static final String LOOP = "while read -r line; do eval \"$line\"; done";

  @TempDir static Path directory;
  private static DeltaBox box;
  private Sandbox sandbox;
  private Exec shell;
  private InputStream out;

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

  @BeforeEach
  void start() throws Exception {
    sandbox = box.create(SandboxSpec.defaults());
    sandbox.checking(true);
    shell = sandbox.start(ExecSpec.of("bash", "-c", LOOP));
    out = shell.stdout();
  }

  @AfterEach
  void end() {
    sandbox.close();
  }

  private void tell(String line) throws IOException {
    shell.stdin().write((line + "\n").getBytes(StandardCharsets.UTF_8));
  }

  /** What the shell says to a command. */
  private String ask(String line) throws IOException {
    tell(line);
    return line(out);
  }

  @Test
  void rollback_childKilledAndReaped_isThereAgain() throws Exception {
    String pid = ask("(while read -r l < /dev/zero; do :; done) & echo $!");
    Snapshot then = sandbox.checkpoint("then");
    assertThat(ask("kill -9 $!; wait $!; echo $?")).isEqualTo("137");
    for (int round = 0; round < 3; round++) {
      RollbackResult result = sandbox.rollback(then);
      assertThat(result.processesMade()).isEqualTo(1);
      assertThat(result.injected())
          .anySatisfy(
              work -> {
                assertThat(work.pid()).isEqualTo(Integer.parseInt(pid));
                assertThat(work.calls()).isGreaterThan(work.stops()).isGreaterThan(20);
              });
      assertThat(ask("echo $!")).isEqualTo(pid);
      assertThat(ask("kill -0 $! && echo lives")).isEqualTo("lives");
      assertThat(ask("kill -15 $!; wait $!; echo $?")).isEqualTo("143");
    }
    assertThat(shell.status().outcome()).isEqualTo(Outcome.RUNNING);
  }

  /** Of two that hold shared memory, the one with the lower number has to be made again. */
  @Test
  void rollback_firstHolderOfSharedMemoryMadeAgain_leavesItOneObject() throws Exception {
    TestPython python = TestPython.start(sandbox, 0);
    python.ask("import mmap,signal; signal.signal(10,lambda s,f: prctl(38,1)); say('ready')");
    python.ask(
        "m=os.memfd_create('m'); os.ftruncate(m,4096);"
            + " exec('x=os.fork()\\nwhile not x: signal.pause()'); say(x)");
    python.ask("c=os.fork(); say('me') if not c else (os.close(m),os.waitpid(c,0))");
    python.ask("r=mmap.mmap(m,4096); r[0:1]=b'a'; say('mapped')");
    Snapshot then = sandbox.checkpoint("then");
    python.ask(
        "r.close(); os.kill(x,10);"
            + " exec('while \"NoNewPrivs:\\\\t1\" not in open(f\"/proc/{x}/status\").read():"
            + " time.sleep(0.01)'); say('bound')");
    RollbackResult result = sandbox.rollback(then);
    assertThat(result.rebuilt()).isFalse();
    assertThat(result.processesMade()).isEqualTo(1);
    assertThat(python.ask("os.pwrite(m,b'b',0); say(r[0:1].decode())")).isEqualTo("b");
  }

  @Test
  void rollback_processMadeAgainBefore_isEditedLikeAnyOther() throws Exception {
    String pid = ask("(while read -r l < /dev/zero; do :; done) & echo $!");
    Snapshot then = sandbox.checkpoint("then");
    assertThat(ask("kill -9 $!; wait $!; echo $?")).isEqualTo("137");
    assertThat(sandbox.rollback(then).processesMade()).isEqualTo(1);
    Snapshot again = sandbox.checkpoint("again");
    assertThat(sandbox.rollback(then).processesMade()).isZero();
    assertThat(sandbox.rollback(again).processesMade()).isZero();
    assertThat(ask("echo $!")).isEqualTo(pid);
    assertThat(ask("kill -0 $! && echo lives")).isEqualTo("lives");
  }

  @Test
  void rollback_otherProgramKilled_isThereAgain() throws Exception {
    String pid = ask("sleep 1000 & echo $!");
    Snapshot then = sandbox.checkpoint("then");
    for (int round = 0; round < 3; round++) {
      assertThat(ask("kill -9 $!; wait $!; echo $?")).isEqualTo("137");
      assertThat(sandbox.rollback(then).processesMade()).isEqualTo(1);
      assertThat(ask("readlink /proc/$!/exe")).isEqualTo("/usr/bin/sleep");
      assertThat(ask("echo $!")).isEqualTo(pid);
    }
  }

  @Test
  void rollback_commandEnded_goesOnUnderItsId() throws Exception {
    assertThat(ask("x=5; sleep 1000 & echo up")).isEqualTo("up");
    Snapshot then = sandbox.checkpoint("then");
    tell("kill $!; exit 3");
    assertThat(shell.waitFor()).isEqualTo(new ExecStatus(Outcome.EXITED, 3));
    for (int round = 0; round < 3; round++) {
      RollbackResult result = sandbox.rollback(then);
      assertThat(result.goesOn()).containsExactly(shell.id());
      assertThat(ask("echo $x")).isEqualTo("5");
      assertThat(ask("kill -0 $! && echo lives")).isEqualTo("lives");
      tell("kill $!; exit 4");
      assertThat(shell.waitFor()).isEqualTo(new ExecStatus(Outcome.EXITED, 4));
    }
  }

  @Test
  void rollback_shellExecedOtherProgram_isTheShellAgain() throws Exception {
    assertThat(ask("x=5; sleep 1000 & echo up")).isEqualTo("up");
    Snapshot then = sandbox.checkpoint("then");
    for (int round = 0; round < 3; round++) {
      tell("exec cat");
      assertThat(ask("hello")).isEqualTo("hello");
      assertThat(sandbox.rollback(then).processesMade()).isZero();
      assertThat(ask("echo $x")).isEqualTo("5");
    }
  }

  @Test
  void rollback_zombie_isAZombieAgain() throws Exception {
    // bash does not wait for a child while it runs a builtin that blocks nothing.
    Exec python =
        sandbox.start(
            ExecSpec.of(
                "python3",
                "-uc",
                """
                import os,signal,sys
                a=os.fork() or os._exit(7)
                b=os.fork() or os.kill(os.getpid(), 15)
                os.waitid(os.P_PID,a,os.WEXITED|os.WNOWAIT)
                os.waitid(os.P_PID,b,os.WEXITED|os.WNOWAIT)
                print('up')
                for line in sys.stdin: print(os.waitpid(a,0)[1], os.waitpid(b,0)[1])
                """));
    InputStream said = python.stdout();
    assertThat(line(said)).isEqualTo("up");
    Snapshot then = sandbox.checkpoint("then");
    for (int round = 0; round < 3; round++) {
      python.stdin().write("go\n".getBytes(StandardCharsets.UTF_8));
      assertThat(line(said)).isEqualTo("1792 15");
      assertThat(sandbox.rollback(then).processesMade()).isEqualTo(2);
    }
  }

  @Test
  void rollback_programWithThreadsKilled_isThereAgain() throws Exception {
    String program =
        """
                import threading,sys,time
                n=[0]
                def run():
                  while True: n[0]+=1; time.sleep(0.001)
                for i in range(3): threading.Thread(target=run,daemon=True).start()
                print('up')
                for line in sys.stdin: print(threading.active_count())
                """;
    Exec python = sandbox.start(ExecSpec.of("python3", "-uc", program));
    InputStream said = python.stdout();
    assertThat(line(said)).isEqualTo("up");
    Snapshot then = sandbox.checkpoint("then");
    for (int round = 0; round < 3; round++) {
      python.kill();
      assertThat(python.waitFor().outcome()).isEqualTo(Outcome.SIGNALED);
      assertThat(sandbox.rollback(then).processesMade()).isEqualTo(1);
      python.stdin().write("go\n".getBytes(StandardCharsets.UTF_8));
      assertThat(line(said)).isEqualTo("4");
    }
  }

  @Test
  void rollback_orphanInLivingSessionKilled_isThereAgain() throws Exception {
    String pid = ask("(sleep 1000 & echo $!)");
    Snapshot then = sandbox.checkpoint("then");
    for (int round = 0; round < 3; round++) {
      assertThat(
              ask(
                  "kill -9 "
                      + pid
                      + "; while kill -0 "
                      + pid
                      + " 2>/dev/null; do :; done; echo gone"))
          .isEqualTo("gone");
      assertThat(sandbox.rollback(then).processesMade()).isEqualTo(1);
      assertThat(ask("kill -0 " + pid + " && echo lives")).isEqualTo("lives");
    }
  }

  @Test
  void rollback_daemonKilled_isThereAgain() throws Exception {
    // Its session has no leader any more: setsid forks where it has to.
    String pid = ask("setsid bash -c 'sleep 1000 & echo $!'");
    Snapshot then = sandbox.checkpoint("then");
    for (int round = 0; round < 3; round++) {
      assertThat(
              ask(
                  "kill -9 "
                      + pid
                      + "; while kill -0 "
                      + pid
                      + " 2>/dev/null; do :; done; echo gone"))
          .isEqualTo("gone");
      assertThat(sandbox.rollback(then).processesMade()).isEqualTo(1);
      assertThat(ask("kill -0 " + pid + " && echo lives")).isEqualTo("lives");
    }
  }

  @Test
  void rollback_sessionLeft_isMadeAgain() throws Exception {
    String program =
        """
                import os,sys
                child=os.fork()
                if child: os.waitpid(child,0); os._exit(0)
                print('up')
                for line in sys.stdin:
                  os.setsid(); print(os.getsid(0)==os.getpid())
                """;
    Exec python = sandbox.start(ExecSpec.of("python3", "-uc", program));
    InputStream said = python.stdout();
    assertThat(line(said)).isEqualTo("up");
    Snapshot then = sandbox.checkpoint("then");
    for (int round = 0; round < 3; round++) {
      python.stdin().write("go\n".getBytes(StandardCharsets.UTF_8));
      assertThat(line(said)).isEqualTo("True");
      assertThat(sandbox.rollback(then).processesMade()).isEqualTo(1);
    }
  }

  @Test
  void rollback_childStoppedOrContinuedSince_tellsItsParentNothing() throws Exception {
    // SIGCHLD is blocked, so that one which should not be there stays for the reader to find.
    String program =
        """
                import os,signal,sys
                signal.pthread_sigmask(signal.SIG_BLOCK,[signal.SIGCHLD])
                child=os.fork()
                while not child: signal.pause()
                print('up')
                for line in sys.stdin:
                  os.kill(child,signal.SIGSTOP if 's' in line else signal.SIGCONT)
                  os.waitpid(child,os.WUNTRACED|os.WCONTINUED)
                  signal.sigtimedwait([signal.SIGCHLD],1)
                  print(line.strip())
                """;
    Exec python = sandbox.start(ExecSpec.of("python3", "-uc", program));
    InputStream said = python.stdout();
    assertThat(line(said)).isEqualTo("up");
    Snapshot running = sandbox.checkpoint("running");
    python.stdin().write("s\n".getBytes(StandardCharsets.UTF_8));
    assertThat(line(said)).isEqualTo("s");
    Snapshot stopped = sandbox.checkpoint("stopped");
    for (int round = 0; round < 3; round++) {
      sandbox.rollback(running);
      sandbox.rollback(stopped);
      python.stdin().write("c\n".getBytes(StandardCharsets.UTF_8));
      assertThat(line(said)).isEqualTo("c");
      sandbox.rollback(stopped);
    }
  }

  @Test
  void rollback_zombieInGroupWithoutLeader_isThereAgain() throws Exception {
    String program =
        """
                import os,signal,sys
                def child():
                  r,w=os.pipe(); p=os.fork()
                  if not p: os.close(w); os.read(r,1); os._exit(5)
                  os.close(r)
                  return p,w
                a,go_a=child(); b,go_b=child()
                os.setpgid(a,a); os.setpgid(b,a)
                os.write(go_a,b'x'); os.waitpid(a,0)
                os.write(go_b,b'x'); os.waitid(os.P_PID,b,os.WEXITED|os.WNOWAIT)
                print('up')
                for line in sys.stdin: print(os.waitpid(b,0)[1])
                """;
    Exec python = sandbox.start(ExecSpec.of("python3", "-uc", program));
    InputStream said = python.stdout();
    assertThat(line(said)).isEqualTo("up");
    Snapshot then = sandbox.checkpoint("then");
    for (int round = 0; round < 3; round++) {
      python.stdin().write("go\n".getBytes(StandardCharsets.UTF_8));
      assertThat(line(said)).isEqualTo("1280");
      assertThat(sandbox.rollback(then).processesMade()).isEqualTo(1);
    }
  }

  @Test
  void rollback_orphanWhoseSessionLeaderIsAZombie_isThereAgain() throws Exception {
    String program =
        """
                import os,signal,sys
                r,w=os.pipe(); leader=os.fork()
                if not leader:
                  os.setsid()
                  if os.fork(): os._exit(6)
                  os.setpgid(0,0); os.write(w,str(os.getpid()).encode()); signal.pause()
                orphan=int(os.read(r,9))
                os.waitid(os.P_PID,leader,os.WEXITED|os.WNOWAIT)
                def gone():
                  try: os.kill(orphan,0)
                  except OSError: return True
                print('up')
                for line in sys.stdin:
                  os.kill(orphan,9)
                  while not gone(): pass
                  print('gone')
                """;
    Exec python = sandbox.start(ExecSpec.of("python3", "-uc", program));
    InputStream said = python.stdout();
    assertThat(line(said)).isEqualTo("up");
    Snapshot then = sandbox.checkpoint("then");
    for (int round = 0; round < 3; round++) {
      python.stdin().write("go\n".getBytes(StandardCharsets.UTF_8));
      assertThat(line(said)).isEqualTo("gone");
      RollbackResult result = sandbox.rollback(then);
      assertThat(result.processesMade()).isEqualTo(2);
    }
  }

  @Test
  void rollback_pipeOfOneMadeAgainWhoLives_isFilledAgain() throws Exception {
    // Nobody else holds the pipe: it goes with the one who ends, and was full until then.
    String program =
        """
                import os,signal,sys
                ready,up=os.pipe(); child=os.fork()
                if not child:
                  signal.signal(signal.SIGUSR1,lambda *_:(os.setsid(),os.write(up,b's')))
                  r,w=os.pipe(); os.write(w,b'x'*60000); os.write(up,b'u')
                  while True: signal.pause()
                os.read(ready,1)
                print('up')
                for line in sys.stdin: os.kill(child,signal.SIGUSR1); print(os.read(ready,1).decode())
                """;
    Exec python = sandbox.start(ExecSpec.of("python3", "-uc", program));
    InputStream said = python.stdout();
    assertThat(line(said)).isEqualTo("up");
    Snapshot then = sandbox.checkpoint("then");
    for (int round = 0; round < 3; round++) {
      python.stdin().write("go\n".getBytes(StandardCharsets.UTF_8));
      assertThat(line(said)).isEqualTo("s");
      assertThat(sandbox.rollback(then).processesMade()).isEqualTo(1);
    }
  }

  @Test
  void rollback_userGivenUp_isRootAgain() throws Exception {
    String program =
        """
                import os,sys
                print('up')
                for line in sys.stdin:
                  print(os.getuid())
                  os.setresuid(1000,1000,1000)
                  print(os.getuid())
                """;
    Exec python = sandbox.start(ExecSpec.of("python3", "-uc", program));
    InputStream said = python.stdout();
    assertThat(line(said)).isEqualTo("up");
    Snapshot then = sandbox.checkpoint("then");
    for (int round = 0; round < 3; round++) {
      python.stdin().write("go\n".getBytes(StandardCharsets.UTF_8));
      assertThat(line(said)).isEqualTo("0");
      assertThat(line(said)).isEqualTo("1000");
      assertThat(sandbox.rollback(then).processesMade()).isEqualTo(1);
    }
  }

  @Test
  void rollback_userCommandEnded_isThatUserAgain() throws Exception {
    Exec cat = sandbox.start(ExecSpec.builder("cat").user(1000, 1000).build());
    cat.stdin().write("a\n".getBytes(StandardCharsets.UTF_8));
    InputStream said = cat.stdout();
    assertThat(line(said)).isEqualTo("a");
    Snapshot then = sandbox.checkpoint("then");
    for (int round = 0; round < 3; round++) {
      cat.kill();
      assertThat(cat.waitFor().outcome()).isEqualTo(Outcome.SIGNALED);
      assertThat(sandbox.rollback(then).processesMade()).isEqualTo(1);
      cat.stdin().write("b\n".getBytes(StandardCharsets.UTF_8));
      assertThat(line(said)).isEqualTo("b");
    }
  }

  private static String line(InputStream in) throws IOException {
    StringBuilder answer = new StringBuilder();
    for (int c = in.read(); c != '\n'; c = in.read()) {
      assertThat(c).as("end of output after " + answer).isNotNegative();
      answer.append((char) c);
    }
    return answer.toString();
  }
}
