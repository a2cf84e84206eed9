/* Content of files that have no name any more, but are held open: nobody else can find it. */
#include "fds.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef F_GET_SEALS
#define F_GET_SEALS 1034
#endif
#define EXTENT_MAX (UINT64_C(1) << 20)

static int32_t extent(const struct dbx_fds_reader *reader, const struct dbx_fds_descriptor *d, int fd, uint64_t from, uint64_t to)
{
	while (from < to) {
		uint64_t bytes = to - from < EXTENT_MAX ? to - from : EXTENT_MAX;
		struct dbx_fds_content *body = dbx_arena_put(reader->arena, DBX_FDS_CONTENT, 0, sizeof(*body) + bytes);
		from += bytes;
		if (!body)
			continue;
		ssize_t size = DBX_RETRY(pread(fd, body + 1, bytes, (off_t)(from - bytes)));
		int error = errno;
		*body = (struct dbx_fds_content){.dev = d->dev, .ino = d->ino, .offset = from - bytes, .bytes = size > 0 ? (uint64_t)size : 0};
		dbx_arena_trim(reader->arena, body, sizeof(*body) + body->bytes);
		if (size < 0)
			return -error;
	}
	return 0;
}

static int32_t extents(const struct dbx_fds_reader *reader, const struct dbx_fds_descriptor *d, int fd)
{
	uint64_t max = reader->context->content_max ? reader->context->content_max : DBX_FDS_CONTENT_MAX;
	for (off_t at = 0; (uint64_t)at < d->size;) {
		off_t data = lseek(fd, at, SEEK_DATA);
		if (data < 0)
			return errno == ENXIO ? 0 : -errno;
		off_t hole = lseek(fd, data, SEEK_HOLE);
		if (hole < 0)
			return -errno;
		reader->context->content_used += (uint64_t)(hole - data);
		if (reader->context->content_used > max)
			return -EFBIG;
		int32_t result = extent(reader, d, fd, (uint64_t)data, (uint64_t)hole);
		if (result < 0)
			return result;
		at = hole;
	}
	return 0;
}

/*
 * The file is opened once more: seeking moves the offset of an open file description, and the sandbox's own one may be write-only. A zero link count
 * says "no name" on every file system an overlay can lie on, and for a memfd.
 */
void dbx_fds_content(const struct dbx_fds_reader *reader, struct dbx_fds_descriptor *d)
{
	char name[16];
	snprintf(name, sizeof(name), "%d", d->number);
	DBX_AUTO_FD fd = openat(reader->fd_dir, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOATIME);
	if (fd < 0 && errno == EPERM)
		fd = openat(reader->fd_dir, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0) {
		dbx_fds_trouble(reader, d->number, DBX_FDS_STEP_CONTENT, errno);
		return;
	}
	int seals = fcntl(fd, F_GET_SEALS);
	d->seals = seals > 0 ? (uint32_t)seals : 0;
	int32_t first = dbx_fds_first(reader->context, d->dev, d->ino, DBX_FDS_TAG_CONTENT);
	if (first < 0)
		dbx_fds_trouble(reader, d->number, DBX_FDS_STEP_OVERFLOW, -first);
	if (first <= 0)
		return;
	int32_t result = extents(reader, d, fd);
	if (result < 0)
		dbx_fds_trouble(reader, d->number, result == -EFBIG ? DBX_FDS_STEP_TOO_LARGE : DBX_FDS_STEP_CONTENT, -result);
}
