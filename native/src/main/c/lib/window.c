/* The engine's life and its two windows: checkpoint (stop, read all, thaw, in one call) and freeze (stop, look, stay stopped) for a rollback. */
#include "capture.h"
#include "fds.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <unistd.h>

/* Gets waitpid out; carries no meaning of its own. */
#define WAKE_SIGNAL (SIGRTMIN + 9)

DBX_API int64_t dbx_engine_open(int32_t init, int32_t channel, uint32_t without);
DBX_API void dbx_engine_close(int64_t handle);
DBX_API int32_t dbx_engine_checkpoint(int64_t handle, uint64_t request, uint64_t window);
DBX_API int32_t dbx_engine_freeze(int64_t handle, uint64_t request, uint64_t window);
DBX_API int32_t dbx_engine_thaw(int64_t handle);
DBX_API void dbx_engine_calm(int64_t handle);
DBX_API int32_t dbx_engine_pace(int64_t handle, int32_t on);
DBX_API int32_t dbx_engine_prepare(int64_t handle, uint64_t pids, uint32_t cap);
DBX_API int64_t dbx_engine_precopy(int64_t handle, int32_t pid, uint64_t arena, uint64_t bytes);
DBX_API void dbx_engine_acknowledge(int64_t handle);
DBX_API int32_t dbx_engine_culprit(int64_t handle);
DBX_API int32_t dbx_engine_settle(int64_t handle);

static void on_wake(int signal)
{
	(void)signal;
}

static struct dbx_engine *engine_of(int64_t handle)
{
	return (struct dbx_engine *)(uintptr_t)handle;
}

static void *reserve(uint64_t bytes)
{
	void *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	return at == MAP_FAILED ? NULL : at;
}

static int make_timer(struct dbx_engine *engine)
{
	struct sigaction action = {.sa_handler = on_wake};
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, WAKE_SIGNAL);
	if (sigaction(WAKE_SIGNAL, &action, NULL) || pthread_sigmask(SIG_UNBLOCK, &set, NULL))
		return -errno;
	struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = WAKE_SIGNAL};
	event._sigev_un._tid = (pid_t)syscall(SYS_gettid);
	if (timer_create(CLOCK_MONOTONIC, &event, &engine->timer))
		return -errno;
	engine->timer_made = true;
	return 0;
}

/* For the sandbox whose pid 1 is `init`. Must be called by the thread that will make all later calls. The channel to pid 1 stays the caller's. */
static bool has_procmap_query(void)
{
	DBX_AUTO_FD maps = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
	struct dbx_procmap_query query = {.size = sizeof query, .query_flags = DBX_PROCMAP_COVERING_OR_NEXT};
	return maps >= 0 && !ioctl(maps, DBX_PROCMAP_QUERY, &query);
}

int64_t dbx_engine_open(int32_t init, int32_t channel, uint32_t without)
{
	struct dbx_engine *engine = calloc(1, sizeof *engine);
	if (!engine)
		return -ENOMEM;
	char path[64];
	snprintf(path, sizeof path, "/proc/%d/root/proc", init);
	struct sysinfo machine;
	engine->swap = sysinfo(&machine) || machine.totalswap > 0;
	engine->init = init;
	engine->channel = channel;
	engine->without = without | (has_procmap_query() ? 0 : DBX_WITHOUT_PROCMAP_QUERY);
	engine->syscall_offset = dbx_arch_syscall_offset();
	dbx_filter_begin(engine);
	engine->inner_proc = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int result = engine->inner_proc < 0 ? -errno : make_timer(engine);
	engine->regions = reserve(DBX_REGIONS_MAX * sizeof(struct dbx_region));
	engine->names = reserve(DBX_NAMES_MAX);
	engine->vec = reserve(DBX_VEC_MAX * sizeof(struct dbx_page_region));
	engine->descriptors = reserve(DBX_FDS_CONTEXT_BYTES);
	if (!engine->regions || !engine->names || !engine->vec || !engine->descriptors)
		result = -ENOMEM;
	if (result < 0) {
		dbx_engine_close((int64_t)(uintptr_t)engine);
		return result;
	}
	return (int64_t)(uintptr_t)engine;
}

