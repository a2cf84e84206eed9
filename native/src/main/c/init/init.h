/* Parts of pid 1. Every function returns 0 or the negated errno unless said otherwise. */
#ifndef DBX_INIT_H
#define DBX_INIT_H

#include "init/protocol.h"
#include "lib/dbx.h"

#include <sys/types.h>

/* What the guardian was told on its command line. */
struct init_plan {
	const char *hostname;
	int has_cgroup2;
	int procs_count;
	int expose_count;
	/* How far the clocks of commands are from this machine's; both zero: not at all. */
	int64_t monotonic_ns, boottime_ns;
	char **expose;
	char **cgroups;
};

/* Sends one report; waits when the daemon does not read. `fd` < 0: no descriptor. */
int init_send(int control, const struct init_message *message, int fd);

/* Limits every command starts with. By the guardian, which may raise what pid 1 may not. */
int init_limits(void);
/* Joins the cgroups, builds the sandbox's mounts, enters them; *stage tells where it failed. */
int init_setup(const struct init_plan *plan, uint32_t *stage);
int mounts_enter(const struct init_plan *plan, uint32_t *stage);
int mounts_limit_proc(uint32_t *stage);

/* Serves until the daemon's end of the control socket closes. Returns only then. */
void serve(int last_pid_fd);

/* A command about to be started. */
struct command {
	struct init_request request;
	int payload;
	int stdio[3];
	int cgroup;
};
/* A child, in a cgroup if one is given; the pid in the parent, 0 in the child, or the negated errno. */
pid_t command_fork(int cgroup);
/* A child with the number `number` that has the rights of a command and waits for its tracer; the pid, or the negated errno. */
pid_t stub_start(int last_pid_fd, uint32_t number, int cgroup);
/* The next task gets the number after `value`. */
int last_pid_write(int last_pid_fd, uint32_t value);

/* Starts it; the pid, or the negated errno and *stage. */
pid_t command_start(const struct command *command, uint32_t *stage);

/* Installs the filter of lib/calls.h in the calling thread; needs CAP_SYS_ADMIN in the user namespace. */
int filter_install(void);

/* Drops all capabilities a command may not have from the bounding set. */
int capabilities_bound(void);
/* Leaves root the capabilities of a command, and everybody else none. */
int capabilities_drop(uint32_t uid);

#endif
