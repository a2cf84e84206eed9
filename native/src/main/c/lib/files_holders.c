/* What stopped processes hold of files, as far as a rollback of the files has to know. */
#include "files.h"
#include "maps.h"
#include "uapi.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

/* A file whose name is gone, or that may have changed without an event. */
struct dbx_file_holder {
	uint64_t dev, ino;
	uint32_t flags, pad;
};
_Static_assert(sizeof(struct dbx_file_holder) == 24, "shared with Java");
#define HOLDER_DELETED 1u
#define HOLDER_DIRECTORY 2u
#define HOLDER_WRITABLE 4u

struct list {
	struct dbx_file_holder *at;
	uint64_t cap, count;
};

DBX_API int64_t dbx_file_holders(uint64_t pids, uint32_t count, uint64_t to, uint64_t cap, uint32_t without);

static void add(struct list *list, uint64_t dev, uint64_t ino, uint32_t flags)
{
	if (list->count < list->cap)
		list->at[list->count] = (struct dbx_file_holder){.dev = dev, .ino = ino, .flags = flags};
	list->count++;
}

static int ends_deleted(const char *path, size_t len)
{
	static const char mark[] = " (deleted)";
	size_t mark_len = sizeof mark - 1;
	return len > mark_len && !memcmp(path + len - mark_len, mark, mark_len);
}

/* One link of /proc/PID: its own permission bits are those of the descriptor. */
static void look_at_link(struct list *list, int dir, const char *name)
{
	char path[4200];
	ssize_t len = readlinkat(dir, name, path, sizeof path);
	struct stat link, file;
	if (len <= 0 || path[0] != '/' || fstatat(dir, name, &link, AT_SYMLINK_NOFOLLOW))
		return;
	uint32_t flags = (ends_deleted(path, (size_t)len) ? HOLDER_DELETED : 0) | (link.st_mode & S_IWUSR ? HOLDER_WRITABLE : 0);
	/* cwd has all bits; a directory is never written through its descriptor. */
	if (!flags || fstatat(dir, name, &file, 0))
		return;
	if (S_ISDIR(file.st_mode))
		flags = (flags & HOLDER_DELETED) | HOLDER_DIRECTORY;
	if (flags != HOLDER_DIRECTORY)
		add(list, file.st_dev, file.st_ino, flags);
}

static int look_at_descriptors(struct list *list, int process)
{
	int fd = openat(process, "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *stream = fd < 0 ? NULL : fdopendir(fd);
	if (!stream) {
		dbx_close_fd(&fd);
		return -errno;
	}
	for (struct dirent *entry; (entry = readdir(stream));) {
		if (entry->d_name[0] != '.')
			look_at_link(list, dirfd(stream), entry->d_name);
	}
	closedir(stream);
	return 0;
}

/*
 * Stores through a shared mapping raise no event. Its permissions may have been taken away since, so all shared ones count. The numbers in maps are those
 * of the overlay's own inode, which are not what stat(2) tells, so the mapping's link is asked.
 */
static void look_at_region(struct list *list, int process, uint64_t start, uint64_t end, int shared, const char *path)
{
	uint32_t flags = (ends_deleted(path, strlen(path)) ? HOLDER_DELETED : 0) | (shared ? HOLDER_WRITABLE : 0);
	char name[64];
	struct stat file;
	if (!flags || path[0] != '/')
		return;
	snprintf(name, sizeof name, "map_files/%llx-%llx", (unsigned long long)start, (unsigned long long)end);
	if (!fstatat(process, name, &file, 0))
		add(list, file.st_dev, file.st_ino, flags);
}

/* The slow way of kernels without PROCMAP_QUERY. */
static void read_maps(struct list *list, int process, int maps)
{
	struct dbx_maps_text text = {.file = maps};
	struct dbx_region region;
	const char *name;
	while (dbx_maps_next(&text, &region, &name) > 0)
		if (region.inode)
			look_at_region(list, process, region.start, region.end, (region.flags & DBX_REGION_SHARED) != 0, name);
}

static void look_at_mappings(struct list *list, int process, uint32_t without)
{
	DBX_AUTO_FD maps = openat(process, "maps", O_RDONLY | O_CLOEXEC);
	if (maps >= 0 && (without & DBX_WITHOUT_PROCMAP_QUERY)) {
		read_maps(list, process, maps);
		return;
	}
	char path[4200];
	struct dbx_procmap_query query;
	uint64_t address = 0;
	while (maps >= 0) {
		memset(&query, 0, sizeof query);
		query.size = sizeof query;
		query.query_flags = DBX_PROCMAP_COVERING_OR_NEXT | DBX_PROCMAP_FILE_BACKED;
		query.query_addr = address;
		query.vma_name_addr = (uint64_t)(uintptr_t)path;
		query.vma_name_size = sizeof path;
		path[0] = 0;
		if (ioctl(maps, DBX_PROCMAP_QUERY, &query)) {
			if (errno == ENOTTY || errno == EINVAL)
				read_maps(list, process, maps);
			return;
		}
		if (query.vma_name_size)
			look_at_region(list, process, query.vma_start, query.vma_end, (query.vma_flags & DBX_PROCMAP_SHARED) != 0, path);
		address = query.vma_end;
	}
}

/* Fills `to` with what these processes hold; returns how many there are, which may be more than `cap` entries. A process that has ended holds nothing. */
int64_t dbx_file_holders(uint64_t pids, uint32_t count, uint64_t to, uint64_t cap, uint32_t without)
{
	struct list list = {.at = (struct dbx_file_holder *)(uintptr_t)to, .cap = cap};
	for (uint32_t i = 0; i < count; i++) {
		char path[32];
		snprintf(path, sizeof path, "/proc/%d", ((const int32_t *)(uintptr_t)pids)[i]);
		DBX_AUTO_FD process = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (process < 0 || look_at_descriptors(&list, process) < 0)
			continue;
		look_at_link(&list, process, "cwd");
		look_at_mappings(&list, process, without);
	}
	return (int64_t)list.count;
}