void dbx_engine_close(int64_t handle)
{
	struct dbx_engine *engine = engine_of(handle);
	if (engine->stopped)
		dbx_thaw_all(engine);
	while (engine->proc_count)
		dbx_proc_drop(engine, engine->proc_count - 1);
	if (engine->timer_made)
		timer_delete(engine->timer);
	if (engine->inner_proc >= 0)
		close(engine->inner_proc);
	dbx_runs_free(&engine->look);
	dbx_runs_free(&engine->look_fresh);
	dbx_runs_free(&engine->own);
	if (engine->regions)
		munmap(engine->regions, DBX_REGIONS_MAX * sizeof(struct dbx_region));
	if (engine->names)
		munmap(engine->names, DBX_NAMES_MAX);
	if (engine->vec)
		munmap(engine->vec, DBX_VEC_MAX * sizeof(struct dbx_page_region));
	if (engine->descriptors)
		munmap(engine->descriptors, DBX_FDS_CONTEXT_BYTES);
	free(engine->stragglers);
	free(engine->procs);
	free(engine);
}

/* What pid 1 is just about to wait for is no part of the sandbox: it would be gone by the time anybody looks. */
static int drop_orphaned_zombies(struct dbx_engine *engine)
{
	bool orphan = false, dead = false;
	for (uint32_t i = 0; i < engine->proc_count; i++)
		dead |= !engine->procs[i]->thread_count;
	if (!dead)
		return 0;
	dbx_drop_dead(engine);
	for (uint32_t i = 0; i < engine->proc_count; i++) {
		struct dbx_proc *proc = engine->procs[i];
		if (proc->thread_count)
			continue;
		proc->parent = dbx_parent_of(proc);
		orphan |= proc->parent == engine->init;
	}
	int result = orphan ? dbx_ask_init(engine, 2 /* ENGINE_PING */, 0, -1) : 0;
	if (orphan)
		dbx_drop_dead(engine);
	return result;
}

static int stop_for(struct dbx_engine *engine, const struct dbx_request *request, struct dbx_window *window)
{
	memset(window, 0, sizeof *window);
	uint64_t start = dbx_now();
	int result = dbx_stop_all(engine, request->deadline_ms);
	if (result >= 0 && (result = drop_orphaned_zombies(engine)) < 0)
		dbx_thaw_all(engine);
	window->stop = dbx_now() - start;
	window->culprit = engine->culprit;
	window->processes = engine->proc_count;
	return result;
}

/*
 * A process that has no memory map any more (zombie) or cannot be followed is recorded with the reason, and refused by Java after the thaw. Positive: it
 * has memory to be read.
 */
