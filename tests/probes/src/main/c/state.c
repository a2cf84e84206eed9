/*
 * Kernel state of one process that no file of /proc shows in full, set up once, destroyed on "disturb", compared with what was set up on "check":
 * extended registers of a running thread, handlers, mask, alternate stack, pending and queued signals, interval and posix timers,
 * robust mutexes,
 * restartable sequences, names, limits, umask, niceness, affinity, parent-death signal, break.
 */
#include "probe.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>

static uint8_t pattern[256] __attribute__((aligned(64)));
static volatile int spin_broken;
static volatile uint64_t spins;
static volatile int stir; /* makes the spinning thread load other values for a while */
static pthread_mutex_t robust;
static uint8_t alternate[2][16384];
static timer_t posix_timers[3];
static volatile int hits;

static void on_first(int n)
{
	(void)n;
	hits++;
}

static void on_second(int n)
{
	(void)n;
	hits += 100;
}

#if defined(__x86_64__)
/* Keeps a pattern in the vector registers over a window of user mode without calls, and looks at it at the end. */
static bool spin_once(const uint8_t *values)
{
	uint8_t seen[128] __attribute__((aligned(64)));
	__asm__ volatile("movdqa (%0), %%xmm4\n\tmovdqa 16(%0), %%xmm5\n\tmovdqa 32(%0), %%xmm14\n\tmovdqa 48(%0), %%xmm15\n\t"
			 "mov $200000, %%rcx\n1:\tpause\n\tdec %%rcx\n\tjnz 1b\n\t"
			 "movdqa %%xmm4, (%1)\n\tmovdqa %%xmm5, 16(%1)\n\tmovdqa %%xmm14, 32(%1)\n\tmovdqa %%xmm15, 48(%1)\n\t"
			 :
			 : "r"(values), "r"(seen)
			 : "rcx", "xmm4", "xmm5", "xmm14", "xmm15", "memory");
	return memcmp(seen, values, 64) == 0;
}

__attribute__((target("avx"))) static bool spin_once_wide(const uint8_t *values)
{
	uint8_t seen[128] __attribute__((aligned(64)));
	__asm__ volatile("vmovdqa (%0), %%ymm4\n\tvmovdqa 32(%0), %%ymm5\n\tvmovdqa 64(%0), %%ymm14\n\tvmovdqa 96(%0), %%ymm15\n\t"
			 "mov $200000, %%rcx\n1:\tpause\n\tdec %%rcx\n\tjnz 1b\n\t"
			 "vmovdqa %%ymm4, (%1)\n\tvmovdqa %%ymm5, 32(%1)\n\tvmovdqa %%ymm14, 64(%1)\n\tvmovdqa %%ymm15, 96(%1)\n\tvzeroupper\n\t"
			 :
			 : "r"(values), "r"(seen)
			 : "rcx", "xmm4", "xmm5", "xmm14", "xmm15", "memory");
	return memcmp(seen, values, 128) == 0;
}

static void *spin(void *wide)
{
	uint8_t other[256] __attribute__((aligned(64)));
	memset(other, 0xee, sizeof(other));
	for (;;) {
		const uint8_t *values = stir ? other : pattern;
		if (!(wide ? spin_once_wide(values) : spin_once(values)))
			spin_broken = 1;
		spins++;
	}
	return NULL;
}
#endif

static void *hold_robust(void *unused)
{
	(void)unused;
	pthread_mutex_lock(&robust);
	for (;;)
		pause();
	return NULL;
}

static void make_timers(void)
{
	struct sigevent events[3] = {
		{ .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN + 2, .sigev_value.sival_int = 77 },
		{ .sigev_notify = SIGEV_NONE },
		{ .sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGRTMIN + 3, .sigev_value.sival_ptr = pattern },
	};
	events[2]._sigev_un._tid = gettid();
	for (int i = 0; i < 3; i++) {
		struct itimerspec its = { { 300 + i, 0 }, { 2000, 0 } };
		timer_create(i == 1 ? CLOCK_PROCESS_CPUTIME_ID : CLOCK_MONOTONIC, &events[i], &posix_timers[i]);
		timer_settime(posix_timers[i], 0, &its, NULL);
	}
}

/* One is stopped, two go, and a new one comes. */
static void disturb_timers(void)
{
	struct itimerspec off = { { 0, 0 }, { 0, 0 } };
	timer_t other;
	timer_delete(posix_timers[0]);
	timer_settime(posix_timers[1], 0, &off, NULL);
	timer_delete(posix_timers[2]);
	timer_create(CLOCK_REALTIME, NULL, &other);
}

static void set_up(void)
{
	for (size_t i = 0; i < sizeof(pattern); i++)
		pattern[i] = (uint8_t)(i * 7 + 3);
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN + 1);
	sigaddset(&set, SIGUSR2);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	pthread_t thread;
#if defined(__x86_64__)
	if (__builtin_cpu_supports("avx"))
		pthread_create(&thread, NULL, spin, pattern);
	pthread_create(&thread, NULL, spin, NULL);
