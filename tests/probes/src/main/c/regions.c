/*
 * Changes of an address space that a follower of written pages can miss, one by one on command. Commands and answers: grow, wipe, remap, forget,
 * fill, fill-huge, drop, move-off, take-in, keep-loosely, let-go -> done; grown?, remapped?, filled?, empty?, loose? -> ok or the first page that is not so.
 */
#include "probe.h"

#define BLOCK (UINT64_C(2) << 20)
enum { GROWN_MAX = 12000, AREA_BLOCKS = 4, PAIRS = 64, PAIR_ROUNDS = 60, PAIR_TAILS = 3000 };
#define AREA (AREA_BLOCKS * BLOCK)

static uint8_t *grown;
static uint8_t *area;
static uint8_t *loose;
static uint8_t *pairs;

static void die(const char *what)
{
	say("BAD %s: %s", what, strerror(errno));
	_exit(7);
}

static uint8_t *map(uint8_t *at, uint64_t bytes, int flags)
{
	uint8_t *got = mmap(at, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);
	if (got == MAP_FAILED)
		die("mmap");
	return got;
}

/* One page with free room behind it, and a neighbour behind that. */
static void set_up(void)
{
	grown = map(NULL, (GROWN_MAX + 2) * (uint64_t)PAGE, 0);
	if (munmap(grown + PAGE, GROWN_MAX * (uint64_t)PAGE))
		die("munmap");
	grown[(GROWN_MAX + 1) * (uint64_t)PAGE] = 1;
	uint8_t *room = map(NULL, AREA + 3 * BLOCK, MAP_NORESERVE);
	pairs = map(NULL, (uint64_t)PAIRS * PAIR_ROUNDS * 3 * PAGE, MAP_NORESERVE);
	munmap(room, AREA + 3 * BLOCK);
	munmap(pairs, (uint64_t)PAIRS * PAIR_ROUNDS * 3 * PAGE);
	area = (uint8_t *)(((uintptr_t)room + 2 * BLOCK) & ~(BLOCK - 1));
}

/* Page by page in place; each is written once. */
static void grow(void)
{
	for (uint64_t pages = 1; pages <= GROWN_MAX; pages++) {
		if (pages > 1 && mremap(grown, (pages - 1) * PAGE, pages * PAGE, 0) != grown)
			die("grow in place");
		*(uint64_t *)(grown + (pages - 1) * PAGE) = pages;
	}
}

static uint8_t *pair(uint64_t i)
{
	return pairs + i * 3 * PAGE;
}

/* Regions of two pages: the first is written once and stays, the second is mapped anew all the time. */
static void remap(void)
{
	uint32_t random = 1;
	for (uint64_t first = 0; first < (uint64_t)PAIRS * PAIR_ROUNDS; first += PAIRS) {
		for (uint64_t i = first; i < first + PAIRS; i++) {
			map(pair(i), 2 * PAGE, MAP_FIXED);
			*(uint64_t *)pair(i) = i + 1;
		}
		for (uint32_t i = 0; i < PAIR_TAILS; i++) {
			random = random * 1664525u + 1013904223u;
			map(pair(first + (random >> 16) % PAIRS) + PAGE, PAGE, MAP_FIXED);
		}
	}
}

static void check_remapped(void)
{
	for (uint64_t i = 0; i < (uint64_t)PAIRS * PAIR_ROUNDS; i++)
		if (*(const uint64_t *)pair(i) != i + 1) {
			say("BAD pair %llu: %llu", (unsigned long long)i, (unsigned long long)*(const uint64_t *)pair(i));
			return;
		}
	say("ok");
}

static void forget(void)
{
	for (uint64_t i = 0; i < (uint64_t)PAIRS * PAIR_ROUNDS; i++)
		*(uint64_t *)pair(i) = 0;
}

static void fill(int advice)
{
	map(area, AREA, MAP_FIXED);
	madvise(area, AREA, advice);
	for (uint64_t i = 0; i < AREA / PAGE; i++)
		*(uint64_t *)(area + i * PAGE) = i + 1;
}

/* Takes the pages away and leaves the region. */
static void move_off(void)
{
	uint8_t *to = mremap(area, AREA, AREA, MREMAP_MAYMOVE | MREMAP_DONTUNMAP);
	if (to == MAP_FAILED || munmap(to, AREA))
		die("move pages off");
}

/* The first block grows in place over the others, which go first. */
static void take_in(void)
{
	if (munmap(area + BLOCK, AREA - BLOCK) || mremap(area, BLOCK, AREA, 0) != area || madvise(area, BLOCK, MADV_DONTNEED))
		die("take in");
}

/* One page of which the kernel keeps nothing if it does not want to; the value has to come from somewhere else each time. */
static void keep_loosely(void)
{
	loose = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, 8 /* MAP_DROPPABLE */ | MAP_ANONYMOUS, -1, 0);
	if (loose == MAP_FAILED)
		die("map droppable");
	*(uint64_t *)loose = 1;
}

static void expect(const uint8_t *at, uint64_t pages, bool filled)
{
	for (uint64_t i = 0; i < pages; i++) {
		uint64_t found = *(const uint64_t *)(at + i * PAGE), expected = filled ? i + 1 : 0;
		if (found != expected) {
			say("BAD page %llu: %llu instead of %llu", (unsigned long long)i, (unsigned long long)found, (unsigned long long)expected);
			return;
		}
	}
	say("ok");
}

static bool change(const char *command)
{
	if (!strcmp(command, "grow"))
		grow();
	else if (!strcmp(command, "wipe"))
		memset(grown, 0, GROWN_MAX * (uint64_t)PAGE);
	else if (!strcmp(command, "remap"))
		remap();
	else if (!strcmp(command, "forget"))
		forget();
	else if (!strcmp(command, "fill"))
		fill(MADV_NOHUGEPAGE);
	else if (!strcmp(command, "fill-huge"))
		fill(MADV_HUGEPAGE);
	else if (!strcmp(command, "drop"))
		madvise(area, AREA, MADV_DONTNEED);
	else if (!strcmp(command, "move-off"))
		move_off();
	else if (!strcmp(command, "take-in"))
		take_in();
	else if (!strcmp(command, "keep-loosely"))
		keep_loosely();
	else if (!strcmp(command, "let-go"))
		munmap(loose, PAGE);
	else
		return false;
	return true;
}

int main(void)
{
	char line[64];
	set_up();
	say("ready");
	for (;;) {
		hear(line, sizeof(line));
		if (!strcmp(line, "grown?"))
			expect(grown, GROWN_MAX, true);
		else if (!strcmp(line, "remapped?"))
			check_remapped();
		else if (!strcmp(line, "filled?"))
			expect(area, AREA / PAGE, true);
		else if (!strcmp(line, "empty?"))
			expect(area, AREA / PAGE, false);
		else if (!strcmp(line, "loose?"))
			expect(loose, 1, false);
		else
			say(change(line) ? "done" : "BAD command");
	}
}
