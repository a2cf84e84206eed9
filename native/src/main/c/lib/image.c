/* What /proc tells of a process without asking it: the image execve(2) made, and who it is when it cannot run calls for us (dead, or not followed yet). */
#include "engine.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static ssize_t read_file(pid_t pid, const char *name, void *to, size_t room)
{
	char path[64];
	snprintf(path, sizeof path, "/proc/%d/%s", pid, name);
	DBX_AUTO_FD file = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t got = file < 0 ? -1 : DBX_RETRY(read(file, to, room));
	return got < 0 ? -errno : got;
}

/* Numbers of /proc/PID/stat from the one after the state on; the name before it may hold anything. Returns how many. */
static int stat_numbers(pid_t pid, uint64_t *numbers, int cap)
{
	char text[1024];
	ssize_t got = read_file(pid, "stat", text, sizeof text - 1);
	if (got <= 0)
		return 0;
	text[got] = 0;
	char *at = strrchr(text, ')');
	at = at && at[1] ? at + 3 : NULL;
	int count = 0;
	while (at && *at && count < cap) {
		char *end;
		/* Some are negative. */
		numbers[count] = *(at + strspn(at, " ")) == '-' ? (uint64_t)strtoll(at, &end, 10) : strtoull(at, &end, 10);
		if (end == at)
			break;
		count++;
		at = end;
	}
	return count;
}

/* proc_pid_stat(5) counts from 1; the first number here is its fourth. */
enum { FIRST = 4, NICE = 19 - FIRST, START_CODE = 26 - FIRST, END_CODE, START_STACK, EXIT_SIGNAL = 38 - FIRST, START_DATA = 45 - FIRST, END_DATA, START_BRK, ARG_START, ARG_END, ENV_START, ENV_END, EXIT_CODE };

void dbx_read_image(struct dbx_proc *proc)
{
	struct dbx_record_image *image = &proc->image;
	uint64_t n[EXIT_CODE + 1] = {0};
	memset(image, 0, sizeof *image);
	image->pid = proc->pid;
	if (stat_numbers(proc->pid, n, EXIT_CODE + 1) <= EXIT_CODE)
		return;
	image->exit_signal = (int32_t)n[EXIT_SIGNAL];
	image->exit_status = (int32_t)n[EXIT_CODE];
	const uint64_t map[11] = {n[START_CODE], n[END_CODE], n[START_DATA], n[END_DATA], n[START_BRK], 0, n[START_STACK], n[ARG_START], n[ARG_END], n[ENV_START], n[ENV_END]};
	memcpy(image->map, map, sizeof map);
	ssize_t name = read_file(proc->pid, "comm", image->name, sizeof image->name);
	/* The line's end. */
	if (name > 0)
		image->name[name - 1] = 0;
	ssize_t got = read_file(proc->pid, "auxv", image->auxv, sizeof image->auxv);
	image->auxv_bytes = got > 0 ? (uint32_t)got : 0;
}

/* The last of the numbers of a line of /proc/PID/status; -1 when there is none. */
static int32_t last_number(const char *status, const char *name)
{
	const char *line = strstr(status, name);
	if (!line)
		return -1;
	line += strlen(name);
	size_t len = strcspn(line, "\n");
	while (len && line[len - 1] != '\t' && line[len - 1] != ' ')
		len--;
	return atoi(line + len);
}

/* As it is now: an orphan has been given to pid 1 or to a subreaper. The one known before when it cannot be told any more. */
pid_t dbx_parent_of(const struct dbx_proc *proc)
{
	uint64_t parent = 0;
	return stat_numbers(proc->pid, &parent, 1) == 1 ? (pid_t)parent : proc->parent;
}

void dbx_read_identity(const struct dbx_engine *engine, const struct dbx_proc *proc, struct dbx_record_process *record)
{
	char status[4096];
	const struct dbx_proc *parent = dbx_proc_find(engine, dbx_parent_of(proc));
	ssize_t got = read_file(proc->pid, "status", status, sizeof status - 1);
	record->inner_parent = parent ? parent->inner : 1;
	if (got <= 0)
		return;
	status[got] = 0;
	uint64_t n[NICE + 1] = {0};
	if (stat_numbers(proc->pid, n, NICE + 1) > NICE)
		record->priority = 20 - (uint32_t)n[NICE];
	record->group = last_number(status, "\nNSpgid:");
	record->session = last_number(status, "\nNSsid:");
	record->no_new_privs = last_number(status, "\nNoNewPrivs:") == 1;
	const char *uid = strstr(status, "\nUid:"), *gid = strstr(status, "\nGid:");
	if (uid)
		(void)!sscanf(uid, "\nUid: %u %u %u", &record->uids[0], &record->uids[1], &record->uids[2]);
	if (gid)
		(void)!sscanf(gid, "\nGid: %u %u %u", &record->gids[0], &record->gids[1], &record->gids[2]);
}
