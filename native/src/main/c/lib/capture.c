/* Reading one stopped process into the arena: who it is, its threads, its regions, its written pages. Decides nothing. */
#include "capture.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

/* Where the calls below leave their answers, as offsets in the scratch area. */
#define AT_ACTIONS DBX_SCRATCH_DATA
#define AT_TIMERS (AT_ACTIONS + DBX_SIGNAL_COUNT * 32)
#define AT_IDS (AT_TIMERS + 96)
#define AT_THREADS (DBX_SCRATCH_DATA + 8192)
#define THREAD_SPACE 64u
#define AT_POSIX_TIMERS (AT_THREADS + DBX_TOGETHER * THREAD_SPACE)
#define CALLS_PER_THREAD 3u

static void add(struct dbx_call *calls, uint32_t *count, long number, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
	calls[(*count)++] = (struct dbx_call){.number = (uint64_t)number, .args = {a, b, c, d, 0, 0}};
}

static void thread_calls(const struct dbx_proc *proc, struct dbx_call *calls, uint32_t *count, uint32_t slot)
{
	uint64_t space = proc->scratch + AT_THREADS + slot * THREAD_SPACE;
	add(calls, count, SYS_gettid, 0, 0, 0, 0);
	add(calls, count, SYS_sigaltstack, 0, space, 0, 0);
	add(calls, count, SYS_prctl, PR_GET_TID_ADDRESS, space + 32, 0, 0);
}

static void process_calls(const struct dbx_proc *proc, struct dbx_call *calls, uint32_t *count)
{
	for (uint32_t signal = 1; signal <= DBX_SIGNAL_COUNT; signal++)
		add(calls, count, SYS_rt_sigaction, signal, 0, proc->scratch + AT_ACTIONS + (signal - 1) * 32, 8);
	for (uint32_t timer = 0; timer < 3; timer++)
		add(calls, count, SYS_getitimer, timer, proc->scratch + AT_TIMERS + timer * 32, 0, 0);
	add(calls, count, SYS_brk, 0, 0, 0, 0);
	add(calls, count, SYS_getpgid, 0, 0, 0, 0);
	add(calls, count, SYS_getsid, 0, 0, 0, 0);
	add(calls, count, SYS_getppid, 0, 0, 0, 0);
	uint64_t ids = proc->scratch + AT_IDS;
	add(calls, count, SYS_getresuid, ids, ids + 4, ids + 8, 0);
	add(calls, count, SYS_getresgid, ids + 12, ids + 16, ids + 20, 0);
	add(calls, count, SYS_prctl, PR_GET_NO_NEW_PRIVS, 0, 0, 0);
	add(calls, count, SYS_prctl, PR_GET_PDEATHSIG, ids + 24, 0, 0);
	add(calls, count, SYS_prctl, PR_GET_DUMPABLE, 0, 0, 0);
	add(calls, count, SYS_prctl, PR_GET_SECUREBITS, 0, 0, 0);
	add(calls, count, SYS_prctl, PR_GET_CHILD_SUBREAPER, ids + 28, 0, 0);
	add(calls, count, SYS_getpriority, PRIO_PROCESS, 0, 0, 0);
	add(calls, count, SYS_personality, UINT32_MAX, 0, 0, 0);
	add(calls, count, SYS_sched_getaffinity, 0, sizeof ((struct dbx_record_process *)NULL)->affinity, ids + 32, 0);
}

static int put_signals(struct dbx_arena *arena, const struct dbx_proc *proc, pid_t tid, uint32_t flags)
{
	siginfo_t waiting[32];
	_Static_assert(sizeof(siginfo_t) == 128, "shared with Java");
	for (uint64_t offset = 0;;) {
		struct __ptrace_peeksiginfo_args args = {.off = offset, .flags = flags, .nr = 32};
		long count = ptrace(PTRACE_PEEKSIGINFO, tid, &args, waiting);
		if (count < 0)
			return -errno;
		if (count == 0)
			return 0;
		uint64_t bytes = (uint64_t)count * sizeof(siginfo_t);
		struct dbx_record_signals *record = dbx_arena_put(arena, DBX_SIGNALS, 0, sizeof *record + bytes);
		if (record) {
			*record = (struct dbx_record_signals){proc->pid, flags ? 0 : tid, (uint32_t)count, 0};
			memcpy(record + 1, waiting, bytes);
		}
		offset += (uint64_t)count;
	}
}