static int read_process(struct dbx_engine *engine, struct dbx_proc *proc, struct dbx_arena *arena, struct dbx_window *window, enum dbx_scan_mode mode)
{
	uint64_t start = dbx_now();
	uint32_t flags = 0;
	if (!proc->thread_count) {
		dbx_capture_husk(engine, proc, arena, DBX_PROCESS_ZOMBIE, 0);
		return 0;
	}
	if (proc->enrolled && !dbx_tracking_alive(proc)) {
		flags |= DBX_PROCESS_EXECED;
		dbx_unenroll(proc);
	}
	if (dbx_filtered(engine, proc))
		flags |= DBX_PROCESS_FILTERED;
	if ((flags & DBX_PROCESS_FILTERED) || (!proc->enrolled && mode == DBX_SCAN_LOOK)) {
		dbx_capture_husk(engine, proc, arena, flags, 0);
		return 0;
	}
	window->step = DBX_STEP_THREADS;
	int result = proc->enrolled ? 0 : dbx_enroll(engine, proc);
	if (result < 0) {
		dbx_capture_husk(engine, proc, arena, flags, result);
		return 0;
	}
	window->threads += proc->thread_count;
	result = dbx_capture_threads(engine, proc, arena, flags);
	uint64_t named = dbx_now();
	window->registers += named - start;
	if (result >= 0) {
		window->step = DBX_STEP_REGIONS;
		result = dbx_read_regions(engine, proc);
	}
	if (result >= 0)
		window->step = DBX_STEP_SCAN;
	if (result >= 0 && mode == DBX_SCAN_CLEAR) {
		uint64_t known = proc->fresh.count;
		result = dbx_capture_scan(engine, proc);
		/* A region that grew while it was being tracked was two; now that both parts are tracked, the kernel has joined them again. */
		if (result >= 0 && proc->fresh.count > known)
			result = dbx_read_regions(engine, proc);
		if (result >= 0)
			dbx_capture_regions(engine, proc, arena);
	} else if (result >= 0) {
		dbx_capture_regions(engine, proc, arena);
		result = dbx_capture_look(engine, proc);
	}
	if (result >= 0)
		result = dbx_capture_own(engine, proc, arena);
	window->scan += dbx_now() - named;
	return result < 0 ? result : 1;
}

static int64_t read_memory(struct dbx_engine *engine, struct dbx_proc *proc, struct dbx_arena *arena, struct dbx_files_plan *plan)
{
	dbx_window_mapped(engine, proc, plan);
	engine->look_fresh.count = 0;
	dbx_capture_renewed(engine, proc, &engine->look_fresh, arena);
	proc->emitted_renewed = proc->renewed;
	dbx_capture_runs(arena, DBX_FRESH, proc->pid, &proc->fresh);
	proc->emitted_fresh = proc->fresh.count;
	int64_t pages = dbx_capture_pages(proc, arena, UINT64_MAX);
	int result = pages < 0 ? (int)pages : dbx_capture_objects(engine, proc, &engine->objects, arena);
	return result < 0 ? result : pages;
}

/* What was handed out and not acknowledged is to be handed out again: an acknowledgement means the last capture only. */
static void hand_out_again(struct dbx_engine *engine)
{
	for (uint32_t i = 0; i < engine->proc_count; i++) {
		struct dbx_proc *proc = engine->procs[i];
		proc->emitted = proc->emitted_fresh = 0;
		proc->emitted_renewed = false;
	}
}

static int capture_all(struct dbx_engine *engine, struct dbx_arena *arena, struct dbx_window *window, enum dbx_scan_mode mode, struct dbx_files_plan *plan)
{
	struct dbx_objects *objects = &engine->objects;
	int64_t result = 0;
	objects->count = 0;
	hand_out_again(engine);
	for (uint32_t i = 0; i < engine->proc_count && result >= 0; i++) {
		struct dbx_proc *proc = engine->procs[i];
		engine->culprit = proc->pid;
		result = read_process(engine, proc, arena, window, mode);
		if (result <= 0)
			continue;
		uint64_t start = dbx_now();
		window->step = DBX_STEP_PAGES;
		if (mode == DBX_SCAN_CLEAR) {
			result = read_memory(engine, proc, arena, plan);
			window->pages += result > 0 ? (uint64_t)result : 0;
		} else {
			dbx_capture_runs(arena, DBX_DIRTY, proc->pid, &proc->dirty);
			dbx_capture_runs(arena, DBX_DIRTY, proc->pid, &engine->look);
			dbx_capture_runs(arena, DBX_FRESH, proc->pid, &proc->fresh);
			dbx_capture_runs(arena, DBX_FRESH, proc->pid, &engine->look_fresh);
			dbx_capture_renewed(engine, proc, &engine->look_fresh, arena);
			result = dbx_capture_objects(engine, proc, objects, arena);
		}
		window->copy += dbx_now() - start;
	}
	window->culprit = engine->culprit;
	return result < 0 ? (int)result : 0;
}

