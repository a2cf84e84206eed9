/* The events of the private file system, taken off and turned into records of what the named things are now. */
#include "files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/fanotify.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define EVENT_ROOM 8192u
#define CACHED_DIRS 64u

struct cached_dir {
	const struct file_handle *handle;
	uint64_t ino;
	int fd;
};

struct window {
	struct dbx_files_plan *plan;
	struct dbx_arena *arena;
	struct dbx_files_scratch *scratch;
	struct cached_dir dirs[CACHED_DIRS];
	int result;
};

/* The parts of one event that matter. */
struct event {
	const struct file_handle *dir, *target;
	const char *name;
};

static int drain(struct dbx_files_plan *plan)
{
	plan->more = 0;
	while (plan->raw_cap - plan->raw_used >= EVENT_ROOM) {
		ssize_t n = read(plan->fanotify, (uint8_t *)(uintptr_t)plan->raw + plan->raw_used, plan->raw_cap - plan->raw_used);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN ? 0 : -errno;
		plan->raw_used += (uint64_t)n;
	}
	plan->more = 1;
	return -ENOBUFS;
}

/* The inode number inside a handle of tmpfs (12 bytes) or of a file system with 32-bit numbers (8 bytes); 0 when the form is another one. */
static uint64_t handle_ino(const struct file_handle *handle)
{
	uint32_t word[3];
	if (handle->handle_type != 1 || handle->handle_bytes < 8 || handle->handle_bytes > 12)
		return 0;
	memcpy(word, handle->f_handle, handle->handle_bytes);
	return handle->handle_bytes == 8 ? word[0] : word[1] | (uint64_t)word[2] << 32;
}

static int same_handle(const struct file_handle *a, const struct file_handle *b)
{
	return a->handle_bytes == b->handle_bytes && a->handle_type == b->handle_type && !memcmp(a->f_handle, b->f_handle, a->handle_bytes);
}

static uint64_t hash_bytes(uint64_t hash, const void *data, size_t len)
{
	const uint8_t *byte = data;
	for (size_t i = 0; i < len; i++)
		hash = (hash ^ byte[i]) * UINT64_C(1099511628211);
	return hash ^ hash >> 29;
}

/* Splits an event into its parts; the kernel wrote it, so only its own lengths are followed. */
static void parse(const struct fanotify_event_metadata *meta, struct event *event)
{
	memset(event, 0, sizeof *event);
	const uint8_t *at = (const uint8_t *)meta + meta->metadata_len, *end = (const uint8_t *)meta + meta->event_len;
	while (at + sizeof(struct fanotify_event_info_fid) <= end) {
		const struct fanotify_event_info_fid *info = (const void *)at;
		const struct file_handle *handle = (const void *)info->handle;
		if (info->hdr.info_type == FAN_EVENT_INFO_TYPE_FID)
			event->target = handle;
		if (info->hdr.info_type == FAN_EVENT_INFO_TYPE_DFID_NAME) {
			event->dir = handle;
			event->name = (const char *)handle->f_handle + handle->handle_bytes;
		}
		if (info->hdr.len == 0)
			break;
		at += info->hdr.len;
	}
}

/* True the first time a (directory, name) is met. Slots hold offsets into `raw`, so equality is exact; a full table only means double work. */
static int first_name(struct window *window, const struct event *event)
{
	struct dbx_files_scratch *scratch = window->scratch;
	const uint8_t *raw = (const uint8_t *)(uintptr_t)window->plan->raw;
	size_t len = strlen(event->name);
	uint64_t hash = hash_bytes(hash_bytes(UINT64_C(14695981039346656037), event->dir->f_handle, event->dir->handle_bytes), event->name, len);
	if (scratch->name_count > DBX_FILES_SLOTS / 4 * 3)
		return 1;
	for (uint32_t probe = 0;; probe++) {
		struct dbx_files_slot *slot = &scratch->names[(hash + probe) % DBX_FILES_SLOTS];
		if (slot->generation != scratch->generation) {
			slot->generation = scratch->generation;
			slot->at = (uint32_t)((const uint8_t *)event->dir - raw);
			scratch->name_count++;
			return 1;
		}
		const struct file_handle *other = (const void *)(raw + slot->at);
		if (same_handle(other, event->dir) && !strcmp((const char *)other->f_handle + other->handle_bytes, event->name))
			return 0;
	}
}

/* True the first time an inode is met; `dev` is 0 for those of the private file system. */
static int first_inode(struct window *window, uint32_t dev, uint64_t ino)
{
	struct dbx_files_scratch *scratch = window->scratch;
	if (scratch->inode_count > DBX_FILES_SLOTS / 4 * 3)
		return 1;
	for (uint32_t probe = 0;; probe++) {
		struct dbx_files_seen *seen = &scratch->inodes[(ino * UINT64_C(0x9E3779B97F4A7C15) + probe) % DBX_FILES_SLOTS];
		if (seen->generation != scratch->generation) {
			seen->generation = scratch->generation;
			seen->ino = ino;
			seen->dev = dev;
			scratch->inode_count++;
			return 1;
		}
		if (seen->ino == ino && seen->dev == dev)
			return 0;
	}
}

