/*
 * The program whose pauses are measured: workload RSS_BYTES THREADS DIRECTORY [SEED].
 *
 * Holds RSS_BYTES of touched memory in single pages; THREADS threads of which two run all the time and the others sleep (with one thread none runs
 * beside the main one). A witness, one of the sleeping threads' number, records the largest step of CLOCK_MONOTONIC between two looks; with one
 * thread the main thread is its own witness while it waits for the next line.
 *
 *   dirty N F    writes N distinct pages, uniformly spread, and F small files, forgets the largest gap, then answers "ready" at once
 *   gap          answers "gap NANOSECONDS END", the largest gap since the last "reset" or "dirty" and when it ended
 *   reset        forgets the largest gap; answers "reset"
 *   where        answers "where ADDRESS" of the time of the witness's last look: a rollback takes the witness's memory back too, so
 *                the beginning of that gap must be read from outside while everything is stopped
 *   digest       answers "digest HEX" over all memory
 *   files F      answers "files HEX" over the content of the first F files
 *   thread+ / thread- starts or ends an idle thread; answers "done"
 *   fork         starts a child that sleeps; answers "child PID"
 */
#include "probe.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>

static uint8_t *memory;
static uint64_t pages;
static uint64_t rng = 88172645463325252u;
static volatile uint64_t gap_max, gap_end, last_look;
static bool own_witness;
static const char *directory;
static pthread_t extra;
static volatile int extra_stop;
static volatile uint64_t work_done[2];

static void look(void)
{
	uint64_t now = nanos();
	if (now - last_look > gap_max) {
		gap_max = now - last_look;
		gap_end = now;
	}
	last_look = now;
}

/*
 * Until the witness has looked once more: what this thread is asked after a pause it may hear before the witness runs again. It may also have taken the
 * witness's processor to hear it, so it sleeps: yielding would keep that until the next tick, and that gap would be of our own making.
 */
static void await_look(void)
{
	const struct timespec moment = { .tv_nsec = 20000 };
	uint64_t now = nanos();
	if (own_witness)
		look();
	while (last_look < now)
		nanosleep(&moment, NULL);
}

/* The gap begins with a look: the work of this thread may have kept the witness from its processor. */
static void forget_gap(void)
{
	await_look();
	gap_max = 0;
}

static void *witness(void *unused)
{
	(void)unused;
	for (;;)
		look();
	return NULL;
}

static void *run(void *counter)
{
	volatile uint64_t *count = counter;
	for (;;) {
		for (int i = 0; i < 1000; i++)
			(*count)++;
	}
	return NULL;
}

static void *sleep_on(void *unused)
{
	(void)unused;
	for (;;)
		pause();
	return NULL;
}

static void *sleep_until_told(void *unused)
{
	(void)unused;
	while (!extra_stop)
		usleep(1000);
	return NULL;
}

/* Distinct and uniform: a step that is coprime to the number of pages visits each once. */
static void dirty(uint64_t count)
{
	uint64_t step = roll(&rng) | 1, at = below(&rng, pages);
	while (__extension__ ({
		uint64_t a = step % pages, b = pages;
		while (b != 0) {
			uint64_t t = a % b;
			a = b;
			b = t;
		}
		a != 1;
	}))
		step += 2;
	step %= pages;
	for (uint64_t i = 0; i < count && i < pages; i++) {
		uint64_t *word = (uint64_t *)(memory + at * PAGE);
		word[roll(&rng) % (PAGE / 8)] = rng;
		at = (at + step) % pages;
	}
}

static void write_files(int count)
{
	for (int i = 0; i < count; i++) {
		char path[256];
		snprintf(path, sizeof(path), "%s/file%d", directory, i);
		int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
		if (fd < 0) {
			say("BAD open %s: %s", path, strerror(errno));
			_exit(6);
		}
		uint64_t block[128];
		for (int k = 0; k < 128; k++)
			block[k] = roll(&rng);
		write(fd, block, sizeof(block));
		close(fd);
	}
}

static uint64_t digest_files(int count)
{
	uint64_t h = 1469598103934665603u;
	for (int i = 0; i < count; i++) {
		char path[256];
		uint8_t block[2048];
		snprintf(path, sizeof(path), "%s/file%d", directory, i);
		int fd = open(path, O_RDONLY);
		ssize_t n = fd < 0 ? -1 : read(fd, block, sizeof(block));
		h = (h ^ (uint64_t)n) * 1099511628211u;
		for (ssize_t k = 0; k < n; k++)
			h = (h ^ block[k]) * 1099511628211u;
		if (fd >= 0)
			close(fd);
	}
	return h;
}

static uint64_t digest(void)
{
	uint64_t h = 1469598103934665603u;
	const uint64_t *words = (const uint64_t *)memory;
	for (uint64_t i = 0; i < pages * PAGE / 8; i++)
		h = (h ^ words[i]) * 1099511628211u;
	return h ^ rng;
}

static void answer(const char *line)
{
	unsigned long long count;
	int files;
	if (sscanf(line, "dirty %llu %d", &count, &files) == 2) {
		write_files(files);
		dirty(count);
		forget_gap();
		say("ready");
	} else if (strcmp(line, "gap") == 0) {
		await_look();
		say("gap %llu %llu", (unsigned long long)gap_max, (unsigned long long)gap_end);
	} else if (strcmp(line, "reset") == 0) {
		forget_gap();
		say("reset");
	} else if (strcmp(line, "where") == 0) {
		say("where %llu", (unsigned long long)(uintptr_t)&last_look);
	} else if (sscanf(line, "files %d", &files) == 1) {
		say("files %016llx", (unsigned long long)digest_files(files));
	} else if (strcmp(line, "digest") == 0) {
		say("digest %016llx", (unsigned long long)digest());
	} else if (strcmp(line, "thread+") == 0) {
		extra_stop = 0;
		say(pthread_create(&extra, NULL, sleep_until_told, NULL) ? "BAD thread" : "done");
	} else if (strcmp(line, "thread-") == 0) {
		extra_stop = 1;
		say(pthread_join(extra, NULL) ? "BAD join" : "done");
	} else if (strcmp(line, "fork") == 0) {
		pid_t pid = fork();
		if (pid == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			sleep_on(NULL);
		}
		say("child %d", pid);
	} else {
		say("BAD unknown: %s", line);
	}
}

static void wait_as_witness(void)
{
	struct pollfd in = { 0, POLLIN, 0 };
	while (poll(&in, 1, 0) == 0)
		look();
}

int main(int argc, char **argv)
{
	if (argc < 4)
		return 2;
	uint64_t bytes = strtoull(argv[1], NULL, 10);
	int threads = atoi(argv[2]);
	directory = argv[3];
	if (argc > 4)
		rng ^= strtoull(argv[4], NULL, 10) * 2;
	own_witness = threads < 2;
	last_look = nanos();
	pages = bytes / PAGE;
	if (pages < 3)
		return 2;
	memory = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED)
		return 3;
	madvise(memory, pages * PAGE, MADV_NOHUGEPAGE);
	for (uint64_t i = 0; i < pages * PAGE / 8; i++)
		((uint64_t *)memory)[i] = roll(&rng);
	signal(SIGCHLD, SIG_IGN);
	for (int i = 1; i < threads; i++) {
		pthread_t thread;
		pthread_create(&thread, NULL, i == 1 ? witness : i == 2 ? run : sleep_on, (void *)&work_done[0]);
	}
	say("ready");
	for (;;) {
		char line[256];
		if (threads < 2)
			wait_as_witness();
		hear(line, sizeof(line));
		answer(line);
	}
}
