/* Threads and descriptors of a stopped process. */
#include "check.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <linux/kcmp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <termios.h>
#include <unistd.h>

#ifndef PTRACE_GET_RSEQ_CONFIGURATION
#define PTRACE_GET_RSEQ_CONFIGURATION 0x420f
#endif
#ifndef NT_PRSTATUS
#define NT_PRSTATUS 1
#endif
#ifndef NT_X86_XSTATE
#define NT_X86_XSTATE 0x202
#endif

struct rseq_configuration {
	uint64_t pointer;
	uint32_t size;
	uint32_t signature;
	uint32_t flags;
	uint32_t pad;
};

static void hash_xstate(int32_t tid, struct dbx_check_thread *out)
{
	uint8_t state[16384];
	struct iovec iov = { state, sizeof(state) };
	if (ptrace(PTRACE_GETREGSET, tid, NT_X86_XSTATE, &iov) != 0)
		return;
	/* The header at 512 says which parts are in use; the kernel fills the others with their initial values, so the values alone count. */
	if (iov.iov_len > 520)
		memset(state + 512, 0, 8);
	struct dbx_check_hash hash = { { 7, 8 } };
	dbx_check_hash_add(&hash, state, iov.iov_len);
	memcpy(out->xstate, hash.h, sizeof(hash.h));
}

static void count_pending(int32_t tid, uint32_t shared, struct dbx_check_thread *out)
{
	for (uint64_t at = 0; at < 4096; at++) {
		siginfo_t info;
		memset(&info, 0, sizeof(info));
		struct __ptrace_peeksiginfo_args args = { .off = at, .flags = shared, .nr = 1 };
		if (ptrace(PTRACE_PEEKSIGINFO, tid, &args, &info) != 1)
			return;
		struct dbx_check_hash hash = { { 9 + shared, at } };
		int32_t head[2] = { info.si_signo, info.si_code };
		dbx_check_hash_add(&hash, head, sizeof(head));
		out->pending_hash[0] += hash.h[0];
		out->pending_hash[1] += hash.h[1];
		out->pending++;
	}
}

int32_t dbx_check_thread(int32_t tid, uint64_t address)
{
	struct dbx_check_thread *out = (void *)(uintptr_t)address;
	memset(out, 0, sizeof(*out));
	struct robust_list_head *head;
	size_t len;
	if (syscall(SYS_get_robust_list, tid, &head, &len) == 0)
		out->robust_list = (uint64_t)(uintptr_t)head;
	struct iovec iov = { out->regs, sizeof(out->regs) };
	if (ptrace(PTRACE_GETREGSET, tid, NT_PRSTATUS, &iov) != 0)
		return errno == ESRCH ? 0 : -errno;
	out->regs_bytes = iov.iov_len;
	hash_xstate(tid, out);
	if (ptrace(PTRACE_GETSIGMASK, tid, sizeof(out->sigmask), &out->sigmask) != 0)
		return -errno;
	struct rseq_configuration rseq = { 0 };
	if (ptrace(PTRACE_GET_RSEQ_CONFIGURATION, tid, sizeof(rseq), &rseq) > 0) {
		out->rseq = rseq.pointer;
		out->rseq_bytes = rseq.size;
	}
	count_pending(tid, 0, out);
	count_pending(tid, PTRACE_PEEKSIGINFO_SHARED, out);
	return 0;
}

static void hash_into(uint64_t content[2], const void *bytes, size_t len)
{
	struct dbx_check_hash hash = { { 11, 12 } };
	dbx_check_hash_add(&hash, bytes, len);
	memcpy(content, hash.h, sizeof(hash.h));
}