/*
 * The checkpoint's window. 0: everything is in the arena. -ENOBUFS: `need` bytes are needed; nothing is forgotten, call again with more. In every
 * case but success with DBX_REQUEST_HOLD the sandbox runs when this returns.
 */
int32_t dbx_engine_checkpoint(int64_t handle, uint64_t request_address, uint64_t window_address)
{
	struct dbx_engine *engine = engine_of(handle);
	const struct dbx_request *request = (const struct dbx_request *)(uintptr_t)request_address;
	struct dbx_window *window = (struct dbx_window *)(uintptr_t)window_address;
	struct dbx_arena arena = {.base = (uint8_t *)(uintptr_t)request->arena, .cap = request->arena_bytes};
	uint64_t start = dbx_now();
	int result = stop_for(engine, request, window);
	if (result < 0)
		return result;
	struct dbx_files_plan *plan = (struct dbx_files_plan *)(uintptr_t)request->files_plan;
	result = capture_all(engine, &arena, window, DBX_SCAN_CLEAR, plan);
	if (result >= 0)
		result = dbx_window_extras(engine, plan, &arena, window);
	window->need = arena.need;
	if (result >= 0 && arena.need > arena.cap)
		result = -ENOBUFS;
	uint64_t captured = dbx_now();
	if (result < 0 || !(request->flags & DBX_REQUEST_HOLD))
		dbx_thaw_all(engine);
	uint64_t end = dbx_now();
	window->resume = end - captured;
	window->total = end - start;
	if (!engine->stopped)
		(void)dbx_hurry(engine, false);
	return result;
}

/* Stops everything and tells what is and what changed, without clearing anything. On success the sandbox stays stopped until dbx_engine_thaw. */
int32_t dbx_engine_freeze(int64_t handle, uint64_t request_address, uint64_t window_address)
{
	struct dbx_engine *engine = engine_of(handle);
	const struct dbx_request *request = (const struct dbx_request *)(uintptr_t)request_address;
	struct dbx_window *window = (struct dbx_window *)(uintptr_t)window_address;
	struct dbx_arena arena = {.base = (uint8_t *)(uintptr_t)request->arena, .cap = request->arena_bytes};
	uint64_t start = dbx_now();
	int result = stop_for(engine, request, window);
	if (result < 0)
		return result;
	result = capture_all(engine, &arena, window, DBX_SCAN_LOOK, NULL);
	if (result >= 0)
		result = dbx_window_descriptors(engine, &arena, window);
	window->need = arena.need;
	if (result >= 0 && arena.need > arena.cap)
		result = -ENOBUFS;
	if (result < 0)
		dbx_thaw_all(engine);
	window->total = dbx_now() - start;
	if (!engine->stopped)
		(void)dbx_hurry(engine, false);
	return result;
}

/* The caller goes on urgently, so that it can look at its clock; dbx_engine_calm ends that. */
int32_t dbx_engine_thaw(int64_t handle)
{
	struct dbx_engine *engine = engine_of(handle);
	if (!engine->stopped)
		return -EINVAL;
	dbx_thaw_all(engine);
	return 0;
}

void dbx_engine_calm(int64_t handle)
{
	struct dbx_engine *engine = engine_of(handle);
	if (!engine->stopped)
		(void)dbx_hurry(engine, false);
}

/* Between on and off the caller goes on urgently outside windows too. Negative: it is not allowed to, and nothing has changed. */
int32_t dbx_engine_pace(int64_t handle, int32_t on)
{
	struct dbx_engine *engine = engine_of(handle);
	engine->paced = false;
	int result = dbx_hurry(engine, on != 0);
	engine->paced = on && result >= 0;
	return result;
}

static int enroll_running(struct dbx_engine *engine, struct dbx_proc *proc)
{
	dbx_deadline(engine, 20);
	int result = dbx_seize(engine, proc, proc->pid);
	if (result >= 0) {
		result = dbx_wait_stop(engine, &proc->threads[0]);
		if (result == -ESRCH)
			proc->thread_count = 0;
		if (result >= 0)
			result = dbx_filtered(engine, proc) ? -EACCES : dbx_enroll(engine, proc);
		dbx_thaw_process(engine, proc);
	}
	dbx_deadline(engine, 0);
	return result;
}

