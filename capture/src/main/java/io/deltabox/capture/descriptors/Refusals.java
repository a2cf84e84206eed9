package io.deltabox.capture.descriptors;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** What of a table cannot be checkpointed. */
public final class Refusals {
  private static final String CLOSE = "close it or end the process before the checkpoint";
  private static final String AGAIN = "let the program go on and checkpoint again";

  private static final Map<String, String> ANONYMOUS =
      Map.of(
          "anon_inode:[io_uring]", "io_uring shares memory with the kernel that cannot be followed",
          "anon_inode:[userfaultfd]",
              "a program that handles its own page faults cannot be tracked",
          "anon_inode:[fanotify]", "fanotify queues cannot be read without losing them",
          "anon_inode:[perf_event]", "performance counters cannot be put back",
          "anon_inode:[landlock-ruleset]", "a landlock ruleset cannot be read",
          "anon_inode:seccomp notify", "a seccomp listener cannot be made again");

  private final DescriptorTable table;
  private final List<Refusal> found = new ArrayList<>();

  private Refusals(DescriptorTable table) {
    this.table = table;
  }

  /** All of it, in order of processes; empty if the table can be put back. */
  public static List<Refusal> of(DescriptorTable table) {
    Refusals refusals = new Refusals(table);
    refusals.troubles();
    for (OpenFile file : table.files()) {
      refusals.check(file);
    }
    return List.copyOf(refusals.found);
  }

  private void check(OpenFile file) {
    if (Locks.Lock.of(file.info()).stream().anyMatch(lock -> lock.kind().equals("LEASE"))) {
      add(file, "a lease on a file cannot be taken again without its history", CLOSE);
    }
    switch (file.kind()) {
      case UNKNOWN ->
          add(
              file,
              ANONYMOUS.getOrDefault(file.link(), "this kind of descriptor is not supported"),
              CLOSE);
      case SOCKET -> socket(file);
      case EPOLL -> epoll(file);
      case REGULAR,
          ORPHAN,
          MEMFD,
          DIRECTORY,
          DEVICE,
          TTY,
          PTY_MASTER,
          PTY_SLAVE,
          PIPE,
          FIFO,
          EVENTFD,
          TIMERFD,
          SIGNALFD,
          INOTIFY,
          PIDFD,
          PATH -> {}
    }
  }

  private void epoll(OpenFile set) {
    for (EpollRules.Entry entry : EpollRules.entries(set)) {
      if (EpollRules.holder(table, set, entry) == null) {
        add(
            set,
            "its member " + entry.number() + " is open no longer under that number",
            "remove the member before closing its descriptor");
      }
    }
  }

  private void socket(OpenFile file) {
    SocketState socket = table.socket(file);
    if (socket == null) {
      return;
    }
    if (!socket.isUnix() && !socket.isInet() && socket.type().domain() != SocketState.NETLINK) {
      add(file, "sockets of family " + socket.type().domain() + " are not supported", CLOSE);
    }
    if (socket.traffic().passed()) {
      add(file, "descriptors are on their way in its queue", AGAIN);
    }
    if (socket.type().listening() && socket.traffic().pending() + socket.peers().waiting() > 0) {
      add(file, "a connection waits to be accepted", AGAIN);
    }
    if (socket.traffic().inQueue() > 0 && socket.isStream() && socket.queue().isEmpty()) {
      add(file, "what is queued in it cannot be looked at", AGAIN);
    }
    if (socket.isUnix()
        && socket.peers().peer() != 0
        && !SocketRules.isInside(table, socket.peers().peer())) {
      add(file, "its other end is outside the sandbox", CLOSE);
    }
    if (socket.isConnectedTcp()) {
      connection(file, socket);
    }
  }

  /**
   * Bytes that have left one end and have not reached the other are in no queue that can be read.
   * The first acknowledgement of a connection counts one byte that is none.
   */
  private void connection(OpenFile file, SocketState sender) {
    OpenFile peer = SocketRules.tcpPeer(table, sender);
    SocketState receiver = peer == null ? null : table.socket(peer);
    if (receiver == null) {
      return;
    }
    long written = sender.traffic().acked() + sender.traffic().outQueue();
    if (written - receiver.traffic().received() > 1) {
      add(file, "bytes it has sent have not reached the other end", AGAIN);
    }
  }

  private void troubles() {
    Map<Integer, Integer> inner = new HashMap<>();
    for (ProcessFiles process : table.processes().values()) {
      inner.put(process.ids().pid(), process.process());
    }
    for (Trouble trouble : table.contents().troubles()) {
      Slot slot = new Slot(inner.getOrDefault(trouble.pid(), 0), trouble.number());
      OpenFile file = table.at(slot);
      add(slot, file == null ? "unknown" : file.link(), trouble.reason(), CLOSE);
    }
  }

  private void add(OpenFile file, String reason, String wayOut) {
    add(file.slots().first(), file.link(), reason, wayOut);
  }

  private void add(Slot slot, String thing, String reason, String wayOut) {
    ProcessFiles process = table.processes().get(slot.process());
    String program = process == null ? "unknown" : process.exe().path();
    found.add(new Refusal(slot.process(), program, slot.number(), thing, reason, wayOut));
  }
}
