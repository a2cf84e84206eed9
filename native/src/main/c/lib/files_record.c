/* Records of inodes: metadata, extended attributes, contents with their holes. */
#include "files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

int dbx_files_stat(struct dbx_files_place place, struct statx *to)
{
	int flags = AT_SYMLINK_NOFOLLOW | AT_STATX_DONT_SYNC | (place.name ? 0 : AT_EMPTY_PATH);
	return statx(place.dir, place.name ? place.name : "", flags, STATX_BASIC_STATS | STATX_BTIME, to) ? -errno : 0;
}

/* A path through /proc: the attribute calls take no descriptor opened with O_PATH, and no directory descriptor. */
static int proc_path(struct dbx_files_scratch *scratch, struct dbx_files_place place)
{
	int len = place.name ? snprintf(scratch->path, sizeof scratch->path, "/proc/self/fd/%d/%s", place.dir, place.name)
			     : snprintf(scratch->path, sizeof scratch->path, "/proc/self/fd/%d", place.dir);
	return len < (int)sizeof scratch->path ? 0 : -ENAMETOOLONG;
}

static ssize_t read_list(struct dbx_files_scratch *scratch, struct dbx_files_place place)
{
	int follow = place.name == NULL;
	if (place.readable)
		return flistxattr(place.dir, scratch->list, sizeof scratch->list);
	return follow ? listxattr(scratch->path, scratch->list, sizeof scratch->list) : llistxattr(scratch->path, scratch->list, sizeof scratch->list);
}

static ssize_t read_value(struct dbx_files_scratch *scratch, struct dbx_files_place place, const char *name, uint8_t *to, size_t cap)
{
	int follow = place.name == NULL;
	if (place.readable)
		return fgetxattr(place.dir, name, to, cap);
	return follow ? getxattr(scratch->path, name, to, cap) : lgetxattr(scratch->path, name, to, cap);
}

/* Packs all extended attributes of an inode into scratch->xattrs. One that vanishes while we look (the sandbox may run) is left out. */
int dbx_files_xattrs(struct dbx_files_scratch *scratch, struct dbx_files_place place, uint32_t *bytes)
{
	*bytes = 0;
	int result = place.readable ? 0 : proc_path(scratch, place);
	if (result < 0)
		return result;
	ssize_t len = read_list(scratch, place);
	if (len < 0)
		return errno == EOPNOTSUPP || errno == ENOENT ? 0 : -errno;
	uint32_t used = 0;
	for (const char *name = scratch->list; name < scratch->list + len; name += strlen(name) + 1) {
		size_t name_len = strlen(name);
		uint32_t head = used + 6 + (uint32_t)name_len;
		if (head >= sizeof scratch->xattrs)
			return -E2BIG;
		ssize_t value = read_value(scratch, place, name, scratch->xattrs + head, sizeof scratch->xattrs - head);
		if (value < 0 && (errno == ENODATA || errno == ENOENT))
			continue;
		if (value < 0)
			return errno == ERANGE ? -E2BIG : -errno;
		uint16_t name_size = (uint16_t)name_len;
		uint32_t value_size = (uint32_t)value;
		memcpy(scratch->xattrs + used, &name_size, 2);
		memcpy(scratch->xattrs + used + 2, &value_size, 4);
		memcpy(scratch->xattrs + used + 6, name, name_len);
		used = head + value_size;
	}
	*bytes = used;
	return 0;
}

/* The data extents of a file as pairs of from, to. When there are too many, the last one reaches to the end: holes are then stored as zeros. */
uint32_t dbx_files_extents(uint64_t *extents, uint32_t cap, int fd, uint64_t size)
{
	uint32_t count = 0;
	uint64_t at = 0;
	while (at < size) {
		off_t from = lseek(fd, (off_t)at, SEEK_DATA);
		if (from < 0 || (uint64_t)from >= size)
			break;
		off_t to = lseek(fd, from, SEEK_HOLE);
		if (to < 0 || (uint64_t)to > size || count == cap - 1)
			to = (off_t)size;
		extents[2 * count] = (uint64_t)from;
		extents[2 * count + 1] = (uint64_t)to;
		count++;
		at = (uint64_t)to;
	}
	return count;
}

static int copy_extent(int fd, uint8_t *to, uint64_t from, uint64_t len)
{
	uint64_t done = 0;
	while (done < len) {
		ssize_t n = DBX_RETRY(pread(fd, to + done, len - done, (off_t)(from + done)));
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		done += (uint64_t)n;
	}
	/* Cut off while we read: an event for that is queued, and the file will be read again. */
	memset(to + done, 0, len - done);
	return 0;
}

