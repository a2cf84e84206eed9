/* Stopping and resuming every thread of the sandbox with ptrace(2): parents before children, until a re-read finds nothing new. */
#include "engine.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define NANOS UINT64_C(1000000000)
#define STARVED_MAX_NANOS (2 * NANOS)

uint64_t dbx_now(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * NANOS + (uint64_t)now.tv_nsec;
}

/* True while work is done urgently beside the running sandbox. */
bool dbx_paced(const struct dbx_engine *engine)
{
	return engine->paced && !engine->stopped;
}

/* Such work lets others run for a moment now and then. */
void dbx_breathe(struct dbx_engine *engine)
{
	const struct timespec rest = {.tv_nsec = 40000};
	if (!dbx_paced(engine) || dbx_now() - engine->breath < 100000)
		return;
	nanosleep(&rest, NULL);
	engine->breath = dbx_now();
}

/* Arms the timer whose signal gets a waiting waitpid out; zero disarms. A task that does not stop (uninterruptible, vfork parent) must not hold the sandbox. */
void dbx_deadline(struct dbx_engine *engine, uint32_t ms)
{
	struct itimerspec spec = {0};
	spec.it_value.tv_sec = ms / 1000;
	spec.it_value.tv_nsec = (long)(ms % 1000) * 1000000L;
	/* Repeats, so that a signal that comes just before waitpid is not the last. */
	spec.it_interval.tv_nsec = ms ? 5000000L : 0;
	engine->deadline = ms ? dbx_now() + (uint64_t)ms * 1000000u : 0;
	if (engine->timer_made)
		timer_settime(engine->timer, 0, &spec, NULL);
}

static bool past_deadline(const struct dbx_engine *engine)
{
	return engine->deadline && dbx_now() >= engine->deadline;
}

/* The state letter of /proc/PID/stat; 'X' when the task is gone. */
static char task_state(pid_t pid, pid_t tid)
{
	char path[64], text[512];
	snprintf(path, sizeof path, "/proc/%d/task/%d/stat", pid, tid);
	DBX_AUTO_FD file = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t got = file < 0 ? -1 : read(file, text, sizeof text - 1);
	if (got <= 0)
		return 'X';
	text[got] = 0;
	const char *state = strrchr(text, ')');
	return state && state[1] ? state[2] : 'X';
}

/* A dead leader or a zombie cannot be attached to, nor can a task that is just being removed. */
static bool is_dead(pid_t pid, pid_t tid)
{
	char state = task_state(pid, tid);
	return state == 'Z' || state == 'X';
}

/* A task that could stop but gets no CPU is waited for longer: on a loaded machine that is no fault of the program. */
static bool only_starved(struct dbx_engine *engine, pid_t tid)
{
	char state = task_state(tid, tid);
	return state == 'R' && dbx_now() < engine->deadline + STARVED_MAX_NANOS;
}

/* Waits for one status of a task. Positive: status stored; -ESRCH: the task is gone; -ETIMEDOUT. */
static int wait_status(struct dbx_engine *engine, pid_t tid, int *status)
{
	for (;;) {
		pid_t got = waitpid(tid, status, __WALL);
		if (got == tid)
			return WIFEXITED(*status) || WIFSIGNALED(*status) ? -ESRCH : 1;
		if (got < 0 && errno != EINTR)
			return -errno == -ECHILD ? -ESRCH : -errno;
		if (past_deadline(engine) && !only_starved(engine, tid))
			return -ETIMEDOUT;
	}
}

/* Waits until an interrupted task is in the stop we asked for; signals that arrive on the way are delivered as they would have been. */
int dbx_wait_stop(struct dbx_engine *engine, struct dbx_thread *thread)
{
	for (;;) {
		int status;
		int result = wait_status(engine, thread->tid, &status);
		if (result < 0)
			return result;
		int event = status >> 16;
		if (event == PTRACE_EVENT_STOP) {
			thread->group_stopped = WSTOPSIG(status) != SIGTRAP;
			return 0;
		}
		long deliver = event ? 0 : WSTOPSIG(status);
		if (ptrace(PTRACE_CONT, thread->tid, 0, deliver) && errno == ESRCH)
			return -ESRCH;
	}
}

