/* Pages of a stopped process as 128-bit hashes. */
#include "check.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { PAGE = 4096, BATCH = 64 };

#define PM_PRESENT (UINT64_C(1) << 63)
#define PM_SWAP (UINT64_C(1) << 62)
#define PM_FILE (UINT64_C(1) << 61)
#define PM_UFFD_WP (UINT64_C(1) << 57)

static uint64_t fold(uint64_t a, uint64_t b)
{
	__extension__ typedef unsigned __int128 wide;
	wide product = (wide)a * b;
	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

void dbx_check_hash_add(struct dbx_check_hash *hash, const void *bytes, size_t len)
{
	const uint8_t *p = bytes;
	uint64_t a = hash->h[0] ^ UINT64_C(0x9e3779b97f4a7c15), b = hash->h[1] ^ UINT64_C(0xc2b2ae3d27d4eb4f) ^ len;
	for (; len >= 16; p += 16, len -= 16) {
		uint64_t x, y;
		memcpy(&x, p, 8);
		memcpy(&y, p + 8, 8);
		a = fold(a ^ x, UINT64_C(0xa0761d6478bd642f) ^ y) + (a << 1);
		b = fold(b + y, UINT64_C(0xe7037ed1a0b428db) ^ (x << 29 | x >> 35)) + (b << 1);
	}
	uint64_t tail[2] = { 0, 0 };
	memcpy(tail, p, len);
	hash->h[0] = fold(a ^ tail[0], UINT64_C(0x8ebc6af09c88c6e3) ^ tail[1]);
	hash->h[1] = fold(b + tail[1], UINT64_C(0x589965cc75374cc3) ^ tail[0]) ^ a;
}

static bool all_zero(const uint8_t *page)
{
	return page[0] == 0 && memcmp(page, page + 1, PAGE - 1) == 0;
}

struct reader {
	const struct dbx_check_pages *request;
	int mem;
	int pagemap;
	uint64_t used;
};

static uint64_t *words(struct reader *r, uint64_t count)
{
	if (r->request->out_words - r->used < count)
		return NULL;
	uint64_t *at = (uint64_t *)(uintptr_t)r->request->out + r->used;
	r->used += count;
	return at;
}

static void apply_masks(const struct dbx_check_pages *request, uint64_t from, uint8_t *bytes, uint64_t len)
{
	const struct dbx_check_mask *masks = (const void *)(uintptr_t)request->masks;
	for (uint64_t i = 0; i < request->mask_count; i++) {
		for (uint64_t k = 0; k < masks[i].len; k++) {
			uint64_t address = masks[i].from + k;
			if (address >= from && address - from < len)
				bytes[address - from] = 0;
		}
	}
}

static int put_page(struct reader *r, const struct dbx_check_region *region, uint64_t address, const uint8_t *page, uint64_t *count)
{
	if (all_zero(page))
		return 0;
	struct dbx_check_hash hash = { { 1, 2 } };
	dbx_check_hash_add(&hash, page, PAGE);
	uint64_t *at = words(r, 3);
	if (!at)
		return -ENOSPC;
	at[0] = (address - region->from) / PAGE;
	at[1] = hash.h[0];
	at[2] = hash.h[1];
	(*count)++;
	return 0;
}

/* Whether the process itself has this page: there, or swapped out for real and not merely a write-protection marker. */
static bool has_page(uint64_t entry)
{
	return (entry & PM_PRESENT) || ((entry & PM_SWAP) && !(entry & PM_UFFD_WP));
}

static int64_t read_entries(const struct reader *r, uint64_t from, uint64_t pages, uint64_t *entries)
{
	ssize_t got = DBX_RETRY(pread(r->pagemap, entries, pages * 8, (off_t)(from / PAGE * 8)));
	if (got < 0)
		return -errno;
	memset((uint8_t *)entries + got, 0, pages * 8 - (size_t)got);
	return 0;
}

/* Reads [from, from + len) through `fd` at `offset`; a page that cannot be read (beyond the end of its file) is taken one by one and skipped. */
static int read_run(struct reader *r, int fd, const struct dbx_check_region *region, uint64_t from, uint64_t pages, uint64_t offset, uint64_t *count)
{
	uint8_t buffer[BATCH * PAGE];
	ssize_t got = DBX_RETRY(pread(fd, buffer, pages * PAGE, (off_t)offset));
	uint64_t have = got < 0 ? 0 : (uint64_t)got;
	memset(buffer + have, 0, pages * PAGE - have);
	if (have < pages * PAGE) {
		for (uint64_t i = have / PAGE; i < pages; i++) {
			ssize_t one = DBX_RETRY(pread(fd, buffer + i * PAGE, PAGE, (off_t)(offset + i * PAGE)));
			if (one < PAGE)
				memset(buffer + i * PAGE + (one < 0 ? 0 : one), 0, (size_t)(PAGE - (one < 0 ? 0 : one)));
		}
	}
	apply_masks(r->request, from, buffer, pages * PAGE);
	for (uint64_t i = 0; i < pages; i++) {
		int error = put_page(r, region, from + i * PAGE, buffer + i * PAGE, count);
		if (error)
			return error;
	}
	return 0;
}

static int read_everything(struct reader *r, int fd, const struct dbx_check_region *region, bool by_address, uint64_t *count)
{
	for (uint64_t at = region->from; at < region->to;) {
		uint64_t pages = (region->to - at) / PAGE;
		if (pages > BATCH)
			pages = BATCH;
		int error = read_run(r, fd, region, at, pages, by_address ? at : region->offset + (at - region->from), count);
		if (error)
			return error;
		at += pages * PAGE;
	}
	return 0;
}

static int read_present(struct reader *r, const struct dbx_check_region *region, uint64_t *count)
{
	enum { ENTRIES = 4096 };
	uint64_t entries[ENTRIES];
	for (uint64_t at = region->from; at < region->to;) {
		uint64_t pages = (region->to - at) / PAGE;
		if (pages > ENTRIES)
			pages = ENTRIES;
		int64_t failed = read_entries(r, at, pages, entries);
		if (failed)
			return (int)failed;
		for (uint64_t i = 0; i < pages;) {
			if (!has_page(entries[i])) {
				i++;
				continue;
			}
			uint64_t run = 1;
			while (run < BATCH && i + run < pages && has_page(entries[i + run]))
				run++;
			int error = read_run(r, r->mem, region, at + i * PAGE, run, at + i * PAGE, count);
			if (error)
				return error;
			i += run;
		}
		at += pages * PAGE;
	}
	return 0;
}

static int has_own_page(const struct reader *r, const struct dbx_check_region *region)
{
	uint64_t entries[512];
	for (uint64_t at = region->from; at < region->to; at += sizeof(entries) / 8 * PAGE) {
		uint64_t pages = (region->to - at) / PAGE;
		if (pages > sizeof(entries) / 8)
			pages = sizeof(entries) / 8;
		int64_t failed = read_entries(r, at, pages, entries);
		if (failed)
			return (int)failed;
		for (uint64_t i = 0; i < pages; i++) {
			if (has_page(entries[i]) && !(entries[i] & PM_FILE))
				return 1;
		}
	}
	return 0;
}

static int read_shared(struct reader *r, const struct dbx_check_region *region, uint64_t *count)
{
	char path[96];
	snprintf(path, sizeof(path), "/proc/%" PRId64 "/map_files/%" PRIx64 "-%" PRIx64, r->request->pid, region->from, region->to);
	DBX_AUTO_FD fd = DBX_RETRY(open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOATIME));
	if (fd < 0)
		return -errno;
	return read_everything(r, fd, region, false, count);
}

