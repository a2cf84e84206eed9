/*
 * Starts one command: fork, descriptors, terminal, rights, filter, exec. What fails before exec is told through a pipe that exec closes; so when
 * command_start returns a pid the program itself runs.
 */
#include "init/init.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* argv + environment of execve(2) are bounded by the kernel at a quarter of the stack limit, 6 MiB at most. */
#define PAYLOAD_MAX (6u << 20)

struct failure {
	uint32_t stage;
	int32_t error;
};

struct strings {
	char **argv;
	char **envp;
	const char *cwd;
};

/* Cuts the payload into its strings; the daemon wrote it, checks are for accidents. */
static int read_payload(const struct command *command, struct strings *out)
{
	struct stat info;
	uint64_t count = (uint64_t)command->request.argc + command->request.envc;
	if (fstat(command->payload, &info) || info.st_size <= 0 || info.st_size > PAYLOAD_MAX || count > PAYLOAD_MAX)
		return -E2BIG;
	char *text = mmap(NULL, (size_t)info.st_size, PROT_READ | PROT_WRITE, MAP_PRIVATE, command->payload, 0);
	char **pointers = calloc((size_t)count + 2, sizeof *pointers);
	if (text == MAP_FAILED || !pointers)
		return -ENOMEM;
	char *end = text + info.st_size;
	if (end[-1] || !command->request.argc)
		return -EINVAL;
	out->argv = pointers;
	out->envp = pointers + command->request.argc + 1;
	for (uint32_t i = 0; i < count && text < end; i++, text += strlen(text) + 1)
		pointers[i + (i >= command->request.argc)] = text;
	if (text >= end)
		return -EINVAL;
	out->cwd = text;
	return 0;
}

static const char *variable(char **envp, const char *name)
{
	size_t length = strlen(name);
	for (; *envp; envp++)
		if (!strncmp(*envp, name, length) && (*envp)[length] == '=')
			return *envp + length + 1;
	return NULL;
}

/* The session leader of its own session, with the terminal as controlling one if there is one. */
static int own_session(const struct command *command)
{
	if (setsid() < 0)
		return -errno;
	if (command->request.flags & INIT_FLAG_TTY && ioctl(command->stdio[0], TIOCSCTTY, 0))
		return -errno;
	return 0;
}

/* The three descriptors at their places. They may arrive under numbers 0..2 themselves, so they are moved away first. */
static int place_stdio(const struct command *command)
{
	int moved[3];
	for (int i = 0; i < 3; i++)
		if ((moved[i] = fcntl(command->stdio[i], F_DUPFD_CLOEXEC, 64)) < 0)
			return -errno;
	for (int i = 0; i < 3; i++)
		if (dup2(moved[i], i) < 0)
			return -errno;
	return 0;
}

static int take_rights_away(const struct init_request *request, uint32_t *stage)
{
	gid_t group = request->gid;
	*stage = STAGE_CREDENTIALS;
	int error = capabilities_bound();
	if (error)
		return error;
	if (setgroups(1, &group) || setresgid(request->gid, request->gid, request->gid))
		return -errno;
	/* Needs CAP_SYS_ADMIN, since no_new_privs is left to the programs: it would be one-way state they did not ask for. */
	*stage = STAGE_FILTER;
	error = filter_install();
	if (error)
		return error;
	*stage = STAGE_CREDENTIALS;
	if (setresuid(request->uid, request->uid, request->uid))
		return -errno;
	return capabilities_drop(request->uid);
}

static int enter_cwd(const struct strings *strings)
{
	if (*strings->cwd)
		return chdir(strings->cwd) ? -errno : 0;
	const char *home = variable(strings->envp, "HOME");
	if (!home || chdir(home))
		(void)!chdir("/");
	return 0;
}

/* As execvp(3), with the PATH of the command's environment; returns only the negated errno. */
static int run(const struct strings *strings)
{
	const char *program = strings->argv[0];
	const char *path = variable(strings->envp, "PATH");
	int error = -ENOENT;
	if (strchr(program, '/') || !path) {
		execve(program, strings->argv, strings->envp);
		return -errno;
	}
	while (*path) {
		size_t length = strcspn(path, ":");
		char file[4096];
		if (length && length + strlen(program) + 2 <= sizeof file) {
			memcpy(file, path, length);
			file[length] = '/';
			strcpy(file + length + 1, program);
			execve(file, strings->argv, strings->envp);
			if (errno != ENOENT && errno != ENOTDIR)
				error = -errno;
		}
		path += length + (path[length] == ':');
	}
	return error;
}

static int prepare_and_run(const struct command *command, uint32_t *stage)
{
	struct strings strings;
	sigset_t none;
	*stage = STAGE_PAYLOAD;
	int error = read_payload(command, &strings);
	if (error)
		return error;
	*stage = STAGE_TERMINAL;
	if ((error = own_session(command)))
		return error;
	*stage = STAGE_STDIO;
	if ((error = place_stdio(command)))
		return error;
	if ((error = take_rights_away(&command->request, stage)))
		return error;
	*stage = STAGE_CWD;
	if ((error = enter_cwd(&strings)))
		return error;
	*stage = STAGE_EXEC;
	if (syscall(SYS_close_range, 3, ~0U, 4 /* CLOSE_RANGE_CLOEXEC */))
		return -errno;
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	return run(&strings);
}

pid_t command_fork(int cgroup)
{
	struct clone_args args = {.exit_signal = SIGCHLD};
	if (cgroup >= 0) {
		args.flags = CLONE_INTO_CGROUP;
		args.cgroup = (uint32_t)cgroup;
	}
	pid_t pid = (pid_t)syscall(SYS_clone3, &args, sizeof args);
	return pid < 0 ? -errno : pid;
}

pid_t command_start(const struct command *command, uint32_t *stage)
{
	int report[2];
	struct failure failure;
	if (pipe2(report, O_CLOEXEC))
		return -errno;
	pid_t pid = command_fork(command->cgroup);
	if (pid == 0) {
		/* Above the three numbers that stdio takes. */
		int out = fcntl(report[1], F_DUPFD_CLOEXEC, 64);
		failure.error = prepare_and_run(command, &failure.stage);
		(void)!write(out, &failure, sizeof failure);
		_exit(127);
	}
	close(report[1]);
	ssize_t size = pid < 0 ? 0 : DBX_RETRY(read(report[0], &failure, sizeof failure));
	close(report[0]);
	if (size == (ssize_t)sizeof failure) {
		*stage = failure.stage;
		return failure.error;
	}
	return pid;
}
