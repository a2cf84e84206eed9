/* The edits of a rollback, each one call on a name in an open directory, and the reads that go with them. */
#include "files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <string.h>
#include <sys/fanotify.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

DBX_API int32_t dbx_file_window(uint64_t plan, uint64_t arena);
DBX_API int32_t dbx_file_open(int32_t dir, uint64_t name, int32_t flags);
DBX_API int32_t dbx_file_close(int32_t fd);
DBX_API int32_t dbx_file_stat(int32_t dir, uint64_t name, uint64_t to);
DBX_API int32_t dbx_file_make(int32_t dir, uint64_t name, uint32_t mode, uint32_t major_number, uint32_t minor_number);
DBX_API int32_t dbx_file_symlink(uint64_t target, int32_t dir, uint64_t name);
DBX_API int32_t dbx_file_link(int32_t from_dir, uint64_t from, int32_t to_dir, uint64_t to);
DBX_API int32_t dbx_file_rename(int32_t from_dir, uint64_t from, int32_t to_dir, uint64_t to);
DBX_API int32_t dbx_file_unlink(int32_t dir, uint64_t name, int32_t flags);
DBX_API int32_t dbx_file_mode(int32_t dir, uint64_t name, uint32_t mode);
DBX_API int32_t dbx_file_owner(int32_t dir, uint64_t name, uint32_t uid, uint32_t gid);
DBX_API int32_t dbx_file_times(int32_t dir, uint64_t name, int64_t mtime_s, int64_t mtime_ns);
DBX_API int32_t dbx_file_flags(int32_t dir, uint64_t name, int32_t mask, int32_t flags);
DBX_API int32_t dbx_file_xattr_list(int32_t dir, uint64_t name, uint64_t scratch, uint64_t to, uint64_t cap);
DBX_API int32_t dbx_file_xattr_set(uint64_t path, uint64_t attribute, uint64_t value, uint64_t len);
DBX_API int32_t dbx_file_xattr_remove(uint64_t path, uint64_t attribute);
DBX_API int32_t dbx_file_link_target(int32_t dir, uint64_t name, uint64_t to, uint64_t cap);
DBX_API int32_t dbx_file_handle(int32_t dir, uint64_t name, uint64_t to, uint64_t cap);
DBX_API int32_t dbx_file_open_handle(int32_t mount, uint64_t handle, int32_t flags);
DBX_API int64_t dbx_file_names(int32_t dir, uint64_t to, uint64_t cap);
DBX_API int64_t dbx_file_extents(int32_t fd, uint64_t size, uint64_t to, uint64_t cap);
DBX_API int32_t dbx_file_track(int32_t fs);
DBX_API int32_t dbx_file_clone(int32_t dir, uint64_t name);

static const char *text(uint64_t address)
{
	return (const char *)(uintptr_t)address;
}

int32_t dbx_file_window(uint64_t plan, uint64_t arena)
{
	return dbx_files_window((struct dbx_files_plan *)(uintptr_t)plan, (struct dbx_arena *)(uintptr_t)arena);
}

int32_t dbx_file_open(int32_t dir, uint64_t name, int32_t flags)
{
	int fd = DBX_RETRY(openat(dir, text(name), flags | O_CLOEXEC | O_NOCTTY, 0600));
	return fd < 0 ? -errno : fd;
}

int32_t dbx_file_close(int32_t fd)
{
	return close(fd) ? -errno : 0;
}

/* Fills a struct dbx_files_inode; an empty name means the descriptor itself. */
int32_t dbx_file_stat(int32_t dir, uint64_t name, uint64_t to)
{
	struct statx status;
	struct dbx_files_place place = {.dir = dir, .name = *text(name) ? text(name) : NULL};
	int result = dbx_files_stat(place, &status);
	if (result >= 0)
		dbx_files_fill((struct dbx_files_inode *)(uintptr_t)to, &status);
	return result;
}

/* Makes an empty file, directory, FIFO, socket or device node by the type in `mode`. */
int32_t dbx_file_make(int32_t dir, uint64_t name, uint32_t mode, uint32_t major_number, uint32_t minor_number)
{
	if (S_ISDIR(mode))
		return mkdirat(dir, text(name), mode & 07777) ? -errno : 0;
	return mknodat(dir, text(name), mode, makedev(major_number, minor_number)) ? -errno : 0;
}

int32_t dbx_file_symlink(uint64_t target, int32_t dir, uint64_t name)
{
	return symlinkat(text(target), dir, text(name)) ? -errno : 0;
}

int32_t dbx_file_link(int32_t from_dir, uint64_t from, int32_t to_dir, uint64_t to)
{
	return linkat(from_dir, text(from), to_dir, text(to), 0) ? -errno : 0;
}

int32_t dbx_file_rename(int32_t from_dir, uint64_t from, int32_t to_dir, uint64_t to)
{
	return renameat(from_dir, text(from), to_dir, text(to)) ? -errno : 0;
}

int32_t dbx_file_unlink(int32_t dir, uint64_t name, int32_t flags)
{
	return unlinkat(dir, text(name), flags) ? -errno : 0;
}

/* Not for symbolic links: it would follow them. */
int32_t dbx_file_mode(int32_t dir, uint64_t name, uint32_t mode)
{
	return fchmodat(dir, text(name), mode & 07777, 0) ? -errno : 0;
}

int32_t dbx_file_owner(int32_t dir, uint64_t name, uint32_t uid, uint32_t gid)
{
	return fchownat(dir, text(name), uid, gid, AT_SYMLINK_NOFOLLOW) ? -errno : 0;
}

