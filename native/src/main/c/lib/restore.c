/* Putting state back into stopped processes: the mechanisms a rollback is made of. Java decides their order and their arguments. */
#include "capture.h"
#include "pass_fd.h"

#include <elf.h>
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

DBX_API int64_t dbx_engine_scratch(int64_t handle, int32_t pid);
DBX_API int32_t dbx_engine_pidfd(int64_t handle, int32_t pid);
DBX_API int32_t dbx_engine_run(int64_t handle, int32_t pid, int32_t tid, uint32_t count);
DBX_API int64_t dbx_engine_injected(int64_t handle, int32_t pid);
DBX_API int32_t dbx_engine_end_process(int64_t handle, int32_t pid);
DBX_API int32_t dbx_engine_end_thread(int64_t handle, int32_t pid, int32_t tid);
DBX_API int32_t dbx_engine_make_thread(int64_t handle, int32_t pid, int32_t inner, uint64_t thread_record);
DBX_API int32_t dbx_engine_set_thread(int64_t handle, int32_t pid, int32_t tid, uint64_t thread_record);
DBX_API int64_t dbx_engine_regions(int64_t handle, int32_t pid, uint64_t arena, uint64_t bytes);
DBX_API int32_t dbx_engine_quiet(int64_t handle, uint32_t on);
DBX_API int64_t dbx_engine_look(int64_t handle, int32_t pid, int32_t all, uint64_t arena, uint64_t bytes);
DBX_API int32_t dbx_engine_job(int64_t handle, int32_t pid, uint32_t stopped);
DBX_API int32_t dbx_engine_rearm(int64_t handle, int32_t pid);

static struct dbx_proc *proc_of(int64_t handle, int32_t pid)
{
	return dbx_proc_find((const struct dbx_engine *)(uintptr_t)handle, pid);
}

static struct dbx_thread *thread_of(struct dbx_proc *proc, int32_t tid)
{
	if (tid == 0 && proc->thread_count)
		return &proc->threads[0];
	for (uint32_t i = 0; i < proc->thread_count; i++)
		if (proc->threads[i].tid == tid)
			return &proc->threads[i];
	return NULL;
}

/* The daemon's address of a followed process's scratch area. */
int64_t dbx_engine_scratch(int64_t handle, int32_t pid)
{
	struct dbx_proc *proc = proc_of(handle, pid);
	return proc && proc->enrolled ? (int64_t)(uintptr_t)proc->scratch_local : -ESRCH;
}

/* Borrowed: closed by the engine when the process is gone. */
int32_t dbx_engine_pidfd(int64_t handle, int32_t pid)
{
	struct dbx_proc *proc = proc_of(handle, pid);
	return proc ? proc->pidfd : -ESRCH;
}

/* Runs the first `count` calls of the table, which the caller has filled in, in a stopped thread; tid 0 is the main thread. */
int32_t dbx_engine_run(int64_t handle, int32_t pid, int32_t tid, uint32_t count)
{
	struct dbx_proc *proc = proc_of(handle, pid);
	struct dbx_thread *thread = proc ? thread_of(proc, tid) : NULL;
	if (!thread || !proc->enrolled)
		return -ESRCH;
	if (count > DBX_CALLS_MAX)
		return -E2BIG;
	return dbx_inject((struct dbx_engine *)(uintptr_t)handle, proc, thread, 0, count);
}

/* How often a process was let run for us since this was last asked (upper half) and how many calls it made (lower half). */
int64_t dbx_engine_injected(int64_t handle, int32_t pid)
{
	struct dbx_proc *proc = proc_of(handle, pid);
	if (!proc)
		return -ESRCH;
	int64_t work = (int64_t)((uint64_t)(proc->injected_stops & 0x7fffffffu) << 32 | proc->injected_calls);
	proc->injected_stops = proc->injected_calls = 0;
	return work;
}

static void collect(pid_t tid)
{
	int status;
	for (;;) {
		pid_t got = waitpid(tid, &status, __WALL);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0 || WIFEXITED(status) || WIFSIGNALED(status))
			return;
		(void)ptrace(PTRACE_CONT, tid, 0, 0);
	}
}

