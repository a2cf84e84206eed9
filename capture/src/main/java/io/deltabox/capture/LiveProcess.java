package io.deltabox.capture;

import io.deltabox.linux.ErrnoException;

/** A stopped process of the sandbox with what the freeze found in it. */
final class LiveProcess implements StoppedProcess {
  private final Tracer tracer;
  private final ProcessState state;
  private final WindowRecords.Entry entry;
  private final long local;
  private final int pidfd;

  LiveProcess(Tracer tracer, ProcessState state, WindowRecords.Entry entry) throws ErrnoException {
    this.tracer = tracer;
    this.state = state;
    this.entry = entry;
    long address = tracer.calls.dbx_engine_scratch(tracer.handle(), state.pid());
    this.pidfd = tracer.calls.dbx_engine_pidfd(tracer.handle(), state.pid());
    if (address < 0 && address > -4096) {
      throw new ErrnoException((int) -address, "reach process " + state.label());
    }
    this.local = address;
  }

  ProcessState state() {
    return state;
  }

  WindowRecords.Entry entry() {
    return entry;
  }

  @Override
  public int pid() {
    return state.pid();
  }

  @Override
  public int innerPid() {
    return state.inner();
  }

  @Override
  public int pidfd() {
    return pidfd;
  }

  @Override
  public InjectedBatch inject() {
    return injectIn(0);
  }

  /** A batch for one of its threads, by number in the daemon's namespace. */
  InjectedBatch injectIn(int tid) {
    return new InjectedBatch(tracer, state.pid(), tid, state.scratch(), local);
  }
}
