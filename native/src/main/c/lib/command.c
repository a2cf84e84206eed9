/*
 * The daemon's side of cli.sock: listen, accept, receive with descriptors, and reads and writes that another thread can call off.
 * The JDK's channels cannot receive descriptors. Needs no capability. Each returned descriptor is the caller's, close-on-exec.
 */
#include "dbx.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#define COMMAND_FDS_MAX 8
/* A write of at most PIPE_BUF bytes does not block once poll has said that a pipe is writable (pipe(7)). */
#define COMMAND_WRITE_STEP 4096u

DBX_API int32_t dbx_command_listen(const char *path);
DBX_API int32_t dbx_command_accept(int32_t listener);
DBX_API int64_t dbx_command_receive(int32_t fd, uint64_t buffer, uint64_t cap, uint64_t fds, uint64_t fd_cap);
DBX_API int64_t dbx_command_read(int32_t fd, int32_t cancel, uint64_t buffer, uint64_t cap);
DBX_API int64_t dbx_command_write(int32_t fd, int32_t cancel, uint64_t buffer, uint64_t len);
DBX_API int32_t dbx_command_canceller(void);
DBX_API int32_t dbx_command_cancel(int32_t cancel);
DBX_API int32_t dbx_command_shutdown(int32_t fd);
DBX_API int32_t dbx_command_close(int32_t fd);
DBX_API int32_t dbx_command_redirect(const char *path, int32_t fd);

/* The directory must be the caller's alone and the caller must hold the lock of the data root: what lies at `path` is then left over and removed. */
int32_t dbx_command_listen(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	size_t len = strlen(path);
	if (len >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	memcpy(address.sun_path, path, len + 1);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (unlink(path) && errno != ENOENT)
		goto fail;
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) || listen(fd, 64))
		goto fail;
	return fd;
fail:
	len = (size_t)errno;
	close(fd);
	return -(int32_t)len;
}

/* -EPERM: a caller of another user was there and was turned away. -EINVAL: the listener was shut down. */
int32_t dbx_command_accept(int32_t listener)
{
	DBX_AUTO_FD fd = DBX_RETRY(accept4(listener, NULL, NULL, SOCK_CLOEXEC));
	if (fd < 0)
		return -errno;
	struct ucred peer;
	socklen_t len = sizeof(peer);
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len))
		return -errno;
	if (peer.uid != geteuid())
		return -EPERM;
	int result = fd;
	fd = -1;
	return result;
}

/* Takes the descriptors of one message; what has no room is closed. */
static int32_t take_descriptors(struct msghdr *message, int32_t *fds, uint64_t fd_cap)
{
	uint64_t count = 0;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		size_t here = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < here; i++) {
			int fd;
			memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(int));
			if (count < fd_cap)
				fds[count++] = fd;
			else
				close(fd);
		}
	}
	return (int32_t)count;
}

/* Result: bytes received, 0 at the end. `fds` has `fd_cap` descriptors after one leading count. */
int64_t dbx_command_receive(int32_t fd, uint64_t buffer, uint64_t cap, uint64_t fds, uint64_t fd_cap)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(COMMAND_FDS_MAX * sizeof(int))];
	} control;
	struct iovec part = { (void *)(uintptr_t)buffer, cap };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control) };
	ssize_t got = DBX_RETRY(recvmsg(fd, &message, MSG_CMSG_CLOEXEC));
	if (got < 0)
		return -errno;
	int32_t *out = (int32_t *)(uintptr_t)fds;
	out[0] = take_descriptors(&message, out + 1, fd_cap);
	return got;
}

/* Waits until `fd` is ready for `events`; -ECANCELED when `cancel` was signalled first. */
static int32_t await(int32_t fd, int32_t cancel, short events)
{
	struct pollfd set[2] = { { fd, events, 0 }, { cancel, POLLIN, 0 } };
	if (DBX_RETRY(poll(set, 2, -1)) < 0)
		return -errno;
	if (set[1].revents)
		return -ECANCELED;
	return set[0].revents & POLLNVAL ? -EBADF : 0;
}

/* Result: bytes read, 0 at the end of the input, -ECANCELED. */
int64_t dbx_command_read(int32_t fd, int32_t cancel, uint64_t buffer, uint64_t cap)
{
	for (;;) {
		int32_t ready = await(fd, cancel, POLLIN);
		if (ready < 0)
			return ready;
		ssize_t got = DBX_RETRY(read(fd, (void *)(uintptr_t)buffer, cap));
		/* EIO: the terminal's other side has hung up. */
		if (got < 0 && errno == EIO)
			return 0;
		if (got >= 0 || errno != EAGAIN)
			return got < 0 ? -errno : got;
	}
}

/* Without blocking where the file can do that, else a step that fits into what poll promised. */
static ssize_t write_some(int32_t fd, const uint8_t *from, uint64_t len)
{
	struct iovec part = { (void *)(uintptr_t)from, len };
	ssize_t done = DBX_RETRY(pwritev2(fd, &part, 1, -1, RWF_NOWAIT));
	if (done >= 0 || (errno != EOPNOTSUPP && errno != EINVAL))
		return done;
	return DBX_RETRY(write(fd, from, len < COMMAND_WRITE_STEP ? len : COMMAND_WRITE_STEP));
}

/* Writes all. Result: 0, or the error; -ECANCELED when called off, part may have been written then. */
int64_t dbx_command_write(int32_t fd, int32_t cancel, uint64_t buffer, uint64_t len)
{
	const uint8_t *from = (const uint8_t *)(uintptr_t)buffer;
	while (len > 0) {
		int32_t ready = await(fd, cancel, POLLOUT);
		if (ready < 0)
			return ready;
		ssize_t done = write_some(fd, from, len);
		if (done < 0 && errno != EAGAIN)
			return -errno;
		if (done > 0) {
			from += done;
			len -= (uint64_t)done;
		}
	}
	return 0;
}

int32_t dbx_command_canceller(void)
{
	int fd = eventfd(0, EFD_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int32_t dbx_command_cancel(int32_t cancel)
{
	return eventfd_write(cancel, 1) ? -errno : 0;
}

/* Ends both directions: a thread in accept or receive comes back. */
int32_t dbx_command_shutdown(int32_t fd)
{
	return shutdown(fd, SHUT_RDWR) ? -errno : 0;
}

int32_t dbx_command_close(int32_t fd)
{
	return close(fd) ? -errno : 0;
}

/* Makes `fd` append to the file at `path`, which is made for the owner alone. */
int32_t dbx_command_redirect(const char *path, int32_t fd)
{
	DBX_AUTO_FD file = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (file < 0)
		return -errno;
	return dup2(file, fd) < 0 ? -errno : 0;
}