/* True if the task is attached already, left behind by a stop that ran out of time. */
static bool take_straggler(struct dbx_engine *engine, pid_t tid)
{
	for (uint32_t i = 0; i < engine->straggler_count; i++) {
		if (engine->stragglers[i] != tid)
			continue;
		engine->stragglers[i] = engine->stragglers[--engine->straggler_count];
		return true;
	}
	return false;
}

/* Attaches to a task and asks it to stop; the wait comes later so that all stop in parallel. */
int dbx_seize(struct dbx_engine *engine, struct dbx_proc *proc, pid_t tid)
{
	if (proc->thread_count == proc->thread_cap) {
		uint32_t cap = proc->thread_cap ? 2 * proc->thread_cap : 16;
		struct dbx_thread *grown = realloc(proc->threads, cap * sizeof *grown);
		if (!grown)
			return -ENOMEM;
		proc->threads = grown;
		proc->thread_cap = cap;
	}
	engine->culprit = tid;
	if (!take_straggler(engine, tid) && ptrace(PTRACE_SEIZE, tid, 0, PTRACE_O_EXITKILL))
		return -errno;
	(void)ptrace(PTRACE_INTERRUPT, tid, 0, 0);
	proc->threads[proc->thread_count++] = (struct dbx_thread){.tid = tid};
	return 0;
}

static bool held(const struct dbx_proc *proc, pid_t tid)
{
	for (uint32_t i = 0; i < proc->thread_count; i++)
		if (proc->threads[i].tid == tid)
			return true;
	return false;
}

/*
 * Waits for the threads from one on, and forgets those that are gone; returns how many stopped. The leader comes last: the end of a killed process is told
 * of its leader only after that of all others has been heard (kernel/exit.c, delay_group_leader).
 */
static int await_stops(struct dbx_engine *engine, struct dbx_proc *proc, uint32_t first)
{
	int result = 0;
	for (int leader = 0; leader < 2; leader++) {
		for (uint32_t i = first; i < proc->thread_count && result >= 0; i++) {
			struct dbx_thread *thread = &proc->threads[i];
			if ((thread->tid == proc->pid) != (leader == 1))
				continue;
			engine->culprit = thread->tid;
			result = dbx_wait_stop(engine, thread);
			if (result == -ESRCH)
				result = thread->tid = 0;
		}
	}
	uint32_t kept = first;
	for (uint32_t i = first; i < proc->thread_count; i++)
		if (proc->threads[i].tid)
			proc->threads[kept++] = proc->threads[i];
	proc->thread_count = kept;
	return result < 0 ? result : (int)(kept - first);
}

/* Stops all threads of one process. Returns how many were new, zero when all were held already. */
int dbx_stop_process(struct dbx_engine *engine, struct dbx_proc *proc)
{
	int total = 0;
	for (;;) {
		int32_t tids[4096];
		int count = dbx_list_numbers(proc->taskdir, tids, 4096);
		if (count < 0)
			return count == -ENOENT || count == -ESRCH ? total : count;
		if (count > 4096)
			return -E2BIG;
		uint32_t before = proc->thread_count;
		for (int i = 0; i < count; i++) {
			if (held(proc, tids[i]))
				continue;
			int result = dbx_seize(engine, proc, tids[i]);
			if (result == -EPERM && is_dead(proc->pid, tids[i])) {
				proc->leader_dead |= tids[i] == proc->pid;
				continue;
			}
			if (result < 0 && result != -ESRCH)
				return result;
		}
		int stopped = await_stops(engine, proc, before);
		if (stopped <= 0)
			return stopped < 0 ? stopped : total;
		total += stopped;
	}
}

/*
 * Best effort: a pause should not wait for its turn behind ordinary work. What comes after it must, or take care by itself, or it would take from the
 * sandbox the processor it has just been given back.
 */
int dbx_hurry(const struct dbx_engine *engine, bool on)
{
	struct sched_param priority = {.sched_priority = on ? 1 : 0};
	if (engine->without & DBX_WITHOUT_REALTIME)
		return -EOPNOTSUPP;
	if (!on && engine->paced)
		return 0;
	return sched_setscheduler(0, on ? SCHED_RR | SCHED_RESET_ON_FORK : SCHED_OTHER, &priority) ? -errno : 0;
}

