/* The descriptors and the files of the window, between the memory of the processes and the thaw. */
#include "capture.h"
#include "fds.h"

int dbx_window_descriptors(struct dbx_engine *engine, struct dbx_arena *arena, struct dbx_window *window)
{
	uint64_t start = dbx_now();
	int32_t result = 0;
	dbx_fds_begin(engine->descriptors);
	for (uint32_t i = 0; i < engine->proc_count && result >= 0; i++) {
		const struct dbx_proc *proc = engine->procs[i];
		if (proc->thread_count)
			result = dbx_fds_window(proc->pid, proc->pidfd, proc->threads[0].tid, arena, engine->descriptors);
	}
	window->descriptors += dbx_now() - start;
	return result < 0 ? result : 0;
}

int dbx_window_extras(struct dbx_engine *engine, const struct dbx_request *request, struct dbx_arena *arena, struct dbx_window *window)
{
	(void)request;
	return dbx_window_descriptors(engine, arena, window);
}
