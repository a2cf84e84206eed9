/* Puts the contents of one file back by writing only what differs: a mapping of it never sees a zero or a short file in between. */
#include "files.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PAGE UINT64_C(4096)
#define CHUNK UINT64_C(65536)

/* Where the bytes [from, to) come from: memory, the base file, or a hole. */
struct dbx_file_piece {
	uint64_t from, to;
	/* Address of the first byte; 0: bytes of the base file at the same offset. */
	uint64_t address;
};
_Static_assert(sizeof(struct dbx_file_piece) == 24, "shared with Java");

struct dbx_file_wanted {
	uint64_t size;
	/* Data pieces in order; what lies between them is a hole. */
	uint64_t pieces, piece_count;
	int32_t base, pad;
	/* Out. */
	uint64_t bytes_written, holes_punched;
};
_Static_assert(sizeof(struct dbx_file_wanted) == 48, "shared with Java");

DBX_API int32_t dbx_file_restore(int32_t fd, uint64_t wanted);
DBX_API int32_t dbx_file_same(int32_t fd, uint64_t wanted);

static int read_full(int fd, uint8_t *to, uint64_t len, uint64_t at)
{
	uint64_t done = 0;
	while (done < len) {
		ssize_t n = DBX_RETRY(pread(fd, to + done, len - done, (off_t)(at + done)));
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		done += (uint64_t)n;
	}
	memset(to + done, 0, len - done);
	return 0;
}

static int write_full(int fd, const uint8_t *from, uint64_t len, uint64_t at)
{
	uint64_t done = 0;
	while (done < len) {
		ssize_t n = DBX_RETRY(pwrite(fd, from + done, len - done, (off_t)(at + done)));
		if (n < 0)
			return -errno;
		done += (uint64_t)n;
	}
	return 0;
}

/* The bytes of [at, at + len) of a piece, from memory or read into `buffer`. */
static const uint8_t *piece_bytes(const struct dbx_file_wanted *wanted, const struct dbx_file_piece *piece, uint64_t at, uint64_t len, uint8_t *buffer)
{
	if (piece->address)
		return (const uint8_t *)(uintptr_t)piece->address + (at - piece->from);
	return read_full(wanted->base, buffer, len, at) < 0 ? NULL : buffer;
}

static int is_hole(int fd, uint64_t at, uint64_t end)
{
	off_t data = lseek(fd, (off_t)at, SEEK_DATA);
	return data < 0 ? errno == ENXIO : (uint64_t)data >= end;
}

/*
 * Writes the pages of a chunk that differ. A page that is a hole now but data in the target is written even when it is all zeros, and so is the page
 * `eof` in which the old end lay when the file grows: a mapping may have stored bytes behind it, which tmpfs would now show.
 */
static int write_chunk(int fd, struct dbx_file_wanted *wanted, const uint8_t *want, const uint8_t *have, struct dbx_file_piece range, uint64_t eof)
{
	uint64_t run = range.to;
	for (uint64_t at = range.from; at < range.to;) {
		uint64_t next = (at / PAGE + 1) * PAGE;
		if (next > range.to)
			next = range.to;
		uint64_t offset = at - range.from;
		int differs = memcmp(want + offset, have + offset, next - at) != 0 || at / PAGE == eof / PAGE;
		if (!differs && have[offset] == 0 && is_hole(fd, at, next))
			differs = 1;
		if (differs && run == range.to)
			run = at;
		if (run != range.to && (!differs || next == range.to)) {
			uint64_t end = differs ? next : at;
			int result = write_full(fd, want + (run - range.from), end - run, run);
			if (result < 0)
				return result;
			wanted->bytes_written += end - run;
			run = range.to;
		}
		at = next;
	}
	return 0;
}

