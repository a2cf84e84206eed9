/*
 * The process engine: stops the tree of a sandbox, tracks and reads its memory, runs system calls inside it, puts state back.
 *
 * Needs Linux 6.7 (PAGEMAP_SCAN, asynchronous write protection of userfaultfd), ptrace rights over the sandbox and /proc of its parent pid namespace.
 * All functions of one engine must be called by one thread: the tracer of a task is a thread, not a process (ptrace(2)).
 * If the caller dies while the sandbox is stopped, PTRACE_O_EXITKILL ends the sandbox: a half-edited process must not run on.
 */
#ifndef DBX_ENGINE_H
#define DBX_ENGINE_H

#include "dbx.h"
#include "records.h"
#include "uapi.h"

#include <stdbool.h>
#include <sys/types.h>
#include <sys/user.h>
#include <time.h>

#define DBX_PAGE UINT64_C(4096)

/* The scratch area every tracked process maps, shared with the daemon: one page of code, the call table, then data. */
#define DBX_SCRATCH_BYTES UINT64_C(131072)
#define DBX_SCRATCH_NAME "deltabox-scratch"
#define DBX_SCRATCH_HINT UINT64_C(0x30000000000)
#define DBX_SCRATCH_CALLS UINT64_C(4096)
#define DBX_SCRATCH_DATA UINT64_C(32768)
#define DBX_CALLS_MAX 325u
/* Threads that run injected calls at the same time. */
#define DBX_TOGETHER 32u

/* One injected call. `copy_to`: addresses of the target that also receive the result, being arguments of later calls; zero ends the list early. */
struct dbx_call {
	uint64_t number;
	uint64_t args[6];
	int64_t result;
	uint64_t copy_to[3];
};
_Static_assert(sizeof(struct dbx_call) == 88, "walked by the parasite and filled by Java");
_Static_assert(DBX_SCRATCH_CALLS + DBX_CALLS_MAX * sizeof(struct dbx_call) <= DBX_SCRATCH_DATA, "call table fits");

struct dbx_thread {
	pid_t tid;
	bool group_stopped;
	bool stop_signal_held;
};

struct dbx_run {
	uint64_t start, end;
};

struct dbx_runs {
	struct dbx_run *at;
	uint64_t count, cap;
};

/* A mapped region as /proc/PID/maps tells it; the name follows in a separate buffer. Shared with Java. */
struct dbx_region {
	uint64_t start, end, offset, inode;
	uint32_t dev_major, dev_minor, flags, name_len;
};
_Static_assert(sizeof(struct dbx_region) == 48, "shared with Java");
#define DBX_REGION_READ 1u
#define DBX_REGION_WRITE 2u
#define DBX_REGION_EXEC 4u
#define DBX_REGION_SHARED 8u
/* Kernel pages or our own scratch area: neither tracked nor put back. */
#define DBX_REGION_SPECIAL 16u
/* Backed by an object that no name leads to (shared anonymous memory, memfd, System V, a removed file). */
#define DBX_REGION_OBJECT 32u
#define DBX_REGION_HUGETLB 64u

struct dbx_proc {
	pid_t pid, inner, parent;
	int pidfd, uffd, pagemap, mem, maps, timers, taskdir;
	uint64_t scratch;
	uint8_t *scratch_local;
	struct dbx_thread *threads;
	uint32_t thread_count, thread_cap;
	/* Written since last acknowledged, and regions found new since then: kept here so that a failed capture forgets nothing. */
	struct dbx_runs dirty, fresh;
	/* Regions the kernel may drop the pages of at any time (MAP_DROPPABLE); they cannot be followed, and nothing of them is kept. */
	struct dbx_runs droppable;
	/* How many runs of `dirty` the last capture handed out; an acknowledgement removes them. */
	uint64_t emitted;
	uint64_t emitted_fresh;
	/* Regions were mapped since a window last told so: what they were advised has to be read anew. */
	bool renewed, emitted_renewed;
	struct dbx_record_image image;
	bool enrolled, leader_dead;
	/* Work it did for us since it was last asked for: how often it was let run, and calls made by then. */
	uint32_t injected_stops, injected_calls;
};