static void put_name(struct dbx_record_thread *record, pid_t pid, pid_t tid)
{
	char path[64];
	snprintf(path, sizeof path, "/proc/%d/task/%d/comm", pid, tid);
	DBX_AUTO_FD file = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t got = file < 0 ? 0 : read(file, record->name, sizeof record->name);
	if (got > 0)
		record->name[got - 1] = 0;
}

static int put_thread(struct dbx_arena *arena, const struct dbx_proc *proc, const struct dbx_thread *thread, uint32_t first_call, uint32_t slot)
{
	enum { XSAVE_MAX = 12288 };
	uint8_t xsave[XSAVE_MAX];
	struct iovec area = {xsave, sizeof xsave};
	struct user_regs_struct regs;
	uint64_t mask;
	if (ptrace(PTRACE_GETREGS, thread->tid, 0, &regs) || ptrace(PTRACE_GETREGSET, thread->tid, NT_X86_XSTATE, &area) || ptrace(PTRACE_GETSIGMASK, thread->tid, 8, &mask))
		return -errno;
	struct dbx_record_thread *record = dbx_arena_put(arena, DBX_THREAD, 0, sizeof *record + area.iov_len);
	if (!record)
		return 0;
	memset(record, 0, sizeof *record);
	const struct dbx_call *calls = dbx_calls(proc) + first_call;
	const uint8_t *space = proc->scratch_local + AT_THREADS + slot * THREAD_SPACE;
	record->pid = proc->pid;
	record->tid = thread->tid;
	record->inner = (int32_t)calls[0].result;
	record->flags = thread->group_stopped ? DBX_THREAD_GROUP_STOPPED : 0;
	record->mask = mask;
	memcpy(&record->alt_stack, space, 8);
	memcpy(&record->alt_flags, space + 8, 4);
	memcpy(&record->alt_size, space + 16, 8);
	if (calls[2].result == 0)
		memcpy(&record->clear_tid, space + 32, 8);
	void *head = NULL;
	size_t len = 0;
	if (syscall(SYS_get_robust_list, thread->tid, &head, &len) == 0) {
		record->robust_head = (uint64_t)(uintptr_t)head;
		record->robust_len = len;
	}
	struct dbx_rseq_configuration rseq = {0};
	if (ptrace((enum __ptrace_request)DBX_PTRACE_GET_RSEQ_CONFIGURATION, thread->tid, sizeof rseq, &rseq) > 0) {
		record->rseq_pointer = rseq.pointer;
		record->rseq_size = rseq.size;
		record->rseq_signature = rseq.signature;
	}
	put_name(record, proc->pid, thread->tid);
	memcpy(record->regs, &regs, sizeof regs);
	record->xsave_len = (uint32_t)area.iov_len;
	memcpy(record->xsave, xsave, area.iov_len);
	return 0;
}

/* The answers of process_calls from prctl(PR_GET_NO_NEW_PRIVS) on. */
static void put_attributes(struct dbx_record_process *record, const struct dbx_call *calls, const uint8_t *ids)
{
	record->no_new_privs = (uint32_t)calls[0].result;
	memcpy(&record->death_signal, ids + 24, sizeof record->death_signal);
	record->dumpable = (uint32_t)calls[2].result;
	record->secure_bits = (uint32_t)calls[3].result;
	memcpy(&record->subreaper, ids + 28, sizeof record->subreaper);
	record->priority = (uint32_t)calls[5].result;
	record->personality = (uint32_t)calls[6].result;
	if (calls[7].result > 0 && calls[7].result <= (int64_t)sizeof record->affinity)
		memcpy(record->affinity, ids + 32, (size_t)calls[7].result);
}