static int restore_piece(int fd, struct dbx_file_wanted *wanted, const struct dbx_file_piece *piece, uint64_t eof)
{
	uint8_t have[CHUNK], base[CHUNK];
	for (uint64_t at = piece->from; at < piece->to;) {
		uint64_t end = (at / CHUNK + 1) * CHUNK;
		if (end > piece->to)
			end = piece->to;
		const uint8_t *want = piece_bytes(wanted, piece, at, end - at, base);
		if (!want)
			return -EIO;
		int result = read_full(fd, have, end - at, at);
		if (result < 0)
			return result;
		struct dbx_file_piece range = {.from = at, .to = end};
		result = write_chunk(fd, wanted, want, have, range, eof);
		if (result < 0)
			return result;
		at = end;
	}
	return 0;
}

/* Makes [from, to) a hole again where it holds data; whole pages, the tail counts as one. */
static int restore_hole(int fd, struct dbx_file_wanted *wanted, uint64_t from, uint64_t to)
{
	if (to == wanted->size)
		to = (to + PAGE - 1) / PAGE * PAGE;
	while (from < to) {
		off_t data = lseek(fd, (off_t)from, SEEK_DATA);
		if (data < 0 || (uint64_t)data >= to)
			return data < 0 && errno != ENXIO ? -errno : 0;
		off_t hole = lseek(fd, data, SEEK_HOLE);
		uint64_t end = hole < 0 || (uint64_t)hole > to || (uint64_t)hole >= wanted->size ? to : (uint64_t)hole;
		if (fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, data, (off_t)(end - (uint64_t)data)))
			return -errno;
		wanted->holes_punched++;
		from = end;
	}
	return 0;
}

/* Edits an open file until it is the wanted one. Idempotent. Returns 0. */
int32_t dbx_file_restore(int32_t fd, uint64_t address)
{
	struct dbx_file_wanted *wanted = (struct dbx_file_wanted *)(uintptr_t)address;
	const struct dbx_file_piece *pieces = (const void *)(uintptr_t)wanted->pieces;
	wanted->bytes_written = wanted->holes_punched = 0;
	struct stat status;
	if (fstat(fd, &status))
		return -errno;
	uint64_t old = (uint64_t)status.st_size, eof = UINT64_MAX;
	if (old < wanted->size && old % PAGE)
		eof = old;
	if (old != wanted->size && ftruncate(fd, (off_t)wanted->size))
		return -errno;
	uint64_t at = 0;
	int result = 0;
	for (uint64_t i = 0; i < wanted->piece_count && result >= 0; i++) {
		result = restore_hole(fd, wanted, at, pieces[i].from);
		if (result >= 0)
			result = restore_piece(fd, wanted, &pieces[i], eof);
		at = pieces[i].to;
	}
	return result < 0 ? result : restore_hole(fd, wanted, at, wanted->size);
}

/* 1 when an open file holds the wanted bytes (holes count as zeros), else 0. */
int32_t dbx_file_same(int32_t fd, uint64_t address)
{
	struct dbx_file_wanted *wanted = (struct dbx_file_wanted *)(uintptr_t)address;
	const struct dbx_file_piece *pieces = (const void *)(uintptr_t)wanted->pieces;
	struct stat status;
	uint8_t have[CHUNK], base[CHUNK];
	if (fstat(fd, &status))
		return -errno;
	if ((uint64_t)status.st_size != wanted->size)
		return 0;
	uint64_t at = 0;
	for (uint64_t i = 0; i < wanted->piece_count; i++) {
		if (!is_hole(fd, at, pieces[i].from) && at < pieces[i].from)
			return 0;
		for (at = pieces[i].from; at < pieces[i].to;) {
			uint64_t len = pieces[i].to - at < CHUNK ? pieces[i].to - at : CHUNK;
			const uint8_t *want = piece_bytes(wanted, &pieces[i], at, len, base);
			if (!want || read_full(fd, have, len, at) < 0)
				return -EIO;
			if (memcmp(want, have, len))
				return 0;
			at += len;
		}
	}
	return at >= wanted->size || is_hole(fd, at, wanted->size);
}
