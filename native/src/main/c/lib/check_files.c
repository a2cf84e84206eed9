/* A file tree as a flat list of entries with the hash of each content. */
#include "check.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

struct walker {
	const struct dbx_check_walk *request;
	uint64_t used;
	dev_t device;
	char path[PATH_MAX];
};

static int hash_file(int fd, struct dbx_check_hash *hash)
{
	static const size_t size = 64 * 1024;
	uint8_t buffer[64 * 1024];
	*hash = (struct dbx_check_hash){ { 3, 4 } };
	for (;;) {
		ssize_t got = DBX_RETRY(read(fd, buffer, size));
		if (got < 0)
			return -errno;
		if (got == 0)
			return 0;
		dbx_check_hash_add(hash, buffer, (size_t)got);
	}
}

/* Opens only what is still the regular file that was looked at: the names belong to the sandbox. */
static int hash_content(int parent, const char *name, const struct stat *seen, struct dbx_check_hash *hash)
{
	int flags = O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY;
	DBX_AUTO_FD fd = DBX_RETRY(openat(parent, name, flags | O_NOATIME));
	if (fd < 0 && errno == EPERM)
		fd = DBX_RETRY(openat(parent, name, flags));
	if (fd < 0)
		return -errno;
	struct stat now;
	if (fstat(fd, &now) != 0)
		return -errno;
	if (!S_ISREG(now.st_mode) || now.st_ino != seen->st_ino)
		return -ESTALE;
	return hash_file(fd, hash);
}

static int add_xattr(const char *path, const char *name, uint64_t sum[2])
{
	uint8_t value[4096];
	ssize_t len = lgetxattr(path, name, value, sizeof(value));
	if (len < 0)
		return -errno;
	struct dbx_check_hash hash = { { 5, 6 } };
	dbx_check_hash_add(&hash, name, strlen(name));
	dbx_check_hash_add(&hash, value, (size_t)len);
	sum[0] += hash.h[0];
	sum[1] += hash.h[1];
	return 0;
}

static int hash_xattrs(int parent, const char *name, uint64_t sum[2])
{
	char path[NAME_MAX + 64], names[8192];
	snprintf(path, sizeof(path), "/proc/self/fd/%d/%s", parent, name);
	ssize_t len = llistxattr(path, names, sizeof(names));
	if (len < 0)
		return errno == EOPNOTSUPP ? 0 : -errno;
	for (char *at = names; at < names + len; at += strlen(at) + 1) {
		int error = add_xattr(path, at, sum);
		if (error)
			return error;
	}
	return 0;
}

static int put_entry(struct walker *w, int parent, const char *name, const struct stat *st)
{
	char target[PATH_MAX];
	ssize_t target_len = S_ISLNK(st->st_mode) ? readlinkat(parent, name, target, sizeof(target)) : 0;
	if (target_len < 0)
		target_len = 0;
	size_t path_len = strlen(w->path);
	size_t total = (sizeof(struct dbx_check_entry) + path_len + (size_t)target_len + 7) & ~(size_t)7;
	if (w->request->out_bytes - w->used < total)
		return -ENOSPC;
	uint8_t *at = (uint8_t *)(uintptr_t)w->request->out + w->used;
	struct dbx_check_entry *entry = (struct dbx_check_entry *)(void *)at;
	*entry = (struct dbx_check_entry){
		.len = (uint32_t)total, .mode = st->st_mode, .uid = st->st_uid, .gid = st->st_gid, .dev = st->st_dev, .ino = st->st_ino,
		.rdev = st->st_rdev, .size = (uint64_t)st->st_size, .mtime_seconds = st->st_mtim.tv_sec,
		.mtime_nanos = (uint32_t)st->st_mtim.tv_nsec, .links = (uint32_t)st->st_nlink,
		.path_len = (uint32_t)path_len, .target_len = (uint32_t)target_len,
	};
	int error = hash_xattrs(parent, name, entry->xattrs);
	struct dbx_check_hash hash = { { 0, 0 } };
	if (!error && (w->request->how & DBX_CHECK_CONTENT) && S_ISREG(st->st_mode))
		error = hash_content(parent, name, st, &hash);
	memcpy(entry->content, hash.h, sizeof(hash.h));
	entry->error = (uint32_t)-error;
	memcpy(at + sizeof(*entry), w->path, path_len);
	memcpy(at + sizeof(*entry) + path_len, target, (size_t)target_len);
	w->used += total;
	return 0;
}

static int walk_directory(struct walker *w, int fd, size_t path_len);

static int walk_entry(struct walker *w, int parent, const char *name, size_t path_len)
{
	struct stat st;
	if (fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return -errno;
	size_t name_len = strlen(name);
	if (path_len + name_len + 2 > sizeof(w->path))
		return -ENAMETOOLONG;
	size_t slash = path_len > 0 ? 1 : 0;
	if (slash)
		w->path[path_len] = '/';
	memcpy(w->path + path_len + slash, name, name_len + 1);
	int error = put_entry(w, parent, name, &st);
	if (error || !S_ISDIR(st.st_mode) || st.st_dev != w->device || (w->request->how & DBX_CHECK_SHALLOW))
		return error;
	int fd = DBX_RETRY(openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
	if (fd < 0)
		return -errno;
	return walk_directory(w, fd, path_len + slash + name_len);
}

/* Takes ownership of `fd`. */
static int walk_directory(struct walker *w, int fd, size_t path_len)
{
	DIR *dir = fdopendir(fd);
	if (!dir) {
		int error = -errno;
		close(fd);
		return error;
	}
	int error = 0;
	for (;;) {
		errno = 0;
		struct dirent *entry = readdir(dir);
		if (!entry) {
			error = -errno;
			break;
		}
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		error = walk_entry(w, dirfd(dir), entry->d_name, path_len);
		if (error)
			break;
	}
	w->path[path_len] = 0;
	closedir(dir);
	return error;
}

/* What is no directory is one entry with an empty path. */
static int64_t one_entry(const struct dbx_check_walk *request, int root, const char *below)
{
	struct stat st;
	if (fstatat(root, below, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return -errno;
	struct walker *w = calloc(1, sizeof(*w));
	if (!w)
		return -ENOMEM;
	w->request = request;
	int error = put_entry(w, root, below, &st);
	int64_t used = (int64_t)w->used;
	free(w);
	return error ? error : used;
}

int64_t dbx_check_walk(uint64_t address)
{
	const struct dbx_check_walk *request = (const void *)(uintptr_t)address;
	DBX_AUTO_FD root = DBX_RETRY(open((const char *)(uintptr_t)request->root, O_PATH | O_DIRECTORY | O_CLOEXEC));
	if (root < 0)
		return -errno;
	const char *below = (const char *)(uintptr_t)request->below;
	int fd = DBX_RETRY(openat(root, below, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
	if (fd < 0)
		return errno == ENOTDIR || errno == ELOOP ? one_entry(request, root, below) : -errno;
	struct stat st;
	if (fstat(fd, &st) != 0) {
		int error = -errno;
		close(fd);
		return error;
	}
	struct walker *w = calloc(1, sizeof(*w));
	if (!w) {
		close(fd);
		return -ENOMEM;
	}
	w->request = request;
	w->device = st.st_dev;
	int error = put_entry(w, fd, ".", &st);
	if (error)
		close(fd);
	else
		error = walk_directory(w, fd, 0);
	int64_t used = (int64_t)w->used;
	free(w);
	return error ? error : used;
}
