package io.deltabox.capture.descriptors;

/** Functions of {@code fds.h}. */
public interface FdsFunctions {
  void dbx_fds_begin(long context);

  long dbx_fds_context_bytes();

  int dbx_fds_window(int pid, int pidfd, int mainTid, long arena, long context);

  long dbx_fds_call(long number, long a, long b, long c, long d);

  int dbx_fds_link(int directory, long from, long to);

  int dbx_fds_stat(int fd, long out);

  int dbx_fds_send(int socket, long fds, int count);

  int dbx_fds_set_option(int socket, int level, int name, int value);

  int dbx_fds_set_option_data(int socket, int level, int name, long data, int len);

  int dbx_fds_destroy(int pid, long local, long remote);

  long dbx_fds_push(int socket, long data, long len);

  long dbx_fds_drain(int socket, long buffer, long len);
}