/* Copies what a pipe holds into one of our own, without taking it out, and hashes the copy. */
static int look_into_pipe(int fd, struct dbx_check_descriptor *out)
{
	int ends[2];
	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0)
		return -errno;
	DBX_AUTO_FD from = ends[0];
	DBX_AUTO_FD to = ends[1];
	(void)fcntl(to, F_SETPIPE_SZ, 1 << 20);
	ssize_t copied = tee(fd, to, 1 << 20, SPLICE_F_NONBLOCK);
	if (copied <= 0)
		return copied < 0 && errno != EAGAIN && errno != EBADF ? -errno : 0;
	out->queued = (uint64_t)copied;
	struct dbx_check_hash hash = { { 11, 12 } };
	uint8_t buffer[4096];
	/* Packets and page borders must not matter: fixed pieces, filled before they are hashed. */
	for (size_t left = (size_t)copied; left > 0;) {
		size_t piece = left < sizeof(buffer) ? left : sizeof(buffer), have = 0;
		while (have < piece) {
			ssize_t got = DBX_RETRY(read(from, buffer + have, piece - have));
			if (got <= 0)
				return -EIO;
			have += (size_t)got;
		}
		dbx_check_hash_add(&hash, buffer, piece);
		left -= piece;
	}
	memcpy(out->content, hash.h, sizeof(hash.h));
	return 0;
}

static int look_into_socket(int fd, struct dbx_check_descriptor *out)
{
	int domain = 0, type = 0, listening = 0;
	socklen_t len = sizeof(int);
	if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len) != 0 || getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) != 0)
		return -errno;
	(void)getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &len);
	out->detail = (uint64_t)domain << 32 | (uint64_t)type << 8 | (uint64_t)listening;
	if (domain != AF_UNIX || listening)
		return 0;
	uint8_t buffer[256 * 1024];
	ssize_t got = recv(fd, buffer, sizeof(buffer), MSG_PEEK | MSG_DONTWAIT);
	if (got > 0) {
		out->queued = (uint64_t)got;
		hash_into(out->content, buffer, (size_t)got);
	}
	return 0;
}

static int look_into_file(int fd, struct dbx_check_descriptor *out)
{
	char path[64];
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	DBX_AUTO_FD own = DBX_RETRY(open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK));
	if (own < 0)
		return -errno;
	struct dbx_check_hash hash = { { 11, 12 } };
	uint8_t buffer[64 * 1024];
	for (off_t at = 0;;) {
		ssize_t got = DBX_RETRY(pread(own, buffer, sizeof(buffer), at));
		if (got < 0)
			return -errno;
		if (got == 0)
			break;
		dbx_check_hash_add(&hash, buffer, (size_t)got);
		at += got;
	}
	memcpy(out->content, hash.h, sizeof(hash.h));
	return 0;
}

static int look_into_terminal(int fd, struct dbx_check_descriptor *out)
{
	struct {
		struct termios termios;
		struct winsize size;
	} settings;
	memset(&settings, 0, sizeof(settings));
	if (ioctl(fd, TCGETS, &settings.termios) != 0)
		return 0;
	(void)ioctl(fd, TIOCGWINSZ, &settings.size);
	hash_into(out->content, &settings, sizeof(settings));
	return 0;
}

int32_t dbx_check_descriptor(int32_t pid, int32_t fd, uint32_t content, uint64_t address)
{
	struct dbx_check_descriptor *out = (void *)(uintptr_t)address;
	memset(out, 0, sizeof(*out));
	DBX_AUTO_FD pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (pidfd < 0)
		return -errno;
	DBX_AUTO_FD own = (int)syscall(SYS_pidfd_getfd, pidfd, fd, 0);
	if (own < 0)
		return -errno;
	struct stat st;
	if (fstat(own, &st) != 0)
		return -errno;
	out->mode = st.st_mode;
	out->size = S_ISREG(st.st_mode) ? (uint64_t)st.st_size : 0;
	int flags = fcntl(own, F_GETFL);
	if (flags & O_PATH)
		return 0;
	if (S_ISFIFO(st.st_mode))
		return (flags & O_ACCMODE) == O_WRONLY ? 0 : look_into_pipe(own, out);
	if (S_ISSOCK(st.st_mode))
		return look_into_socket(own, out);
	if (S_ISCHR(st.st_mode))
		return look_into_terminal(own, out);
	return S_ISREG(st.st_mode) && content ? look_into_file(own, out) : 0;
}

int32_t dbx_check_compare_files(int32_t pid, int32_t fd, int32_t other_pid, int32_t other_fd)
{
	long order = syscall(SYS_kcmp, pid, other_pid, KCMP_FILE, (unsigned long)fd, (unsigned long)other_fd);
	return order < 0 ? -errno : (int32_t)order;
}
