/*
 * The life of pid 1: start commands, reap, report ends, answer the engine. One thread, one poll.
 *
 * A command's end is kept in its table entry until it could be sent, so pid 1 never waits for a daemon that does not read; while quiet nothing is
 * sent at all. The table is bounded by COMMANDS_MAX.
 */
#include "init/init.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define COMMANDS_MAX 4096

struct entry {
	uint32_t exec;
	pid_t pid;
	int ended;
	int status;
	/* A process that a rollback made again; no command until it is adopted. */
	int unclaimed;
};

struct server {
	int last_pid_fd;
	int quiet;
	uint32_t generation;
	int count;
	int unsent;
	struct entry entries[COMMANDS_MAX];
};

static struct init_message message_of(const struct server *server, uint32_t kind, uint32_t exec)
{
	return (struct init_message){.kind = kind, .exec = exec, .generation = server->generation};
}

static void forget(struct server *server, int index)
{
	server->entries[index] = server->entries[--server->count];
}

/* Sends the ends not yet sent, as far as the socket takes them. */
static void flush(struct server *server)
{
	for (int i = 0; !server->quiet && server->unsent && i < server->count;) {
		struct entry *entry = &server->entries[i];
		if (!entry->ended || entry->unclaimed) {
			i++;
			continue;
		}
		struct init_message message = message_of(server, INIT_EXITED, entry->exec);
		message.pid = entry->pid;
		message.status = entry->status;
		if (DBX_RETRY(send(INIT_FD_CONTROL, &message, sizeof message, MSG_DONTWAIT | MSG_NOSIGNAL)) < 0)
			return;
		server->unsent--;
		forget(server, i);
	}
}

static void mark_ended(struct server *server, pid_t pid, int status)
{
	for (int i = 0; i < server->count; i++) {
		struct entry *entry = &server->entries[i];
		if (entry->pid == pid && !entry->ended) {
			entry->ended = 1;
			entry->status = status;
			server->unsent += !entry->unclaimed;
			return;
		}
	}
}

/* Children that made pid 1 their tracer (PTRACE_TRACEME) show their stops here: they are let go, or anybody could feign an end. */
static void reap(struct server *server)
{
	int status;
	for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG | __WALL)) > 0;) {
		if (WIFSTOPPED(status))
			(void)ptrace(PTRACE_DETACH, pid, NULL, (void *)(uintptr_t)WSTOPSIG(status));
		else
			mark_ended(server, pid, status);
	}
	flush(server);
}

static void drop_ended(struct server *server)
{
	for (int i = 0; i < server->count;) {
		if (server->entries[i].ended && !server->entries[i].unclaimed)
			forget(server, i);
		else
			i++;
	}
	server->unsent = 0;
}

static void start(struct server *server, const struct command *command)
{
	uint32_t stage = STAGE_FORK;
	pid_t pid = server->count < COMMANDS_MAX ? command_start(command, &stage) : -EAGAIN;
	struct init_message message = message_of(server, pid < 0 ? INIT_FAILED : INIT_STARTED, command->request.exec);
	if (pid < 0) {
		message.stage = stage;
		message.status = -pid;
	} else {
		message.pid = pid;
		server->entries[server->count++] = (struct entry){.exec = command->request.exec, .pid = pid};
	}
	(void)init_send(INIT_FD_CONTROL, &message, -1);
}

static void adopt(struct server *server, uint32_t exec, pid_t pid)
{
	for (int i = 0; i < server->count; i++) {
		struct entry *known = &server->entries[i];
		if (known->unclaimed && known->pid == pid) {
			known->exec = exec;
			known->unclaimed = 0;
			server->unsent += known->ended;
			return;
		}
		if (!known->unclaimed && known->exec == exec && !known->ended)
			return;
	}
	if (server->count == COMMANDS_MAX)
		return;
	struct entry *entry = &server->entries[server->count++];
	*entry = (struct entry){.exec = exec, .pid = pid};
	/* It may have ended between the thaw and this message, reaped as nobody's. */
	siginfo_t info = {0};
	if (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT)) {
		entry->ended = 1;
		entry->status = -1;
		server->unsent++;
	}
}

static void signal_command(const struct server *server, uint32_t exec, int number)
{
	for (int i = 0; i < server->count; i++)
		if (server->entries[i].exec == exec && !server->entries[i].ended && !server->entries[i].unclaimed)
			(void)kill(server->entries[i].pid, number);
}

static void close_all(int *fds, int count)
{
	for (int i = 0; i < count; i++)
		close(fds[i]);
}

/* The descriptors of a message into fds (at most max); their count. */
static int take_rights(struct msghdr *header, int *fds, int max)
{
	int count = 0;
	for (struct cmsghdr *item = CMSG_FIRSTHDR(header); item; item = CMSG_NXTHDR(header, item)) {
		if (item->cmsg_level != SOL_SOCKET || item->cmsg_type != SCM_RIGHTS)
			continue;
		int here = (int)((item->cmsg_len - CMSG_LEN(0)) / sizeof(int));
		for (int i = 0; i < here && count < max; i++)
			memcpy(&fds[count++], CMSG_DATA(item) + (size_t)i * sizeof(int), sizeof(int));
	}
	return count;
}

