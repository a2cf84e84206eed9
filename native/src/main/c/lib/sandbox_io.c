/* Descriptors the daemon talks to a sandbox through: sockets with passed descriptors, pipes, terminals, one epoll. */
#include "lib/dbx.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#ifndef TIOCGPTPEER
#define TIOCGPTPEER 0x5441
#endif
#define RIGHTS_MAX 8

DBX_API int32_t dbx_sandbox_socketpair(uint64_t fds);
DBX_API int32_t dbx_sandbox_send(int32_t fd, uint64_t data, uint32_t bytes, uint64_t fds, uint32_t fd_count);
DBX_API int32_t dbx_sandbox_receive(int32_t fd, uint64_t data, uint32_t bytes, uint64_t fds, int32_t timeout);
DBX_API int32_t dbx_sandbox_memfd(uint64_t data, uint64_t bytes);
DBX_API int32_t dbx_sandbox_pipe(uint64_t fds, uint32_t nonblocking_end);
DBX_API int32_t dbx_sandbox_terminal(int32_t devpts, uint64_t fds, uint32_t rows, uint32_t columns, uint32_t uid);
DBX_API int32_t dbx_sandbox_terminal_number(int32_t terminal);
DBX_API int32_t dbx_sandbox_window(int32_t terminal, uint32_t rows, uint32_t columns);
DBX_API int32_t dbx_sandbox_duplicate(int32_t fd);
DBX_API int32_t dbx_sandbox_epoll(void);
DBX_API int32_t dbx_sandbox_epoll_set(int32_t epoll, int32_t fd, uint32_t events, uint64_t key);
DBX_API int32_t dbx_sandbox_epoll_wait(int32_t epoll, uint64_t out, uint32_t max, int32_t timeout);
DBX_API int32_t dbx_sandbox_eventfd(void);
DBX_API int64_t dbx_sandbox_read(int32_t fd, uint64_t data, uint64_t bytes);
DBX_API int64_t dbx_sandbox_write(int32_t fd, uint64_t data, uint64_t bytes);
DBX_API int32_t dbx_sandbox_poll(int32_t fd, uint32_t events, int32_t timeout);
DBX_API int32_t dbx_sandbox_close(int32_t fd);
DBX_API int32_t dbx_sandbox_uid(void);

/* A pair that keeps message boundaries. */
int32_t dbx_sandbox_socketpair(uint64_t fds)
{
	return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, (int *)(uintptr_t)fds) ? -errno : 0;
}

/* One message with descriptors, whole or not at all. */
int32_t dbx_sandbox_send(int32_t fd, uint64_t data, uint32_t bytes, uint64_t fds, uint32_t fd_count)
{
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(RIGHTS_MAX * sizeof(int))];
	} rights = {0};
	struct iovec part = {.iov_base = (void *)(uintptr_t)data, .iov_len = bytes};
	struct msghdr header = {.msg_iov = &part, .msg_iovlen = 1};
	if (fd_count > RIGHTS_MAX)
		return -EINVAL;
	if (fd_count) {
		header.msg_control = rights.room;
		header.msg_controllen = CMSG_SPACE(fd_count * sizeof(int));
		struct cmsghdr *item = CMSG_FIRSTHDR(&header);
		item->cmsg_level = SOL_SOCKET;
		item->cmsg_type = SCM_RIGHTS;
		item->cmsg_len = CMSG_LEN(fd_count * sizeof(int));
		memcpy(CMSG_DATA(item), (const void *)(uintptr_t)fds, fd_count * sizeof(int));
	}
	return DBX_RETRY(sendmsg(fd, &header, MSG_NOSIGNAL)) < 0 ? -errno : 0;
}

/*
 * One message; its size, 0 when the other side has gone. `fds` has room for nine numbers: a count, then the descriptors that came along.
 * Waits up to `timeout` milliseconds (-1: for ever), then -ETIMEDOUT. A message that does not fit is -EMSGSIZE.
 */
int32_t dbx_sandbox_receive(int32_t fd, uint64_t data, uint32_t bytes, uint64_t fds, int32_t timeout)
{
	int32_t *out = (int32_t *)(uintptr_t)fds;
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(RIGHTS_MAX * sizeof(int))];
	} rights;
	struct iovec part = {.iov_base = (void *)(uintptr_t)data, .iov_len = bytes};
	struct msghdr header = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = rights.room, .msg_controllen = sizeof rights.room};
	struct pollfd ready = {.fd = fd, .events = POLLIN};
	out[0] = 0;
	int polled = DBX_RETRY(poll(&ready, 1, timeout));
	if (polled <= 0)
		return polled ? -errno : -ETIMEDOUT;
	ssize_t size = DBX_RETRY(recvmsg(fd, &header, MSG_CMSG_CLOEXEC | MSG_DONTWAIT));
	if (size < 0)
		return errno == ECONNRESET ? 0 : -errno;
	for (struct cmsghdr *item = CMSG_FIRSTHDR(&header); item; item = CMSG_NXTHDR(&header, item)) {
		if (item->cmsg_level != SOL_SOCKET || item->cmsg_type != SCM_RIGHTS)
			continue;
		size_t count = (item->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < count && out[0] < RIGHTS_MAX; i++)
			memcpy(&out[++out[0]], CMSG_DATA(item) + i * sizeof(int), sizeof(int));
	}
	return header.msg_flags & (MSG_TRUNC | MSG_CTRUNC) ? -EMSGSIZE : (int32_t)size;
}

