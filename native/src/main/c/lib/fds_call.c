/* The applying side: single system calls whose order and arguments Java decides. */
#include "fds.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define SEND_MAX 253

int64_t dbx_fds_call(int64_t number, int64_t a, int64_t b, int64_t c, int64_t d)
{
	long result = DBX_RETRY(syscall(number, a, b, c, d));
	return result == -1 ? -errno : result;
}

int32_t dbx_fds_stat(int32_t fd, uint64_t *out)
{
	struct stat status;
	if (fstat(fd, &status))
		return -errno;
	out[0] = status.st_dev;
	out[1] = status.st_ino;
	out[2] = status.st_rdev;
	out[3] = (uint64_t)status.st_size;
	out[4] = status.st_mode | (uint64_t)status.st_nlink << 32;
	out[5] = status.st_uid | (uint64_t)status.st_gid << 32;
	out[6] = (uint64_t)status.st_atim.tv_sec;
	out[7] = (uint64_t)status.st_atim.tv_nsec;
	out[8] = (uint64_t)status.st_mtim.tv_sec;
	out[9] = (uint64_t)status.st_mtim.tv_nsec;
	return 0;
}

int32_t dbx_fds_link(int32_t directory, uint64_t from, uint64_t to)
{
	return linkat(directory, (const char *)(uintptr_t)from, directory, (const char *)(uintptr_t)to, 0) ? -errno : 0;
}

int32_t dbx_fds_send(int32_t socket, const int32_t *fds, int32_t count)
{
	union {
		struct cmsghdr head;
		char space[CMSG_SPACE(sizeof(int32_t) * SEND_MAX)];
	} control;
	if (count < 1 || count > SEND_MAX)
		return -EINVAL;
	size_t bytes = sizeof(int32_t) * (size_t)count;
	char data = 0;
	struct iovec vector = {.iov_base = &data, .iov_len = 1};
	struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = CMSG_SPACE(bytes)};
	memset(&control, 0, sizeof(control));
	control.head.cmsg_level = SOL_SOCKET;
	control.head.cmsg_type = SCM_RIGHTS;
	control.head.cmsg_len = CMSG_LEN(bytes);
	memcpy(CMSG_DATA(&control.head), fds, bytes);
	return DBX_RETRY(sendmsg(socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT)) < 0 ? -errno : count;
}

int32_t dbx_fds_set_option(int32_t socket, int32_t level, int32_t name, int32_t value)
{
	return setsockopt(socket, level, name, &value, sizeof(value)) ? -errno : 0;
}

int32_t dbx_fds_set_option_data(int32_t socket, int32_t level, int32_t name, uint64_t data, uint32_t len)
{
	return setsockopt(socket, level, name, (const void *)(uintptr_t)data, len) ? -errno : 0;
}

int64_t dbx_fds_push(int32_t socket, uint64_t data, uint64_t len)
{
	ssize_t size = DBX_RETRY(send(socket, (const void *)(uintptr_t)data, len, MSG_NOSIGNAL | MSG_DONTWAIT));
	return size < 0 ? -errno : size;
}

int64_t dbx_fds_drain(int32_t socket, uint64_t buffer, uint64_t len)
{
	int type = 0;
	socklen_t type_len = sizeof(type);
	if (getsockopt(socket, SOL_SOCKET, SO_TYPE, &type, &type_len))
		return -errno;
	for (int64_t count = 0;; count++) {
		ssize_t size = DBX_RETRY(recv(socket, (void *)(uintptr_t)buffer, len, MSG_DONTWAIT));
		if (size < 0)
			return errno == EAGAIN || errno == ENOTCONN || errno == ECONNRESET ? count : -errno;
		if (size == 0 && type != SOCK_DGRAM)
			return count;
	}
}
