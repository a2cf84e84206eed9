/* Library identity, self-test and plain memory: what the Java binding checks before anything else is called. */
#include "dbx.h"

#include <errno.h>
#include <string.h>
#include <time.h>
#include <sys/mman.h>
#include <unistd.h>

DBX_API uint32_t dbx_abi(void);
DBX_API const char *dbx_error_text(int32_t error);
DBX_API int64_t dbx_echo6(int64_t a, int64_t b, int64_t c, int64_t d, int64_t e, int64_t f);
DBX_API int64_t dbx_echo5(int64_t a, int32_t b, int64_t c, int32_t d, int64_t e);
DBX_API int64_t dbx_map(uint64_t bytes, uint32_t touch);
DBX_API int32_t dbx_unmap(uint64_t address, uint64_t bytes);
DBX_API int32_t dbx_drop(uint64_t address, uint64_t bytes);
DBX_API int64_t dbx_clock_nanos(int32_t clock);
DBX_API void dbx_copy(uint64_t to, uint64_t from, uint64_t bytes);

uint32_t dbx_abi(void)
{
	return DBX_ABI;
}

const char *dbx_error_text(int32_t error)
{
	const char *text = strerrordesc_np(error);
	return text ? text : "unknown error";
}

/* Folds the arguments so that each one's place and value shows in the result. */
int64_t dbx_echo6(int64_t a, int64_t b, int64_t c, int64_t d, int64_t e, int64_t f)
{
	return a + 3 * b + 5 * c + 7 * d + 11 * e + 13 * f;
}

int64_t dbx_echo5(int64_t a, int32_t b, int64_t c, int32_t d, int64_t e)
{
	return a + 3 * (int64_t)b + 5 * c + 7 * (int64_t)d + 11 * e;
}

/* Anonymous memory; with `touch` every page is populated, because the first touch inside a freeze window would cost several times a warm one. */
int64_t dbx_map(uint64_t bytes, uint32_t touch)
{
	void *address = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (address == MAP_FAILED)
		return -errno;
	if (touch)
		(void)madvise(address, bytes, MADV_POPULATE_WRITE);
	return (int64_t)(uintptr_t)address;
}

int32_t dbx_unmap(uint64_t address, uint64_t bytes)
{
	return munmap((void *)(uintptr_t)address, bytes) ? -errno : 0;
}

int32_t dbx_drop(uint64_t address, uint64_t bytes)
{
	return madvise((void *)(uintptr_t)address, bytes, MADV_DONTNEED) ? -errno : 0;
}

int64_t dbx_clock_nanos(int32_t clock)
{
	struct timespec now = {0};
	clock_gettime(clock, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

void dbx_copy(uint64_t to, uint64_t from, uint64_t bytes)
{
	memcpy((void *)(uintptr_t)to, (const void *)(uintptr_t)from, bytes);
}

void *dbx_arena_put(struct dbx_arena *arena, uint32_t kind, uint32_t flags, uint64_t len)
{
	uint64_t room = sizeof(struct dbx_record) + ((len + 7) & ~UINT64_C(7));
	arena->need += room;
	if (arena->need > arena->cap)
		return NULL;
	struct dbx_record *record = (struct dbx_record *)(void *)(arena->base + arena->used);
	record->kind = kind;
	record->flags = flags;
	record->len = len;
	arena->used += room;
	return record + 1;
}

void dbx_arena_trim(struct dbx_arena *arena, void *body, uint64_t len)
{
	struct dbx_record *record = (struct dbx_record *)body - 1;
	uint64_t end = (uint64_t)((uint8_t *)body - arena->base) + ((len + 7) & ~UINT64_C(7));
	arena->need -= arena->used - end;
	arena->used = end;
	record->len = len;
}

DBX_API int32_t dbx_page_is_zero(uint64_t address);
DBX_API int32_t dbx_page_equal(uint64_t a, uint64_t b);

int32_t dbx_page_is_zero(uint64_t address)
{
	static const uint8_t zeros[4096];
	return !memcmp((const void *)(uintptr_t)address, zeros, sizeof zeros);
}

int32_t dbx_page_equal(uint64_t a, uint64_t b)
{
	return !memcmp((const void *)(uintptr_t)a, (const void *)(uintptr_t)b, 4096);
}
