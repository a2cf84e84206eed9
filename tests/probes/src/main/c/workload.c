/*
 * The program whose pauses are measured: workload RSS_BYTES THREADS DIRECTORY.
 *
 * Holds RSS_BYTES of touched memory in single pages; THREADS threads of which two run all the time and the others sleep (with one thread none runs
 * beside the main one). A witness, one of the sleeping threads' number, records the largest step of CLOCK_MONOTONIC between two looks; with one
 * thread the main thread is its own witness while it waits for the next line.
 *
 *   dirty N F    writes N distinct pages, uniformly spread, and F small files, then answers "ready" at once
 *   gap          answers "gap NANOSECONDS", the largest gap since the last "reset"
 *   reset        forgets the largest gap; answers "reset"
 *   digest       answers "digest HEX" over all memory
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
static volatile uint64_t gap_max;
static const char *directory;
static pthread_t extra;
static volatile int extra_stop;
static volatile uint64_t work_done[2];

static void look(uint64_t *last)
{
	uint64_t now = nanos();
	if (now - *last > gap_max)
		gap_max = now - *last;
	*last = now;
}

static void *witness(void *unused)
{
	(void)unused;
	uint64_t last = nanos();
	for (;;)
		look(&last);
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
		say("ready");
	} else if (strcmp(line, "gap") == 0) {
		say("gap %llu", (unsigned long long)gap_max);
	} else if (strcmp(line, "reset") == 0) {
		gap_max = 0;
		say("reset");
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
	uint64_t last = nanos();
	while (poll(&in, 1, 0) == 0)
		look(&last);
}

int main(int argc, char **argv)
{
	if (argc < 4)
		return 2;
	uint64_t bytes = strtoull(argv[1], NULL, 10);
	int threads = atoi(argv[2]);
	directory = argv[3];
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
