/*
 * Whether a stopped thread runs under a system call filter that it was not started with. What the engine injects could be refused there, or kill the
 * program: nothing may be injected into such a process.
 */
#include "engine.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <unistd.h>

/* Seccomp_filters of /proc/PID/status, Linux 5.9; 0 when it cannot be told. */
static uint32_t count_filters(pid_t tid)
{
	static const char name[] = "\nSeccomp_filters:";
	char path[32], status[4096];
	snprintf(path, sizeof path, "/proc/%d/status", tid);
	DBX_AUTO_FD file = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t got = file < 0 ? 0 : read(file, status, sizeof status - 1);
	status[got > 0 ? got : 0] = 0;
	const char *line = strstr(status, name);
	return line ? (uint32_t)strtoul(line + sizeof name - 1, NULL, 10) : 0;
}

/* Commands start with one more than pid 1 has. */
void dbx_filter_begin(struct dbx_engine *engine)
{
	engine->filters = count_filters(engine->init) + 1;
}

static bool filtered(const struct dbx_engine *engine, pid_t tid)
{
	/* The number of instructions of the first filter that should not be there. */
	long length = ptrace((enum __ptrace_request)DBX_PTRACE_SECCOMP_GET_FILTER, tid, engine->filters, NULL);
	if (length >= 0 || errno == EMEDIUMTYPE)
		return true;
	/* Otherwise this tracer may not ask (it needs CAP_SYS_ADMIN and no filter of its own), or there is none at all. */
	return errno != ENOENT && count_filters(tid) > engine->filters;
}

bool dbx_filtered(const struct dbx_engine *engine, const struct dbx_proc *proc)
{
	for (uint32_t i = 0; i < proc->thread_count; i++)
		if (filtered(engine, proc->threads[i].tid))
			return true;
	return false;
}
