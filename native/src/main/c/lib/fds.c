/* Reads the descriptor table of one stopped process into typed records; the kinds with content of their own are in fds_*.c. */
#include "fds.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

struct entry {
	uint64_t ino;
	int64_t off;
	unsigned short len;
	unsigned char type;
	char name[];
};

void dbx_fds_trouble(const struct dbx_fds_reader *reader, int32_t number, int32_t step, int32_t error)
{
	struct dbx_fds_trouble *body = dbx_arena_put(reader->arena, DBX_FDS_TROUBLE, 0, sizeof(*body));
	if (body)
		*body = (struct dbx_fds_trouble){.pid = reader->pid, .number = number, .step = step, .error = error};
}

int32_t dbx_fds_steal(const struct dbx_fds_reader *reader, int32_t number)
{
	long fd = syscall(SYS_pidfd_getfd, reader->pidfd, number, 0);
	if (fd >= 0)
		return (int32_t)fd;
	int error = errno;
	dbx_fds_trouble(reader, number, DBX_FDS_STEP_STEAL, error);
	return -error;
}

static ssize_t read_small(int dir, const char *name, char *buffer, size_t room)
{
	DBX_AUTO_FD fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	ssize_t size = DBX_RETRY(read(fd, buffer, room - 1));
	if (size < 0)
		return -errno;
	buffer[size] = 0;
	return size;
}

/* The last number of a line such as "NSpid:\t812\t3", or the first one. */
static int64_t field(const char *text, const char *name, int last, int base)
{
	const char *line = strstr(text, name);
	if (!line)
		return -1;
	line += strlen(name);
	size_t len = strcspn(line, "\n");
	char *end = NULL;
	int64_t value = strtoll(line, &end, base);
	while (last && end < line + len && *end) {
		char *next = NULL;
		int64_t more = strtoll(end, &next, base);
		if (next == end || next > line + len)
			break;
		value = more;
		end = next;
	}
	return value;
}

