/* POSIX timers (timer_create(2)) of a stopped process: /proc tells which there are, calls inside the process what they show. */
#include "capture.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The list as the kernel prints it, one group of lines per timer; empty for most processes, at the cost of one read. */
int dbx_timers_list(struct dbx_engine *engine, const struct dbx_proc *proc)
{
	struct dbx_timers *timers = &engine->timers;
	timers->count = timers->text_len = 0;
	if (proc->timers < 0)
		return 0;
	for (;;) {
		ssize_t got = DBX_RETRY(pread(proc->timers, timers->text + timers->text_len, sizeof timers->text - 1 - timers->text_len, timers->text_len));
		if (got < 0)
			return errno == ESRCH ? 0 : -errno;
		timers->text_len += (uint32_t)got;
		if (got == 0 || timers->text_len == sizeof timers->text - 1)
			break;
	}
	timers->text[timers->text_len] = 0;
	for (const char *at = timers->text; *at && timers->count < DBX_TIMERS_MAX;) {
		if (!strncmp(at, "ID: ", 4))
			timers->ids[timers->count++] = atoi(at + 4);
		const char *end = strchr(at, '\n');
		at = end ? end + 1 : at + strlen(at);
	}
	return 0;
}

/* What each shows is put at `space`, 32 bytes each. */
void dbx_timers_calls(const struct dbx_engine *engine, uint64_t space, struct dbx_call *calls, uint32_t *count)
{
	for (uint32_t i = 0; i < engine->timers.count; i++)
		calls[(*count)++] = (struct dbx_call){.number = SYS_timer_gettime, .args = {(uint64_t)engine->timers.ids[i], space + i * 32}};
}

void dbx_timers_put(const struct dbx_engine *engine, const struct dbx_proc *proc, const uint8_t *shown, struct dbx_arena *arena)
{
	const struct dbx_timers *timers = &engine->timers;
	if (!timers->text_len)
		return;
	struct dbx_record_timers *record = dbx_arena_put(arena, DBX_TIMERS, 0, sizeof *record + timers->count * 32 + timers->text_len);
	if (!record)
		return;
	*record = (struct dbx_record_timers){proc->pid, timers->count, timers->text_len, 0};
	memcpy(record + 1, shown, timers->count * 32);
	memcpy((uint8_t *)(record + 1) + timers->count * 32, timers->text, timers->text_len);
}
