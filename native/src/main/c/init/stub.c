/*
 * A process that a rollback makes again as a child of pid 1: born here with its old number, given the rights of a command, and left waiting for the
 * engine, which turns it into what it was. Everything else in the sandbox is stopped meanwhile, so nobody can do anything to it in between.
 */
#include "init/init.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

int last_pid_write(int last_pid_fd, uint32_t value)
{
	char text[16];
	int length = snprintf(text, sizeof text, "%u", value);
	return pwrite(last_pid_fd, text, (size_t)length, 0) < 0 ? -errno : 0;
}

/* All signals stay blocked, as they are in pid 1. */
static _Noreturn void wait_for_tracer(int report)
{
	int error = dup2(report, 0) < 0 || syscall(SYS_close_range, 1, ~0U, 0) ? -errno : 0;
	if (!error)
		error = capabilities_bound();
	if (!error)
		error = filter_install();
	if (!error)
		error = capabilities_drop(0);
	(void)!write(0, &error, sizeof error);
	close(0);
	if (error)
		_exit(127);
	for (;;)
		pause();
}

pid_t stub_start(int last_pid_fd, uint32_t number, int cgroup)
{
	int report[2], error = -EPIPE;
	if (number < 2)
		return -EINVAL;
	if (pipe2(report, O_CLOEXEC))
		return -errno;
	int written = last_pid_write(last_pid_fd, number - 1);
	pid_t pid = written < 0 ? written : command_fork(cgroup);
	/* The group may be removed at any time by who hears late that its command had ended. */
	if (pid == -ENOENT || pid == -ENODEV)
		pid = command_fork(-1);
	if (pid == 0)
		wait_for_tracer(report[1]);
	close(report[1]);
	if (pid > 0 && DBX_RETRY(read(report[0], &error, sizeof error)) != (ssize_t)sizeof error)
		error = -EPIPE;
	close(report[0]);
	return pid > 0 && error ? error : pid;
}