/* Kills a stopped process and takes the tracer's report of each thread; its parent still has to wait for it. */
int32_t dbx_engine_end_process(int64_t handle, int32_t pid)
{
	struct dbx_engine *engine = (struct dbx_engine *)(uintptr_t)handle;
	for (uint32_t i = 0; i < engine->proc_count; i++) {
		struct dbx_proc *proc = engine->procs[i];
		if (proc->pid != pid)
			continue;
		if (syscall(SYS_pidfd_send_signal, proc->pidfd, SIGKILL, NULL, 0) && errno != ESRCH)
			return -errno;
		/* The leader is reported last (ptrace(2), "Death under ptrace"). */
		for (uint32_t k = proc->thread_count; k > 0; k--)
			if (proc->threads[k - 1].tid != proc->pid)
				collect(proc->threads[k - 1].tid);
		if (proc->thread_count)
			collect(proc->pid);
		dbx_proc_drop(engine, i);
		return 0;
	}
	return -ESRCH;
}

/* Lets one thread call exit(2): the kernel walks its robust list and clears its tid word, so this comes before memory is put back. */
int32_t dbx_engine_end_thread(int64_t handle, int32_t pid, int32_t tid)
{
	struct dbx_proc *proc = proc_of(handle, pid);
	struct dbx_thread *thread = proc ? thread_of(proc, tid) : NULL;
	if (!thread || !proc->enrolled || tid == pid)
		return -ESRCH;
	struct user_regs_struct regs;
	uint64_t mask = ~UINT64_C(0);
	if (ptrace(PTRACE_GETREGS, tid, 0, &regs))
		return -errno;
	dbx_calls(proc)[0] = (struct dbx_call){.number = SYS_exit};
	dbx_arch_enter(&regs, proc->scratch, proc->scratch + DBX_SCRATCH_CALLS, 1);
	if (ptrace(PTRACE_SETREGS, tid, 0, &regs) || ptrace(PTRACE_SETSIGMASK, tid, 8, &mask) || ptrace(PTRACE_CONT, tid, 0, 0))
		return -errno;
	collect(tid);
	*thread = proc->threads[--proc->thread_count];
	return 0;
}

/* One question to pid 1; init/protocol.h, enum engine_op. `descriptor` < 0: none goes along. */
int dbx_ask_init(const struct dbx_engine *engine, uint32_t op, uint32_t value, int descriptor)
{
	struct {
		uint32_t op, value;
	} request = {op, value};
	struct {
		int32_t result;
		uint32_t value;
	} reply;
	if (dbx_send_with(engine->channel, &request, sizeof request, descriptor) != (ssize_t)sizeof request)
		return -errno;
	ssize_t got = DBX_RETRY(recv(engine->channel, &reply, sizeof reply, 0));
	if (got != (ssize_t)sizeof reply)
		return got < 0 ? -errno : -EPIPE;
	return reply.result;
}

/* While quiet, pid 1 reports no ends of commands. Those a rollback caused are dropped then, and counted as one generation of reports. */
int32_t dbx_engine_quiet(int64_t handle, uint32_t on)
{
	return dbx_ask_init((const struct dbx_engine *)(uintptr_t)handle, on ? 3 : 4, !on, -1);
}

/* Injects clone(2) into the main thread and waits for both ends of it. */
static int clone_thread(struct dbx_engine *engine, struct dbx_proc *proc, const struct dbx_record_thread *record, pid_t *made)
{
	const uint64_t flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM | CLONE_SETTLS | CLONE_CHILD_CLEARTID;
	struct dbx_thread *parent = &proc->threads[0];
	struct dbx_call *call = dbx_calls(proc);
	/* The x86-64 register set keeps the thread pointer in fs_base, field 21 of struct user_regs_struct. */
	*call = (struct dbx_call){.number = SYS_clone, .args = {flags, 0, 0, record->clear_tid, record->regs[21]}};
	if (ptrace(PTRACE_SETOPTIONS, parent->tid, 0, PTRACE_O_EXITKILL | PTRACE_O_TRACECLONE))
		return -errno;
	int result = dbx_inject(engine, proc, parent, 0, 1);
	(void)ptrace(PTRACE_SETOPTIONS, parent->tid, 0, PTRACE_O_EXITKILL);
	if (result < 0)
		return result;
	if (call->result < 0)
		return (int)call->result;
	int32_t tids[4096];
	int count = dbx_list_numbers(proc->taskdir, tids, 4096);
	for (int i = 0; i < count && i < 4096; i++) {
		if (thread_of(proc, tids[i]))
			continue;
		*made = tids[i];
		return (int)call->result;
	}
	return -ESRCH;
}

