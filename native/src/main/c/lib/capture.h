/* Writing one process into an arena; see records.h for what comes out. */
#ifndef DBX_CAPTURE_H
#define DBX_CAPTURE_H

#include "engine.h"
#include "records.h"

int dbx_capture_threads(struct dbx_engine *engine, struct dbx_proc *proc, struct dbx_arena *arena, uint32_t flags) DBX_MUST_CHECK;
/* timers.c */
int dbx_timers_list(struct dbx_engine *engine, const struct dbx_proc *proc) DBX_MUST_CHECK;
void dbx_timers_calls(const struct dbx_engine *engine, uint64_t space, struct dbx_call *calls, uint32_t *count);
void dbx_timers_put(const struct dbx_engine *engine, const struct dbx_proc *proc, const uint8_t *shown, struct dbx_arena *arena);

void dbx_capture_husk(const struct dbx_engine *engine, struct dbx_proc *proc, struct dbx_arena *arena, uint32_t flags, int error);
void dbx_capture_regions(const struct dbx_engine *engine, const struct dbx_proc *proc, struct dbx_arena *arena);
int dbx_capture_look(struct dbx_engine *engine, struct dbx_proc *proc) DBX_MUST_CHECK;
void dbx_capture_renewed(const struct dbx_engine *engine, const struct dbx_proc *proc, const struct dbx_runs *fresh, struct dbx_arena *arena);
void dbx_capture_runs(struct dbx_arena *arena, uint32_t kind, pid_t pid, const struct dbx_runs *runs);
int dbx_capture_own(struct dbx_engine *engine, struct dbx_proc *proc, struct dbx_arena *arena) DBX_MUST_CHECK;
int dbx_capture_scan(struct dbx_engine *engine, struct dbx_proc *proc) DBX_MUST_CHECK;
int64_t dbx_capture_pages(struct dbx_proc *proc, struct dbx_arena *arena, uint64_t budget_pages) DBX_MUST_CHECK;

/* extras.c: what the window captures besides processes */
struct dbx_files_plan;
int dbx_window_extras(struct dbx_engine *engine, struct dbx_files_plan *plan, struct dbx_arena *arena, struct dbx_window *window) DBX_MUST_CHECK;
void dbx_window_mapped(const struct dbx_engine *engine, const struct dbx_proc *proc, struct dbx_files_plan *plan);
int dbx_window_descriptors(struct dbx_engine *engine, struct dbx_arena *arena, struct dbx_window *window) DBX_MUST_CHECK;

/* object.c */
int dbx_capture_objects(const struct dbx_engine *engine, const struct dbx_proc *proc, struct dbx_objects *objects, struct dbx_arena *arena) DBX_MUST_CHECK;

#endif
