package io.deltabox.capture.descriptors;

import io.deltabox.linux.Errno;

/** Something of a process that could not be read while it was stopped. */
record Trouble(int pid, int number, int step, int error) {
  static final int TOO_LARGE = 7;
  static final int PEERS = 8;

  String reason() {
    String what =
        switch (step) {
          case 1 -> "the list of descriptors cannot be read";
          case 2 -> "its status cannot be read";
          case 3 -> "its fdinfo cannot be read";
          case 4 -> "it cannot be borrowed with pidfd_getfd";
          case 5 -> "its content cannot be read";
          case 6 -> "kcmp does not tell who shares it";
          case TOO_LARGE -> "the file has no name and is too large to be copied";
          case PEERS -> "the kernel does not tell the peers of unix sockets";
          case 9 -> "too many open files";
          default -> "step " + step + " failed";
        };
    return step == TOO_LARGE ? what : what + ": " + Errno.text(error);
  }
}
