/* The records a capture writes; every structure is shared with Java. */
#ifndef DBX_RECORDS_H
#define DBX_RECORDS_H

#include "dbx.h"

enum dbx_engine_kind {
	DBX_PROCESS = 1,
	DBX_THREAD = 2,
	DBX_REGIONS = 3,
	DBX_FRESH = 4,
	DBX_PAGES = 5,
	DBX_DIRTY = 6,
	DBX_SIGNALS = 7,
	DBX_OBJECT = 8,
	DBX_OWN = 9,
	DBX_RENEWED = 10,
	DBX_TIMERS = 11,
	DBX_IMAGE = 12,
};

#define DBX_PROCESS_NEW 1u
#define DBX_PROCESS_ZOMBIE 2u
#define DBX_PROCESS_LEADER_DEAD 4u
/* The memory map was replaced by execve since it was last seen. */
#define DBX_PROCESS_EXECED 8u
/* A thread has installed a system call filter: nothing may be injected, so little is told of it. */
#define DBX_PROCESS_FILTERED 16u

#define DBX_SIGNAL_COUNT 64u
#define DBX_LIMIT_COUNT 16u

struct dbx_record_process {
	int32_t pid, inner, parent, error;
	int32_t group, session, inner_parent;
	uint32_t flags;
	uint64_t scratch, brk;
	uint32_t uids[3], gids[3];
	uint32_t no_new_privs, death_signal;
	/* As prctl(2), getpriority(2) (the raw call: 20 - nice) and personality(2) tell them. */
	uint32_t dumpable, secure_bits, subreaper, priority, personality, pad;
	/* sched_getaffinity(2) of the main thread; machines with more processors are cut. */
	uint64_t affinity[16];
	uint64_t limits[DBX_LIMIT_COUNT][2];
	uint64_t timers[3][4];
	uint64_t actions[DBX_SIGNAL_COUNT][4];
};
_Static_assert(sizeof(struct dbx_record_process) == 80 + 24 + 128 + 256 + 96 + 2048, "shared with Java");

struct dbx_record_thread {
	int32_t pid, tid, inner;
	uint32_t flags;
	uint64_t mask, robust_head, robust_len, clear_tid;
	uint64_t rseq_pointer;
	uint32_t rseq_size, rseq_signature;
	uint64_t alt_stack, alt_size;
	uint32_t alt_flags, xsave_len;
	char name[16];
	uint64_t regs[27];
	uint8_t xsave[];
};
_Static_assert(sizeof(struct dbx_record_thread) == 16 + 32 + 16 + 24 + 16 + 216, "shared with Java");
#define DBX_THREAD_GROUP_STOPPED 1u

#define DBX_AUXV_MAX 64u

/*
 * IMAGE: what execve(2) left in the memory map, in the order of struct prctl_mm_map (the end of the heap, which moves, is zero here), and how the end
 * of the process is told: the signal for the parent, and of a zombie the status as wait(2) has it.
 */
struct dbx_record_image {
	int32_t pid, exit_signal, exit_status;
	uint32_t auxv_bytes;
	uint64_t map[11];
	/* Name of the process; its threads tell it too while it lives. */
	char name[16];
	uint64_t auxv[DBX_AUXV_MAX];
};
_Static_assert(sizeof(struct dbx_record_image) == 16 + 88 + 16 + 512, "shared with Java");

/* REGIONS: this, `count` struct dbx_region, then the names, each ended by NUL. FRESH, DIRTY and OWN: this, then `count` struct dbx_run. */
struct dbx_record_list {
	int32_t pid;
	uint32_t count;
};

/* RENEWED: this with a count of zero: the process has mapped regions since this was last told. */

/* PAGES: this, the runs, then the bytes of all pages in the same order. */
struct dbx_record_pages {
	int32_t pid;
	uint32_t runs;
	uint64_t pages;
};

/* SIGNALS: this, then `count` siginfo_t of 128 bytes. tid 0: the queue of the process. */
struct dbx_record_signals {
	int32_t pid, tid;
	uint32_t count, pad;
};

/* TIMERS: this, `count` struct itimerspec, then `text_len` bytes of /proc/PID/timers; at most DBX_TIMERS_MAX are read. */
struct dbx_record_timers {
	int32_t pid;
	uint32_t count, text_len, pad;
};

/* OBJECT: shared memory, once per window: this, the runs (offsets in the object), then the bytes. Holes are zeros. */
struct dbx_record_object {
	uint64_t device, inode, size;
	int32_t pid;
	uint32_t runs;
	uint64_t start, end;
	uint64_t bytes;
};

/* What a window took, nanoseconds by phase, and what it met. */
struct dbx_window {
	uint64_t stop, registers, scan, copy, descriptors, files, resume, total;
	uint64_t need, pages, processes, threads;
	/* Where it failed: the task, and enum dbx_step. */
	int32_t culprit, step;
};
_Static_assert(sizeof(struct dbx_window) == 104, "shared with Java");

enum dbx_step { DBX_STEP_STOP, DBX_STEP_THREADS, DBX_STEP_REGIONS, DBX_STEP_SCAN, DBX_STEP_PAGES, DBX_STEP_OBJECTS, DBX_STEP_DESCRIPTORS, DBX_STEP_FILES };

/* What Java asks of a checkpoint's window. */
struct dbx_request {
	uint64_t arena, arena_bytes;
	uint64_t files_plan, files_plan_bytes;
	uint32_t deadline_ms, flags;
};
_Static_assert(sizeof(struct dbx_request) == 40, "shared with Java");
/* Leave the sandbox stopped after a successful capture; the caller thaws. */
#define DBX_REQUEST_HOLD 1u

#endif
