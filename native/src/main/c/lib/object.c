/* Shared memory and mapped files without a name (MAP_SHARED|MAP_ANONYMOUS, memfd, removed files): one object however many map it, read and written through one mapping's file. */
#include "capture.h"
#include "maps.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

static int open_mapping(pid_t pid, uint64_t start, uint64_t end, int flags)
{
	char path[96];
	snprintf(path, sizeof path, "/proc/%d/map_files/%llx-%llx", pid, (unsigned long long)start, (unsigned long long)end);
	int file = open(path, flags | O_CLOEXEC);
	return file < 0 ? -errno : file;
}

/* Regions that are neighbours become one when both are tracked, so the bounds may not be those that were read before. */
static int open_object(pid_t pid, uint64_t start, uint64_t end, int flags)
{
	int file = open_mapping(pid, start, end, flags);
	if (file != -ENOENT)
		return file;
	char path[32];
	snprintf(path, sizeof path, "/proc/%d/maps", pid);
	DBX_AUTO_FD maps = open(path, O_RDONLY | O_CLOEXEC);
	if (maps < 0)
		return -errno;
	struct dbx_maps_text text = {.file = maps};
	struct dbx_region region;
	const char *name;
	int result;
	while ((result = dbx_maps_next(&text, &region, &name)) > 0)
		if (region.start <= start && start < region.end)
			return open_mapping(pid, region.start, region.end, flags);
	return result < 0 ? result : -ENOENT;
}

static bool seen(struct dbx_objects *objects, uint64_t device, uint64_t inode)
{
	for (uint32_t i = 0; i < objects->count; i++)
		if (objects->seen[i][0] == device && objects->seen[i][1] == inode)
			return true;
	if (objects->count < DBX_OBJECTS_MAX) {
		objects->seen[objects->count][0] = device;
		objects->seen[objects->count++][1] = inode;
	}
	return false;
}

/* Populated parts of the file, as whole pages. */
static int data_runs(int file, uint64_t size, struct dbx_run *runs, uint32_t cap, uint64_t *bytes)
{
	uint32_t count = 0;
	*bytes = 0;
	for (off_t at = 0; at < (off_t)size;) {
		off_t start = lseek(file, at, SEEK_DATA);
		if (start < 0)
			return errno == ENXIO ? (int)count : -errno;
		off_t end = lseek(file, start, SEEK_HOLE);
		if (end < 0)
			return -errno;
		if (count == cap)
			return -E2BIG;
		uint64_t whole = ((uint64_t)end + DBX_PAGE - 1) & ~(DBX_PAGE - 1);
		runs[count++] = (struct dbx_run){(uint64_t)start, whole};
		*bytes += whole - (uint64_t)start;
		at = end;
	}
	return (int)count;
}

static int put_object(const struct dbx_proc *proc, const struct dbx_region *region, struct dbx_arena *arena, int file)
{
	enum { RUNS = 8192 };
	struct dbx_run runs[RUNS];
	struct stat stat;
	uint64_t bytes;
	if (fstat(file, &stat))
		return -errno;
	int count = data_runs(file, (uint64_t)stat.st_size, runs, RUNS, &bytes);
	if (count < 0)
		return count;
	uint64_t list = (uint64_t)count * sizeof *runs;
	struct dbx_record_object *record = dbx_arena_put(arena, DBX_OBJECT, 0, sizeof *record + list + bytes);
	if (!record)
		return 0;
	uint64_t device = (uint64_t)region->dev_major << 32 | region->dev_minor;
	*record = (struct dbx_record_object){device, region->inode, (uint64_t)stat.st_size, proc->pid, (uint32_t)count, region->start, region->end, bytes};
	memcpy(record + 1, runs, list);
	uint8_t *to = (uint8_t *)(record + 1) + list;
	for (int i = 0; i < count; i++) {
		uint64_t wanted = runs[i].end - runs[i].start, got = 0;
		while (got < wanted) {
			ssize_t part = pread(file, to + got, wanted - got, (off_t)(runs[i].start + got));
			if (part < 0)
				return -errno;
			if (part == 0)
				break;
			got += (uint64_t)part;
		}
		memset(to + got, 0, wanted - got);
		to += wanted;
	}
	return 0;
}

