/* Sockets: addresses, state, options, and what is queued, read with MSG_PEEK so that the socket keeps it. */
#include "fds.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <linux/sockios.h>
#include <linux/tcp.h>
#include <linux/unix_diag.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#ifndef SO_PASSPIDFD
#define SO_PASSPIDFD 76
#endif
#define MESSAGE_ROOM 262144u

static const int32_t options[DBX_FDS_OPTIONS][2] = {
	{SOL_SOCKET, SO_REUSEADDR}, {SOL_SOCKET, SO_REUSEPORT}, {SOL_SOCKET, SO_SNDBUF}, {SOL_SOCKET, SO_RCVBUF}, {SOL_SOCKET, SO_KEEPALIVE},
	{SOL_SOCKET, SO_PASSCRED}, {SOL_SOCKET, SO_BROADCAST}, {SOL_SOCKET, SO_OOBINLINE}, {SOL_SOCKET, SO_RCVLOWAT}, {SOL_SOCKET, SO_PRIORITY},
	{SOL_SOCKET, SO_PEEK_OFF}, {IPPROTO_IPV6, IPV6_V6ONLY}, {IPPROTO_TCP, TCP_NODELAY}, {IPPROTO_TCP, TCP_CORK},
};

static int get(int fd, int level, int name)
{
	int value = 0;
	socklen_t len = sizeof(value);
	return getsockopt(fd, level, name, &value, &len) ? -errno : value;
}

static void read_options(int fd, struct dbx_fds_socket *out)
{
	for (size_t i = 0; i < DBX_FDS_OPTIONS; i++) {
		struct dbx_fds_option *option = &out->options[i];
		socklen_t len = sizeof(option->value);
		option->level = options[i][0];
		option->name = options[i][1];
		int applies = option->level == SOL_SOCKET || (option->level == IPPROTO_IPV6 && out->domain == AF_INET6) ||
			      (option->level == IPPROTO_TCP && out->protocol == IPPROTO_TCP);
		if (!applies)
			option->result = -ENOPROTOOPT;
		else if (getsockopt(fd, option->level, option->name, &option->value, &len))
			option->result = -errno;
	}
}

static void read_tcp(int fd, struct dbx_fds_socket *out)
{
	struct tcp_info info = {0};
	socklen_t len = sizeof(info);
	int value = 0;
	if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len))
		return;
	out->tcp_state = info.tcpi_state;
	if (out->listening) {
		out->pending = info.tcpi_unacked;
		out->backlog = info.tcpi_sacked;
		return;
	}
	out->received = info.tcpi_bytes_received;
	out->acked = info.tcpi_bytes_acked;
	if (!ioctl(fd, SIOCOUTQ, &value))
		out->out_queue = (uint32_t)value;
	if (!ioctl(fd, SIOCOUTQNSD, &value))
		out->unsent = (uint32_t)value;
}

/*
 * One portion of the queue, at the peek offset of the socket, which moves on. Credentials get their room and nothing else does: when the kernel then
 * says that control data was cut, descriptors are in flight.
 */
static ssize_t peek(int fd, const struct dbx_fds_reader *reader, struct dbx_fds_socket *out)
{
	char control[CMSG_SPACE(sizeof(struct ucred))];
	struct dbx_fds_message *body = dbx_arena_put(reader->arena, DBX_FDS_MESSAGE, 0, sizeof(*body) + MESSAGE_ROOM);
	if (!body)
		return 0;
	struct iovec vector = {.iov_base = body + 1, .iov_len = MESSAGE_ROOM};
	struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1, .msg_control = control};
	message.msg_controllen = get(fd, SOL_SOCKET, SO_PASSCRED) > 0 ? sizeof(control) : 0;
	ssize_t size = DBX_RETRY(recvmsg(fd, &message, MSG_PEEK | MSG_DONTWAIT));
	int error = errno;
	*body = (struct dbx_fds_message){.ino = out->ino, .bytes = size > 0 ? (uint64_t)size : 0};
	dbx_arena_trim(reader->arena, body, sizeof(*body) + body->bytes);
	if (size >= 0 && (message.msg_flags & MSG_CTRUNC))
		out->passed = 1;
	return size < 0 ? -error : size;
}

/* A socket of sequenced packets whose other end is closed reads as empty packets for ever: those behind the last byte are not told from the end. */
static int at_end(int fd, const struct dbx_fds_socket *socket, uint64_t seen)
{
	struct pollfd hung = {.fd = fd, .events = POLLRDHUP};
	return socket->type == SOCK_SEQPACKET && seen >= socket->in_queue && poll(&hung, 1, 0) > 0 && (hung.revents & (POLLRDHUP | POLLHUP));
}

/*
 * The kernel passes over an empty datagram that was peeked at before (net/core/datagram.c), so one that stays queued is seen by the first window only.
 * The empty record at the end of a queue is the peek that found nothing; Java drops it by the count.
 */
static void read_queue(int fd, const struct dbx_fds_reader *reader, struct dbx_fds_socket *out)
{
	int zero = 0;
	int before = get(fd, SOL_SOCKET, SO_PEEK_OFF);
	int stream = out->type == SOCK_STREAM;
	if (setsockopt(fd, SOL_SOCKET, SO_PEEK_OFF, &zero, sizeof(zero)))
		return;
	for (uint64_t seen = 0;;) {
		ssize_t size = peek(fd, reader, out);
		if (size < 0 || (size == 0 && (stream || at_end(fd, out, seen))) || (size == 0 && reader->arena->need > reader->arena->cap))
			break;
		seen += (uint64_t)size;
		out->messages++;
	}
	(void)setsockopt(fd, SOL_SOCKET, SO_PEEK_OFF, &before, sizeof(before));
}

