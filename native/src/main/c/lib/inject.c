/* Running system calls inside a stopped thread: single ones through the vDSO before the scratch area exists, tables of them afterwards. */
#include "engine.h"

#include <errno.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

/* SIGTRAP stays open: a forced trap that is blocked would reset the program's handler (kernel/signal.c, force_sig_info_to_task). */
#define MASK_ALL_BUT_TRAP (~(UINT64_C(1) << (SIGTRAP - 1)))

struct saved {
	struct user_regs_struct regs;
	uint64_t mask;
};

struct dbx_call *dbx_calls(const struct dbx_proc *proc)
{
	return (struct dbx_call *)(void *)(proc->scratch_local + DBX_SCRATCH_CALLS);
}

static int save(pid_t tid, struct saved *saved)
{
	uint64_t mask = MASK_ALL_BUT_TRAP;
	if (ptrace(PTRACE_GETREGS, tid, 0, &saved->regs) || ptrace(PTRACE_GETSIGMASK, tid, 8, &saved->mask) || ptrace(PTRACE_SETSIGMASK, tid, 8, &mask))
		return -errno;
	return 0;
}

static int restore(pid_t tid, const struct saved *saved)
{
	if (ptrace(PTRACE_SETREGS, tid, 0, &saved->regs) || ptrace(PTRACE_SETSIGMASK, tid, 8, &saved->mask))
		return -errno;
	return 0;
}

/* Waits for the trap at the end of the injected code. SIGSTOP cannot be blocked: it is taken off and sent again at the thaw. */
static int wait_trap(struct dbx_engine *engine, struct dbx_thread *thread, enum __ptrace_request resume)
{
	(void)engine;
	for (;;) {
		int status;
		pid_t got = waitpid(thread->tid, &status, __WALL);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0 || WIFEXITED(status) || WIFSIGNALED(status))
			return -ESRCH;
		int event = status >> 16;
		if (!event && WSTOPSIG(status) == SIGTRAP)
			return 0;
		if (!event && WSTOPSIG(status) == SIGSTOP)
			thread->stop_signal_held = true;
		if (!event && (WSTOPSIG(status) == SIGSEGV || WSTOPSIG(status) == SIGBUS || WSTOPSIG(status) == SIGILL))
			return -EFAULT;
		if (ptrace(resume, thread->tid, 0, 0))
			return -ESRCH;
	}
}

/* One call through the vDSO's `syscall` instruction; costs a single step. */
int dbx_inject_bare(struct dbx_engine *engine, struct dbx_thread *thread, uint64_t instruction, struct dbx_call *call)
{
	struct saved saved;
	int result = save(thread->tid, &saved);
	if (result < 0)
		return result;
	struct user_regs_struct regs = saved.regs;
	dbx_arch_enter_syscall(&regs, instruction, call);
	if (ptrace(PTRACE_SETREGS, thread->tid, 0, &regs) || ptrace(PTRACE_SINGLESTEP, thread->tid, 0, 0))
		return -errno;
	result = wait_trap(engine, thread, PTRACE_SINGLESTEP);
	if (result == -ESRCH)
		return result;
	if (ptrace(PTRACE_GETREGS, thread->tid, 0, &regs))
		return -errno;
	call->result = (int64_t)regs.rax;
	int restored = restore(thread->tid, &saved);
	return result < 0 ? result : restored;
}

static int enter(struct dbx_proc *proc, struct dbx_thread *thread, uint32_t first, uint32_t count, struct saved *saved)
{
	proc->injected_stops++;
	proc->injected_calls += count;
	int result = save(thread->tid, saved);
	if (result < 0)
		return result;
	struct user_regs_struct regs = saved->regs;
	dbx_arch_enter(&regs, proc->scratch, proc->scratch + DBX_SCRATCH_CALLS + first * sizeof(struct dbx_call), count);
	if (ptrace(PTRACE_SETREGS, thread->tid, 0, &regs) || ptrace(PTRACE_CONT, thread->tid, 0, 0))
		return -errno;
	return 0;
}

/* Runs calls [first, first + count) of the table in one thread. */
int dbx_inject(struct dbx_engine *engine, struct dbx_proc *proc, struct dbx_thread *thread, uint32_t first, uint32_t count)
{
	struct saved saved;
	int result = enter(proc, thread, first, count, &saved);
	if (result < 0)
		return result;
	result = wait_trap(engine, thread, PTRACE_CONT);
	if (result == -ESRCH)
		return result;
	int restored = restore(thread->tid, &saved);
	return result < 0 ? result : restored;
}

/*
 * Runs the first `count` calls of the table in the only thread of a process; the last is execve(2), after which the thread stops before the first
 * instruction of the new program. The scratch area is gone then. When execve fails the process is as before and its result is returned.
 */
int dbx_inject_exec(struct dbx_engine *engine, struct dbx_proc *proc, uint32_t count)
{
	struct dbx_thread *thread = &proc->threads[0];
	struct saved saved;
	if (ptrace(PTRACE_SETOPTIONS, thread->tid, 0, PTRACE_O_EXITKILL | PTRACE_O_TRACEEXEC))
		return -errno;
	int result = enter(proc, thread, 0, count, &saved);
	while (result >= 0) {
		int status;
		pid_t got = waitpid(thread->tid, &status, __WALL);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0 || WIFEXITED(status) || WIFSIGNALED(status))
			return -ESRCH;
		if (status >> 16 == PTRACE_EVENT_EXEC)
			break;
		if (!(status >> 16) && WSTOPSIG(status) == SIGTRAP) {
			result = restore(thread->tid, &saved);
			return result < 0 ? result : (int)dbx_calls(proc)[count - 1].result;
		}
		if (ptrace(PTRACE_CONT, thread->tid, 0, 0))
			return -ESRCH;
	}
	/* Still inside execve, whose result would overwrite registers set now: stopped again on the way out. */
	if (result < 0 || ptrace(PTRACE_INTERRUPT, thread->tid, 0, 0) || ptrace(PTRACE_CONT, thread->tid, 0, 0))
		return result < 0 ? result : -errno;
	result = dbx_wait_stop(engine, thread);
	return result < 0 ? result : ptrace(PTRACE_SETOPTIONS, thread->tid, 0, PTRACE_O_EXITKILL) ? -errno : 0;
}

/* Each of the threads runs its own calls of the table, all at the same time. At most DBX_TOGETHER threads. */
int dbx_inject_many(struct dbx_engine *engine, struct dbx_proc *proc, uint32_t first_thread, uint32_t threads, const struct dbx_span *calls)
{
	struct saved saved[DBX_TOGETHER];
	uint32_t entered = 0;
	int result = 0;
	while (entered < threads && result >= 0) {
		result = enter(proc, &proc->threads[first_thread + entered], calls[entered].first, calls[entered].count, &saved[entered]);
		entered += result >= 0;
	}
	for (uint32_t i = 0; i < entered; i++) {
		struct dbx_thread *thread = &proc->threads[first_thread + i];
		int waited = wait_trap(engine, thread, PTRACE_CONT);
		if (waited != -ESRCH) {
			int restored = restore(thread->tid, &saved[i]);
			if (waited >= 0)
				waited = restored;
		}
		if (result >= 0)
			result = waited;
	}
	return result;
}