int dbx_capture_objects(const struct dbx_engine *engine, const struct dbx_proc *proc, struct dbx_objects *objects, struct dbx_arena *arena)
{
	for (uint32_t i = 0; i < engine->region_count; i++) {
		const struct dbx_region *region = &engine->regions[i];
		if (!(region->flags & DBX_REGION_OBJECT) || (region->flags & DBX_REGION_HUGETLB))
			continue;
		if (seen(objects, (uint64_t)region->dev_major << 32 | region->dev_minor, region->inode))
			continue;
		DBX_AUTO_FD file = open_object(proc->pid, region->start, region->end, O_RDONLY);
		if (file < 0)
			return file;
		int result = put_object(proc, region, arena, file);
		if (result < 0)
			return result;
	}
	return 0;
}

DBX_API int32_t dbx_object_open(int32_t pid, uint64_t start, uint64_t end);
DBX_API int32_t dbx_object_steal(int32_t pidfd, int32_t number);
DBX_API int32_t dbx_object_again(int32_t file, int32_t writable);
DBX_API int32_t dbx_object_make(uint64_t name, uint64_t bytes, uint64_t identity);
DBX_API int32_t dbx_object_write(int32_t file, uint64_t offset, uint64_t from, uint64_t bytes);
DBX_API int32_t dbx_object_clear(int32_t file, uint64_t offset, uint64_t bytes);
DBX_API int32_t dbx_object_resize(int32_t file, uint64_t bytes);
DBX_API int32_t dbx_object_close(int32_t file);

int32_t dbx_object_steal(int32_t pidfd, int32_t number)
{
	int file = (int)syscall(SYS_pidfd_getfd, pidfd, number, 0);
	return file < 0 ? -errno : file;
}

/* One more open file description of an object we hold; what is mapped through it can be made writable only if it is. */
int32_t dbx_object_again(int32_t file, int32_t writable)
{
	char path[32];
	snprintf(path, sizeof path, "/proc/self/fd/%d", file);
	int again = open(path, (writable ? O_RDWR : O_RDONLY) | O_CLOEXEC | O_NONBLOCK);
	if (again < 0 && errno == ETXTBSY)
		again = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	return again < 0 ? -errno : again;
}

/* Shared anonymous memory has no call that gives a descriptor of it, but a mapping has a file (proc(5), map_files). */
static int make_anonymous(uint64_t bytes)
{
	uint64_t whole = (bytes + DBX_PAGE - 1) & ~(DBX_PAGE - 1);
	void *at = mmap(NULL, whole, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (at == MAP_FAILED)
		return -errno;
	int file = open_object(getpid(), (uint64_t)(uintptr_t)at, (uint64_t)(uintptr_t)at + whole, O_RDWR);
	munmap(at, whole);
	return file;
}

/* A new object of this size; `name` 0: shared anonymous memory, else a memfd. Tells device (major << 32 | minor) and inode. The caller closes it. */
int32_t dbx_object_make(uint64_t name, uint64_t bytes, uint64_t identity)
{
	int file = name ? (int)syscall(SYS_memfd_create, (const char *)(uintptr_t)name, 3u /* MFD_CLOEXEC | MFD_ALLOW_SEALING */) : make_anonymous(bytes);
	if (file < 0)
		return name ? -errno : file;
	struct stat stat;
	if (ftruncate(file, (off_t)bytes) || fstat(file, &stat)) {
		int error = errno;
		close(file);
		return -error;
	}
	uint64_t *out = (uint64_t *)(uintptr_t)identity;
	out[0] = (uint64_t)major(stat.st_dev) << 32 | minor(stat.st_dev);
	out[1] = stat.st_ino;
	return file;
}

/* A descriptor of the object behind a mapping of a stopped process; the caller closes it. */
int32_t dbx_object_open(int32_t pid, uint64_t start, uint64_t end)
{
	int file = open_object(pid, start, end, O_RDWR);
	return file == -ETXTBSY ? open_object(pid, start, end, O_RDONLY) : file;
}

int32_t dbx_object_write(int32_t file, uint64_t offset, uint64_t from, uint64_t bytes)
{
	while (bytes) {
		ssize_t part = DBX_RETRY(pwrite(file, (const void *)(uintptr_t)from, bytes, (off_t)offset));
		if (part < 0)
			return -errno;
		from += (uint64_t)part;
		offset += (uint64_t)part;
		bytes -= (uint64_t)part;
	}
	return 0;
}

int32_t dbx_object_clear(int32_t file, uint64_t offset, uint64_t bytes)
{
	return fallocate(file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)offset, (off_t)bytes) ? -errno : 0;
}

int32_t dbx_object_resize(int32_t file, uint64_t bytes)
{
	return ftruncate(file, (off_t)bytes) ? -errno : 0;
}

int32_t dbx_object_close(int32_t file)
{
	return close(file) ? -errno : 0;
}