static void put_process(struct dbx_arena *arena, const struct dbx_engine *engine, const struct dbx_proc *proc, uint32_t first, uint32_t flags)
{
	struct dbx_record_process *record = dbx_arena_put(arena, DBX_PROCESS, 0, sizeof *record);
	if (!record)
		return;
	memset(record, 0, sizeof *record);
	record->pid = proc->pid;
	record->inner = proc->inner;
	record->parent = proc->parent == engine->init ? 0 : proc->parent;
	record->flags = flags | (proc->leader_dead && proc->thread_count ? DBX_PROCESS_LEADER_DEAD : 0);
	if (flags & (DBX_PROCESS_ZOMBIE | DBX_PROCESS_NEW)) {
		dbx_read_identity(engine, proc, record);
		return;
	}
	const struct dbx_call *calls = dbx_calls(proc) + first;
	record->scratch = proc->scratch;
	memcpy(record->actions, proc->scratch_local + AT_ACTIONS, sizeof record->actions);
	memcpy(record->timers, proc->scratch_local + AT_TIMERS, sizeof record->timers);
	memcpy(record->uids, proc->scratch_local + AT_IDS, sizeof record->uids + sizeof record->gids);
	calls += DBX_SIGNAL_COUNT + 3;
	record->brk = (uint64_t)calls[0].result;
	record->group = (int32_t)calls[1].result;
	record->session = (int32_t)calls[2].result;
	record->inner_parent = (int32_t)calls[3].result;
	put_attributes(record, calls + 6, proc->scratch_local + AT_IDS);
	for (int limit = 0; limit < (int)DBX_LIMIT_COUNT; limit++)
		(void)syscall(SYS_prlimit64, proc->pid, limit, NULL, record->limits[limit]);
}

static void put_image(struct dbx_arena *arena, const struct dbx_record_image *image)
{
	struct dbx_record_image *record = dbx_arena_put(arena, DBX_IMAGE, 0, sizeof *record);
	if (record)
		*record = *image;
}

/* Who the process is and all its threads, by one batch of calls in every thread at once. */
int dbx_capture_threads(struct dbx_engine *engine, struct dbx_proc *proc, struct dbx_arena *arena, uint32_t flags)
{
	int listed = dbx_timers_list(engine, proc);
	if (listed < 0)
		return listed;
	for (uint32_t first = 0; first < proc->thread_count; first += DBX_TOGETHER) {
		uint32_t together = proc->thread_count - first < DBX_TOGETHER ? proc->thread_count - first : DBX_TOGETHER;
		struct dbx_call *calls = dbx_calls(proc);
		struct dbx_span spans[DBX_TOGETHER];
		uint32_t count = 0;
		for (uint32_t i = 0; i < together; i++) {
			spans[i].first = count;
			thread_calls(proc, calls, &count, i);
			if (first + i == 0) {
				process_calls(proc, calls, &count);
				dbx_timers_calls(engine, proc->scratch + AT_POSIX_TIMERS, calls, &count);
			}
			spans[i].count = count - spans[i].first;
		}
		memset(proc->scratch_local + AT_THREADS, 0, together * THREAD_SPACE);
		int result = dbx_inject_many(engine, proc, first, together, spans);
		if (result < 0)
			return result;
		if (first == 0) {
			put_process(arena, engine, proc, CALLS_PER_THREAD, flags);
			dbx_timers_put(engine, proc, proc->scratch_local + AT_POSIX_TIMERS, arena);
			put_image(arena, &proc->image);
		}
		for (uint32_t i = 0; i < together && result >= 0; i++) {
			result = put_thread(arena, proc, &proc->threads[first + i], spans[i].first, i);
			if (result >= 0)
				result = put_signals(arena, proc, proc->threads[first + i].tid, 0);
		}
		if (result < 0)
			return result;
	}
	return put_signals(arena, proc, proc->threads[0].tid, PTRACE_PEEKSIGINFO_SHARED);
}

