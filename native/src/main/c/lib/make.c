/* Making processes again in the stopped sandbox: born of their parent or of pid 1 with their old number, then turned into another program. */
#include "capture.h"
#include "fds.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* init/protocol.h, enum engine_op. */
#define LAST_PID 1u
#define PING 2u
#define STUB 5u

DBX_API int32_t dbx_engine_reap(int64_t handle);
DBX_API int32_t dbx_engine_fork(int64_t handle, int32_t pid, int32_t inner, uint32_t exit_signal);
DBX_API int32_t dbx_engine_stub(int64_t handle, int32_t inner, int32_t cgroup);
DBX_API int64_t dbx_engine_follow(int64_t handle, int32_t pid);
DBX_API int32_t dbx_engine_exec(int64_t handle, int32_t pid, uint32_t count);
DBX_API int64_t dbx_engine_read(int64_t handle, int32_t pid, uint64_t arena, uint64_t bytes);
DBX_API int32_t dbx_engine_let_exit(int64_t handle, int32_t pid, uint32_t signal, uint32_t code);
DBX_API int32_t dbx_nice_set(int32_t tid, int32_t nice);
DBX_API int32_t dbx_affinity_set(int32_t tid, uint64_t mask, uint32_t bytes);

static struct dbx_engine *engine_of(int64_t handle)
{
	return (struct dbx_engine *)(uintptr_t)handle;
}

static struct dbx_proc *born(const struct dbx_engine *engine, pid_t parent, pid_t inner)
{
	for (uint32_t i = 0; i < engine->proc_count; i++)
		if (engine->procs[i]->inner == inner && engine->procs[i]->parent == parent && !engine->procs[i]->thread_count)
			return engine->procs[i];
	return NULL;
}

/* Returns when pid 1 has waited for all of its children that have ended; whoever has been waited for is forgotten, as its number may be given again. */
int32_t dbx_engine_reap(int64_t handle)
{
	int result = dbx_ask_init(engine_of(handle), PING, 0, -1);
	dbx_drop_dead(engine_of(handle));
	return result;
}

/* Takes a child that was attached at its birth: it is about to stop. */
static int take(struct dbx_engine *engine, struct dbx_proc *proc)
{
	int result = dbx_seize(engine, proc, proc->pid);
	if (result == -EPERM) {
		proc->threads[proc->thread_count++] = (struct dbx_thread){.tid = proc->pid};
		result = 0;
	}
	if (result >= 0)
		result = dbx_wait_stop(engine, &proc->threads[0]);
	if (result >= 0 && ptrace(PTRACE_SETOPTIONS, proc->pid, 0, PTRACE_O_EXITKILL))
		result = -errno;
	return result < 0 ? result : proc->pid;
}

/*
 * A stopped, followed process has a child, which gets the number `inner` inside and stops before it returns from its birth. It is a copy of its parent
 * without the scratch area. Returns its number in the daemon's namespace; -EAGAIN when it got another number: it is there, under that one.
 */
int32_t dbx_engine_fork(int64_t handle, int32_t pid, int32_t inner, uint32_t exit_signal)
{
	struct dbx_engine *engine = engine_of(handle);
	struct dbx_proc *parent = dbx_proc_find(engine, pid);
	if (!parent || !parent->enrolled || !parent->thread_count)
		return -ESRCH;
	int result = dbx_ask_init(engine, LAST_PID, (uint32_t)(inner - 1), -1);
	if (result < 0)
		return result;
	const int born_attached = PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE;
	pid_t tid = parent->threads[0].tid;
	struct dbx_call *call = dbx_calls(parent);
	*call = (struct dbx_call){.number = SYS_clone, .args = {exit_signal}};
	if (ptrace(PTRACE_SETOPTIONS, tid, 0, PTRACE_O_EXITKILL | born_attached))
		return -errno;
	result = dbx_inject(engine, parent, &parent->threads[0], 0, 1);
	(void)ptrace(PTRACE_SETOPTIONS, tid, 0, PTRACE_O_EXITKILL);
	if (result < 0 || call->result < 0)
		return result < 0 ? result : (int32_t)call->result;
	pid_t number = (pid_t)call->result;
	result = dbx_add_children(engine, parent->pid, tid);
	struct dbx_proc *child = result < 0 ? NULL : born(engine, parent->pid, number);
	if (!child)
		return result < 0 ? result : -ESRCH;
	result = take(engine, child);
	return result >= 0 && number != inner ? -EAGAIN : result;
}

/* The same as a child of pid 1, by pid 1 itself: with the rights commands start with, waiting. `cgroup` < 0: in the group of pid 1. */
int32_t dbx_engine_stub(int64_t handle, int32_t inner, int32_t cgroup)
{
	struct dbx_engine *engine = engine_of(handle);
	int result = dbx_ask_init(engine, STUB, (uint32_t)inner, cgroup);
	if (result >= 0)
		result = dbx_add_children(engine, engine->init, engine->init);
	struct dbx_proc *child = result < 0 ? NULL : born(engine, engine->init, inner);
	if (!child)
		return result < 0 ? result : -EAGAIN;
	return take(engine, child);
}

