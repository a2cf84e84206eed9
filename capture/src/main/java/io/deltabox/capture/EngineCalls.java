package io.deltabox.capture;

/**
 * The functions of the process engine; see {@code lib/window.c} and {@code lib/restore.c} for what
 * each needs and leaves. Public because the binding defines its implementation in a class loader of
 * its own.
 */
public interface EngineCalls {
  long dbx_engine_open(int init, int channel, int without);

  void dbx_engine_close(long handle);

  int dbx_engine_checkpoint(long handle, long request, long window);

  int dbx_engine_freeze(long handle, long request, long window);

  int dbx_engine_thaw(long handle);

  void dbx_engine_calm(long handle);

  int dbx_engine_pace(long handle, int on);

  int dbx_engine_prepare(long handle, long pids, int cap);

  long dbx_engine_precopy(long handle, int pid, long arena, long bytes);

  void dbx_engine_acknowledge(long handle);

  int dbx_engine_settle(long handle);

  int dbx_file_identities(int pid, long paths, int count, long to);

  long dbx_engine_scratch(long handle, int pid);

  int dbx_engine_pidfd(long handle, int pid);

  int dbx_engine_run(long handle, int pid, int tid, int count);

  long dbx_engine_injected(long handle, int pid);

  int dbx_engine_end_process(long handle, int pid);

  int dbx_engine_end_thread(long handle, int pid, int tid);

  int dbx_engine_make_thread(long handle, int pid, int inner, long record);

  int dbx_engine_set_thread(long handle, int pid, int tid, long record);

  long dbx_engine_write_pages(long handle, int pid, long pairs, long count);

  int dbx_engine_track(long handle, int pid, long start, long end);

  long dbx_engine_fill_pages(long handle, int pid, long pairs, long count);

  long dbx_engine_regions(long handle, int pid, long arena, long bytes);

  int dbx_engine_quiet(long handle, int on);

  long dbx_engine_look(long handle, int pid, int all, long arena, long bytes);

  int dbx_engine_job(long handle, int pid, int stopped);

  int dbx_engine_rearm(long handle, int pid);

  int dbx_engine_reap(long handle);

  int dbx_engine_fork(long handle, int pid, int inner, int exitSignal);

  int dbx_engine_stub(long handle, int inner, int cgroup);

  long dbx_engine_follow(long handle, int pid);

  int dbx_engine_exec(long handle, int pid, int count);

  long dbx_engine_read(long handle, int pid, long arena, long bytes);

  int dbx_engine_let_exit(long handle, int pid, int signal, int code);

  int dbx_nice_set(int tid, int nice);

  int dbx_affinity_set(int tid, long mask, int bytes);

  int dbx_object_open(int pid, long start, long end);

  int dbx_object_again(int file, int writable);

  int dbx_object_steal(int pidfd, int number);

  int dbx_object_make(long name, long bytes, long identity);

  int dbx_object_write(int file, long offset, long from, long bytes);

  int dbx_object_clear(int file, long offset, long bytes);

  int dbx_object_resize(int file, long bytes);

  int dbx_object_close(int file);

  int dbx_limit_set(int pid, int resource, long soft, long hard);
}
