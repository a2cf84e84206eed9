/* The kernel's list of sockets (sock_diag(7)) of a network namespace that is not the caller's. */
#include "fds.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#ifndef SOCK_DESTROY
#define SOCK_DESTROY 21
#endif

/* The namespace of a socket is the one its maker was in; so this thread goes there for the length of one call. */
int32_t dbx_fds_diag(int32_t base)
{
	struct stat own;
	struct stat theirs;
	DBX_AUTO_FD home = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	DBX_AUTO_FD there = openat(base, "ns/net", O_RDONLY | O_CLOEXEC);
	if (home < 0 || there < 0 || fstat(home, &own) || fstat(there, &theirs))
		return -errno;
	int foreign = own.st_ino != theirs.st_ino;
	if (foreign && setns(there, CLONE_NEWNET))
		return -errno;
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_SOCK_DIAG);
	int error = errno;
	if (foreign && setns(home, CLONE_NEWNET)) {
		error = errno;
		if (fd >= 0)
			close(fd);
		fd = -1;
	}
	return fd < 0 ? -error : fd;
}

static int fill(struct inet_diag_sockid *id, const uint8_t *local, const uint8_t *remote, int family)
{
	if (family == AF_INET) {
		const struct sockaddr_in *from = (const void *)local;
		const struct sockaddr_in *to = (const void *)remote;
		id->idiag_sport = from->sin_port;
		id->idiag_dport = to->sin_port;
		memcpy(id->idiag_src, &from->sin_addr, sizeof(from->sin_addr));
		memcpy(id->idiag_dst, &to->sin_addr, sizeof(to->sin_addr));
		return 0;
	}
	if (family != AF_INET6)
		return -EAFNOSUPPORT;
	const struct sockaddr_in6 *from = (const void *)local;
	const struct sockaddr_in6 *to = (const void *)remote;
	id->idiag_sport = from->sin6_port;
	id->idiag_dport = to->sin6_port;
	memcpy(id->idiag_src, &from->sin6_addr, sizeof(from->sin6_addr));
	memcpy(id->idiag_dst, &to->sin6_addr, sizeof(to->sin6_addr));
	return 0;
}

struct request {
	struct nlmsghdr head;
	struct inet_diag_req_v2 body;
};

union answer {
	struct nlmsghdr head;
	struct {
		struct nlmsghdr head;
		struct nlmsgerr body;
	} error;
	struct {
		struct nlmsghdr head;
		struct inet_diag_msg body;
	} found;
	uint8_t room[2048];
};

static int32_t ask(int diag, struct request *request, uint16_t type, uint16_t flags, union answer *answer)
{
	request->head = (struct nlmsghdr){.nlmsg_len = sizeof(*request), .nlmsg_type = type, .nlmsg_flags = flags};
	if (DBX_RETRY(send(diag, request, sizeof(*request), 0)) < 0)
		return -errno;
	ssize_t size = DBX_RETRY(recv(diag, answer, sizeof(*answer), 0));
	if (size < (ssize_t)sizeof(answer->error))
		return size < 0 ? -errno : -EPROTO;
	return answer->head.nlmsg_type == NLMSG_ERROR ? answer->error.body.error : 0;
}

/* The kernel looks on for a listening socket where it finds no connection: only what was found to be the connection is ended, by its cookie. */
int32_t dbx_fds_destroy(int32_t pid, uint64_t local, uint64_t remote)
{
	char path[32];
	struct request request = {.body = {.sdiag_protocol = IPPROTO_TCP, .idiag_states = UINT32_MAX}};
	union answer answer;
	const struct sockaddr *from = (const void *)(uintptr_t)local;
	request.body.sdiag_family = (uint8_t)from->sa_family;
	request.body.id.idiag_cookie[0] = INET_DIAG_NOCOOKIE;
	request.body.id.idiag_cookie[1] = INET_DIAG_NOCOOKIE;
	int32_t result = fill(&request.body.id, (const uint8_t *)(uintptr_t)local, (const uint8_t *)(uintptr_t)remote, from->sa_family);
	if (result < 0)
		return result;
	snprintf(path, sizeof(path), "/proc/%d", pid);
	DBX_AUTO_FD base = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	DBX_AUTO_FD diag = base < 0 ? -1 : dbx_fds_diag(base);
	if (diag < 0)
		return base < 0 ? -errno : diag;
	result = ask(diag, &request, SOCK_DIAG_BY_FAMILY, NLM_F_REQUEST, &answer);
	if (result < 0)
		return result;
	if (answer.found.body.idiag_state == TCP_LISTEN)
		return -ENOENT;
	request.body.id = answer.found.body.id;
	return ask(diag, &request, SOCK_DESTROY, NLM_F_REQUEST | NLM_F_ACK, &answer);
}
