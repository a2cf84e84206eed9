package io.deltabox;

import java.util.LinkedHashMap;
import java.util.Map;

/** The environment commands start with. Nothing of the daemon's own goes in. */
final class Environment {
  static final String PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

  private Environment() {}

  static Map<String, String> of(SandboxSpec sandbox, Accounts accounts, ExecSpec exec) {
    Map<String, String> env = new LinkedHashMap<>();
    env.put("PATH", PATH);
    env.put("HOME", accounts.home(exec.uid()));
    env.put("USER", accounts.login(exec.uid()));
    env.put("LOGNAME", accounts.login(exec.uid()));
    env.put("SHELL", accounts.shell());
    env.put("LANG", "C.UTF-8");
    if (exec.tty() != null) {
      env.put("TERM", "xterm-256color");
    }
    env.putAll(sandbox.env());
    env.putAll(exec.env());
    return env;
  }
}
