/*
 * Changes its address space at random for ever: memory SEED DIRECTORY.
 *
 * Maps, unmaps, moves, grows, protects and advises private and shared, anonymous, memfd and file memory; grows and shrinks the break and the stack;
 * starts and ends threads; forks children that go on changing their copies. Every region is written through its own table, so no store ever hits a
 * hole: any fault is a defect of whoever changed the memory from outside.
 */
#include "probe.h"

#include <alloca.h>
#include <pthread.h>
#include <signal.h>

enum { REGIONS = 48, PAGES_MAX = 96, THREADS = 6, CHILDREN = 3, PAGES_TOTAL = 3000 };

enum kind { FREE, PRIVATE, SHARED, MEMFD, MEMFD_PRIVATE, FILE_PRIVATE, FILE_SHARED, KINDS };

struct region {
	enum kind kind;
	uint8_t *at;
	uint64_t pages;
	int fd;
	uint8_t writable[PAGES_MAX];
};

static struct region regions[REGIONS];
static uint64_t pages_now;
static uint64_t rng;
static const char *directory;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

struct worker {
	pthread_t thread;
	bool used;
	bool stop;
	uint64_t rng;
	uint64_t count;
	uint64_t mirror; /* always the complement of count */
	uint8_t *block;
};
static struct worker workers[THREADS];
static pid_t children[CHILDREN];
static uint8_t inherited[16 * PAGE] __attribute__((aligned(PAGE)));

/* Things left out, for finding the one that goes wrong: PROBE_WITHOUT=memfd-private,move */
static bool left_out(const char *name)
{
	const char *list = getenv("PROBE_WITHOUT");
	const char *at = list ? strstr(list, name) : NULL;
	size_t len = strlen(name);
	while (at && !((at == list || at[-1] == ',') && (at[len] == 0 || at[len] == ',')))
		at = strstr(at + 1, name);
	return at != NULL;
}

static void die(const char *what)
{
	say("BAD %s: %s", what, strerror(errno));
	_exit(7);
}

static void scribble(uint8_t *page, uint64_t *state)
{
	uint64_t *words = (uint64_t *)page;
	uint64_t n = 1 + below(state, 8);
	for (uint64_t i = 0; i < n; i++)
		words[below(state, PAGE / 8)] = roll(state);
}

static void write_some(struct region *r)
{
	for (uint64_t n = 1 + below(&rng, 6); n > 0; n--) {
		uint64_t page = below(&rng, r->pages);
		if (r->writable[page])
			scribble(r->at + page * PAGE, &rng);
	}
}

static struct region *any(bool free_one)
{
	for (int tries = 0; tries < 200; tries++) {
		struct region *r = &regions[below(&rng, REGIONS)];
		if ((r->kind == FREE) == free_one)
			return r;
	}
	return NULL;
}

static int open_backing(enum kind kind, uint64_t pages)
{
	int fd;
	if (kind == MEMFD || kind == MEMFD_PRIVATE) {
		fd = memfd_create("probe", MFD_CLOEXEC);
	} else {
		char path[256];
		snprintf(path, sizeof(path), "%s/map%llu", directory, (unsigned long long)below(&rng, 6));
		fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	}
	if (fd < 0)
		die("open backing");
	/* Files only grow: a mapping of a file cut short would fault. */
	off_t size = lseek(fd, 0, SEEK_END);
	if (size < (off_t)(pages * PAGE) && ftruncate(fd, (off_t)(pages * PAGE)) != 0)
		die("grow backing");
	return fd;
}

static void map_new(void)
{
	struct region *r = any(true);
	uint64_t pages = 1 + below(&rng, 40);
	if (!r || pages_now + pages > PAGES_TOTAL)
		return;
	enum kind kind = 1 + (enum kind)below(&rng, KINDS - 1);
	if (below(&rng, 2))
		kind = PRIVATE;
	static const char *const names[KINDS] = { "", "private", "shared", "memfd", "memfd-private", "file-private", "file-shared" };
	if (left_out(names[kind]))
		return;
	int fd = kind >= MEMFD ? open_backing(kind, pages) : -1;
	int flags = kind == SHARED || kind == MEMFD || kind == FILE_SHARED ? MAP_SHARED : MAP_PRIVATE;
	if (kind == PRIVATE || kind == SHARED)
		flags |= MAP_ANONYMOUS;
	uint8_t *hint = NULL;
	struct region *neighbour = any(false);
	if (neighbour && below(&rng, 2))
		hint = neighbour->at + neighbour->pages * PAGE; /* adjacent regions of one kind merge */
	uint8_t *at = mmap(hint, pages * PAGE, PROT_READ | PROT_WRITE, flags, fd, 0);
	if (at == MAP_FAILED)
		die("mmap");
	*r = (struct region){ .kind = kind, .at = at, .pages = pages, .fd = fd };
	memset(r->writable, 1, pages);
	pages_now += pages;
	if (fd >= 0 && below(&rng, 2)) {
		close(fd);
		r->fd = -1;
	}
	write_some(r);
}

