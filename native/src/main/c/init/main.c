/*
 * The guardian: first program of a sandbox, outside of it. It makes pid 1 in new namespaces, writes its id maps, tells the daemon and then only
 * waits: when pid 1 has ended it removes the sandbox's cgroups; when the daemon has ended first it kills pid 1. So even a daemon that was killed
 * leaves nothing behind. The guardian is a child of the daemon; it holds none of the sandbox's descriptors while it waits.
 */
#include "init/init.h"
#include "lib/pass_fd.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define NEW_NAMESPACES \
	(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNET | CLONE_NEWCGROUP)

int init_send(int control, const struct init_message *message, int fd)
{
	return dbx_send_with(control, message, sizeof *message, fd) < 0 ? -errno : 0;
}

static void report_broken(uint32_t stage, int error)
{
	struct init_message message = {.kind = INIT_BROKEN, .stage = stage, .status = -error};
	(void)init_send(INIT_FD_CONTROL, &message, -1);
}

static int number(const char *text)
{
	return (int)strtol(text, NULL, 10);
}

/* HOSTNAME HAS_CGROUP2 PROCS_COUNT EXPOSE_COUNT MONOTONIC_NS BOOTTIME_NS EXPOSE... CGROUP_DIRECTORY... */
static int parse(int argc, char **argv, struct init_plan *plan)
{
	if (argc < 7)
		return -EINVAL;
	plan->hostname = argv[1];
	plan->has_cgroup2 = number(argv[2]);
	plan->procs_count = number(argv[3]);
	plan->expose_count = number(argv[4]);
	plan->monotonic_ns = strtoll(argv[5], NULL, 10);
	plan->boottime_ns = strtoll(argv[6], NULL, 10);
	plan->expose = argv + 7;
	if (plan->procs_count < 0 || plan->expose_count < 0 || plan->expose_count > argc - 7)
		return -EINVAL;
	plan->cgroups = argv + 7 + plan->expose_count;
	return 0;
}

static int write_map(pid_t pid, const char *name)
{
	static const char identity[] = "0 0 65536\n";
	char path[64];
	(void)snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, name);
	DBX_AUTO_FD fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	return write(fd, identity, sizeof identity - 1) < 0 ? -errno : 0;
}

/* The command line can be read inside; it names paths of the host. */
static void hide_arguments(const struct init_plan *plan)
{
	for (char **words = plan->expose; *words; words++)
		memset(*words, 0, strlen(*words));
}

/* Pid 1: waits for its id maps, sets up, serves. Never returns. */
static _Noreturn void run_inner(const struct init_plan *plan, int go)
{
	char byte;
	uint32_t stage = STAGE_ID_MAP;
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)prctl(PR_SET_NAME, "deltabox-init");
	/* Nobody inside may read or trace pid 1: it holds the control socket and capabilities no command has. */
	(void)prctl(PR_SET_DUMPABLE, 0);
	if (DBX_RETRY(read(go, &byte, 1)) != 1)
		_exit(1);
	close(go);
	int last_pid_fd = init_setup(plan, &stage);
	hide_arguments(plan);
	if (last_pid_fd < 0) {
		report_broken(stage, last_pid_fd);
		_exit(1);
	}
	struct init_message ready = {.kind = INIT_READY, .pid = 1};
	if (init_send(INIT_FD_CONTROL, &ready, -1) == 0)
		serve(last_pid_fd);
	_exit(0);
}

/* Makes pid 1 and lets it go; its pidfd in *pidfd. */
static pid_t make_inner(const struct init_plan *plan, int *pidfd, uint32_t *stage)
{
	int go[2];
	*stage = STAGE_LIMITS;
	int limited = init_limits();
	if (limited)
		return limited;
	*stage = STAGE_NAMESPACES;
	if (pipe2(go, O_CLOEXEC))
		return -errno;
	struct clone_args args = {
		.flags = NEW_NAMESPACES | CLONE_PIDFD | (plan->has_cgroup2 ? CLONE_INTO_CGROUP : 0),
		.pidfd = (uint64_t)(uintptr_t)pidfd,
		.exit_signal = SIGCHLD,
		.cgroup = (uint64_t)(plan->has_cgroup2 ? INIT_FD_CGROUP2 : 0),
	};
	pid_t pid = (pid_t)syscall(SYS_clone3, &args, sizeof args);
	if (pid == 0) {
		close(go[1]);
		run_inner(plan, go[0]);
	}
	int error = pid < 0 ? -errno : 0;
	close(go[0]);
	if (error == 0) {
		*stage = STAGE_ID_MAP;
		error = write_map(pid, "uid_map");
		if (error == 0)
			error = write_map(pid, "gid_map");
	}
	if (error == 0) {
		struct init_message hello = {.kind = INIT_HELLO, .pid = pid};
		error = init_send(INIT_FD_CONTROL, &hello, *pidfd);
	}
	if (error == 0 && write(go[1], "g", 1) != 1)
		error = -errno;
	close(go[1]);
	return error ? error : pid;
}

static void remove_cgroup(const char *directory)
{
	DIR *list = opendir(directory);
	if (!list)
		return;
	for (struct dirent *entry; (entry = readdir(list));)
		if (entry->d_type == DT_DIR && entry->d_name[0] != '.')
			(void)unlinkat(dirfd(list), entry->d_name, AT_REMOVEDIR);
	closedir(list);
	(void)rmdir(directory);
}

/* Until pid 1 has ended, killing it when the daemon has. */
static void watch(int inner, int daemon)
{
	struct pollfd watched[2] = {{.fd = inner, .events = POLLIN}, {.fd = daemon, .events = POLLIN}};
	while (DBX_RETRY(poll(watched, 2, -1)) >= 0 && !watched[0].revents) {
		if (watched[1].revents) {
			(void)syscall(SYS_pidfd_send_signal, inner, SIGKILL, NULL, 0);
			watched[1].fd = -1;
		}
	}
}

int main(int argc, char **argv)
{
	struct init_plan plan;
	uint32_t stage = STAGE_NAMESPACES;
	int inner = -1;
	pid_t parent = getppid();
	int daemon = (int)syscall(SYS_pidfd_open, parent, 0);
	if (parse(argc, argv, &plan) || daemon < 0 || getppid() != parent)
		return 1;
	(void)prctl(PR_SET_DUMPABLE, 0);
	pid_t pid = make_inner(&plan, &inner, &stage);
	if (pid < 0) {
		report_broken(stage, pid);
		if (inner >= 0)
			(void)syscall(SYS_pidfd_send_signal, inner, SIGKILL, NULL, 0);
	}
	(void)prctl(PR_SET_NAME, "deltabox-guard");
	/* The pidfds were made after everything inherited, but their numbers are not known to be above it. */
	for (int fd = INIT_FD_CONTROL; fd < INIT_FD_REST + plan.procs_count + plan.expose_count; fd++)
		if (fd != inner && fd != daemon)
			close(fd);
	if (inner >= 0) {
		watch(inner, daemon);
		(void)DBX_RETRY(waitpid(-1, NULL, __WALL));
	}
	for (char **directory = plan.cgroups; *directory; directory++)
		remove_cgroup(*directory);
	return pid < 0;
}
