package io.deltabox;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;

/** A command that does what a test tells it, line by line: Python, by default process 3. */
record TestPython(Exec exec, InputStream out) {
  /** Runs the lines it is told, in a process that leads no session. */
  private static final String PROGRAM =
      """
      import ctypes,os,struct,subprocess,sys,threading,time
      child=os.fork()
      if child: os.waitpid(child,0); os._exit(0)
      libc=ctypes.CDLL(None,use_errno=True)
      def prctl(*a):
        a=[x if isinstance(x,bytes) else ctypes.c_ulong(x) for x in a]+[ctypes.c_ulong(0)]*(5-len(a))
        if libc.prctl(*a): raise OSError(ctypes.get_errno(),os.strerror(ctypes.get_errno()))
      def install(*code):
        program=b''.join(struct.pack('=HBBI',*one) for one in code)
        keep=ctypes.create_string_buffer(program,len(program))
        prctl(22,2,struct.pack('=HxxxxxxQ',len(code),ctypes.addressof(keep)))
      def caps(effective,permitted,inheritable):
        head,sets=struct.pack('=II',0x20080522,0),struct.pack('=6I',effective,permitted,inheritable,0,0,0)
        if libc.capset(head,sets): raise OSError(ctypes.get_errno())
      def status(name): return [l.split()[1] for l in open('/proc/self/status') if l.startswith(name+':')][0]
      def say(x): print(x,flush=True)
      ALLOW=(6,0,0,0x7fff0000)
      def forbid(*calls):
        code=[(0x20,0,0,0)]
        for call in calls: code+=[(0x15,0,1,call),(6,0,0,0x80000000)]
        prctl(38,1)
        install(*code,ALLOW)
      say('up')
      for line in sys.stdin:
        try: exec(line)
        except Exception as e: say(repr(e))
      """;

  static TestPython start(Sandbox sandbox, int uid) throws IOException {
    return start(sandbox, ExecSpec.builder("/usr/bin/python3", "-c", PROGRAM).user(uid, uid));
  }

  private static TestPython start(Sandbox sandbox, ExecSpec.Builder spec) throws IOException {
    Exec exec = sandbox.start(spec.build());
    TestPython made = new TestPython(exec, exec.stdout());
    assertThat(made.line()).isEqualTo("up");
    return made;
  }

  /** The same command where it goes on in a sandbox made of a snapshot. */
  TestPython in(Sandbox sandbox) throws IOException {
    Exec same = sandbox.exec(exec.id());
    return new TestPython(same, same.stdout());
  }

  /** The line it says after running one. */
  String ask(String code) throws IOException {
    exec.stdin().write((code + "\n").getBytes(StandardCharsets.UTF_8));
    return line();
  }

  private String line() throws IOException {
    StringBuilder answer = new StringBuilder();
    for (int c = out.read(); c != '\n'; c = out.read()) {
      assertThat(c).as("end of output after " + answer).isNotNegative();
      answer.append((char) c);
    }
    return answer.toString();
  }
}