/* Copies the contents into the capture area; the record tells where. */
static int copy_content(struct dbx_files_plan *plan, struct dbx_files_scratch *scratch, int fd, struct dbx_files_inode *inode)
{
	inode->extents = dbx_files_extents(scratch->extents, DBX_FILES_EXTENTS, fd, inode->size);
	uint64_t bytes = 0;
	for (uint32_t i = 0; i < inode->extents; i++)
		bytes += scratch->extents[2 * i + 1] - scratch->extents[2 * i];
	plan->area_need += bytes;
	if (plan->area_need > plan->area_cap)
		return -ENOBUFS;
	uint8_t *to = (uint8_t *)(uintptr_t)plan->area + plan->area_used;
	inode->content = plan->area_used;
	for (uint32_t i = 0; i < inode->extents; i++) {
		uint64_t from = scratch->extents[2 * i], len = scratch->extents[2 * i + 1] - from;
		int result = copy_extent(fd, to, from, len);
		if (result < 0)
			return result;
		to += len;
	}
	plan->area_used += bytes;
	return 0;
}

/* Re-opened only when it is a regular file: opening a FIFO would wake its other end, a device whatever it likes. */
static int open_regular(struct dbx_files_scratch *scratch, struct dbx_files_place place, uint64_t ino)
{
	int flags = O_RDONLY | O_NONBLOCK | O_NOATIME | O_CLOEXEC;
	int fd;
	if (place.name) {
		fd = DBX_RETRY(openat(place.dir, place.name, flags | O_NOFOLLOW));
	} else {
		if (proc_path(scratch, place) < 0)
			return -ENAMETOOLONG;
		fd = DBX_RETRY(open(scratch->path, flags));
	}
	if (fd < 0)
		return -errno;
	struct stat status;
	if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && status.st_ino == ino)
		return fd;
	close(fd);
	return -ESTALE;
}

void dbx_files_fill(struct dbx_files_inode *inode, const struct statx *status)
{
	memset(inode, 0, sizeof *inode);
	inode->dev = makedev(status->stx_dev_major, status->stx_dev_minor);
	inode->ino = status->stx_ino;
	inode->mtime_s = status->stx_mtime.tv_sec;
	inode->mtime_ns = status->stx_mtime.tv_nsec;
	inode->ctime_s = status->stx_ctime.tv_sec;
	inode->ctime_ns = status->stx_ctime.tv_nsec;
	inode->btime_s = status->stx_btime.tv_sec;
	inode->btime_ns = status->stx_btime.tv_nsec;
	inode->mode = status->stx_mode;
	inode->nlink = status->stx_nlink;
	inode->uid = status->stx_uid;
	inode->gid = status->stx_gid;
	inode->attributes = (uint32_t)(status->stx_attributes & (STATX_ATTR_IMMUTABLE | STATX_ATTR_APPEND));
	inode->rdev_major = status->stx_rdev_major;
	inode->rdev_minor = status->stx_rdev_minor;
	inode->size = status->stx_size;
	inode->content = DBX_FILES_UNREAD;
}

static void put(struct dbx_arena *arena, uint32_t kind, const struct dbx_files_inode *inode, const struct dbx_files_scratch *scratch)
{
	uint64_t extent_len = (uint64_t)inode->extents * 16;
	uint8_t *body = dbx_arena_put(arena, kind, 0, sizeof *inode + extent_len + inode->xattr_len + inode->link_len);
	if (!body)
		return;
	memcpy(body, inode, sizeof *inode);
	body += sizeof *inode;
	memcpy(body, scratch->extents, extent_len);
	memcpy(body + extent_len, scratch->xattrs, inode->xattr_len);
	memcpy(body + extent_len + inode->xattr_len, scratch->link, inode->link_len);
}

static int gone(int result)
{
	return result == -ENOENT || result == -ESTALE || result == -ELOOP || result == -ENXIO;
}

/*
 * Appends the record of one inode. An inode that vanishes while the sandbox runs is left out: the event of that change is queued, and it will be
 * looked at again. Returns 0 or -ENOBUFS, or the error of a read.
 */
int dbx_files_emit(struct dbx_files_plan *plan, struct dbx_arena *arena, uint32_t kind, struct dbx_files_place place, const struct statx *status)
{
	struct dbx_files_scratch *scratch = (struct dbx_files_scratch *)(uintptr_t)plan->scratch;
	struct dbx_files_inode inode;
	dbx_files_fill(&inode, status);
	uint32_t type = inode.mode & S_IFMT;
	int result = 0;
	DBX_AUTO_FD fd = -1;
	if (type == S_IFREG && !(plan->flags & DBX_FILES_NO_CONTENT)) {
		fd = open_regular(scratch, place, inode.ino);
		if (fd < 0)
			return gone(fd) ? 0 : fd;
		place = (struct dbx_files_place){.dir = fd, .readable = 1};
	}
	if (kind == DBX_FILES_INODE)
		result = dbx_files_xattrs(scratch, place, &inode.xattr_len);
	if (result < 0)
		return gone(result) ? 0 : result;
	if (type == S_IFLNK) {
		ssize_t len = readlinkat(place.dir, place.name ? place.name : "", scratch->link, sizeof scratch->link);
		/* EINVAL: another kind of file has taken the name since. */
		if (len < 0)
			return gone(-errno) || errno == EINVAL ? 0 : -errno;
		inode.link_len = (uint32_t)len;
	}
	if (fd >= 0) {
		result = copy_content(plan, scratch, fd, &inode);
		if (result < 0 && result != -ENOBUFS)
			return gone(result) ? 0 : result;
	}
	put(arena, kind, &inode, scratch);
	return result;
}