struct dbx_fds_context;

#define DBX_TIMERS_MAX 128u
struct dbx_timers {
	uint32_t count, text_len;
	int32_t ids[DBX_TIMERS_MAX];
	char text[16384];
};

/* Features of newer kernels that are not to be used, or are not there; the same numbers in Java. */
#define DBX_WITHOUT_PROCMAP_QUERY 1u
#define DBX_WITHOUT_REALTIME 2u

#define DBX_OBJECTS_MAX 4096u
struct dbx_objects {
	uint32_t count;
	uint64_t seen[DBX_OBJECTS_MAX][2];
};

struct dbx_engine {
	pid_t init;
	int channel;
	uint32_t without;
	/* System call filters a command starts with. */
	uint32_t filters;
	int inner_proc;
	uint64_t syscall_offset;
	timer_t timer;
	bool timer_made;
	uint64_t deadline;
	struct dbx_proc **procs;
	uint32_t proc_count, proc_cap;
	bool stopped;
	/* The caller goes on urgently after a window: it takes care itself not to hold anybody up. */
	bool paced;
	/* When it last let others run. */
	uint64_t breath;
	/* The machine has swap space: pages may be neither in memory nor gone. */
	bool swap;
	pid_t culprit;
	/* Attached tasks that did not stop in time: let go as soon as they do. */
	pid_t *stragglers;
	uint32_t straggler_count, straggler_cap;
	/* Work buffers, sized for the largest process; only touched as far as used. */
	struct dbx_region *regions;
	uint32_t region_count;
	char *names;
	uint64_t names_used;
	struct dbx_runs look, look_fresh, own;
	struct dbx_page_region *vec;
	struct dbx_objects objects;
	struct dbx_timers timers;
	/* What the descriptor part remembers within one window. */
	struct dbx_fds_context *descriptors;
};
#define DBX_REGIONS_MAX 131072u
#define DBX_NAMES_MAX (UINT64_C(16) << 20)
#define DBX_VEC_MAX 262144u

/* stop.c */
int dbx_stop_all(struct dbx_engine *engine, uint32_t deadline_ms) DBX_MUST_CHECK;
int dbx_stop_process(struct dbx_engine *engine, struct dbx_proc *proc) DBX_MUST_CHECK;
void dbx_thaw_all(struct dbx_engine *engine);
void dbx_thaw_process(struct dbx_engine *engine, struct dbx_proc *proc);
uint32_t dbx_settle(struct dbx_engine *engine);
int dbx_wait_stop(struct dbx_engine *engine, struct dbx_thread *thread) DBX_MUST_CHECK;
int dbx_refresh_tree(struct dbx_engine *engine) DBX_MUST_CHECK;
int dbx_seize(struct dbx_engine *engine, struct dbx_proc *proc, pid_t tid) DBX_MUST_CHECK;
void dbx_deadline(struct dbx_engine *engine, uint32_t ms);
int dbx_hurry(const struct dbx_engine *engine, bool on);
uint64_t dbx_now(void);
bool dbx_paced(const struct dbx_engine *engine);
void dbx_breathe(struct dbx_engine *engine);

/* tree.c */
struct dbx_proc *dbx_proc_find(const struct dbx_engine *engine, pid_t pid);
struct dbx_proc *dbx_proc_add(struct dbx_engine *engine, pid_t pid, pid_t parent);
void dbx_proc_drop(struct dbx_engine *engine, uint32_t index);
void dbx_drop_dead(struct dbx_engine *engine);
int dbx_discover(struct dbx_engine *engine) DBX_MUST_CHECK;
bool dbx_all_known(const struct dbx_engine *engine);
int dbx_list_numbers(int directory, int32_t *numbers, uint32_t cap) DBX_MUST_CHECK;
pid_t dbx_inner_pid(pid_t pid, pid_t tid);