void dbx_capture_husk(const struct dbx_engine *engine, struct dbx_proc *proc, struct dbx_arena *arena, uint32_t flags, int error)
{
	uint64_t before = arena->used;
	put_process(arena, engine, proc, 0, flags | DBX_PROCESS_NEW);
	if (arena->used > before)
		((struct dbx_record_process *)(void *)(arena->base + before + sizeof(struct dbx_record)))->error = error;
	dbx_read_image(proc);
	put_image(arena, &proc->image);
}

void dbx_capture_regions(const struct dbx_engine *engine, const struct dbx_proc *proc, struct dbx_arena *arena)
{
	uint64_t bytes = engine->region_count * sizeof(struct dbx_region);
	struct dbx_record_list *record = dbx_arena_put(arena, DBX_REGIONS, 0, sizeof *record + bytes + engine->names_used);
	if (!record)
		return;
	*record = (struct dbx_record_list){proc->pid, engine->region_count};
	memcpy(record + 1, engine->regions, bytes);
	memcpy((uint8_t *)(record + 1) + bytes, engine->names, engine->names_used);
}

void dbx_capture_runs(struct dbx_arena *arena, uint32_t kind, pid_t pid, const struct dbx_runs *runs)
{
	if (!runs->count)
		return;
	uint64_t bytes = runs->count * sizeof(struct dbx_run);
	struct dbx_record_list *record = dbx_arena_put(arena, kind, 0, sizeof *record + bytes);
	if (!record)
		return;
	*record = (struct dbx_record_list){pid, (uint32_t)runs->count};
	memcpy(record + 1, runs->at, bytes);
}

static const struct dbx_region *region_of(const struct dbx_engine *engine, uint64_t start)
{
	for (uint32_t i = 0; i < engine->region_count; i++)
		if (engine->regions[i].start == start)
			return &engine->regions[i];
	return NULL;
}

static int by_start(const void *a, const void *b)
{
	const struct dbx_run *x = a, *y = b;
	return x->start < y->start ? -1 : x->start > y->start;
}

static bool in_order(const struct dbx_runs *runs)
{
	for (uint64_t i = 1; i < runs->count; i++)
		if (runs->at[i].start < runs->at[i - 1].end)
			return false;
	return true;
}

/* A scan that met an untracked region looks twice at what lies before it, and a capture that failed leaves its runs: each page is to be copied once. */
static void merge_runs(struct dbx_runs *runs)
{
	uint64_t kept = 0;
	if (in_order(runs))
		return;
	qsort(runs->at, runs->count, sizeof *runs->at, by_start);
	for (uint64_t i = 1; i < runs->count; i++) {
		if (runs->at[i].start > runs->at[kept].end)
			runs->at[++kept] = runs->at[i];
		else if (runs->at[i].end > runs->at[kept].end)
			runs->at[kept].end = runs->at[i].end;
	}
	runs->count = runs->count ? kept + 1 : 0;
}

/* Only what was copied for the process itself counts in this part of a run, the rest is its file's or nothing; older content is void. */
static int keep_own_part(struct dbx_engine *engine, struct dbx_proc *proc, struct dbx_run part, struct dbx_runs *kept)
{
	int result = dbx_runs_append(&proc->fresh, part.start, part.end);
	return result < 0 ? result : dbx_present(engine, proc, part.start, part.end, kept);
}

/* The first part of a run, and the region it lies in; none for a region that grew into this place after the list was read, while the process ran. */
static struct dbx_run first_part(const struct dbx_engine *engine, struct dbx_run run, uint32_t *at, const struct dbx_region **region)
{
	while (*at < engine->region_count && engine->regions[*at].end <= run.start)
		(*at)++;
	const struct dbx_region *next = *at < engine->region_count ? &engine->regions[*at] : NULL;
	*region = next && next->start <= run.start ? next : NULL;
	uint64_t end = *region ? next->end : next ? next->start : run.end;
	return (struct dbx_run){run.start, end < run.end ? end : run.end};
}

