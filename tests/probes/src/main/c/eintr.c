/*
 * One process per blocking system call that an interruption by a tracer disturbs. None of them may ever see EINTR, because no signal is sent.
 *
 * "ready" once all are blocked; then on "end" each call is ended the proper way and its result printed: "ok CALL" or "BAD CALL ...". With a signal
 * pending that is blocked (variant 1) nothing must change either. Calls with a time-out are made again until the end, and must not return early.
 */
#include "probe.h"

#include <linux/futex.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/msg.h>
#include <sys/select.h>
#include <sys/sem.h>
#include <sys/socket.h>
#include <sys/timerfd.h>

enum call {
	EPOLL_WAIT, EPOLL_PWAIT, POLL, PPOLL, SELECT, NANOSLEEP, CLOCK_ABSOLUTE, FUTEX_TIMED, SIGTIMEDWAIT, SEMTIMEDOP, RECV_TIMED, ACCEPT_TIMED, TIMERFD,
	EVENTFD, INOTIFY, PAUSE, SIGSUSPEND, WAIT4, MSGRCV, FLOCK, PIPE_READ, CALLS
};
static const char *const names[CALLS] = {
	"epoll_wait", "epoll_pwait", "poll", "ppoll", "select", "nanosleep", "clock_nanosleep", "futex", "sigtimedwait", "semtimedop", "recv", "accept",
	"timerfd", "eventfd", "inotify", "pause", "sigsuspend", "wait4", "msgrcv", "flock", "pipe",
};

struct slot {
	pid_t pid;
	volatile int done;
	volatile int interrupted; /* number of EINTR seen */
	volatile int early; /* a time-out that came too soon */
	volatile int rounds;
	volatile long result;
	volatile int error;
};

struct shared {
	volatile int end;
	struct slot slots[2][CALLS];
};
static struct shared *shared;
static char directory[200];

static const struct timespec LONG_TIME = { 0, 700000000 };
static const int LONG_MILLIS = 700;

static void on_usr1(int signal_number)
{
	(void)signal_number;
}

static bool only_by_signal(int call)
{
	return call == PAUSE || call == SIGSUSPEND;
}

/* Objects a call waits on; made before the loop so that a round does nothing else. */
struct objects {
	int epoll, pipe[2], sockets[2], listener, semaphore, queue, event, watch, lock, timer;
	pid_t child;
	int word;
};

