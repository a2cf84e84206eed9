package io.deltabox.cli.daemon;

import io.deltabox.linux.NativeLibrary;

/** Functions of {@code command.c}; descriptors are plain numbers owned by the caller. */
public interface CommandFunctions {
  CommandFunctions NATIVE = NativeLibrary.bind(CommandFunctions.class);

  int dbx_command_listen(String path);

  int dbx_command_accept(int listener);

  long dbx_command_receive(int fd, long buffer, long cap, long fds, long fdCap);

  long dbx_command_read(int fd, int cancel, long buffer, long cap);

  long dbx_command_write(int fd, int cancel, long buffer, long len);

  int dbx_command_canceller();

  int dbx_command_cancel(int cancel);

  int dbx_command_shutdown(int fd);

  int dbx_command_close(int fd);

  int dbx_command_redirect(String path, int fd);
}
