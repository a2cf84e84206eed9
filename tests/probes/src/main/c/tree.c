/*
 * A process tree that never rests: tree SEED [SESSION]. Every process of it forks, executes itself and other programs, ends, kills, waits, leaves its
 * session and group, becomes an orphan, stops and continues others, passes descriptors on. The first process only gives birth and waits, so that
 * there is always somebody.
 */
#include "probe.h"

#include <dirent.h>
#include <sched.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>

enum { PROCESSES_MAX = 10, CHILDREN_MAX = 4 };

static uint64_t seed;
static pid_t children[CHILDREN_MAX];
static int socket_pair[2] = {-1, -1};
static volatile uint64_t heard;
static char *program;

static void on_signal(int number)
{
	heard += (uint64_t)number;
}

/* Everybody in the sandbox, so that the tree stays small however it is cut into pieces. */
static int processes(void)
{
	DIR *list = opendir("/proc");
	int count = 0;
	if (!list)
		return PROCESSES_MAX;
	for (struct dirent *entry; (entry = readdir(list));)
		count += entry->d_name[0] >= '1' && entry->d_name[0] <= '9';
	closedir(list);
	return count;
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
	int status;
	for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;) {
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

static void new_family(void)
{
	memset(children, 0, sizeof(children));
	if (socket_pair[0] >= 0)
		close(socket_pair[0]), close(socket_pair[1]);
	if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, socket_pair))
		socket_pair[0] = socket_pair[1] = -1;
	seed = (seed ^ (uint64_t)getpid() * UINT64_C(0x9e3779b97f4a7c15)) | 1;
}

static void give_birth(void)
{
	int slot = -1;
	for (int i = 0; i < CHILDREN_MAX; i++)
		if (!children[i])
			slot = i;
	if (slot < 0 || processes() >= PROCESSES_MAX)
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

/* A descriptor goes out on one end and is taken at the other at once: what is on its way cannot be saved. */
static void pass_descriptor(void)
{
	int ends[2];
	char byte = 'x', room[CMSG_SPACE(sizeof(int))] = {0};
	struct iovec part = {&byte, 1};
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof(room)};
	if (socket_pair[0] < 0 || pipe(ends))
		return;
	struct cmsghdr *item = CMSG_FIRSTHDR(&message);
	item->cmsg_level = SOL_SOCKET;
	item->cmsg_type = SCM_RIGHTS;
	item->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(item), &ends[0], sizeof(int));
	if (sendmsg(socket_pair[0], &message, 0) == 1 && recvmsg(socket_pair[1], &message, 0) == 1 && message.msg_controllen >= CMSG_LEN(sizeof(int))) {
		int taken;
		memcpy(&taken, CMSG_DATA(item), sizeof(taken));
		if (taken > 60)
			close(taken);
	}
	close(ends[0]);
	if (ends[1] > 60)
		close(ends[1]);
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
	switch (below(&seed, first ? 7 : 12)) {
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
		if (!first)
			regroup();
		break;
	case 7:
		if (below(&seed, 2))
			setsid();
		break;
	case 8:
		execute();
		break;
	case 9:
		_exit((int)below(&seed, 256));
	case 10: {
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
	if (first) {
		new_family();
		say("ready");
	}
	for (;;) {
		act(first && getpid() == root);
		rest();
	}
}