/*
 * While the sandbox runs: finds new processes and begins to follow them, each stopped for a moment by itself. Fills in the pids followed; a process
 * that could not be is left for the window. Returns the count.
 */
int32_t dbx_engine_prepare(int64_t handle, uint64_t pids, uint32_t cap)
{
	struct dbx_engine *engine = engine_of(handle);
	int32_t *out = (int32_t *)(uintptr_t)pids;
	uint32_t count = 0;
	dbx_drop_dead(engine);
	int result = dbx_all_known(engine) ? 0 : dbx_discover(engine);
	if (result < 0)
		return result;
	for (uint32_t i = 0; i < engine->proc_count; i++) {
		struct dbx_proc *proc = engine->procs[i];
		if (proc->enrolled && !dbx_tracking_alive(proc))
			dbx_unenroll(proc);
		if (!proc->enrolled && enroll_running(engine, proc) < 0)
			continue;
		if (count < cap)
			out[count++] = proc->pid;
	}
	return (int32_t)count;
}

/* While it runs: copies what was written so far, as much as fits. Returns the bytes of records, and leaves the rest for another call: 0 when all is done. */
int64_t dbx_engine_precopy(int64_t handle, int32_t pid, uint64_t arena_address, uint64_t bytes)
{
	struct dbx_engine *engine = engine_of(handle);
	struct dbx_arena arena = {.base = (uint8_t *)(uintptr_t)arena_address, .cap = bytes};
	struct dbx_proc *proc = dbx_proc_find(engine, pid);
	if (!proc || !proc->enrolled)
		return 0;
	int result = 0;
	engine->breath = dbx_now();
	hand_out_again(engine);
	if (!proc->dirty.count)
		result = dbx_read_regions(engine, proc);
	if (result >= 0 && !proc->dirty.count)
		result = dbx_capture_scan(engine, proc);
	if (result < 0)
		return result;
	dbx_capture_runs(&arena, DBX_FRESH, pid, &proc->fresh);
	proc->emitted_fresh = proc->fresh.count;
	/* Each run costs its own entry, so half of the room counts as entries in the worst case of single pages. */
	uint64_t room = arena.cap > arena.need + 65536 ? arena.cap - arena.need - 65536 : 0;
	int64_t pages = dbx_capture_pages(proc, &arena, room / (DBX_PAGE + 2 * sizeof(struct dbx_run)));
	if (pages < 0)
		return pages;
	return arena.need > arena.cap ? -ENOBUFS : (int64_t)arena.used;
}

/* What the last capture handed out is kept by the caller now: it need not be handed out again. */
void dbx_engine_acknowledge(int64_t handle)
{
	struct dbx_engine *engine = engine_of(handle);
	for (uint32_t i = 0; i < engine->proc_count; i++) {
		struct dbx_proc *proc = engine->procs[i];
		uint64_t rest = proc->dirty.count - proc->emitted;
		if (rest && proc->emitted)
			memmove(proc->dirty.at, proc->dirty.at + proc->emitted, rest * sizeof(struct dbx_run));
		proc->dirty.count = rest;
		rest = proc->fresh.count - proc->emitted_fresh;
		if (rest && proc->emitted_fresh)
			memmove(proc->fresh.at, proc->fresh.at + proc->emitted_fresh, rest * sizeof(struct dbx_run));
		proc->fresh.count = rest;
		proc->renewed &= !proc->emitted_renewed;
		proc->emitted = proc->emitted_fresh = 0;
	}
}

int32_t dbx_engine_culprit(int64_t handle)
{
	return engine_of(handle)->culprit;
}

int32_t dbx_engine_settle(int64_t handle)
{
	return (int32_t)dbx_settle(engine_of(handle));
}