static int read_region(struct reader *r, const struct dbx_check_region *region)
{
	uint64_t *head = words(r, 1), count = 0;
	if (!head)
		return -ENOSPC;
	int error = 0;
	if (region->how == DBX_CHECK_ANON) {
		error = read_present(r, region, &count);
	} else if (region->how == DBX_CHECK_SHARED) {
		error = read_shared(r, region, &count);
	} else {
		int own = region->how == DBX_CHECK_ALL ? 1 : has_own_page(r, region);
		if (own > 0)
			error = read_everything(r, r->mem, region, true, &count);
		else if (own == 0)
			count = DBX_CHECK_UNTOUCHED;
		else
			error = own;
	}
	*head = count;
	return error;
}

int64_t dbx_check_pages(uint64_t address)
{
	const struct dbx_check_pages *request = (const void *)(uintptr_t)address;
	char path[64];
	snprintf(path, sizeof(path), "/proc/%" PRId64 "/mem", request->pid);
	DBX_AUTO_FD mem = DBX_RETRY(open(path, O_RDONLY | O_CLOEXEC));
	if (mem < 0)
		return -errno;
	snprintf(path, sizeof(path), "/proc/%" PRId64 "/pagemap", request->pid);
	DBX_AUTO_FD pagemap = DBX_RETRY(open(path, O_RDONLY | O_CLOEXEC));
	if (pagemap < 0)
		return -errno;
	struct reader r = { .request = request, .mem = mem, .pagemap = pagemap };
	const struct dbx_check_region *regions = (const void *)(uintptr_t)request->regions;
	for (uint64_t i = 0; i < request->region_count; i++) {
		int error = read_region(&r, &regions[i]);
		if (error)
			return error;
	}
	return (int64_t)r.used;
}
