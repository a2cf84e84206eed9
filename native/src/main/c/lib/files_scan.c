/* The whole upper layer as records: the start, and the way out when the kernel's event queue overflowed. */
#include "files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void dbx_files_entry_record(struct dbx_arena *arena, uint64_t dir, const struct statx *status, const char *name)
{
	size_t name_len = strlen(name);
	struct dbx_files_entry *entry = dbx_arena_put(arena, DBX_FILES_ENTRY, 0, sizeof *entry + name_len);
	if (!entry)
		return;
	memset(entry, 0, sizeof *entry);
	entry->dir = dir;
	entry->name_len = (uint32_t)name_len;
	if (status) {
		entry->ino = status->stx_ino;
		entry->mode = status->stx_mode;
		entry->rdev_major = status->stx_rdev_major;
		entry->rdev_minor = status->stx_rdev_minor;
	}
	memcpy(entry + 1, name, name_len);
}

static int ignored(const struct dbx_files_plan *plan, uint64_t ino)
{
	for (size_t i = 0; i < sizeof plan->ignored / sizeof *plan->ignored; i++) {
		if (ino && plan->ignored[i] == ino)
			return 1;
	}
	return 0;
}

static int is_whiteout(const struct statx *status)
{
	return (status->stx_mode & S_IFMT) == S_IFCHR && status->stx_rdev_major == 0 && status->stx_rdev_minor == 0;
}

static int scan_name(struct dbx_files_plan *plan, struct dbx_arena *arena, uint64_t dir_ino, struct dbx_files_place place);

/* Takes ownership of `fd`. Depth is bounded by the length of a path the sandbox can make; each level holds one descriptor and one DIR. */
static int scan_directory(struct dbx_files_plan *plan, struct dbx_arena *arena, int fd)
{
	DIR *stream = fdopendir(fd);
	if (!stream) {
		close(fd);
		return -errno;
	}
	struct statx status;
	struct dbx_files_place self = {.dir = fd, .name = NULL};
	int result = dbx_files_stat(self, &status);
	if (result >= 0)
		result = dbx_files_emit(plan, arena, DBX_FILES_INODE, self, &status);
	uint64_t *whole = result >= 0 ? dbx_arena_put(arena, DBX_FILES_WHOLE, 0, sizeof *whole) : NULL;
	if (whole)
		*whole = status.stx_ino;
	for (struct dirent *entry; (result >= 0 || result == -ENOBUFS) && (entry = readdir(stream));) {
		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		struct dbx_files_place place = {.dir = fd, .name = entry->d_name};
		int one = scan_name(plan, arena, status.stx_ino, place);
		if (one < 0)
			result = one;
	}
	closedir(stream);
	return result;
}

static int scan_name(struct dbx_files_plan *plan, struct dbx_arena *arena, uint64_t dir_ino, struct dbx_files_place place)
{
	struct statx status;
	int result = dbx_files_stat(place, &status);
	if (result < 0)
		return result == -ENOENT ? 0 : result;
	if (ignored(plan, status.stx_ino))
		return 0;
	dbx_files_entry_record(arena, dir_ino, &status, place.name);
	if (is_whiteout(&status))
		return 0;
	if (!S_ISDIR(status.stx_mode))
		return dbx_files_emit(plan, arena, DBX_FILES_INODE, place, &status);
	int fd = openat(place.dir, place.name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT || errno == ENOTDIR ? 0 : -errno;
	return scan_directory(plan, arena, fd);
}

int dbx_files_rescan(struct dbx_files_plan *plan, struct dbx_arena *arena)
{
	const int roots[] = {plan->upper, plan->shm};
	int result = 0;
	for (size_t i = 0; i < sizeof roots / sizeof *roots && result >= 0; i++) {
		if (roots[i] < 0)
			continue;
		int fd = openat(roots[i], ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		result = fd < 0 ? -errno : scan_directory(plan, arena, fd);
	}
	return result;
}