static int64_t clock_nanos(clockid_t id)
{
	struct timespec now = {0};
	clock_gettime(id, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void place(int base, const char *name, struct dbx_fds_place *out, char *path, size_t room)
{
	struct stat status;
	ssize_t len = readlinkat(base, name, path, room);
	out->path_len = len > 0 ? (uint32_t)len : 0;
	if (fstatat(base, name, &status, 0))
		return;
	out->dev = status.st_dev;
	out->ino = status.st_ino;
	out->mode = status.st_mode;
}

static const char *rights(const char *status, struct dbx_fds_process *head)
{
	static const char *const sets[] = {"\nCapInh:", "\nCapPrm:", "\nCapEff:", "\nCapBnd:", "\nCapAmb:"};
	for (size_t i = 0; i < sizeof(sets) / sizeof(*sets); i++)
		head->capabilities[i] = (uint64_t)field(status, sets[i], 0, 16);
	head->filters = (uint32_t)field(status, "\nSeccomp_filters:", 0, 10);
	const char *groups = strstr(status, "\nGroups:");
	if (!groups)
		return status;
	groups += strlen("\nGroups:");
	head->groups_len = (uint32_t)strcspn(groups, "\n");
	return groups;
}

static int32_t process(const struct dbx_fds_reader *reader)
{
	char status[4096];
	char paths[3][4096];
	ssize_t got = read_small(reader->base, "status", status, sizeof(status));
	if (got < 0)
		return (int32_t)got;
	struct dbx_fds_process head = {.pid = reader->pid};
	head.inner_pid = (int32_t)field(status, "\nNStgid:", 1, 10);
	head.group = (int32_t)field(status, "\nNSpgid:", 0, 10);
	head.inner_group = (int32_t)field(status, "\nNSpgid:", 1, 10);
	head.session = (int32_t)field(status, "\nNSsid:", 0, 10);
	head.umask = (uint32_t)field(status, "\nUmask:", 0, 8);
	const char *groups = rights(status, &head);
	head.monotonic_nanos = clock_nanos(CLOCK_MONOTONIC);
	head.boottime_nanos = clock_nanos(CLOCK_BOOTTIME);
	head.realtime_nanos = clock_nanos(CLOCK_REALTIME);
	place(reader->base, "cwd", &head.cwd, paths[0], sizeof(paths[0]));
	place(reader->base, "root", &head.root, paths[1], sizeof(paths[1]));
	place(reader->base, "exe", &head.exe, paths[2], sizeof(paths[2]));
	size_t tail = head.cwd.path_len + head.root.path_len + head.exe.path_len + head.groups_len;
	uint8_t *body = dbx_arena_put(reader->arena, DBX_FDS_PROCESS, 0, sizeof(head) + tail);
	if (!body)
		return 0;
	memcpy(body, &head, sizeof(head));
	body += sizeof(head);
	memcpy(body, paths[0], head.cwd.path_len);
	memcpy(body + head.cwd.path_len, paths[1], head.root.path_len);
	memcpy(body + head.cwd.path_len + head.root.path_len, paths[2], head.exe.path_len);
	memcpy(body + tail - head.groups_len, groups, head.groups_len);
	return 0;
}

static uint64_t share_key(const struct dbx_fds_descriptor *d)
{
	uint64_t key = d->ino * UINT64_C(0xff51afd7ed558ccd) ^ d->dev;
	key = (key ^ (d->flags & ~(uint32_t)O_CLOEXEC)) * UINT64_C(0xc4ceb9fe1a85ec53);
	return key ^ d->pos;
}

/* The text of fdinfo beyond the first block, as records of its own: an epoll set has a line for each member. */
static void more_info(const struct dbx_fds_reader *reader, int32_t number, int fd)
{
	for (;;) {
		struct dbx_fds_info *body = dbx_arena_put(reader->arena, DBX_FDS_INFO, 0, sizeof(*body) + 65536);
		if (!body)
			return;
		*body = (struct dbx_fds_info){.pid = reader->pid, .number = number};
		ssize_t size = DBX_RETRY(read(fd, body + 1, 65536));
		dbx_arena_trim(reader->arena, body, sizeof(*body) + (size > 0 ? (uint64_t)size : 0));
		if (size <= 0)
			return;
	}
}

/* A file known by a name that is gone may have lost the others too: of one in a lower layer of an overlay the link count does not tell. */
static int name_gone(const char *link, ssize_t len)
{
	static const char mark[] = " (deleted)";
	size_t bytes = sizeof(mark) - 1;
	return len > (ssize_t)bytes && !memcmp(link + (size_t)len - bytes, mark, bytes);
}

static void kind(const struct dbx_fds_reader *reader, struct dbx_fds_descriptor *d, int gone)
{
	int nameless = S_ISREG(d->mode) && (d->nlink == 0 || gone);
	if (d->flags & O_PATH) {
		if (nameless)
			dbx_fds_content(reader, d);
		return;
	}
	if (S_ISFIFO(d->mode))
		dbx_fds_pipe(reader, d);
	else if (nameless)
		dbx_fds_content(reader, d);
	else if (S_ISSOCK(d->mode))
		dbx_fds_socket(reader, d);
	else if (S_ISCHR(d->mode))
		dbx_fds_tty(reader, d);
}

/* Where /proc says a descriptor leads. What it says of sockets and pipes follows from their inode, and a link costs as much as the rest of them. */
static ssize_t leads_to(const struct dbx_fds_reader *reader, const char *name, const struct stat *status, char *link, size_t room)
{
	unsigned long ino = status->st_ino;
	if (S_ISSOCK(status->st_mode))
		return snprintf(link, room, "socket:[%lu]", ino);
	if (S_ISFIFO(status->st_mode) && status->st_dev == reader->context->pipe_dev)
		return snprintf(link, room, "pipe:[%lu]", ino);
	ssize_t len = readlinkat(reader->fd_dir, name, link, room);
	if (len > 5 && S_ISFIFO(status->st_mode) && !memcmp(link, "pipe:", 5))
		reader->context->pipe_dev = status->st_dev;
	return len;
}

static void descriptor(const struct dbx_fds_reader *reader, const char *name)
{
	struct dbx_fds_descriptor d = {.pid = reader->pid, .number = atoi(name)};
	char info[4096];
	char link[4096];
	struct stat status;
	if (fstatat(reader->fd_dir, name, &status, 0)) {
		dbx_fds_trouble(reader, d.number, DBX_FDS_STEP_STAT, errno);
		return;
	}
	ssize_t link_len = leads_to(reader, name, &status, link, sizeof(link));
	DBX_AUTO_FD fd = openat(reader->info_dir, name, O_RDONLY | O_CLOEXEC);
	ssize_t info_len = fd < 0 ? -1 : DBX_RETRY(read(fd, info, sizeof(info) - 1));
	if (link_len < 0 || info_len <= 0) {
		dbx_fds_trouble(reader, d.number, DBX_FDS_STEP_INFO, errno);
		return;
	}
	d.monotonic_nanos = clock_nanos(CLOCK_MONOTONIC);
	info[info_len] = 0;
	d.flags = (uint32_t)field(info, "flags:", 0, 8);
	d.pos = (uint64_t)field(info, "pos:", 0, 10);
	d.mount = (uint32_t)field(info, "mnt_id:", 0, 10);
	d.dev = status.st_dev;
	d.ino = status.st_ino;
	d.rdev = status.st_rdev;
	d.size = (uint64_t)status.st_size;
	d.mode = status.st_mode;
	d.nlink = (uint32_t)status.st_nlink;
	d.uid = status.st_uid;
	d.gid = status.st_gid;
	d.mtime_s = status.st_mtim.tv_sec;
	d.mtime_ns = status.st_mtim.tv_nsec;
	d.link_len = (uint32_t)link_len;
	d.info_len = (uint32_t)info_len;
	int64_t file = dbx_fds_share(reader->context, d.pid, d.number, share_key(&d));
	if (file < 0)
		dbx_fds_trouble(reader, d.number, file == -ENOSPC ? DBX_FDS_STEP_OVERFLOW : DBX_FDS_STEP_SHARING, (int32_t)-file);
	else
		d.file = (uint32_t)file;
	kind(reader, &d, name_gone(link, link_len));
	uint8_t *body = dbx_arena_put(reader->arena, DBX_FDS_DESCRIPTOR, 0, sizeof(d) + d.link_len + d.info_len);
	if (body) {
		memcpy(body, &d, sizeof(d));
		memcpy(body + sizeof(d), link, d.link_len);
		memcpy(body + sizeof(d) + d.link_len, info, d.info_len);
	}
	if (info_len == sizeof(info) - 1)
		more_info(reader, d.number, fd);
}

static int32_t list(const struct dbx_fds_reader *reader)
{
	_Alignas(8) char buffer[8192];
	int32_t count = 0;
	for (;;) {
		long size = syscall(SYS_getdents64, reader->fd_dir, buffer, sizeof(buffer));
		if (size < 0)
			dbx_fds_trouble(reader, -1, DBX_FDS_STEP_LIST, errno);
		if (size <= 0)
			return count;
		for (long at = 0; at < size;) {
			struct entry *entry = (struct entry *)(void *)(buffer + at);
			at += entry->len;
			if (entry->name[0] == '.')
				continue;
			descriptor(reader, entry->name);
			count++;
		}
	}
}

int32_t dbx_fds_window(int32_t pid, int32_t pidfd, int32_t main_tid, struct dbx_arena *arena, struct dbx_fds_context *context)
{
	char path[64];
	snprintf(path, sizeof(path), "/proc/%d/task/%d", pid, main_tid);
	DBX_AUTO_FD base = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (base < 0)
		return -errno;
	DBX_AUTO_FD fd_dir = openat(base, "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DBX_AUTO_FD info_dir = openat(base, "fdinfo", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd_dir < 0 || info_dir < 0)
		return -errno;
	struct dbx_fds_reader reader = {.pid = pid, .pidfd = pidfd, .base = base, .fd_dir = fd_dir, .info_dir = info_dir};
	reader.arena = arena;
	reader.context = context;
	int32_t result = process(&reader);
	return result < 0 ? result : list(&reader);
}
