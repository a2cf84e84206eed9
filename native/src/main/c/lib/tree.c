/* Who is in the sandbox: the list of its processes, kept between stops and brought up to date by reading /proc. */
#include "engine.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

struct linux_dirent64 {
	uint64_t ino;
	int64_t off;
	unsigned short reclen;
	unsigned char type;
	char name[];
};

/* Numeric entries of an open /proc directory. A count above `cap` means there are more than fit. */
int dbx_list_numbers(int directory, int32_t *numbers, uint32_t cap)
{
	_Alignas(8) char buffer[8192];
	uint32_t count = 0;
	if (lseek(directory, 0, SEEK_SET) < 0)
		return -errno;
	for (;;) {
		long got = syscall(SYS_getdents64, directory, buffer, sizeof buffer);
		if (got < 0)
			return -errno;
		if (got == 0)
			return (int)count;
		for (long at = 0; at < got;) {
			struct linux_dirent64 *entry = (struct linux_dirent64 *)(void *)(buffer + at);
			at += entry->reclen;
			if (!isdigit((unsigned char)entry->name[0]))
				continue;
			if (count < cap)
				numbers[count] = atoi(entry->name);
			count++;
		}
	}
}

static int read_text(const char *path, char *text, size_t cap)
{
	DBX_AUTO_FD file = open(path, O_RDONLY | O_CLOEXEC);
	if (file < 0)
		return -errno;
	size_t used = 0;
	for (;;) {
		ssize_t got = DBX_RETRY(read(file, text + used, cap - 1 - used));
		if (got < 0)
			return -errno;
		used += (size_t)got;
		if (got == 0 || used == cap - 1)
			break;
	}
	text[used] = 0;
	return (int)used;
}

/* The innermost number of a task, from the last column of NSpid; negative errno when it is gone. */
pid_t dbx_inner_pid(pid_t pid, pid_t tid)
{
	char path[64], text[4096];
	snprintf(path, sizeof path, "/proc/%d/task/%d/status", pid, tid);
	int got = read_text(path, text, sizeof text);
	if (got < 0)
		return got;
	char *line = strstr(text, "\nNSpid:");
	if (!line)
		return -ESRCH;
	char *end = strchr(line + 1, '\n');
	if (end)
		*end = 0;
	char *last = strrchr(line + 1, '\t');
	return last ? atoi(last + 1) : -ESRCH;
}

struct dbx_proc *dbx_proc_find(const struct dbx_engine *engine, pid_t pid)
{
	for (uint32_t i = 0; i < engine->proc_count; i++)
		if (engine->procs[i]->pid == pid)
			return engine->procs[i];
	return NULL;
}

struct dbx_proc *dbx_proc_add(struct dbx_engine *engine, pid_t pid, pid_t parent)
{
	if (engine->proc_count == engine->proc_cap) {
		uint32_t cap = engine->proc_cap ? 2 * engine->proc_cap : 64;
		struct dbx_proc **grown = realloc(engine->procs, cap * sizeof *grown);
		if (!grown)
			return NULL;
		engine->procs = grown;
		engine->proc_cap = cap;
	}
	struct dbx_proc *proc = calloc(1, sizeof *proc);
	if (!proc)
		return NULL;
	char path[64];
	snprintf(path, sizeof path, "/proc/%d/task", pid);
	proc->pid = pid;
	proc->parent = parent;
	proc->uffd = proc->pagemap = proc->mem = proc->maps = proc->timers = -1;
	proc->pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	proc->taskdir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	proc->inner = dbx_inner_pid(pid, pid);
	if (proc->pidfd < 0 || proc->taskdir < 0 || proc->inner <= 0) {
		if (proc->pidfd >= 0)
			close(proc->pidfd);
		if (proc->taskdir >= 0)
			close(proc->taskdir);
		free(proc);
		return NULL;
	}
	engine->procs[engine->proc_count++] = proc;
	return proc;
}

void dbx_proc_drop(struct dbx_engine *engine, uint32_t index)
{
	struct dbx_proc *proc = engine->procs[index];
	dbx_unenroll(proc);
	close(proc->pidfd);
	close(proc->taskdir);
	free(proc->threads);
	dbx_runs_free(&proc->dirty);
	dbx_runs_free(&proc->fresh);
	dbx_runs_free(&proc->droppable);
	free(proc);
	memmove(engine->procs + index, engine->procs + index + 1, (engine->proc_count - index - 1) * sizeof *engine->procs);
	engine->proc_count--;
}

/* A number may have been given to another process since; the pidfd knows. */
void dbx_drop_dead(struct dbx_engine *engine)
{
	for (uint32_t i = 0; i < engine->proc_count;) {
		if (syscall(SYS_pidfd_send_signal, engine->procs[i]->pidfd, 0, NULL, 0) && errno == ESRCH)
			dbx_proc_drop(engine, i);
		else
			i++;
	}
}

/* True when every process the sandbox's own /proc lists is known; pid 1 is ours and not counted. */
bool dbx_all_known(const struct dbx_engine *engine)
{
	int32_t inner[4096];
	int count = dbx_list_numbers(engine->inner_proc, inner, 4096);
	if (count < 0 || count > 4096)
		return false;
	for (int i = 0; i < count; i++) {
		bool known = inner[i] == 1;
		for (uint32_t k = 0; !known && k < engine->proc_count; k++)
			known = engine->procs[k]->inner == inner[i];
		if (!known)
			return false;
	}
	return true;
}

/* Adds what one thread of a process has for children. */
int dbx_add_children(struct dbx_engine *engine, pid_t pid, pid_t tid)
{
	char path[80], text[65536];
	snprintf(path, sizeof path, "/proc/%d/task/%d/children", pid, tid);
	int got = read_text(path, text, sizeof text);
	if (got < 0)
		return got == -ENOENT || got == -ESRCH ? 0 : got;
	for (char *at = text; *at;) {
		char *end;
		pid_t child = (pid_t)strtol(at, &end, 10);
		if (end == at)
			break;
		at = end;
		while (*at == ' ')
			at++;
		struct dbx_proc *known = dbx_proc_find(engine, child);
		if (known)
			known->parent = pid;
		else
			(void)dbx_proc_add(engine, child, pid);
	}
	return 0;
}

/* Walks the tree from pid 1. New processes come after their parents in the list, which is the order they are stopped in. */
int dbx_discover(struct dbx_engine *engine)
{
	int result = dbx_add_children(engine, engine->init, engine->init);
	for (uint32_t i = 0; i < engine->proc_count && result >= 0; i++) {
		struct dbx_proc *proc = engine->procs[i];
		int32_t tids[4096];
		int count = dbx_list_numbers(proc->taskdir, tids, 4096);
		if (count > 4096)
			return -E2BIG;
		for (int k = 0; k < count && result >= 0; k++)
			result = dbx_add_children(engine, proc->pid, tids[k]);
	}
	return result;
}
