/*
 * A process tree that never rests: tree SEED. Every process of it forks, executes itself and other programs, ends, kills, waits, leaves its session and
 * group, becomes an orphan, stops and continues others, hands descriptors to its relatives and talks to them over inherited pipes and sockets. The
 * first process only gives birth, waits, and kills anybody when there are too many, so that there is always somebody and always room.
 */
#include "probe.h"

#include <dirent.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>

enum { PROCESSES_MAX = 10, CHILDREN_MAX = 4, FDS_MAX = 60 };

/* What a family has in common: both ends of a socket pair and of a pipe. */
struct family {
	int sockets[2];
	int pipe[2];
};

static uint64_t seed;
static pid_t children[CHILDREN_MAX];
static struct family own = {{-1, -1}, {-1, -1}};
static struct family inherited = {{-1, -1}, {-1, -1}};
static volatile uint64_t heard;
static char *program;

static void on_signal(int number)
{
	heard += (uint64_t)number;
}

/* Everybody in the sandbox, so that the tree stays small however it is cut into pieces; one of them by chance. */
static int processes(pid_t *some)
{
	DIR *list = opendir("/proc");
	int count = 0;
	if (!list)
		return PROCESSES_MAX;
	for (struct dirent *entry; (entry = readdir(list));) {
		if (entry->d_name[0] < '1' || entry->d_name[0] > '9')
			continue;
		count++;
		if (some && below(&seed, (uint64_t)count) == 0)
			*some = atoi(entry->d_name);
	}
	closedir(list);
	return count;
}

/* Who sleeps or is stopped and has no parent left that could end it. */
static void cull(void)
{
	pid_t some = 0;
	if (processes(&some) >= PROCESSES_MAX && some > 2 && some != getpid())
		kill(some, below(&seed, 3) ? SIGKILL : SIGCONT);
}

static void rest(void)
{
	struct timespec t = {.tv_nsec = (long)below(&seed, 3000000)};
	nanosleep(&t, NULL);
}

static void forget(pid_t pid)
{
	for (int i = 0; i < CHILDREN_MAX; i++)
		if (children[i] == pid)
			children[i] = 0;
}

static void reap(void)
{
	int status, flags = below(&seed, 2) ? WNOHANG : WNOHANG | WUNTRACED | WCONTINUED;
	for (pid_t pid; (pid = waitpid(-1, &status, flags)) > 0;) {
		if (WIFEXITED(status) || WIFSIGNALED(status))
			forget(pid);
		seed ^= (uint64_t)status << 20;
		if (!seed)
			seed = 1;
	}
}

static pid_t some_child(void)
{
	return children[below(&seed, CHILDREN_MAX)];
}

static void execute(void)
{
	char number[32];
	snprintf(number, sizeof(number), "%llu", (unsigned long long)(roll(&seed) | 1));
	char *self[] = {program, number, "child", NULL};
	char *sleeper[] = {"sleep", number, NULL};
	char *cat[] = {"cat", "/dev/zero", NULL};
	switch (below(&seed, 4)) {
	case 0:
		execv("/bin/sleep", sleeper);
		break;
	case 1: {
		/* Blocks when the pipe is full. */
		int ends[2];
		if (!pipe(ends) && dup2(ends[1], 1) == 1)
			execv("/bin/cat", cat);
		break;
	}
	default:
		execv(program, self);
	}
	_exit(3);
}

static void leave_family(const struct family *family)
{
	for (int end = 0; end < 2; end++) {
		if (family->sockets[end] >= 0)
			close(family->sockets[end]);
		if (family->pipe[end] >= 0)
			close(family->pipe[end]);
	}
}

static void new_family(void)
{
	memset(children, 0, sizeof(children));
	leave_family(&inherited);
	inherited = own;
	if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, own.sockets))
		own.sockets[0] = own.sockets[1] = -1;
	if (pipe2(own.pipe, O_NONBLOCK | O_CLOEXEC))
		own.pipe[0] = own.pipe[1] = -1;
	seed = (seed ^ (uint64_t)getpid() * UINT64_C(0x9e3779b97f4a7c15)) | 1;
}

static void give_birth(void)
{
	int slot = -1;
	for (int i = 0; i < CHILDREN_MAX; i++)
		if (!children[i])
			slot = i;
	if (slot < 0 || processes(NULL) >= PROCESSES_MAX)
		return;
	bool orphan = below(&seed, 5) == 0;
	pid_t pid = fork();
	if (pid > 0) {
		children[slot] = pid;
		return;
	}
	if (pid < 0)
		return;
	new_family();
	if (orphan) {
		if (below(&seed, 2))
			setsid();
		if (fork())
			_exit(0);
		new_family();
	}
}

/* Children and parents alike. */
static const struct family *some_family(void)
{
	return below(&seed, 2) ? &own : &inherited;
}