/*
 * A page of a private file mapping is also reported when it was merely read for the first time, or dropped: it shows the file's page then, whose content
 * changes without a word. Such pages have no content of their own; handing them out as fresh makes older copies void.
 */
static int keep_own_pages(struct dbx_engine *engine, struct dbx_proc *proc)
{
	struct dbx_runs *kept = &engine->look;
	uint32_t at = 0;
	int result = 0;
	kept->count = 0;
	for (uint64_t i = 0; i < proc->dirty.count && result >= 0; i++) {
		struct dbx_run run = proc->dirty.at[i];
		while (run.start < run.end && result >= 0) {
			const struct dbx_region *region;
			struct dbx_run part = first_part(engine, run, &at, &region);
			bool own = !region || (region->inode && !(region->flags & DBX_REGION_SHARED));
			result = own ? keep_own_part(engine, proc, part, kept) : dbx_runs_add(kept, part.start, part.end);
			run.start = part.end;
		}
	}
	if (result < 0)
		return result;
	memcpy(proc->dirty.at, kept->at, kept->count * sizeof *kept->at);
	proc->dirty.count = kept->count;
	merge_runs(&proc->dirty);
	return 0;
}

static bool is_droppable(const struct dbx_proc *proc, const struct dbx_region *region)
{
	for (uint64_t i = 0; i < proc->droppable.count; i++)
		if (proc->droppable.at[i].start == region->start && proc->droppable.at[i].end == region->end)
			return true;
	return false;
}

/* `fresh`: regions found untracked by a scan that armed nothing. Reservations without any access stay untracked and say nothing. */
void dbx_capture_renewed(const struct dbx_engine *engine, const struct dbx_proc *proc, const struct dbx_runs *fresh, struct dbx_arena *arena)
{
	bool renewed = proc->renewed;
	for (uint64_t i = 0; i < fresh->count && !renewed; i++) {
		const struct dbx_region *region = region_of(engine, fresh->at[i].start);
		renewed = region && !dbx_no_access(region) && !is_droppable(proc, region);
	}
	struct dbx_record_list *record = renewed ? dbx_arena_put(arena, DBX_RENEWED, 0, sizeof *record) : NULL;
	if (record)
		*record = (struct dbx_record_list){proc->pid, 0};
}

/*
 * While the process runs, its regions change between the steps of this: tracking may begin for a part only, and then fails. What was in memory by then is
 * taken in any case, as its marks may be cleared; a part that is not tracked is fresh again the next time.
 */
static int start_to_track(struct dbx_engine *engine, struct dbx_proc *proc, struct dbx_run run)
{
	int result = dbx_arm(engine, proc, run.start, run.end);
	if (result == -EINVAL && engine->stopped)
		return dbx_runs_append(&proc->droppable, run.start, run.end);
	bool changing = !engine->stopped && (result == -EPERM || result == -EINVAL);
	if (result < 0 && result != -ENOMEM && result != -EFAULT && !changing)
		return result;
	proc->renewed = true;
	return dbx_present(engine, proc, run.start, run.end, &proc->dirty);
}

/* Clears the written marks into the process's own lists and begins to track regions that are new. Safe while the process runs. */
int dbx_capture_scan(struct dbx_engine *engine, struct dbx_proc *proc)
{
	uint64_t known = proc->fresh.count;
	proc->droppable.count = engine->stopped ? 0 : proc->droppable.count;
	int result = dbx_scan(engine, proc, DBX_SCAN_CLEAR, &proc->dirty, &proc->fresh);
	for (uint64_t i = known; i < proc->fresh.count && result >= 0; i++) {
		struct dbx_run run = proc->fresh.at[i];
		const struct dbx_region *region = region_of(engine, run.start);
		uint64_t before = proc->dirty.count;
		/* A reservation without pages stays unregistered: markers for its holes would cost page tables (it is fresh again when made accessible). */
		if (region && dbx_no_access(region)) {
			result = dbx_present(engine, proc, run.start, run.end, &proc->dirty);
			if (result < 0 || proc->dirty.count == before)
				continue;
			proc->dirty.count = before;
		}
		result = start_to_track(engine, proc, run);
	}
	merge_runs(&proc->dirty);
	int kept = keep_own_pages(engine, proc);
	return result < 0 ? result : kept;
}