static void keep(struct window *window, int result)
{
	if (result < 0 && (window->result >= 0 || window->result == -ENOBUFS))
		window->result = result;
}

static int ignored(const struct dbx_files_plan *plan, uint64_t ino)
{
	for (size_t i = 0; i < sizeof plan->ignored / sizeof *plan->ignored; i++) {
		if (ino && plan->ignored[i] == ino)
			return 1;
	}
	return 0;
}

static int open_handle(const struct window *window, const struct file_handle *handle)
{
	/* The call takes a pointer to a writable handle but does not write it. */
	return open_by_handle_at(window->plan->mount, (struct file_handle *)(uintptr_t)handle, O_PATH | O_CLOEXEC);
}

/* The directory of an event, open, and recorded the first time; fd -1 when it is gone. */
static struct cached_dir *directory(struct window *window, const struct file_handle *handle)
{
	uint64_t hash = hash_bytes(UINT64_C(14695981039346656037), handle->f_handle, handle->handle_bytes);
	struct cached_dir *dir = &window->dirs[hash % CACHED_DIRS];
	if (dir->handle && same_handle(dir->handle, handle))
		return dir;
	dbx_close_fd(&dir->fd);
	dir->handle = handle;
	dir->fd = open_handle(window, handle);
	struct statx status;
	struct dbx_files_place place = {.dir = dir->fd, .name = NULL};
	if (dir->fd < 0)
		return dir;
	if (dbx_files_stat(place, &status) < 0 || status.stx_nlink == 0) {
		dbx_close_fd(&dir->fd);
		dir->fd = -1;
		return dir;
	}
	dir->ino = status.stx_ino;
	if (first_inode(window, 0, status.stx_ino))
		keep(window, dbx_files_emit(window->plan, window->arena, DBX_FILES_INODE, place, &status));
	return dir;
}

static int is_whiteout(const struct statx *status)
{
	return (status->stx_mode & S_IFMT) == S_IFCHR && status->stx_rdev_major == 0 && status->stx_rdev_minor == 0;
}

/* Records what a name stands for. Returns the inode number found, 0 for nothing. */
static uint64_t look_at_name(struct window *window, const struct cached_dir *dir, const char *name)
{
	struct dbx_files_place place = {.dir = dir->fd, .name = name};
	struct statx status;
	int result = dbx_files_stat(place, &status);
	if (result < 0) {
		if (result != -ENOENT)
			keep(window, result);
		dbx_files_entry_record(window->arena, dir->ino, NULL, name);
		return 0;
	}
	if (ignored(window->plan, status.stx_ino))
		return status.stx_ino;
	dbx_files_entry_record(window->arena, dir->ino, &status, name);
	if (!is_whiteout(&status) && first_inode(window, 0, status.stx_ino))
		keep(window, dbx_files_emit(window->plan, window->arena, DBX_FILES_INODE, place, &status));
	return status.stx_ino;
}

/*
 * The inode an event is about, when the name did not lead to it: the event of a file with several names carries the one the kernel met first, which may
 * be gone already.
 */
static void look_at_target(struct window *window, const struct file_handle *handle)
{
	DBX_AUTO_FD fd = open_handle(window, handle);
	if (fd < 0)
		return;
	struct dbx_files_place place = {.dir = fd, .name = NULL};
	struct statx status;
	if (dbx_files_stat(place, &status) < 0 || status.stx_nlink == 0 || ignored(window->plan, status.stx_ino) || is_whiteout(&status))
		return;
	if (first_inode(window, 0, status.stx_ino))
		keep(window, dbx_files_emit(window->plan, window->arena, DBX_FILES_INODE, place, &status));
}

static int seen_inode(const struct window *window, uint64_t ino)
{
	const struct dbx_files_scratch *scratch = window->scratch;
	for (uint32_t probe = 0; probe < DBX_FILES_SLOTS; probe++) {
		const struct dbx_files_seen *seen = &scratch->inodes[(ino * UINT64_C(0x9E3779B97F4A7C15) + probe) % DBX_FILES_SLOTS];
		if (seen->generation != scratch->generation)
			return 0;
		if (seen->ino == ino && seen->dev == 0)
			return 1;
	}
	return 0;
}

static void look(struct window *window, const struct event *event)
{
	if (event->dir && !ignored(window->plan, handle_ino(event->dir)) && first_name(window, event)) {
		struct cached_dir *dir = directory(window, event->dir);
		if (dir->fd >= 0 && strcmp(event->name, "."))
			look_at_name(window, dir, event->name);
	}
	if (!event->target)
		return;
	uint64_t ino = handle_ino(event->target);
	if (!ino || (!ignored(window->plan, ino) && !seen_inode(window, ino)))
		look_at_target(window, event->target);
}