/* Whatever has been sent there: bytes, or a descriptor, which is kept. */
static void take(int end)
{
	uint64_t word = 0;
	char room[CMSG_SPACE(sizeof(int))] = {0};
	struct iovec part = {&word, sizeof(word)};
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof(room)};
	if (recvmsg(end, &message, MSG_DONTWAIT) < 0)
		return;
	seed = (seed ^ word) | 1;
	if (message.msg_controllen < CMSG_LEN(sizeof(int)))
		return;
	int taken;
	memcpy(&taken, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(taken));
	if (taken > FDS_MAX)
		close(taken);
}

/* Waits a little for a relative to send something. */
static void await_descriptor(void)
{
	struct pollfd ends[2] = {{.fd = own.sockets[1], .events = POLLIN}, {.fd = inherited.sockets[1], .events = POLLIN}};
	if (poll(ends, 2, (int)below(&seed, 8)) <= 0)
		return;
	for (int i = 0; i < 2; i++)
		if (ends[i].revents & POLLIN)
			take(ends[i].fd);
}

/* To whoever waits for it; taken back soon if nobody does, because what is on its way cannot be saved. */
static void pass_descriptor(void)
{
	int ends[2], end = some_family()->sockets[0];
	char byte = 'x', room[CMSG_SPACE(sizeof(int))] = {0};
	struct iovec part = {&byte, 1};
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof(room)};
	if (end < 0 || pipe(ends))
		return;
	struct cmsghdr *item = CMSG_FIRSTHDR(&message);
	item->cmsg_level = SOL_SOCKET;
	item->cmsg_type = SCM_RIGHTS;
	item->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(item), &ends[0], sizeof(int));
	if (sendmsg(end, &message, MSG_DONTWAIT) == 1) {
		struct timespec moment = {.tv_nsec = 50000};
		nanosleep(&moment, NULL);
		take(end == own.sockets[0] ? own.sockets[1] : inherited.sockets[1]);
	}
	close(ends[0]);
	if (ends[1] > FDS_MAX)
		close(ends[1]);
}

/* Some bytes stay in pipes and sockets, for anybody of the family to read. */
static void talk(void)
{
	const struct family *family = some_family();
	uint64_t words[512];
	size_t bytes = (size_t)(1 + below(&seed, sizeof(words)));
	switch (below(&seed, 4)) {
	case 0:
		for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
			words[i] = roll(&seed);
		(void)!write(family->pipe[1], words, bytes);
		break;
	case 1:
		words[0] = 0;
		if (read(family->pipe[0], words, bytes) > 0)
			seed = (seed ^ words[0]) | 1;
		break;
	case 2:
		words[0] = roll(&seed);
		(void)!send(family->sockets[0], words, sizeof(*words), MSG_DONTWAIT);
		break;
	default:
		take(family->sockets[1]);
	}
}

static void signal_child(void)
{
	static const int numbers[] = {SIGKILL, SIGTERM, SIGUSR1, SIGSTOP, SIGCONT, SIGCONT, SIGCONT, SIGSEGV};
	pid_t pid = some_child();
	if (pid > 0)
		kill(pid, numbers[below(&seed, sizeof(numbers) / sizeof(*numbers))]);
}

static void regroup(void)
{
	pid_t pid = some_child();
	if (pid > 0 && below(&seed, 2))
		setpgid(pid, below(&seed, 2) ? pid : getpgrp());
	else
		setpgid(0, 0);
}

static void touch_memory(void)
{
	static char *block;
	size_t bytes = (1 + below(&seed, 8)) * PAGE;
	if (!block)
		block = malloc(16 * PAGE);
	if (block)
		memset(block + below(&seed, 8) * PAGE, (int)roll(&seed), bytes);
	umask((mode_t)below(&seed, 8));
}

static void act(bool first)
{
	switch (below(&seed, first ? 9 : 14)) {
	case 0:
	case 1:
		give_birth();
		break;
	case 2:
		signal_child();
		break;
	case 3:
		reap();
		break;
	case 4:
		pass_descriptor();
		break;
	case 5:
		touch_memory();
		break;
	case 6:
		if (first)
			cull();
		else
			regroup();
		break;
	case 7:
		talk();
		break;
	case 8:
		await_descriptor();
		break;
	case 9:
		if (below(&seed, 2))
			setsid();
		break;
	case 10:
		execute();
		break;
	case 11:
		_exit((int)below(&seed, 256));
	case 12: {
		struct sigaction action = {.sa_handler = below(&seed, 2) ? on_signal : SIG_DFL};
		sigaction(SIGUSR1, &action, NULL);
		break;
	}
	default:
		nice(below(&seed, 4) == 0);
	}
}

int main(int argc, char **argv)
{
	bool first = argc < 3;
	program = argv[0];
	seed = argc > 1 ? strtoull(argv[1], NULL, 10) | 1 : 1;
	pid_t root = getpid();
	signal(SIGUSR1, on_signal);
	/* A group that is orphaned while somebody of it is stopped is sent one, setpgid(2). */
	signal(SIGHUP, on_signal);
	if (first) {
		new_family();
		say("ready");
	}
	for (;;) {
		act(first && getpid() == root);
		rest();
	}
}