/* Looks without clearing, while all is stopped: `look` gets what was written and what fresh regions hold, `look_fresh` the regions not tracked. */
int dbx_capture_look(struct dbx_engine *engine, struct dbx_proc *proc)
{
	engine->look.count = engine->look_fresh.count = 0;
	int result = dbx_scan(engine, proc, DBX_SCAN_LOOK, &engine->look, &engine->look_fresh);
	for (uint64_t i = 0; i < engine->look_fresh.count && result >= 0; i++)
		result = dbx_present(engine, proc, engine->look_fresh.at[i].start, engine->look_fresh.at[i].end, &engine->look);
	for (uint64_t i = 0; i < proc->fresh.count && result >= 0; i++)
		result = dbx_present(engine, proc, proc->fresh.at[i].start, proc->fresh.at[i].end, &engine->look);
	return result;
}

static bool private_file(const struct dbx_region *region)
{
	return region->inode && !(region->flags & (DBX_REGION_SHARED | DBX_REGION_SPECIAL | DBX_REGION_HUGETLB));
}

/*
 * Which pages of private file mappings the process has copies of. Dropping a clean copy is not reported as written: the protection marker survives in
 * mappings of files (mm/memory.c, zap_install_uffd_wp_if_needed), so what is there is told each time.
 */
int dbx_capture_own(struct dbx_engine *engine, struct dbx_proc *proc, struct dbx_arena *arena)
{
	int result = 0;
	engine->own.count = 0;
	for (uint32_t i = 0; i < engine->region_count && result >= 0; i++)
		if (private_file(&engine->regions[i]))
			result = dbx_present(engine, proc, engine->regions[i].start, engine->regions[i].end, &engine->own);
	merge_runs(&engine->own);
	if (result >= 0)
		dbx_capture_runs(arena, DBX_OWN, proc->pid, &engine->own);
	return result;
}

static uint64_t pages_of(const struct dbx_runs *runs, uint64_t count)
{
	uint64_t pages = 0;
	for (uint64_t i = 0; i < count; i++)
		pages += (runs->at[i].end - runs->at[i].start) / DBX_PAGE;
	return pages;
}

/* Copies written pages into the arena: all of them, or with a budget as many as fit. Returns the pages copied. */
int64_t dbx_capture_pages(struct dbx_proc *proc, struct dbx_arena *arena, uint64_t budget_pages)
{
	uint64_t runs = proc->dirty.count, pages = 0;
	if (budget_pages != UINT64_MAX) {
		runs = 0;
		while (runs < proc->dirty.count && pages < budget_pages) {
			struct dbx_run *run = &proc->dirty.at[runs++];
			uint64_t have = (run->end - run->start) / DBX_PAGE, room = budget_pages - pages;
			if (have > room) {
				struct dbx_run rest = {run->start + room * DBX_PAGE, run->end};
				run->end = rest.start;
				int result = dbx_runs_append(&proc->dirty, rest.start, rest.end);
				if (result < 0)
					return result;
			}
			pages += have > room ? room : have;
		}
	}
	pages = pages_of(&proc->dirty, runs);
	proc->emitted = runs;
	if (!runs)
		return 0;
	struct dbx_record_pages *record = dbx_arena_put(arena, DBX_PAGES, 0, sizeof *record + runs * sizeof(struct dbx_run) + pages * DBX_PAGE);
	if (!record)
		return (int64_t)pages;
	*record = (struct dbx_record_pages){proc->pid, (uint32_t)runs, pages};
	memcpy(record + 1, proc->dirty.at, runs * sizeof(struct dbx_run));
	uint8_t *bytes = (uint8_t *)(record + 1) + runs * sizeof(struct dbx_run);
	return dbx_read_pages(proc, proc->dirty.at, runs, bytes) / (int64_t)DBX_PAGE;
}