/* An area the kernel writes to on each return to the program: it must not be there when memory is replaced. */
static int drop_rseq(struct dbx_engine *engine, struct dbx_proc *proc)
{
	struct dbx_rseq_configuration rseq = {0};
	long got = ptrace((enum __ptrace_request)DBX_PTRACE_GET_RSEQ_CONFIGURATION, proc->threads[0].tid, sizeof rseq, &rseq);
	if (got <= 0 || !rseq.pointer)
		return 0;
	struct dbx_call *call = dbx_calls(proc);
	*call = (struct dbx_call){.number = SYS_rseq, .args = {rseq.pointer, rseq.size, 1, rseq.signature}};
	int result = dbx_inject(engine, proc, &proc->threads[0], 0, 1);
	return result < 0 ? result : (int)call->result;
}

/* Begins to follow a stopped process that is about to get another memory. Returns the address of its scratch area in it. */
int64_t dbx_engine_follow(int64_t handle, int32_t pid)
{
	struct dbx_engine *engine = engine_of(handle);
	struct dbx_proc *proc = dbx_proc_find(engine, pid);
	if (!proc || !proc->thread_count)
		return -ESRCH;
	int result = proc->enrolled ? 0 : dbx_enroll(engine, proc);
	if (result >= 0)
		result = drop_rseq(engine, proc);
	return result < 0 ? result : (int64_t)proc->scratch;
}

/*
 * Runs the first `count` calls of the table in a process with one thread; the last is execve(2). Afterwards the process is stopped before the first
 * instruction of its new program and is followed again. A failure of execve leaves it as it was.
 */
int32_t dbx_engine_exec(int64_t handle, int32_t pid, uint32_t count)
{
	struct dbx_engine *engine = engine_of(handle);
	struct dbx_proc *proc = dbx_proc_find(engine, pid);
	if (!proc || !proc->enrolled || proc->thread_count != 1)
		return -ESRCH;
	if (!count || count > DBX_CALLS_MAX)
		return -E2BIG;
	int result = dbx_inject_exec(engine, proc, count);
	return result < 0 ? result : dbx_enroll(engine, proc);
}

/* Who a followed process is now, with its threads, regions and descriptors, as records; returns their bytes. */
int64_t dbx_engine_read(int64_t handle, int32_t pid, uint64_t arena_address, uint64_t bytes)
{
	struct dbx_engine *engine = engine_of(handle);
	struct dbx_proc *proc = dbx_proc_find(engine, pid);
	if (!proc || !proc->enrolled || !proc->thread_count)
		return -ESRCH;
	struct dbx_arena arena = {.base = (uint8_t *)(uintptr_t)arena_address, .cap = bytes};
	dbx_read_image(proc);
	int result = dbx_capture_threads(engine, proc, &arena, 0);
	if (result >= 0)
		result = dbx_read_regions(engine, proc);
	if (result < 0)
		return result;
	dbx_capture_regions(engine, proc, &arena);
	result = dbx_fds_window(proc->pid, proc->pidfd, proc->threads[0].tid, &arena, engine->descriptors);
	if (result < 0)
		return result;
	return arena.need > arena.cap ? -ENOBUFS : (int64_t)arena.used;
}

static void collect_end(pid_t pid)
{
	int status;
	for (;;) {
		pid_t got = waitpid(pid, &status, __WALL);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0 || WIFEXITED(status) || WIFSIGNALED(status))
			return;
		/* The signal it is to die of comes by here; others do not. */
		(void)ptrace(PTRACE_CONT, pid, 0, status >> 16 ? 0 : WSTOPSIG(status));
	}
}

/* A stopped process with one thread ends: by the signal if there is one, else with the code. It stays a zombie until its parent waits for it. */
int32_t dbx_engine_let_exit(int64_t handle, int32_t pid, uint32_t signal, uint32_t code)
{
	struct dbx_engine *engine = engine_of(handle);
	struct dbx_proc *proc = dbx_proc_find(engine, pid);
	if (!proc || !proc->enrolled || proc->thread_count != 1)
		return -ESRCH;
	struct user_regs_struct regs;
	struct dbx_call *calls = dbx_calls(proc);
	uint64_t mask = 0;
	uint64_t plain = proc->scratch + DBX_SCRATCH_DATA;
	memset(proc->scratch_local + DBX_SCRATCH_DATA, 0, 32);
	uint32_t count = 0;
	if (signal) {
		calls[count++] = (struct dbx_call){.number = SYS_rt_sigaction, .args = {signal, plain, 0, 8}};
		calls[count++] = (struct dbx_call){.number = SYS_kill, .args = {(uint64_t)proc->inner, signal}};
	}
	calls[count++] = (struct dbx_call){.number = SYS_exit_group, .args = {code}};
	if (ptrace(PTRACE_GETREGS, pid, 0, &regs))
		return -errno;
	dbx_arch_enter(&regs, proc->scratch, proc->scratch + DBX_SCRATCH_CALLS, count);
	if (ptrace(PTRACE_SETREGS, pid, 0, &regs) || ptrace(PTRACE_SETSIGMASK, pid, 8, &mask) || ptrace(PTRACE_CONT, pid, 0, 0))
		return -errno;
	collect_end(pid);
	for (uint32_t i = 0; i < engine->proc_count; i++) {
		if (engine->procs[i] == proc) {
			dbx_proc_drop(engine, i);
			break;
		}
	}
	return 0;
}

/* From outside, because a program may not lower its own again. */
int32_t dbx_nice_set(int32_t tid, int32_t nice)
{
	return setpriority(PRIO_PROCESS, (id_t)tid, nice) ? -errno : 0;
}

int32_t dbx_affinity_set(int32_t tid, uint64_t mask, uint32_t bytes)
{
	return syscall(SYS_sched_setaffinity, tid, bytes, mask) ? -errno : 0;
}
