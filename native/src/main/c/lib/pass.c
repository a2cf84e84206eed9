/* Passing one of our descriptors to a stopped process, through a socket it has made. */
#include "dbx.h"
#include "uapi.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

DBX_API int32_t dbx_file_pass(int32_t pidfd, int32_t their_socket, int32_t file);

/* Borrows the process's end for the length of this call. */
int32_t dbx_file_pass(int32_t pidfd, int32_t their_socket, int32_t file)
{
	DBX_AUTO_FD socket = (int)syscall(SYS_pidfd_getfd, pidfd, their_socket, 0);
	if (socket < 0)
		return -errno;
	char byte = 0;
	struct iovec vector = {&byte, 1};
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int32_t))];
	} control;
	memset(&control, 0, sizeof control);
	struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
	control.header.cmsg_level = SOL_SOCKET;
	control.header.cmsg_type = SCM_RIGHTS;
	control.header.cmsg_len = CMSG_LEN(sizeof file);
	memcpy(CMSG_DATA(&control.header), &file, sizeof file);
	return DBX_RETRY(sendmsg(socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT)) < 0 ? -errno : 0;
}
