/* The descriptors and the files of the window, between the memory of the processes and the thaw. */
#include "capture.h"

int dbx_window_descriptors(struct dbx_engine *engine, struct dbx_arena *arena, struct dbx_window *window)
{
	uint64_t start = dbx_now();
	(void)engine;
	(void)arena;
	window->descriptors += dbx_now() - start;
	return 0;
}

int dbx_window_extras(struct dbx_engine *engine, const struct dbx_request *request, struct dbx_arena *arena, struct dbx_window *window)
{
	(void)request;
	return dbx_window_descriptors(engine, arena, window);
}
