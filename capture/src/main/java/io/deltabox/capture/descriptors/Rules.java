package io.deltabox.capture.descriptors;

import io.deltabox.capture.CaptureException;
import java.io.IOException;
import java.util.EnumMap;
import java.util.Map;

/** The rules of every kind, for one run. */
final class Rules {
  private final Map<FileKind, KindRules> rules = new EnumMap<>(FileKind.class);

  Rules() {
    KindRules named = new NamedRules();
    KindRules device = new DeviceRules();
    KindRules orphan = new OrphanRules();
    KindRules sockets = new SocketRules();
    for (FileKind kind : FileKind.values()) {
      rules.put(
          kind,
          switch (kind) {
            case REGULAR, DIRECTORY, PATH, FIFO -> named;
            case ORPHAN, MEMFD -> orphan;
            case DEVICE -> device;
            case PIPE -> new PipeRules();
            case EVENTFD -> new EventRules();
            case EPOLL -> new EpollRules();
            case TIMERFD -> new TimerRules();
            case SIGNALFD -> new SignalRules();
            case PIDFD -> new PidfdRules();
            case INOTIFY -> new InotifyRules();
            case SOCKET -> sockets;
            case PTY_MASTER -> new MasterRules();
            case TTY, PTY_SLAVE -> new TerminalRules();
            case UNKNOWN -> new UnknownRules();
          });
    }
  }

  KindRules of(OpenFile file) {
    KindRules found = rules.get(file.kind());
    if (found == null) {
      throw new IllegalStateException("no rules: kind=" + file.kind());
    }
    return found;
  }

  /** Whether inode numbers tell objects of a kind apart and no path leads there. */
  boolean isUnique(FileKind kind) {
    return switch (kind) {
      case ORPHAN, MEMFD, PIPE, SOCKET -> true;
      case REGULAR,
          DIRECTORY,
          DEVICE,
          TTY,
          PTY_MASTER,
          PTY_SLAVE,
          FIFO,
          EVENTFD,
          EPOLL,
          TIMERFD,
          SIGNALFD,
          INOTIFY,
          PIDFD,
          PATH,
          UNKNOWN ->
          false;
    };
  }

  /** What is refused at a checkpoint; here only kept if nothing says it is another. */
  private static final class UnknownRules implements KindRules {
    @Override
    public boolean same(OpenFile current, OpenFile target, Run run) {
      return current.key().equals(target.key()) && current.link().equals(target.link());
    }

    @Override
    public boolean differs(OpenFile current, OpenFile target, Run run) {
      return false;
    }

    @Override
    public void edit(int fd, OpenFile current, OpenFile target, Run run) {}

    @Override
    public int make(OpenFile target, Run run) throws IOException {
      throw new CaptureException("make again failed: unsupported descriptor, " + target);
    }
  }
}