static void make_objects(struct objects *o, int call)
{
	struct timeval tv = { 0, LONG_MILLIS * 1000 };
	char path[256];
	o->epoll = epoll_create1(EPOLL_CLOEXEC);
	pipe2(o->pipe, O_CLOEXEC);
	socketpair(AF_UNIX, SOCK_STREAM, 0, o->sockets);
	setsockopt(o->sockets[0], SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	o->listener = socket(AF_INET, SOCK_STREAM, 0);
	listen(o->listener, 1);
	setsockopt(o->listener, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	if (call == SEMTIMEDOP)
		o->semaphore = semget(IPC_PRIVATE, 1, 0600);
	if (call == MSGRCV)
		o->queue = msgget(IPC_PRIVATE, 0600);
	o->event = eventfd(0, EFD_CLOEXEC);
	o->watch = inotify_init1(IN_CLOEXEC);
	o->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
	if (call == WAIT4 || call == FLOCK) {
		snprintf(path, sizeof(path), "%s/lock%d", directory, getpid());
		int ready[2];
		pipe(ready);
		o->child = fork();
		if (o->child == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			int held = open(path, O_RDWR | O_CREAT, 0600);
			flock(held, LOCK_EX);
			write(ready[1], "x", 1);
			while (!shared->end)
				usleep(5000);
			_exit(0);
		}
		char c;
		read(ready[0], &c, 1);
		o->lock = open(path, O_RDWR | O_CREAT, 0600);
	}
}

static long call_once(struct objects *o, int call)
{
	char b[512];
	struct epoll_event event;
	struct pollfd poller = { o->pipe[0], POLLIN, 0 };
	sigset_t set;
	fd_set fds;
	struct timespec at;
	struct timeval tv = { 0, LONG_MILLIS * 1000 };
	struct sembuf down = { 0, -1, 0 };
	struct itimerspec it = { { 0, 0 }, LONG_TIME };
	struct {
		long type;
		char c[8];
	} message;
	switch ((enum call)call) {
	case EPOLL_WAIT: return syscall(SYS_epoll_wait, o->epoll, &event, 1, LONG_MILLIS);
	case EPOLL_PWAIT: return epoll_pwait(o->epoll, &event, 1, LONG_MILLIS, NULL);
	case POLL: return syscall(SYS_poll, &poller, 1, LONG_MILLIS);
	case PPOLL: return ppoll(&poller, 1, &LONG_TIME, NULL);
	case SELECT:
		FD_ZERO(&fds);
		FD_SET(o->pipe[0], &fds);
		return select(o->pipe[0] + 1, &fds, NULL, NULL, &tv);
	case NANOSLEEP: return nanosleep(&LONG_TIME, NULL);
	case CLOCK_ABSOLUTE:
		clock_gettime(CLOCK_MONOTONIC, &at);
		at.tv_sec += (at.tv_nsec + LONG_TIME.tv_nsec) / 1000000000;
		at.tv_nsec = (at.tv_nsec + LONG_TIME.tv_nsec) % 1000000000;
		errno = clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL);
		return errno ? -1 : 0;
	case FUTEX_TIMED: return syscall(SYS_futex, &o->word, FUTEX_WAIT_PRIVATE, 0, &LONG_TIME, NULL, 0);
	case SIGTIMEDWAIT:
		sigemptyset(&set);
		sigaddset(&set, SIGWINCH);
		sigprocmask(SIG_BLOCK, &set, NULL);
		return sigtimedwait(&set, NULL, &LONG_TIME);
	case SEMTIMEDOP: return semtimedop(o->semaphore, &down, 1, &LONG_TIME);
	case RECV_TIMED: return recv(o->sockets[0], b, 1, 0);
	case ACCEPT_TIMED: return accept(o->listener, NULL, NULL);
	case TIMERFD:
		timerfd_settime(o->timer, 0, &it, NULL);
		return read(o->timer, b, 8);
	case EVENTFD: return read(o->event, b, 8);
	case INOTIFY: return read(o->watch, b, sizeof(b));
	case PAUSE: return pause();
	case SIGSUSPEND:
		sigprocmask(SIG_BLOCK, NULL, &set);
		return sigsuspend(&set);
	case WAIT4: return wait4(o->child, NULL, 0, NULL);
	case MSGRCV: return msgrcv(o->queue, &message, sizeof(message.c), 0, 0);
	case FLOCK: return flock(o->lock, LOCK_EX);
	case PIPE_READ: return read(o->pipe[0], b, 1);
	case CALLS: break;
	}
	return -1;
}

static bool is_timed(int call)
{
	return call <= TIMERFD;
}

/* Waits on what only a message from us ends; a helper thread would be seen by wait4, so a helper process ends it. */
static pid_t start_ender(struct objects *o, int call)
{
	char path[256];
	pid_t waiting = getpid();
	snprintf(path, sizeof(path), "%s/watched%d", directory, waiting);
	if (call == INOTIFY) {
		close(open(path, O_CREAT | O_RDWR, 0600));
		inotify_add_watch(o->watch, path, IN_MODIFY);
	}
	pid_t pid = fork();
	if (pid != 0)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	while (!shared->end)
		usleep(5000);
	struct {
		long type;
		char c[8];
	} message = { 1, "x" };
	uint64_t one = 1;
	switch (call) {
	case EVENTFD: write(o->event, &one, 8); break;
	case INOTIFY: {
		int fd = open(path, O_WRONLY);
		write(fd, "x", 1);
		break;
	}
	case MSGRCV: msgsnd(o->queue, &message, sizeof(message.c), 0); break;
	case PIPE_READ: write(o->pipe[1], "x", 1); break;
	case PAUSE: case SIGSUSPEND: kill(waiting, SIGUSR1); break;
	default: break;
	}
	_exit(0);
}

static void wait_in(struct slot *slot, int variant, int call)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	struct objects o = { 0 };
	sigset_t set;
	if (variant == 1) {
		sigemptyset(&set);
		sigaddset(&set, SIGUSR2);
		sigprocmask(SIG_BLOCK, &set, NULL);
		kill(getpid(), SIGUSR2);
	}
	make_objects(&o, call);
	if (!is_timed(call))
		start_ender(&o, call);
	do {
		uint64_t start = nanos();
		long result = call_once(&o, call);
		int error = result < 0 ? errno : 0;
		if (error == EINTR && !(only_by_signal(call) && shared->end))
			slot->interrupted++;
		if (is_timed(call) && nanos() - start < (uint64_t)LONG_TIME.tv_nsec * 95 / 100)
			slot->early++;
		slot->result = result;
		slot->error = error;
		slot->rounds++;
	} while (is_timed(call) && !shared->end);
	slot->done = 1;
	_exit(0);
}

static void report(int variant, int call)
{
	struct slot *s = &shared->slots[variant][call];
	const char *kind = variant ? " with a blocked signal pending" : "";
	if (!s->done)
		say("BAD %s%s: still blocked", names[call], kind);
	else if (s->interrupted || s->early)
		say("BAD %s%s: EINTR %d times, early %d times in %d rounds", names[call], kind, s->interrupted, s->early, s->rounds);
	else
		say("ok %s%s", names[call], kind);
}

int main(int argc, char **argv)
{
	char line[64];
	snprintf(directory, sizeof(directory), "%s", argc > 1 ? argv[1] : "/tmp");
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct sigaction action = { .sa_handler = on_usr1 };
	sigaction(SIGUSR1, &action, NULL);
	for (int variant = 0; variant < 2; variant++) {
		for (int call = 0; call < CALLS; call++) {
			struct slot *slot = &shared->slots[variant][call];
			slot->pid = fork();
			if (slot->pid == 0)
				wait_in(slot, variant, call);
		}
	}
	usleep(300000);
	say("ready");
	do {
		hear(line, sizeof(line));
	} while (strcmp(line, "end") != 0);
	shared->end = 1;
	for (int tries = 0; tries < 400; tries++) {
		int done = 0;
		for (int i = 0; i < 2 * CALLS; i++)
			done += shared->slots[i / CALLS][i % CALLS].done;
		if (done == 2 * CALLS)
			break;
		usleep(10000);
	}
	for (int i = 0; i < 2 * CALLS; i++)
		report(i / CALLS, i % CALLS);
	say("end");
	return 0;
}
