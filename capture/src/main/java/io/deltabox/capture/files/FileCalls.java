package io.deltabox.capture.files;

/**
 * Functions of {@code files*.c}. Names are addresses of bytes ended by a zero. Public only because
 * the binding is generated in another package.
 */
public interface FileCalls {
  int dbx_file_window(long plan, long arena);

  int dbx_file_open(int dir, long name, int flags);

  int dbx_file_close(int fd);

  int dbx_file_stat(int dir, long name, long to);

  int dbx_file_make(int dir, long name, int mode, int major, int minor);

  int dbx_file_symlink(long target, int dir, long name);

  int dbx_file_link(int fromDir, long from, int toDir, long to);

  int dbx_file_rename(int fromDir, long from, int toDir, long to);

  int dbx_file_unlink(int dir, long name, int flags);

  int dbx_file_mode(int dir, long name, int mode);

  int dbx_file_owner(int dir, long name, int uid, int gid);

  int dbx_file_times(int dir, long name, long seconds, long nanos);

  int dbx_file_flags(int dir, long name, int mask, int flags);

  int dbx_file_xattr_list(int dir, long name, long scratch, long to, long cap);

  int dbx_file_xattr_set(long path, long attribute, long value, long length);

  int dbx_file_xattr_remove(long path, long attribute);

  int dbx_file_link_target(int dir, long name, long to, long cap);

  int dbx_file_handle(int dir, long name, long to, long cap);

  int dbx_file_open_handle(int mount, long handle, int flags);

  long dbx_file_names(int dir, long to, long cap);

  int dbx_file_track(int fs);

  int dbx_file_clone(int dir, long name);

  int dbx_file_restore(int fd, long wanted);

  int dbx_file_same(int fd, long wanted);

  long dbx_file_holders(long pids, int count, long to, long cap, int without);

  int dbx_file_mount_memory(long bytes);

  int dbx_file_mount_overlay(long lowers, int count, int upper, int work);

  long dbx_file_extents(int fd, long size, long to, long cap);
}
