/* Starts the guardian of a sandbox, and ends processes by descriptor. */
#include "lib/dbx.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define FIRST_FD 3
#define FDS_MAX 256

DBX_API int32_t dbx_sandbox_spawn(const char *program, uint64_t strings, uint32_t count, uint64_t fds, uint32_t fd_count);
DBX_API int32_t dbx_sandbox_signal(int32_t pidfd, int32_t signal);
DBX_API int32_t dbx_sandbox_reap(int32_t pid);

/* Moves descriptors out of the way of the numbers they are to get. */
static int move_up(const int32_t *fds, int *moved, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		moved[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, FIRST_FD + FDS_MAX);
		if (moved[i] < 0)
			return -errno;
	}
	return 0;
}

static int prepare(posix_spawn_file_actions_t *actions, posix_spawnattr_t *attributes, const int *moved, uint32_t count)
{
	sigset_t none, all;
	sigemptyset(&none);
	sigfillset(&all);
	int error = posix_spawn_file_actions_addopen(actions, 0, "/dev/null", O_RDONLY, 0);
	if (!error)
		error = posix_spawn_file_actions_adddup2(actions, 0, 1);
	if (!error)
		error = posix_spawn_file_actions_adddup2(actions, 0, 2);
	for (uint32_t i = 0; !error && i < count; i++)
		error = posix_spawn_file_actions_adddup2(actions, moved[i], FIRST_FD + (int)i);
	if (!error)
		error = posix_spawn_file_actions_addclosefrom_np(actions, FIRST_FD + (int)count);
	if (!error)
		error = posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSID);
	if (!error)
		error = posix_spawnattr_setsigmask(attributes, &none);
	return error ? error : posix_spawnattr_setsigdefault(attributes, &all);
}

static int spawn(const char *program, char **argv, const int *moved, uint32_t fd_count)
{
	char *environment[] = {NULL};
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	pid_t pid = -1;
	posix_spawn_file_actions_init(&actions);
	posix_spawnattr_init(&attributes);
	int error = prepare(&actions, &attributes, moved, fd_count);
	if (!error)
		error = posix_spawn(&pid, program, &actions, &attributes, argv, environment);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&actions);
	return error ? -error : pid;
}

/*
 * A child of this process in a session of its own, with no environment, /dev/null as stdio and the given descriptors as 3, 4, ...
 * `strings`: `count` arguments one after the other, each ended by a NUL. The caller reaps it.
 */
int32_t dbx_sandbox_spawn(const char *program, uint64_t strings, uint32_t count, uint64_t fds, uint32_t fd_count)
{
	int moved[FDS_MAX];
	if (fd_count > FDS_MAX)
		return -EMFILE;
	char **argv = calloc((size_t)count + 1, sizeof *argv);
	if (!argv)
		return -ENOMEM;
	char *text = (char *)(uintptr_t)strings;
	for (uint32_t i = 0; i < count; i++, text += strlen(text) + 1)
		argv[i] = text;
	memset(moved, -1, sizeof moved);
	int result = move_up((const int32_t *)(uintptr_t)fds, moved, fd_count);
	if (!result)
		result = spawn(program, argv, moved, fd_count);
	for (uint32_t i = 0; i < fd_count; i++)
		if (moved[i] >= 0)
			close(moved[i]);
	free(argv);
	return result;
}

int32_t dbx_sandbox_signal(int32_t pidfd, int32_t signal)
{
	return syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0) ? -errno : 0;
}

/* Waits for a child's end; its status. */
int32_t dbx_sandbox_reap(int32_t pid)
{
	int status;
	return DBX_RETRY(waitpid(pid, &status, 0)) < 0 ? -errno : status;
}