int dbx_add_children(struct dbx_engine *engine, pid_t pid, pid_t tid) DBX_MUST_CHECK;

/* image.c */
void dbx_read_image(struct dbx_proc *proc);
pid_t dbx_parent_of(const struct dbx_proc *proc);
void dbx_read_identity(const struct dbx_engine *engine, const struct dbx_proc *proc, struct dbx_record_process *record);

/* filter.c */
void dbx_filter_begin(struct dbx_engine *engine);
bool dbx_filtered(const struct dbx_engine *engine, const struct dbx_proc *proc);

/* restore.c */
int dbx_ask_init(const struct dbx_engine *engine, uint32_t op, uint32_t value, int descriptor) DBX_MUST_CHECK;

/* inject.c */
struct dbx_span {
	uint32_t first, count;
};
int dbx_inject(struct dbx_engine *engine, struct dbx_proc *proc, struct dbx_thread *thread, uint32_t first, uint32_t count) DBX_MUST_CHECK;
int dbx_inject_many(struct dbx_engine *engine, struct dbx_proc *proc, uint32_t first_thread, uint32_t threads, const struct dbx_span *calls) DBX_MUST_CHECK;
int dbx_inject_exec(struct dbx_engine *engine, struct dbx_proc *proc, uint32_t count) DBX_MUST_CHECK;
int dbx_inject_bare(struct dbx_engine *engine, struct dbx_thread *thread, uint64_t instruction, struct dbx_call *call) DBX_MUST_CHECK;
struct dbx_call *dbx_calls(const struct dbx_proc *proc);

/* track.c */
int dbx_enroll(struct dbx_engine *engine, struct dbx_proc *proc) DBX_MUST_CHECK;
bool dbx_tracking_alive(const struct dbx_proc *proc);
void dbx_unenroll(struct dbx_proc *proc);
int dbx_read_regions(struct dbx_engine *engine, struct dbx_proc *proc) DBX_MUST_CHECK;
enum dbx_scan_mode { DBX_SCAN_CLEAR, DBX_SCAN_LOOK };
int dbx_scan(struct dbx_engine *engine, struct dbx_proc *proc, enum dbx_scan_mode mode, struct dbx_runs *dirty, struct dbx_runs *fresh) DBX_MUST_CHECK;
int dbx_arm(struct dbx_engine *engine, struct dbx_proc *proc, uint64_t start, uint64_t end) DBX_MUST_CHECK;
int dbx_present(struct dbx_engine *engine, struct dbx_proc *proc, uint64_t start, uint64_t end, struct dbx_runs *runs) DBX_MUST_CHECK;
int dbx_runs_add(struct dbx_runs *runs, uint64_t start, uint64_t end) DBX_MUST_CHECK;
int dbx_runs_append(struct dbx_runs *runs, uint64_t start, uint64_t end) DBX_MUST_CHECK;
void dbx_runs_free(struct dbx_runs *runs);
bool dbx_no_access(const struct dbx_region *region);
int64_t dbx_read_pages(const struct dbx_proc *proc, const struct dbx_run *runs, uint64_t count, uint8_t *to);

/* arch */
extern const uint8_t dbx_parasite_start[], dbx_parasite_end[];
void dbx_arch_enter(struct user_regs_struct *regs, uint64_t code, uint64_t calls, uint32_t count);
void dbx_arch_enter_syscall(struct user_regs_struct *regs, uint64_t instruction, const struct dbx_call *call);
bool dbx_arch_restart_saved(struct user_regs_struct *regs);
bool dbx_arch_leaks_eintr(const struct user_regs_struct *regs);
void dbx_arch_call_again(struct user_regs_struct *regs);
uint64_t dbx_arch_syscall_offset(void);

#endif