static void unix_sockets(int diag, const struct dbx_fds_reader *reader);

/* Once for each network namespace of a window: the kernel's list of unix sockets, with who is connected to whom. */
static void list_unix(const struct dbx_fds_reader *reader, int32_t number)
{
	struct stat status;
	if (fstatat(reader->base, "ns/net", &status, 0)) {
		dbx_fds_trouble(reader, number, DBX_FDS_STEP_PEERS, errno);
		return;
	}
	if (dbx_fds_first(reader->context, status.st_dev, status.st_ino, DBX_FDS_TAG_NETNS) <= 0)
		return;
	DBX_AUTO_FD diag = dbx_fds_diag(reader->base);
	struct {
		struct nlmsghdr head;
		struct unix_diag_req body;
	} request = {
		.head = {.nlmsg_len = sizeof(request), .nlmsg_type = SOCK_DIAG_BY_FAMILY, .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP},
		.body = {.sdiag_family = AF_UNIX, .udiag_states = UINT32_MAX, .udiag_show = UDIAG_SHOW_VFS | UDIAG_SHOW_PEER | UDIAG_SHOW_RQLEN},
	};
	if (diag < 0 || DBX_RETRY(send(diag, &request, sizeof(request), 0)) < 0) {
		dbx_fds_trouble(reader, number, DBX_FDS_STEP_PEERS, diag < 0 ? -diag : errno);
		return;
	}
	unix_sockets(diag, reader);
}

static void unix_socket(const struct nlmsghdr *head, const struct dbx_fds_reader *reader)
{
	const struct unix_diag_msg *message = (const struct unix_diag_msg *)(head + 1);
	struct dbx_fds_unix out = {.ino = message->udiag_ino, .type = message->udiag_type, .state = message->udiag_state};
	const uint8_t *at = (const uint8_t *)(message + 1);
	const uint8_t *end = (const uint8_t *)head + head->nlmsg_len;
	while (at + sizeof(struct nlattr) <= end) {
		const struct nlattr *attribute = (const struct nlattr *)(const void *)at;
		const void *value = attribute + 1;
		if (attribute->nla_len < sizeof(*attribute) || at + attribute->nla_len > end)
			break;
		if (attribute->nla_type == UNIX_DIAG_PEER)
			memcpy(&out.peer, value, sizeof(out.peer));
		else if (attribute->nla_type == UNIX_DIAG_SHUTDOWN)
			out.shutdown = *(const uint8_t *)value;
		else if (attribute->nla_type == UNIX_DIAG_VFS)
			memcpy(&out.node_ino, value, 2 * sizeof(uint32_t));
		else if (attribute->nla_type == UNIX_DIAG_RQLEN)
			memcpy(&out.in_queue, value, 2 * sizeof(uint32_t));
		at += NLA_ALIGN(attribute->nla_len);
	}
	struct dbx_fds_unix *body = dbx_arena_put(reader->arena, DBX_FDS_UNIX, 0, sizeof(out));
	if (body)
		*body = out;
}

static void unix_sockets(int diag, const struct dbx_fds_reader *reader)
{
	_Alignas(8) uint8_t buffer[16384];
	for (;;) {
		ssize_t size = DBX_RETRY(recv(diag, buffer, sizeof(buffer), 0));
		if (size <= 0)
			return;
		for (struct nlmsghdr *head = (struct nlmsghdr *)(void *)buffer; NLMSG_OK(head, (unsigned int)size); head = NLMSG_NEXT(head, size)) {
			if (head->nlmsg_type == NLMSG_DONE || head->nlmsg_type == NLMSG_ERROR)
				return;
			unix_socket(head, reader);
		}
	}
}

void dbx_fds_socket(const struct dbx_fds_reader *reader, const struct dbx_fds_descriptor *d)
{
	if (dbx_fds_first(reader->context, d->dev, d->ino, DBX_FDS_TAG_SOCKET) <= 0)
		return;
	DBX_AUTO_FD fd = dbx_fds_steal(reader, d->number);
	if (fd < 0)
		return;
	struct dbx_fds_socket out = {.ino = d->ino, .local_len = sizeof(out.local), .remote_len = sizeof(out.remote)};
	int value = 0;
	out.domain = get(fd, SOL_SOCKET, SO_DOMAIN);
	out.type = get(fd, SOL_SOCKET, SO_TYPE);
	out.protocol = get(fd, SOL_SOCKET, SO_PROTOCOL);
	out.listening = get(fd, SOL_SOCKET, SO_ACCEPTCONN) > 0;
	if (getsockname(fd, (struct sockaddr *)out.local, &out.local_len) || out.local_len > sizeof(out.local))
		out.local_len = 0;
	if (getpeername(fd, (struct sockaddr *)out.remote, &out.remote_len) || out.remote_len > sizeof(out.remote))
		out.remote_len = 0;
	read_options(fd, &out);
	if (out.protocol == IPPROTO_TCP)
		read_tcp(fd, &out);
	int inet = out.domain == AF_INET || out.domain == AF_INET6;
	if (!out.listening && !ioctl(fd, SIOCINQ, &value))
		out.in_queue = (uint32_t)value;
	if (out.domain == AF_UNIX)
		list_unix(reader, d->number);
	/* an empty datagram counts no bytes, so the queue of a datagram socket is always looked into */
	int queues = out.domain == AF_UNIX ? !out.listening : inet && out.protocol == IPPROTO_TCP;
	if (queues && (out.in_queue || out.type != SOCK_STREAM))
		read_queue(fd, reader, &out);
	struct dbx_fds_socket *body = dbx_arena_put(reader->arena, DBX_FDS_SOCKET, 0, sizeof(out));
	if (body)
		*body = out;
}