static void drop(struct region *r)
{
	if (munmap(r->at, r->pages * PAGE) != 0)
		die("munmap");
	if (r->fd >= 0)
		close(r->fd);
	pages_now -= r->pages;
	r->kind = FREE;
}

/* Cuts off the end, sometimes the start. */
static void unmap_part(struct region *r)
{
	if (r->pages < 2)
		return;
	uint64_t cut = 1 + below(&rng, r->pages - 1);
	if (below(&rng, 2)) {
		munmap(r->at + (r->pages - cut) * PAGE, cut * PAGE);
	} else {
		munmap(r->at, cut * PAGE);
		memmove(r->writable, r->writable + cut, r->pages - cut);
		r->at += cut * PAGE;
	}
	r->pages -= cut;
	pages_now -= cut;
}

static void map_over(struct region *r)
{
	if (r->kind != PRIVATE)
		return;
	uint64_t from = below(&rng, r->pages), n = 1 + below(&rng, r->pages - from);
	if (mmap(r->at + from * PAGE, n * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED)
		die("map over");
	memset(r->writable + from, 1, n);
	write_some(r);
}

static void move(struct region *r)
{
	for (uint64_t i = 0; i < r->pages; i++) {
		if (r->writable[i] != r->writable[0])
			return; /* mremap takes one region at a time */
	}
	uint64_t pages = 1 + below(&rng, PAGES_MAX - 1);
	bool grows = pages > r->pages;
	if (grows && (r->kind >= SHARED || pages_now + pages - r->pages > PAGES_TOTAL))
		pages = r->pages;
	uint8_t *at = mremap(r->at, r->pages * PAGE, pages * PAGE, MREMAP_MAYMOVE);
	if (at == MAP_FAILED)
		return; /* merged with a neighbour of other origin: refused by the kernel */
	if (pages > r->pages)
		memset(r->writable + r->pages, r->writable[0], pages - r->pages);
	pages_now += pages - r->pages;
	r->at = at;
	r->pages = pages;
	write_some(r);
}

static void advise(struct region *r)
{
	static const int advice[] = { MADV_DONTNEED, MADV_DONTNEED, MADV_FREE, MADV_WILLNEED, MADV_HUGEPAGE, MADV_NOHUGEPAGE, MADV_SEQUENTIAL, MADV_NORMAL,
		MADV_DONTFORK, MADV_DOFORK };
	uint64_t from = below(&rng, r->pages), n = 1 + below(&rng, r->pages - from);
	uint64_t kinds = sizeof(advice) / sizeof(*advice) - (left_out("fork-advice") ? 2 : 0);
	madvise(r->at + from * PAGE, n * PAGE, advice[below(&rng, kinds)]);
	if (below(&rng, 3) == 0)
		write_some(r);
}

static void protect(struct region *r)
{
	static const int rights[] = { PROT_READ, PROT_READ | PROT_WRITE, PROT_READ | PROT_WRITE, PROT_NONE, PROT_READ | PROT_EXEC };
	uint64_t from = below(&rng, r->pages), n = 1 + below(&rng, r->pages - from);
	int right = rights[below(&rng, sizeof(rights) / sizeof(*rights))];
	if (mprotect(r->at + from * PAGE, n * PAGE, right) != 0)
		die("mprotect");
	memset(r->writable + from, (right & PROT_WRITE) != 0, n);
	write_some(r);
}

static void write_through_file(struct region *r)
{
	uint64_t buffer[64];
	if (r->fd < 0)
		return;
	for (int i = 0; i < 64; i++)
		buffer[i] = roll(&rng);
	pwrite(r->fd, buffer, sizeof(buffer), (off_t)below(&rng, r->pages * PAGE - sizeof(buffer)));
}

static void move_break(void)
{
	static uint8_t *start, *end;
	if (!start)
		start = end = sbrk(0);
	if (end != sbrk(0)) {
		start = end = sbrk(0); /* the allocator moved it in between */
	}
	uint64_t have = (uint64_t)(end - start) / PAGE;
	if (below(&rng, 2) && have < 64) {
		uint64_t pages = 1 + below(&rng, 16);
		if (sbrk((intptr_t)(pages * PAGE)) == (void *)-1)
			die("sbrk");
		end = sbrk(0);
	} else if (have > 0) {
		uint64_t pages = 1 + below(&rng, have);
		sbrk(-(intptr_t)(pages * PAGE));
		end = sbrk(0);
	}
	for (uint8_t *p = (uint8_t *)(((uintptr_t)start + PAGE - 1) & ~(uintptr_t)(PAGE - 1)); p + PAGE <= end; p += PAGE) {
		if (below(&rng, 3) == 0)
			scribble(p, &rng);
	}
}

static __attribute__((noinline)) uint64_t deep(uint64_t left)
{
	uint8_t *page = alloca(PAGE + 64);
	scribble((uint8_t *)(((uintptr_t)page + 63) & ~(uintptr_t)63), &rng);
	return left == 0 ? 0 : deep(left - 1) + page[7];
}

static void *work(void *argument)
{
	struct worker *w = argument;
	w->rng = (uint64_t)(uintptr_t)w | 1;
	while (!__atomic_load_n(&w->stop, __ATOMIC_ACQUIRE)) {
		w->count++;
		w->mirror = ~w->count;
		if (w->count != ~w->mirror)
			die("counter and mirror of a thread differ");
		if (w->count % 64 == 0) {
			scribble(w->block + below(&w->rng, 16) * PAGE, &w->rng);
			uint8_t *small = malloc(64 + below(&w->rng, 5000));
			small[0] = 1;
			free(small);
			pthread_mutex_lock(&lock);
			pthread_mutex_unlock(&lock);
			usleep(300);
		}
	}
	return NULL;
}

static void toggle_thread(void)
{
	struct worker *w = &workers[below(&rng, THREADS)];
	if (w->used) {
		__atomic_store_n(&w->stop, true, __ATOMIC_RELEASE);
		if (pthread_join(w->thread, NULL) != 0)
			die("join");
		free(w->block);
		w->used = false;
		return;
	}
	w->stop = false;
	w->block = aligned_alloc(PAGE, 16 * PAGE);
	if (!w->block || pthread_create(&w->thread, NULL, work, w) != 0)
		die("start thread");
	w->used = true;
}

static void live_as_child(uint64_t seed)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	rng = seed | 1;
	for (;;) {
		scribble(inherited + below(&rng, 16) * PAGE, &rng); /* not the regions: MADV_DONTFORK keeps some from us */
		deep(below(&rng, 20));
		uint8_t *block = mmap(NULL, 8 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (block == MAP_FAILED)
			die("child mmap");
		scribble(block + below(&rng, 8) * PAGE, &rng);
		usleep(400);
		munmap(block, 8 * PAGE);
	}
}

static void toggle_child(void)
{
	pid_t *child = &children[below(&rng, CHILDREN)];
	if (*child > 0) {
		if (kill(*child, SIGKILL) != 0)
			die("kill child");
		if (waitpid(*child, NULL, 0) != *child)
			die("wait for child");
		*child = 0;
		return;
	}
	pthread_mutex_lock(&lock);
	pid_t pid = fork();
	pthread_mutex_unlock(&lock);
	if (pid == 0)
		live_as_child(roll(&rng));
	if (pid < 0)
		die("fork");
	*child = pid;
}

static void act(struct region *r, const char *name, void (*action)(struct region *))
{
	if (!left_out(name))
		action(r);
}

static void act_alone(const char *name, void (*action)(void))
{
	if (!left_out(name))
		action();
}

static void recurse(void)
{
	deep(below(&rng, 60));
}

static void step(bool tree)
{
	uint64_t what = below(&rng, 100);
	struct region *r = any(false);
	if (!r || what < 12)
		act_alone("map", map_new);
	else if (what < 55)
		write_some(r);
	else if (what < 60)
		act(r, "unmap", drop);
	else if (what < 65)
		act(r, "unmap-part", unmap_part);
	else if (what < 70)
		act(r, "map-over", map_over);
	else if (what < 75)
		act(r, "move", move);
	else if (what < 81)
		act(r, "advise", advise);
	else if (what < 87)
		act(r, "protect", protect);
	else if (what < 90)
		act(r, "write", write_through_file);
	else if (what < 93)
		act_alone("break", move_break);
	else if (what < 96)
		act_alone("stack", recurse);
	else if (tree && what < 98 && below(&rng, 10) == 0)
		act_alone("threads", toggle_thread);
	else if (tree && what >= 98 && below(&rng, 1000) == 0)
		act_alone("children", toggle_child); /* seldom: a snapshot with a process that has ended since may be refused */
}

int main(int argc, char **argv)
{
	if (argc < 3)
		return 2;
	rng = strtoull(argv[1], NULL, 10) * 2 + 1;
	directory = argv[2];
	bool tree = argc < 4 || strcmp(argv[3], "single") != 0;
	for (int i = 0; i < 20; i++)
		map_new();
	say("ready");
	for (uint64_t n = 0;; n++) {
		step(tree);
		if (n % 16 == 0)
			usleep(200 + (useconds_t)below(&rng, 500));
	}
}
