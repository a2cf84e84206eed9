/* Frames of cli.sock, the client's side. */
#include "client.h"

#include "lib/command_wire.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

extern char **environ;

/* What the daemon may know of the caller's environment: how to print. Nothing else crosses. */
static const char *const chosen[] = { "TERM=", "LANG=", "LC_ALL=", "LC_CTYPE=", "NO_COLOR=", "TZ=", "DELTABOX_ACTOR=" };

struct text {
	uint8_t *bytes;
	size_t len;
	size_t cap;
};

static bool text_put(struct text *text, const void *bytes, size_t len)
{
	if (text->len + len > text->cap)
		return false;
	memcpy(text->bytes + text->len, bytes, len);
	text->len += len;
	return true;
}

static bool text_string(struct text *text, const char *string)
{
	uint32_t len = (uint32_t)strlen(string);
	return text_put(text, &len, sizeof(len)) && text_put(text, string, len);
}

static bool is_chosen(const char *pair)
{
	for (size_t i = 0; i < sizeof(chosen) / sizeof(chosen[0]); i++)
		if (!strncmp(pair, chosen[i], strlen(chosen[i])))
			return true;
	return false;
}

static void window_read(uint16_t *rows, uint16_t *columns)
{
	struct winsize size = { 0 };
	for (int fd = 0; fd < 3; fd++)
		if (!ioctl(fd, TIOCGWINSZ, &size))
			break;
	*rows = size.ws_row;
	*columns = size.ws_col;
}

static bool request_fill(struct text *text, int argc, char **argv)
{
	struct dbx_command_request request = { .argc = (uint32_t)argc };
	char cwd[PATH_MAX];
	window_read(&request.rows, &request.columns);
	for (int fd = 0; fd < 3; fd++)
		if (isatty(fd))
			request.tty |= 1u << fd;
	for (char **pair = environ; *pair; pair++)
		request.envc += is_chosen(*pair);
	if (!getcwd(cwd, sizeof(cwd)))
		strcpy(cwd, "/");
	bool ok = text_put(text, &request, sizeof(request)) && text_string(text, cwd);
	for (int i = 0; ok && i < argc; i++)
		ok = text_string(text, argv[i]);
	for (char **pair = environ; ok && *pair; pair++)
		if (is_chosen(*pair))
			ok = text_string(text, *pair);
	return ok;
}

static int send_with_descriptors(int sock, const uint8_t *bytes, size_t len)
{
	int fds[3] = { 0, 1, 2 };
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(fds))];
	} control = { 0 };
	struct iovec part = { (void *)(uintptr_t)bytes, len };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control) };
	struct cmsghdr *head = CMSG_FIRSTHDR(&message);
	head->cmsg_level = SOL_SOCKET;
	head->cmsg_type = SCM_RIGHTS;
	head->cmsg_len = CMSG_LEN(sizeof(fds));
	memcpy(CMSG_DATA(head), fds, sizeof(fds));
	ssize_t done = sendmsg(sock, &message, MSG_NOSIGNAL);
	while (done > 0 && (size_t)done < len) {
		bytes += done;
		len -= (size_t)done;
		done = send(sock, bytes, len, MSG_NOSIGNAL);
	}
	return done < 0 ? -1 : 0;
}

int wire_request(int sock, int argc, char **argv)
{
	size_t head = sizeof(struct dbx_command_frame);
	struct text text = { malloc(head + DBX_COMMAND_BODY_MAX), 0, DBX_COMMAND_BODY_MAX };
	if (!text.bytes) {
		complain("no memory for the request");
		return EXIT_FAILED;
	}
	text.bytes += head;
	int result = 0;
	if (!request_fill(&text, argc, argv)) {
		complain("arguments are too long: limit_bytes=%u", DBX_COMMAND_BODY_MAX);
		result = EXIT_USAGE;
	} else {
		struct dbx_command_frame frame = { DBX_COMMAND_MAGIC, DBX_COMMAND_REQUEST, (uint32_t)text.len };
		text.bytes -= head;
		memcpy(text.bytes, &frame, head);
		bool sent = !send_with_descriptors(sock, text.bytes, head + text.len);
		if (!sent && (errno == EPIPE || errno == ECONNRESET)) {
			result = WIRE_REFUSED;
		} else if (!sent) {
			complain("send the command to the daemon failed: %s", strerror(errno));
			result = EXIT_FAILED;
		}
	}
	/* The process is about to serve or to end: the request buffer goes with it. */
	return result;
}

static void send_frame(int sock, uint32_t kind, const void *body, uint32_t len)
{
	uint8_t bytes[sizeof(struct dbx_command_frame) + 16];
	struct dbx_command_frame frame = { DBX_COMMAND_MAGIC, kind, len };
	memcpy(bytes, &frame, sizeof(frame));
	memcpy(bytes + sizeof(frame), body, len);
	/* A daemon that is gone shows as the end of the socket in the loop. */
	(void)!send(sock, bytes, sizeof(frame) + len, MSG_NOSIGNAL);
}

/* A second interrupt of a daemon that does not react ends the client; the daemon then sees it gone. */
static void forward_signal(int sock, int signals, int *interrupts)
{
	struct signalfd_siginfo info;
	if (read(signals, &info, sizeof(info)) != sizeof(info))
		return;
	if (info.ssi_signo == SIGWINCH) {
		uint16_t size[2];
		window_read(&size[0], &size[1]);
		send_frame(sock, DBX_COMMAND_WINDOW, size, sizeof(size));
		return;
	}
	if (info.ssi_signo == SIGINT && ++*interrupts > 3) {
		tty_raw(false);
		_exit(128 + SIGINT);
	}
	int32_t number = (int32_t)info.ssi_signo;
	send_frame(sock, DBX_COMMAND_SIGNAL, &number, sizeof(number));
}

static int watch_signals(void)
{
	static const int watched[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGWINCH };
	sigset_t set;
	sigemptyset(&set);
	for (size_t i = 0; i < sizeof(watched) / sizeof(watched[0]); i++)
		sigaddset(&set, watched[i]);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC);
}

/* One frame of the daemon; -1 at the end of the socket or a frame that is none. */
static int receive_frame(int sock, uint32_t *kind, int32_t *value)
{
	struct {
		struct dbx_command_frame frame;
		int32_t value;
	} in;
	_Static_assert(sizeof(in) == 16, "header and one number");
	size_t have = 0;
	while (have < sizeof(in)) {
		ssize_t got = recv(sock, (uint8_t *)&in + have, sizeof(in) - have, 0);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return -1;
		have += (size_t)got;
	}
	if (in.frame.magic != DBX_COMMAND_MAGIC || in.frame.len != sizeof(in.value))
		return -1;
	*kind = in.frame.kind;
	*value = in.value;
	return 0;
}

int wire_serve(int sock)
{
	int signals = watch_signals();
	int lost = WIRE_REFUSED;
	int interrupts = 0;
	struct pollfd set[2] = { { sock, POLLIN, 0 }, { signals, POLLIN, 0 } };
	for (;;) {
		if (poll(set, 2, -1) < 0 && errno != EINTR)
			return WIRE_LOST;
		if (set[1].revents & POLLIN)
			forward_signal(sock, signals, &interrupts);
		if (!(set[0].revents & (POLLIN | POLLHUP | POLLERR)))
			continue;
		uint32_t kind;
		int32_t value;
		if (receive_frame(sock, &kind, &value))
			return lost;
		lost = WIRE_LOST;
		if (kind == DBX_COMMAND_EXIT)
			return value & 0xff;
		if (kind == DBX_COMMAND_RAW)
			tty_raw(value != 0);
	}
}