static void process_events(struct window *window)
{
	struct dbx_files_plan *plan = window->plan;
	const uint8_t *at = (const uint8_t *)(uintptr_t)plan->raw, *end = at + plan->raw_used;
	while (at + sizeof(struct fanotify_event_metadata) <= end) {
		const struct fanotify_event_metadata *meta = (const void *)at;
		struct event event;
		plan->events++;
		if (meta->mask & FAN_Q_OVERFLOW) {
			plan->overflowed = 1;
		} else {
			parse(meta, &event);
			look(window, &event);
		}
		at += meta->event_len;
	}
}

static int is_known(const struct dbx_files_plan *plan, const struct statx *status)
{
	const struct dbx_files_known *known = (const void *)(uintptr_t)plan->known;
	uint64_t dev = makedev(status->stx_dev_major, status->stx_dev_minor);
	for (uint64_t i = 0; i < plan->known_count; i++) {
		if (known[i].ino == status->stx_ino && known[i].dev == dev)
			return known[i].ctime_s == status->stx_ctime.tv_sec && known[i].ctime_ns == status->stx_ctime.tv_nsec;
	}
	return 0;
}

/*
 * Files open for writing or mapped: stores through a mapping raise no event, and splice(2) and sendfile(2) raise none before the close. For the latter
 * the change time tells; for a mapping nothing does, so it is read each time.
 */
static void look_at_held(struct window *window)
{
	struct dbx_files_plan *plan = window->plan;
	const struct dbx_files_held *held = (const void *)(uintptr_t)plan->held;
	uint64_t count = plan->held_count < plan->held_cap ? plan->held_count : plan->held_cap;
	for (uint64_t i = 0; i < count; i++) {
		char path[96];
		if (held[i].fd >= 0)
			snprintf(path, sizeof path, "/proc/%d/fd/%d", held[i].pid, held[i].fd);
		else
			snprintf(path, sizeof path, "/proc/%d/map_files/%llx-%llx", held[i].pid, (unsigned long long)held[i].start, (unsigned long long)held[i].end);
		DBX_AUTO_FD fd = open(path, O_PATH | O_CLOEXEC);
		struct dbx_files_place place = {.dir = fd, .name = NULL};
		struct statx status;
		if (fd < 0 || dbx_files_stat(place, &status) < 0 || status.stx_nlink == 0 || !S_ISREG(status.stx_mode))
			continue;
		if (held[i].fd >= 0 && is_known(plan, &status))
			continue;
		uint64_t dev = makedev(status.stx_dev_major, status.stx_dev_minor);
		if (dev == plan->upper_dev || dev == plan->shm_dev)
			dev = 0;
		else if (status.stx_btime.tv_sec < plan->since)
			continue;
		if (first_inode(window, (uint32_t)dev, status.stx_ino))
			keep(window, dbx_files_emit(plan, window->arena, DBX_FILES_HELD, place, &status));
	}
}

void dbx_files_hold(struct dbx_files_plan *plan, int32_t pid, int32_t fd, uint64_t start, uint64_t end)
{
	if (plan->held_count < plan->held_cap) {
		struct dbx_files_held *held = (struct dbx_files_held *)(uintptr_t)plan->held + plan->held_count;
		*held = (struct dbx_files_held){.pid = pid, .fd = fd, .start = start, .end = end};
	}
	plan->held_count++;
}

int32_t dbx_files_window(struct dbx_files_plan *plan, struct dbx_arena *arena)
{
	if (plan->size != sizeof *plan || plan->scratch_cap < sizeof(struct dbx_files_scratch))
		return -EINVAL;
	struct window window = {.plan = plan, .arena = arena, .scratch = (struct dbx_files_scratch *)(uintptr_t)plan->scratch};
	for (uint32_t i = 0; i < CACHED_DIRS; i++)
		window.dirs[i].fd = -1;
	window.scratch->generation++;
	window.scratch->name_count = window.scratch->inode_count = 0;
	plan->events = 0;
	plan->area_need = plan->area_used;
	window.result = drain(plan);
	if (window.result >= 0 && !(plan->flags & DBX_FILES_DRAIN_ONLY)) {
		process_events(&window);
		if ((plan->flags & DBX_FILES_RESCAN) || plan->overflowed)
			keep(&window, dbx_files_rescan(plan, arena));
		look_at_held(&window);
	}
	for (uint32_t i = 0; i < CACHED_DIRS; i++)
		dbx_close_fd(&window.dirs[i].fd);
	if (plan->held_count > plan->held_cap)
		keep(&window, -ENOBUFS);
	return window.result;
}
