package io.deltabox;

import io.deltabox.linux.NativeLibrary;

/** Functions of {@code sandbox_mount.c}, {@code sandbox_spawn.c} and {@code sandbox_io.c}. */
final class SandboxFunctions {
  private static final Calls BOUND = NativeLibrary.bind(Calls.class);

  private SandboxFunctions() {}

  static Calls get() {
    return BOUND;
  }

  /** Public for the binding, which generates a class in another loader. */
  public interface Calls {

    int dbx_sandbox_tmpfs(long bytes, long inodes, int mode, int attributes);

    int dbx_sandbox_devpts();

    int dbx_sandbox_overlay(long lowers, int count, int upper, int work, int attributes);

    int dbx_sandbox_clone(int directory, String path, int recursive, int attributes);

    int dbx_sandbox_attributes(int mount, int attributes);

    int dbx_sandbox_open(int directory, String path, int flags);

    int dbx_sandbox_device(int directory, String name, int mode, int major, int minor);

    int dbx_sandbox_directory(int directory, String path, int mode, int uid, int gid);

    int dbx_sandbox_opaque(String path);

    int dbx_sandbox_hide_rest(int layer, String host, long passed, int count);

    long dbx_sandbox_names(String host);

    int dbx_sandbox_watch_names(String host);

    int dbx_sandbox_spawn(String program, long strings, int count, long fds, int fdCount);

    int dbx_sandbox_signal(int pidfd, int signal);

    int dbx_sandbox_reap(int pid);

    int dbx_sandbox_socketpair(long fds);

    int dbx_sandbox_send(int fd, long data, int bytes, long fds, int fdCount);

    int dbx_sandbox_receive(int fd, long data, int bytes, long fds, int timeout);

    int dbx_sandbox_memfd(long data, long bytes);

    int dbx_sandbox_pipe(long fds, int nonblockingEnd);

    int dbx_sandbox_terminal(int devpts, long fds, int rows, int columns, int uid);

    int dbx_sandbox_terminal_number(int terminal);

    int dbx_sandbox_window(int terminal, int rows, int columns);

    int dbx_sandbox_duplicate(int fd);

    int dbx_sandbox_epoll();

    int dbx_sandbox_epoll_set(int epoll, int fd, int events, long key);

    int dbx_sandbox_epoll_wait(int epoll, long out, int max, int timeout);

    int dbx_sandbox_eventfd();

    long dbx_sandbox_read(int fd, long data, long bytes);

    long dbx_sandbox_write(int fd, long data, long bytes);

    int dbx_sandbox_poll(int fd, int events, int timeout);

    int dbx_sandbox_close(int fd);

    int dbx_sandbox_uid();
  }
}