/* Bytes as a file nobody can change any more. */
int32_t dbx_sandbox_memfd(uint64_t data, uint64_t bytes)
{
	int fd = memfd_create("deltabox-command", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd < 0)
		return -errno;
	if (DBX_RETRY(write(fd, (const void *)(uintptr_t)data, bytes)) != (ssize_t)bytes ||
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)) {
		int error = errno ? -errno : -EIO;
		close(fd);
		return error;
	}
	return fd;
}

/* A pipe; end 0 or 1, the daemon's own, does not block. The two ends are two open files, so the sandbox's end does. */
int32_t dbx_sandbox_pipe(uint64_t fds, uint32_t nonblocking_end)
{
	int *ends = (int *)(uintptr_t)fds;
	if (pipe2(ends, O_CLOEXEC))
		return -errno;
	if (fcntl(ends[nonblocking_end & 1], F_SETFL, O_NONBLOCK)) {
		int error = -errno;
		close(ends[0]);
		close(ends[1]);
		return error;
	}
	return 0;
}

int32_t dbx_sandbox_window(int32_t terminal, uint32_t rows, uint32_t columns)
{
	struct winsize size = {.ws_row = (unsigned short)rows, .ws_col = (unsigned short)columns};
	return ioctl(terminal, TIOCSWINSZ, &size) ? -errno : 0;
}

/* A terminal of this devpts: fds[0] the daemon's side (does not block), fds[1] the command's, owned by `uid`. */
int32_t dbx_sandbox_terminal(int32_t devpts, uint64_t fds, uint32_t rows, uint32_t columns, uint32_t uid)
{
	int *out = (int *)(uintptr_t)fds;
	int unlock = 0, error = 0;
	int master = openat(devpts, "ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
	if (master < 0)
		return -errno;
	int slave = ioctl(master, TIOCSPTLCK, &unlock) ? -1 : ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (slave < 0 || fchown(slave, uid, (gid_t)-1))
		error = -errno;
	if (!error)
		error = dbx_sandbox_window(master, rows, columns);
	if (error) {
		close(master);
		if (slave >= 0)
			close(slave);
		return error;
	}
	out[0] = master;
	out[1] = slave;
	return 0;
}

/* N of /dev/pts/N, from the outer end. */
int32_t dbx_sandbox_terminal_number(int32_t terminal)
{
	int number;
	return ioctl(terminal, TIOCGPTN, &number) ? -errno : number;
}

/* The same open file under another number. */
int32_t dbx_sandbox_duplicate(int32_t fd)
{
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	return copy < 0 ? -errno : copy;
}

int32_t dbx_sandbox_epoll(void)
{
	int fd = epoll_create1(EPOLL_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* Watches a descriptor, changes what is watched, or with no events stops watching. */
int32_t dbx_sandbox_epoll_set(int32_t epoll, int32_t fd, uint32_t events, uint64_t key)
{
	struct epoll_event event = {.events = events, .data.u64 = key};
	if (!events)
		return epoll_ctl(epoll, EPOLL_CTL_DEL, fd, NULL) && errno != ENOENT ? -errno : 0;
	if (!epoll_ctl(epoll, EPOLL_CTL_MOD, fd, &event))
		return 0;
	return errno != ENOENT || epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) ? -errno : 0;
}

/* Pairs of 64-bit numbers: key, events. */
int32_t dbx_sandbox_epoll_wait(int32_t epoll, uint64_t out, uint32_t max, int32_t timeout)
{
	struct epoll_event events[64];
	uint64_t *pairs = (uint64_t *)(uintptr_t)out;
	int count = DBX_RETRY(epoll_wait(epoll, events, (int)(max < 64 ? max : 64), timeout));
	if (count < 0)
		return -errno;
	for (int i = 0; i < count; i++) {
		pairs[2 * i] = events[i].data.u64;
		pairs[2 * i + 1] = events[i].events;
	}
	return count;
}

int32_t dbx_sandbox_eventfd(void)
{
	int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	return fd < 0 ? -errno : fd;
}

int64_t dbx_sandbox_read(int32_t fd, uint64_t data, uint64_t bytes)
{
	ssize_t size = DBX_RETRY(read(fd, (void *)(uintptr_t)data, bytes));
	return size < 0 ? -errno : size;
}

int64_t dbx_sandbox_write(int32_t fd, uint64_t data, uint64_t bytes)
{
	ssize_t size = DBX_RETRY(write(fd, (const void *)(uintptr_t)data, bytes));
	return size < 0 ? -errno : size;
}

/* The events that came, 0 after `timeout` milliseconds. */
int32_t dbx_sandbox_poll(int32_t fd, uint32_t events, int32_t timeout)
{
	struct pollfd watched = {.fd = fd, .events = (short)events};
	int count = DBX_RETRY(poll(&watched, 1, timeout));
	return count < 0 ? -errno : count ? watched.revents : 0;
}

int32_t dbx_sandbox_close(int32_t fd)
{
	return close(fd) ? -errno : 0;
}

int32_t dbx_sandbox_uid(void)
{
	return (int32_t)geteuid();
}
