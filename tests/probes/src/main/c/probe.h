/*
 * What the programs that run inside sandboxes share. They are driven over standard input and output, one word per line each way, so that a
 * checkpoint or rollback can fall between any question and its answer.
 */
#ifndef PROBE_H
#define PROBE_H

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { PAGE = 4096 };

/* Writes a whole line with one call: stdio would keep state of its own. */
static inline void say(const char *format, ...)
{
	char line[4096];
	va_list args;
	va_start(args, format);
	int n = vsnprintf(line, sizeof(line) - 1, format, args);
	va_end(args);
	if (n > (int)sizeof(line) - 2)
		n = (int)sizeof(line) - 2;
	line[n] = '\n';
	for (int at = 0; at <= n;) {
		ssize_t w = write(1, line + at, (size_t)(n + 1 - at));
		if (w < 0)
			_exit(9);
		at += (int)w;
	}
}

/* Reads one line from standard input; ends the program at the end of input. */
static inline void hear(char *line, size_t size)
{
	size_t n = 0;
	for (;;) {
		char c;
		ssize_t r = read(0, &c, 1);
		if (r == 0)
			_exit(0);
		if (r < 0) {
			say("BAD read of standard input failed: %s", strerror(errno));
			_exit(8);
		}
		if (c == '\n')
			break;
		if (n + 1 < size)
			line[n++] = c;
	}
	line[n] = 0;
}

static inline uint64_t nanos(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* xorshift64*: the state is ordinary memory and so comes back with a rollback. */
static inline uint64_t roll(uint64_t *state)
{
	uint64_t x = *state;
	x ^= x >> 12;
	x ^= x << 25;
	x ^= x >> 27;
	*state = x;
	return x * UINT64_C(2685821657736338717);
}

static inline uint64_t below(uint64_t *state, uint64_t bound)
{
	return roll(state) % bound;
}

#endif
