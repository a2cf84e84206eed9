/* What is inside a pipe, read through tee(2) so that the pipe keeps it. */
#include "fds.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define CAPACITY_DEFAULT 65536

static uint32_t poll_now(int fd)
{
	struct pollfd ask = {.fd = fd, .events = POLLIN | POLLOUT};
	return poll(&ask, 1, 0) < 0 ? 0 : (uint32_t)(uint16_t)ask.revents;
}

/* Packets of a pipe with O_DIRECT come out one per read; each is stored behind its length. */
static int32_t unload(int from, uint8_t *to, uint32_t room, struct dbx_fds_pipe *head)
{
	uint32_t used = 0;
	while (used + sizeof(uint32_t) < room) {
		ssize_t size = DBX_RETRY(read(from, to + used + sizeof(uint32_t), room - used - sizeof(uint32_t)));
		if (size < 0 && errno == EAGAIN)
			break;
		if (size <= 0)
			return size < 0 ? -errno : -EIO;
		uint32_t length = (uint32_t)size;
		memcpy(to + used, &length, sizeof(length));
		used += (uint32_t)sizeof(length) + length;
		head->packets++;
	}
	head->bytes = used;
	return 0;
}

static int32_t content(int fd, uint8_t *to, uint32_t room, struct dbx_fds_pipe *head)
{
	int ends[2];
	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK))
		return -errno;
	DBX_AUTO_FD out = ends[0];
	DBX_AUTO_FD in = ends[1];
	if (head->capacity > CAPACITY_DEFAULT && fcntl(in, F_SETPIPE_SZ, (int)head->capacity) < 0)
		return -errno;
	if (DBX_RETRY(tee(fd, in, head->capacity, SPLICE_F_NONBLOCK)) < 0)
		return -errno;
	return unload(out, to, room, head);
}

/*
 * Content is captured where a process of the sandbox can read it. What a program wrote into a pipe whose reader is outside has been delivered, and is
 * left alone.
 */
void dbx_fds_pipe(const struct dbx_fds_reader *reader, const struct dbx_fds_descriptor *d)
{
	int readable = (d->flags & O_ACCMODE) != O_WRONLY;
	int32_t first = dbx_fds_first(reader->context, d->dev, d->ino, readable ? DBX_FDS_TAG_PIPE : DBX_FDS_TAG_PIPE_WRITER);
	if (first <= 0) {
		if (first < 0)
			dbx_fds_trouble(reader, d->number, DBX_FDS_STEP_OVERFLOW, -first);
		return;
	}
	DBX_AUTO_FD fd = dbx_fds_steal(reader, d->number);
	if (fd < 0)
		return;
	struct dbx_fds_pipe head = {.dev = d->dev, .ino = d->ino, .through = readable ? 0 : 1};
	int capacity = fcntl(fd, F_GETPIPE_SZ);
	int queued = 0;
	head.capacity = capacity > 0 ? (uint32_t)capacity : 0;
	head.events = poll_now(fd);
	if (readable && ioctl(fd, FIONREAD, &queued))
		dbx_fds_trouble(reader, d->number, DBX_FDS_STEP_CONTENT, errno);
	/* a packet takes a page at least, so there are never more lengths than pages */
	uint32_t room = queued > 0 ? (uint32_t)queued + (uint32_t)sizeof(uint32_t) * (head.capacity / 4096 + 2) : 0;
	struct dbx_fds_pipe *body = dbx_arena_put(reader->arena, DBX_FDS_PIPE, 0, sizeof(head) + room);
	if (!body)
		return;
	int32_t result = room ? content(fd, (uint8_t *)(body + 1), room, &head) : 0;
	*body = head;
	dbx_arena_trim(reader->arena, body, sizeof(head) + head.bytes);
	if (result < 0)
		dbx_fds_trouble(reader, d->number, DBX_FDS_STEP_CONTENT, -result);
}