#endif
	pthread_mutexattr_t attributes;
	pthread_mutexattr_init(&attributes);
	pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
	pthread_mutex_init(&robust, &attributes);
	pthread_create(&thread, NULL, hold_robust, NULL);
	struct sigaction action = { .sa_handler = on_first, .sa_flags = SA_RESTART | SA_ONSTACK };
	sigaddset(&action.sa_mask, SIGHUP);
	sigaction(SIGUSR1, &action, NULL);
	signal(SIGPIPE, SIG_IGN);
	stack_t stack = { .ss_sp = alternate[0], .ss_size = sizeof(alternate[0]) };
	sigaltstack(&stack, NULL);
	for (int i = 1; i <= 3; i++)
		sigqueue(getpid(), SIGRTMIN + 1, (union sigval){ .sival_int = 40 + i });
	struct itimerval it = { { 500, 0 }, { 1000, 0 } };
	setitimer(ITIMER_REAL, &it, NULL);
	make_timers();
	umask(037);
	prctl(PR_SET_NAME, "probe-state");
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	struct rlimit limit;
	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = 333;
	setrlimit(RLIMIT_NOFILE, &limit);
	usleep(50000);
}

static void disturb(void)
{
	struct sigaction action = { .sa_handler = on_second };
	sigaction(SIGUSR1, &action, NULL);
	signal(SIGPIPE, SIG_DFL);
	stack_t stack = { .ss_sp = alternate[1], .ss_size = sizeof(alternate[1]) };
	sigaltstack(&stack, NULL);
	sigset_t set;
	siginfo_t info;
	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN + 1);
	struct timespec none = { 0, 0 };
	while (sigtimedwait(&set, &info, &none) > 0)
		;
	kill(getpid(), SIGUSR2);
	sigaddset(&set, SIGUSR2);
	sigaddset(&set, SIGTERM);
	pthread_sigmask(SIG_SETMASK, &set, NULL);
	struct itimerval off = { { 0, 0 }, { 0, 0 } };
	setitimer(ITIMER_REAL, &off, NULL);
	disturb_timers();
	umask(022);
	prctl(PR_SET_NAME, "disturbed");
	prctl(PR_SET_PDEATHSIG, 0);
	struct rlimit limit;
	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = 222;
	setrlimit(RLIMIT_NOFILE, &limit);
	stir = 1;
	usleep(20000);
}

static int wrong;

static void expect(bool good, const char *what)
{
	if (!good) {
		say("BAD %s", what);
		wrong++;
	}
}

static void check_signals(void)
{
	struct sigaction action;
	sigaction(SIGUSR1, NULL, &action);
	expect(action.sa_handler == on_first && (action.sa_flags & (SA_RESTART | SA_ONSTACK)) == (SA_RESTART | SA_ONSTACK), "handler");
	expect(sigismember(&action.sa_mask, SIGHUP) == 1, "mask of handler");
	sigaction(SIGPIPE, NULL, &action);
	expect(action.sa_handler == SIG_IGN, "ignored signal");
	stack_t stack;
	sigaltstack(NULL, &stack);
	expect(stack.ss_sp == alternate[0] && stack.ss_flags == 0, "alternate stack");
	sigset_t set;
	pthread_sigmask(SIG_BLOCK, NULL, &set);
	expect(sigismember(&set, SIGUSR2) == 1 && sigismember(&set, SIGTERM) == 0, "signal mask");
	sigpending(&set);
	expect(sigismember(&set, SIGUSR2) == 0, "signal that came later is pending");
	expect(sigismember(&set, SIGRTMIN + 1) == 1, "pending signal");
	siginfo_t info;
	struct timespec none = { 0, 0 };
	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN + 1);
	for (int i = 1; i <= 3; i++) {
		bool good = sigtimedwait(&set, &info, &none) == SIGRTMIN + 1 && info.si_value.sival_int == 40 + i;
		expect(good, "queued signal with its value");
		if (good)
			sigqueue(getpid(), SIGRTMIN + 1, info.si_value);
	}
	hits = 0;
	raise(SIGUSR1);
	expect(hits == 1, "handler runs");
}

static void check_timers(void)
{
	for (int i = 0; i < 3; i++) {
		struct itimerspec its;
		bool there = timer_gettime(posix_timers[i], &its) == 0;
		expect(there && its.it_interval.tv_sec == 300 + i && its.it_value.tv_sec > 0, "posix timer");
	}
}

static void check_rest(void)
{
	struct itimerval it;
	getitimer(ITIMER_REAL, &it);
	expect(it.it_interval.tv_sec == 500 && it.it_value.tv_sec > 0, "interval timer");
	check_timers();
	mode_t mask = umask(037);
	expect(mask == 037, "umask");
	char name[16] = "";
	prctl(PR_GET_NAME, name);
	expect(strcmp(name, "probe-state") == 0, "name");
	int death = 0;
	prctl(PR_GET_PDEATHSIG, &death);
	expect(death == SIGKILL, "parent-death signal");
	struct rlimit limit;
	getrlimit(RLIMIT_NOFILE, &limit);
	expect(limit.rlim_cur == 333, "limit");
	expect(pthread_mutex_trylock(&robust) == EBUSY, "robust mutex is held");
	expect(stir == 0, "memory");
	uint64_t before = spins;
	for (int i = 0; i < 200 && spins == before; i++)
		usleep(10000);
	expect(spins != before, "spinning thread runs");
	expect(!spin_broken, "vector registers");
}

int main(void)
{
	char line[64];
	set_up();
	say("ready");
	for (;;) {
		hear(line, sizeof(line));
		if (strcmp(line, "disturb") == 0) {
			disturb();
			say("disturbed");
		} else if (strcmp(line, "check") == 0) {
			wrong = 0;
			check_signals();
			check_rest();
			say(wrong ? "end bad" : "end ok");
		}
	}
}