static int adopt_thread(struct dbx_engine *engine, struct dbx_proc *proc, pid_t tid)
{
	int result = dbx_seize(engine, proc, tid);
	if (result == -EPERM) {
		/* Attached at birth by PTRACE_O_TRACECLONE. */
		proc->threads[proc->thread_count] = (struct dbx_thread){.tid = tid};
		proc->thread_count++;
		result = 0;
	}
	struct dbx_thread *thread = &proc->threads[proc->thread_count - 1];
	if (result >= 0)
		result = dbx_wait_stop(engine, thread);
	if (result >= 0 && ptrace(PTRACE_SETOPTIONS, tid, 0, PTRACE_O_EXITKILL))
		result = -errno;
	return result;
}

static int settle_thread(struct dbx_engine *engine, struct dbx_proc *proc, const struct dbx_record_thread *record)
{
	struct dbx_thread *thread = &proc->threads[proc->thread_count - 1];
	struct dbx_call *calls = dbx_calls(proc);
	uint32_t count = 0;
	memcpy(proc->scratch_local + DBX_SCRATCH_DATA, record->name, sizeof record->name);
	calls[count++] = (struct dbx_call){.number = SYS_prctl, .args = {15 /* PR_SET_NAME */, proc->scratch + DBX_SCRATCH_DATA}};
	if (record->robust_head)
		calls[count++] = (struct dbx_call){.number = SYS_set_robust_list, .args = {record->robust_head, record->robust_len}};
	if (record->rseq_pointer)
		calls[count++] = (struct dbx_call){.number = SYS_rseq, .args = {record->rseq_pointer, record->rseq_size, 0, record->rseq_signature}};
	int result = dbx_inject(engine, proc, thread, 0, count);
	for (uint32_t i = 0; i < count && result >= 0; i++)
		if (calls[i].result < 0)
			result = (int)calls[i].result;
	return result;
}

/*
 * Makes a thread that has ended since again, with its old number inside the sandbox, in the stopped process. Memory must hold its rseq area already
 * mapped; registers are set later. Returns the thread's number in the daemon's namespace.
 */
int32_t dbx_engine_make_thread(int64_t handle, int32_t pid, int32_t inner, uint64_t thread_record)
{
	struct dbx_engine *engine = (struct dbx_engine *)(uintptr_t)handle;
	const struct dbx_record_thread *record = (const struct dbx_record_thread *)(uintptr_t)thread_record;
	struct dbx_proc *proc = proc_of(handle, pid);
	if (!proc || !proc->enrolled || !proc->thread_count)
		return -ESRCH;
	/* Room for the new entry first, so that adopting cannot fail for want of memory. */
	if (proc->thread_count + 1 >= proc->thread_cap) {
		struct dbx_thread *grown = realloc(proc->threads, (proc->thread_cap + 64) * sizeof *grown);
		if (!grown)
			return -ENOMEM;
		proc->threads = grown;
		proc->thread_cap += 64;
	}
	/* The next task gets the number after the last one given out. */
	int result = dbx_ask_init(engine, 1, (uint32_t)(inner - 1), -1);
	if (result < 0)
		return result;
	pid_t made = 0;
	int number = clone_thread(engine, proc, record, &made);
	if (number < 0)
		return number;
	result = adopt_thread(engine, proc, made);
	if (result >= 0 && number != inner)
		result = -EAGAIN;
	if (result >= 0)
		result = settle_thread(engine, proc, record);
	return result < 0 ? result : made;
}

