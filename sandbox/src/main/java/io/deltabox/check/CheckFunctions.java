package io.deltabox.check;

/** Functions of {@code check.h}. */
public interface CheckFunctions {
  long dbx_check_pages(long request);

  long dbx_check_walk(long request);

  int dbx_check_thread(int tid, long out);

  int dbx_check_descriptor(int pid, int fd, int content, long out);

  int dbx_check_compare_files(int pid, int fd, int otherPid, int otherFd);
}
