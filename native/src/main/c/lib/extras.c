/* The descriptors and the files of the window, between the memory of the processes and the thaw. */
#include "capture.h"
#include "fds.h"
#include "files.h"

#include <fcntl.h>
#include <sys/stat.h>

int dbx_window_descriptors(struct dbx_engine *engine, struct dbx_arena *arena, struct dbx_window *window)
{
	uint64_t start = dbx_now();
	int32_t result = 0;
	window->step = DBX_STEP_DESCRIPTORS;
	dbx_fds_begin(engine->descriptors);
	for (uint32_t i = 0; i < engine->proc_count && result >= 0; i++) {
		const struct dbx_proc *proc = engine->procs[i];
		if (proc->thread_count)
			result = dbx_fds_window(proc->pid, proc->pidfd, proc->threads[0].tid, arena, engine->descriptors);
	}
	window->descriptors += dbx_now() - start;
	return result < 0 ? result : 0;
}

/* A shared mapping may store into its file without any event, so its file is looked at each time. */
void dbx_window_mapped(const struct dbx_engine *engine, const struct dbx_proc *proc, struct dbx_files_plan *plan)
{
	for (uint32_t i = 0; plan && i < engine->region_count; i++) {
		const struct dbx_region *region = &engine->regions[i];
		if ((region->flags & DBX_REGION_SHARED) && region->inode && !(region->flags & (DBX_REGION_OBJECT | DBX_REGION_SPECIAL)))
			dbx_files_hold(plan, proc->pid, -1, region->start, region->end);
	}
}

/* So may splice(2) into a file that is open for writing. The descriptors were just recorded from `from` on. */
static void hold_written(const struct dbx_arena *arena, uint64_t from, struct dbx_files_plan *plan)
{
	for (uint64_t at = from; at < arena->used;) {
		const struct dbx_record *record = (const struct dbx_record *)(const void *)(arena->base + at);
		const struct dbx_fds_descriptor *descriptor = (const struct dbx_fds_descriptor *)(const void *)(record + 1);
		if (record->kind == DBX_FDS_DESCRIPTOR && (descriptor->flags & O_ACCMODE) != O_RDONLY && !(descriptor->flags & O_PATH) && S_ISREG(descriptor->mode))
			dbx_files_hold(plan, descriptor->pid, descriptor->number, 0, 0);
		at += sizeof *record + ((record->len + 7) & ~UINT64_C(7));
	}
}

int dbx_window_extras(struct dbx_engine *engine, struct dbx_files_plan *plan, struct dbx_arena *arena, struct dbx_window *window)
{
	uint64_t from = arena->used;
	int result = dbx_window_descriptors(engine, arena, window);
	if (result < 0 || !plan)
		return result;
	uint64_t start = dbx_now();
	window->step = DBX_STEP_FILES;
	if (arena->need <= arena->cap)
		hold_written(arena, from, plan);
	result = dbx_files_window(plan, arena);
	window->files += dbx_now() - start;
	return result;
}