/* Sets the modification time and leaves the access time. */
int32_t dbx_file_times(int32_t dir, uint64_t name, int64_t mtime_s, int64_t mtime_ns)
{
	const struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, {.tv_sec = mtime_s, .tv_nsec = mtime_ns}};
	return utimensat(dir, text(name), times, AT_SYMLINK_NOFOLLOW) ? -errno : 0;
}

/* Changes the inode flags under `mask` (FS_IMMUTABLE_FL, FS_APPEND_FL) of a regular file or directory. */
int32_t dbx_file_flags(int32_t dir, uint64_t name, int32_t mask, int32_t flags)
{
	DBX_AUTO_FD fd = DBX_RETRY(openat(dir, text(name), O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC));
	if (fd < 0)
		return -errno;
	int now = 0;
	if (ioctl(fd, FS_IOC_GETFLAGS, &now))
		return -errno;
	int wanted = (now & ~mask) | (flags & mask);
	return wanted == now ? 0 : ioctl(fd, FS_IOC_SETFLAGS, &wanted) ? -errno : 0;
}

/* Packs all extended attributes as a dbx_files_inode record has them; `scratch` is a struct dbx_files_scratch. */
int32_t dbx_file_xattr_list(int32_t dir, uint64_t name, uint64_t scratch, uint64_t to, uint64_t cap)
{
	struct dbx_files_scratch *work = (struct dbx_files_scratch *)(uintptr_t)scratch;
	struct dbx_files_place place = {.dir = dir, .name = *text(name) ? text(name) : NULL};
	uint32_t bytes;
	int result = dbx_files_xattrs(work, place, &bytes);
	if (result < 0)
		return result;
	if (bytes > cap)
		return -ERANGE;
	memcpy((void *)(uintptr_t)to, work->xattrs, bytes);
	return (int32_t)bytes;
}

/* `path` leads through /proc/self/fd: the calls that take a directory descriptor are newer than the oldest supported kernel. */
int32_t dbx_file_xattr_set(uint64_t path, uint64_t attribute, uint64_t value, uint64_t len)
{
	return lsetxattr(text(path), text(attribute), (const void *)(uintptr_t)value, len, 0) ? -errno : 0;
}

int32_t dbx_file_xattr_remove(uint64_t path, uint64_t attribute)
{
	return lremovexattr(text(path), text(attribute)) ? -errno : 0;
}

int32_t dbx_file_link_target(int32_t dir, uint64_t name, uint64_t to, uint64_t cap)
{
	ssize_t len = readlinkat(dir, text(name), (char *)(uintptr_t)to, cap);
	return len < 0 ? -errno : (int32_t)len;
}

/* Writes the handle's type (4 bytes) and bytes; returns the length written. */
int32_t dbx_file_handle(int32_t dir, uint64_t name, uint64_t to, uint64_t cap)
{
	union {
		struct file_handle handle;
		uint8_t room[sizeof(struct file_handle) + MAX_HANDLE_SZ];
	} data = {.handle = {.handle_bytes = MAX_HANDLE_SZ}};
	int mount;
	if (name_to_handle_at(dir, text(name), &data.handle, &mount, *text(name) ? 0 : AT_EMPTY_PATH))
		return -errno;
	if (data.handle.handle_bytes + 4 > cap)
		return -ERANGE;
	memcpy((void *)(uintptr_t)to, &data.handle.handle_type, 4);
	memcpy((uint8_t *)(uintptr_t)to + 4, data.handle.f_handle, data.handle.handle_bytes);
	return (int32_t)data.handle.handle_bytes + 4;
}

/* `handle` is a struct file_handle. */
int32_t dbx_file_open_handle(int32_t mount, uint64_t handle, int32_t flags)
{
	int fd = open_by_handle_at(mount, (struct file_handle *)(uintptr_t)handle, flags | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* Raw directory entries (struct linux_dirent64) from the present position of a directory descriptor; 0 at the end. */
int64_t dbx_file_names(int32_t dir, uint64_t to, uint64_t cap)
{
	long n = syscall(SYS_getdents64, dir, (void *)(uintptr_t)to, cap);
	return n < 0 ? -errno : n;
}

/* Data extents of an open file as pairs of from, to; `cap` in bytes. Returns how many. */
int64_t dbx_file_extents(int32_t fd, uint64_t size, uint64_t to, uint64_t cap)
{
	return dbx_files_extents((uint64_t *)(uintptr_t)to, (uint32_t)(cap / 16), fd, size);
}

/* A descriptor that reports every change on the file system `fs` lies on, with no bound on the queue but memory. */
int32_t dbx_file_track(int32_t fs)
{
	unsigned int form = FAN_CLASS_NOTIF | FAN_REPORT_FID | FAN_REPORT_DIR_FID | FAN_REPORT_NAME | FAN_REPORT_TARGET_FID;
	DBX_AUTO_FD fd = fanotify_init(form | FAN_UNLIMITED_QUEUE | FAN_NONBLOCK | FAN_CLOEXEC, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	uint64_t mask = FAN_CREATE | FAN_DELETE | FAN_MODIFY | FAN_ATTRIB | FAN_MOVED_FROM | FAN_MOVED_TO | FAN_CLOSE_WRITE | FAN_ONDIR;
	if (fanotify_mark(fd, FAN_MARK_ADD | FAN_MARK_FILESYSTEM, mask, fs, "."))
		return -errno;
	int result = fd;
	fd = -1;
	return result;
}

/* A detached clone of the mount below a name: an own way to the same directories, dentries and pages. */
int32_t dbx_file_clone(int32_t dir, uint64_t name)
{
	long fd = syscall(SYS_open_tree, dir, text(name), 1u /* OPEN_TREE_CLONE */ | (unsigned int)O_CLOEXEC | AT_EMPTY_PATH);
	return fd < 0 ? -errno : (int32_t)fd;
}