/* Stops the whole tree. On failure everything is running again and `culprit` names the task. */
int dbx_stop_all(struct dbx_engine *engine, uint32_t deadline_ms)
{
	engine->stopped = true;
	(void)dbx_hurry(engine, true);
	dbx_deadline(engine, deadline_ms);
	dbx_drop_dead(engine);
	int result = 0;
	bool again = true;
	while (again && result >= 0) {
		again = false;
		for (uint32_t i = 0; i < engine->proc_count && result >= 0; i++)
			result = dbx_stop_process(engine, engine->procs[i]);
		if (result >= 0 && !dbx_all_known(engine)) {
			uint32_t before = engine->proc_count;
			dbx_drop_dead(engine);
			result = dbx_discover(engine);
			again = true;
			if (engine->proc_count == before && past_deadline(engine))
				result = -ETIMEDOUT;
		}
	}
	dbx_deadline(engine, 0);
	if (result < 0) {
		dbx_thaw_all(engine);
		(void)dbx_hurry(engine, false);
	}
	return result < 0 ? result : 0;
}

/* A stop makes some calls fail with EINTR that no handler caused; they are made again unless a signal really waits. */
static void hide_eintr(pid_t tid)
{
	struct user_regs_struct regs;
	if (ptrace(PTRACE_GETREGS, tid, 0, &regs) || !dbx_arch_leaks_eintr(&regs))
		return;
	uint64_t mask;
	if (ptrace(PTRACE_GETSIGMASK, tid, 8, &mask))
		return;
	for (int shared = 0; shared < 2; shared++) {
		siginfo_t waiting[64];
		struct __ptrace_peeksiginfo_args args = {.off = 0, .flags = shared ? PTRACE_PEEKSIGINFO_SHARED : 0, .nr = 64};
		long count = ptrace(PTRACE_PEEKSIGINFO, tid, &args, waiting);
		for (long i = 0; i < count; i++)
			if (!(mask >> (waiting[i].si_signo - 1) & 1))
				return;
	}
	dbx_arch_call_again(&regs);
	(void)ptrace(PTRACE_SETREGS, tid, 0, &regs);
}

static void leave_behind(struct dbx_engine *engine, pid_t tid)
{
	if (engine->straggler_count == engine->straggler_cap) {
		uint32_t cap = engine->straggler_cap ? 2 * engine->straggler_cap : 16;
		pid_t *grown = realloc(engine->stragglers, cap * sizeof *grown);
		if (!grown)
			return;
		engine->stragglers = grown;
		engine->straggler_cap = cap;
	}
	engine->stragglers[engine->straggler_count++] = tid;
}

/* Lets tasks go that stopped only after the deadline; returns how many are still on the way. Call it again until none is. */
uint32_t dbx_settle(struct dbx_engine *engine)
{
	uint32_t left = 0;
	for (uint32_t i = 0; i < engine->straggler_count; i++) {
		pid_t tid = engine->stragglers[i];
		int status;
		pid_t got = waitpid(tid, &status, __WALL | WNOHANG);
		if (got == 0) {
			engine->stragglers[left++] = tid;
		} else if (got == tid && WIFSTOPPED(status)) {
			hide_eintr(tid);
			int event = status >> 16;
			(void)ptrace(PTRACE_DETACH, tid, 0, event ? 0 : WSTOPSIG(status));
		}
	}
	engine->straggler_count = left;
	return left;
}

void dbx_thaw_process(struct dbx_engine *engine, struct dbx_proc *proc)
{
	bool stop = false;
	for (uint32_t i = 0; i < proc->thread_count; i++)
		stop |= proc->threads[i].stop_signal_held;
	/* Before anything is let go: a task that has it pending stops without running another instruction. */
	if (stop)
		(void)kill(proc->pid, SIGSTOP);
	for (uint32_t i = 0; i < proc->thread_count; i++) {
		struct dbx_thread *thread = &proc->threads[i];
		hide_eintr(thread->tid);
		if (ptrace(PTRACE_DETACH, thread->tid, 0, 0) && errno == ESRCH)
			leave_behind(engine, thread->tid);
	}
	proc->thread_count = 0;
	proc->leader_dead = false;
}

/* Children first, so that a parent finds its children running. */
void dbx_thaw_all(struct dbx_engine *engine)
{
	for (uint32_t i = engine->proc_count; i > 0; i--)
		dbx_thaw_process(engine, engine->procs[i - 1]);
	engine->stopped = false;
}
