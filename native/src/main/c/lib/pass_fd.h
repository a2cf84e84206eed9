/* Sending a message and, along with it, a descriptor (unix(7), SCM_RIGHTS). The descriptor stays the sender's. */
#ifndef DBX_PASS_FD_H
#define DBX_PASS_FD_H

#include "lib/dbx.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

/* `fd` < 0: none goes along. Like sendmsg(2): bytes sent, or -1 with errno. */
static inline ssize_t dbx_send_with(int socket, const void *bytes, size_t count, int fd)
{
	struct iovec part = {.iov_base = (void *)(uintptr_t)bytes, .iov_len = count};
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(sizeof(int))];
	} rights = {0};
	struct msghdr header = {.msg_iov = &part, .msg_iovlen = 1};
	if (fd >= 0) {
		header.msg_control = rights.room;
		header.msg_controllen = sizeof rights.room;
		struct cmsghdr *item = CMSG_FIRSTHDR(&header);
		item->cmsg_level = SOL_SOCKET;
		item->cmsg_type = SCM_RIGHTS;
		item->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(item), &fd, sizeof fd);
	}
	return DBX_RETRY(sendmsg(socket, &header, MSG_NOSIGNAL));
}

#endif