/* One request of the daemon; 0 when it has gone. */
static int handle_control(struct server *server)
{
	struct command command = {.cgroup = -1};
	int fds[5];
	struct iovec part = {.iov_base = &command.request, .iov_len = sizeof command.request};
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(sizeof fds)];
	} rights;
	struct msghdr header = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = rights.room, .msg_controllen = sizeof rights.room};
	ssize_t size = DBX_RETRY(recvmsg(INIT_FD_CONTROL, &header, MSG_CMSG_CLOEXEC));
	if (size <= 0)
		return 0;
	int count = take_rights(&header, fds, 5);
	const struct init_request *request = &command.request;
	if (request->op == INIT_OP_START && count == 4 + !!(request->flags & INIT_FLAG_CGROUP)) {
		command.payload = fds[0];
		memcpy(command.stdio, fds + 1, sizeof command.stdio);
		command.cgroup = count == 5 ? fds[4] : -1;
		start(server, &command);
	} else if (request->op == INIT_OP_ADOPT) {
		adopt(server, request->exec, (pid_t)request->value);
	} else if (request->op == INIT_OP_SIGNAL) {
		signal_command(server, request->exec, (int)request->value);
	}
	close_all(fds, count);
	return 1;
}

static pid_t stub(struct server *server, uint32_t number, int cgroup)
{
	pid_t pid = server->count < COMMANDS_MAX ? stub_start(server->last_pid_fd, number, cgroup) : -EAGAIN;
	if (pid > 0)
		server->entries[server->count++] = (struct entry){.pid = pid, .unclaimed = 1};
	return pid;
}

/* What an earlier rollback made and nobody claimed has no one to tell its end to. */
static int quiet_on(struct server *server)
{
	server->quiet = 1;
	for (int i = 0; i < server->count;) {
		if (server->entries[i].unclaimed)
			forget(server, i);
		else
			i++;
	}
	return 0;
}

static int quiet_off(struct server *server, uint32_t drop)
{
	if (drop) {
		drop_ended(server);
		server->generation++;
	}
	server->quiet = 0;
	return 0;
}

static int handle_engine(struct server *server)
{
	struct engine_request request = {0};
	struct engine_reply reply = {.result = -EINVAL};
	int cgroup = -1;
	struct iovec part = {.iov_base = &request, .iov_len = sizeof request};
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(sizeof cgroup)];
	} rights;
	struct msghdr header = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = rights.room, .msg_controllen = sizeof rights.room};
	ssize_t size = DBX_RETRY(recvmsg(INIT_FD_ENGINE, &header, MSG_CMSG_CLOEXEC));
	if (size <= 0)
		return 0;
	int descriptors = take_rights(&header, &cgroup, 1);
	/* A task's number is free only when it has been reaped. */
	reap(server);
	if (size != sizeof request)
		reply.result = -EINVAL;
	else if (request.op == ENGINE_LAST_PID)
		reply.result = last_pid_write(server->last_pid_fd, request.value);
	else if (request.op == ENGINE_PING)
		reply.result = 0;
	else if (request.op == ENGINE_QUIET_ON)
		reply.result = quiet_on(server);
	else if (request.op == ENGINE_QUIET_OFF)
		reply.result = quiet_off(server, request.value);
	else if (request.op == ENGINE_STUB)
		reply.result = stub(server, request.value, cgroup);
	close_all(&cgroup, descriptors);
	reply.value = request.value;
	return DBX_RETRY(send(INIT_FD_ENGINE, &reply, sizeof reply, MSG_NOSIGNAL)) == sizeof reply;
}

void serve(int last_pid_fd)
{
	static struct server server;
	sigset_t every;
	sigfillset(&every);
	sigprocmask(SIG_BLOCK, &every, NULL);
	server.last_pid_fd = last_pid_fd;
	sigset_t child;
	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	int signals = signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK);
	if (signals < 0)
		return;
	for (;;) {
		short control = (short)(server.unsent && !server.quiet ? POLLIN | POLLOUT : POLLIN);
		struct pollfd watched[3] = {
			{.fd = INIT_FD_ENGINE, .events = POLLIN},
			{.fd = INIT_FD_CONTROL, .events = control},
			{.fd = signals, .events = POLLIN},
		};
		struct signalfd_siginfo info;
		if (DBX_RETRY(poll(watched, 3, -1)) < 0)
			return;
		if (watched[0].revents && !handle_engine(&server))
			return;
		if (watched[2].revents)
			while (read(signals, &info, sizeof info) == sizeof info)
				;
		reap(&server);
		if (watched[1].revents & ~POLLOUT && !handle_control(&server))
			return;
	}
}