/* Registers, extended state and signal mask of a record into a stopped thread. A call the record was interrupted in is made again. */
int32_t dbx_engine_set_thread(int64_t handle, int32_t pid, int32_t tid, uint64_t thread_record)
{
	(void)handle;
	(void)pid;
	const struct dbx_record_thread *record = (const struct dbx_record_thread *)(uintptr_t)thread_record;
	struct user_regs_struct regs;
	memcpy(&regs, record->regs, sizeof regs);
	(void)dbx_arch_restart_saved(&regs);
	struct iovec area = {(void *)(uintptr_t)record->xsave, record->xsave_len};
	uint64_t mask = record->mask;
	if (ptrace(PTRACE_SETREGS, tid, 0, &regs) || ptrace(PTRACE_SETREGSET, tid, NT_X86_XSTATE, &area) || ptrace(PTRACE_SETSIGMASK, tid, 8, &mask))
		return -errno;
	return 0;
}

/* The regions as they are now, as one record; returns its bytes. */
int64_t dbx_engine_regions(int64_t handle, int32_t pid, uint64_t arena_address, uint64_t bytes)
{
	struct dbx_engine *engine = (struct dbx_engine *)(uintptr_t)handle;
	struct dbx_proc *proc = proc_of(handle, pid);
	if (!proc || !proc->enrolled)
		return -ESRCH;
	struct dbx_arena arena = {.base = (uint8_t *)(uintptr_t)arena_address, .cap = bytes};
	int result = dbx_read_regions(engine, proc);
	if (result < 0)
		return result;
	dbx_capture_regions(engine, proc, &arena);
	return arena.need > arena.cap ? -ENOBUFS : (int64_t)arena.used;
}

/*
 * Own copies of file pages as of now and, with `all`, what counts as written, as records; returns their bytes. For what happened since the freeze:
 * cutting a file drops copies, and a thread that ends writes to memory.
 */
int64_t dbx_engine_look(int64_t handle, int32_t pid, int32_t all, uint64_t arena_address, uint64_t bytes)
{
	struct dbx_engine *engine = (struct dbx_engine *)(uintptr_t)handle;
	struct dbx_proc *proc = proc_of(handle, pid);
	if (!proc || !proc->enrolled)
		return -ESRCH;
	struct dbx_arena arena = {.base = (uint8_t *)(uintptr_t)arena_address, .cap = bytes};
	int result = dbx_read_regions(engine, proc);
	if (result >= 0)
		result = dbx_capture_own(engine, proc, &arena);
	if (result >= 0 && all)
		result = dbx_capture_look(engine, proc);
	if (result < 0)
		return result;
	if (all)
		dbx_capture_runs(&arena, DBX_DIRTY, pid, &engine->look);
	return arena.need > arena.cap ? -ENOBUFS : (int64_t)arena.used;
}

/*
 * Whether a process is a stopped job once it is let go. Continuing one leaves a SIGCONT pending, which the caller takes off; it is not ignored, because a
 * tracer may want it (kernel/signal.c, sig_ignored).
 */
int32_t dbx_engine_job(int64_t handle, int32_t pid, uint32_t stopped)
{
	struct dbx_proc *proc = proc_of(handle, pid);
	if (!proc || !proc->thread_count)
		return -ESRCH;
	proc->threads[0].stop_signal_held = stopped;
	for (uint32_t i = 0; i < proc->thread_count; i++)
		proc->threads[i].group_stopped = false;
	return stopped || !kill(pid, SIGCONT) ? 0 : -errno;
}

/* Memory is as wanted: every private region is tracked and nothing counts as written from here on. */
int32_t dbx_engine_rearm(int64_t handle, int32_t pid)
{
	struct dbx_engine *engine = (struct dbx_engine *)(uintptr_t)handle;
	struct dbx_proc *proc = proc_of(handle, pid);
	if (!proc || !proc->enrolled)
		return -ESRCH;
	int result = dbx_read_regions(engine, proc);
	proc->dirty.count = proc->fresh.count = 0;
	if (result >= 0)
		result = dbx_capture_scan(engine, proc);
	proc->dirty.count = proc->fresh.count = proc->emitted = proc->emitted_fresh = 0;
	proc->renewed = false;
	return result;
}

DBX_API int32_t dbx_limit_set(int32_t pid, int32_t resource, uint64_t soft, uint64_t hard);

/* From outside, because a program may not raise its own hard limit again. */
int32_t dbx_limit_set(int32_t pid, int32_t resource, uint64_t soft, uint64_t hard)
{
	uint64_t limit[2] = {soft, hard};
	return syscall(SYS_prlimit64, pid, resource, limit, NULL) ? -errno : 0;
}
