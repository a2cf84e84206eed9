package io.deltabox;

/** What pid 1 was doing when it failed; numbers of {@code protocol.h}. */
final class InitStage {
  static final int CWD = 38;
  static final int EXEC = 39;

  private static final String[] SETUP = {
    "?",
    "make namespaces",
    "write the id maps",
    "join the cgroups",
    "make mounts private",
    "mount /proc",
    "enter the root file system",
    "mount /dev",
    "mount /dev/shm",
    "mount an exposed path",
    "limit /proc",
    "forbid namespaces inside",
    "set the host name",
    "bring up loopback",
    "set resource limits",
    "serve",
    "set the clocks"
  };

  private static final String[] COMMAND = {
    "start a process",
    "read the command",
    "take the terminal",
    "place input and output",
    "set user and rights",
    "install the system call filter",
    "enter the working directory",
    "run the program"
  };

  private static final int COMMAND_FIRST = 32;

  private InitStage() {}

  static String text(int stage) {
    if (stage >= COMMAND_FIRST && stage - COMMAND_FIRST < COMMAND.length) {
      return COMMAND[stage - COMMAND_FIRST];
    }
    return stage >= 0 && stage < SETUP.length ? SETUP[stage] : "stage " + stage;
  }
}
