/*
 * Files of a sandbox: which changed since the last look, and what they hold now.
 *
 * Needs fanotify with FAN_REPORT_TARGET_FID (Linux 5.17) and a file system mark on the private file system that holds the upper layer, CAP_SYS_ADMIN and
 * CAP_DAC_READ_SEARCH (open_by_handle_at(2)). Everything is read in the upper layer, never through the overlay: nothing is copied up by looking.
 */
#ifndef DBX_FILES_H
#define DBX_FILES_H

#include "dbx.h"

/* Record only metadata: a rollback compares contents itself. */
#define DBX_FILES_NO_CONTENT 1u
/* Walk the whole upper layer instead of trusting the events: at the start, and after the kernel's queue overflowed. */
#define DBX_FILES_RESCAN 2u
/* Only take the events off the descriptor into `raw`. */
#define DBX_FILES_DRAIN_ONLY 4u

/*
 * What the window needs; owned and laid out by Java, whose address it passes through the engine. `raw` keeps the events that were taken off the
 * descriptor until Java acknowledges them by setting `raw_used` to 0: a window that failed for lack of room loses nothing.
 */
struct dbx_files_plan {
	uint32_t size;
	uint32_t flags;
	int32_t fanotify;
	/* Any descriptor on the private file system not opened with O_PATH. */
	int32_t mount;
	int32_t upper;
	/* The directory behind /dev/shm, or -1. */
	int32_t shm;
	uint64_t raw, raw_cap, raw_used;
	/* Contents are appended here. `area_need` counts what would have been used without the bound. */
	uint64_t area, area_cap, area_used, area_need;
	/* Files open for writing or mapped shared and writable, filled in by dbx_files_hold while the window runs. */
	uint64_t held, held_cap, held_count;
	/* struct dbx_files_known: files open for writing that an earlier window has recorded. */
	uint64_t known, known_count;
	/* struct dbx_files_scratch, zeroed once. */
	uint64_t scratch, scratch_cap;
	/* Inode numbers of directories whose events are ours: work directory, staging. */
	uint64_t ignored[6];
	/* Device numbers under which fstat(2) shows inodes of the private file system: through the overlay, and through /dev/shm. */
	uint64_t upper_dev, shm_dev;
	/* Left by the window: the queue overflowed, or `raw` was too small and events are still queued. */
	uint32_t overflowed, more;
	uint64_t events;
	/* Birth time of the upper layer in seconds: what is older is a file of the base nobody has written. */
	int64_t since;
};
_Static_assert(sizeof(struct dbx_files_plan) == 224, "laid out by Java");

/* One holder of a file: a descriptor (fd >= 0), or a mapping (fd = -1). */
struct dbx_files_held {
	int32_t pid, fd;
	uint64_t start, end;
};
_Static_assert(sizeof(struct dbx_files_held) == 24, "shared with Java");

/* Identity as fstat(2) tells it to the sandbox, and the change time at which the contents were recorded. */
struct dbx_files_known {
	uint64_t dev, ino;
	int64_t ctime_s;
	uint64_t ctime_ns;
};
_Static_assert(sizeof(struct dbx_files_known) == 32, "shared with Java");

/* Record kinds. */
#define DBX_FILES_ENTRY (DBX_KIND_FILES + 1u)
#define DBX_FILES_INODE (DBX_KIND_FILES + 2u)
#define DBX_FILES_HELD (DBX_KIND_FILES + 3u)
/* All names of a directory follow as entries; what is not among them is gone. */
#define DBX_FILES_WHOLE (DBX_KIND_FILES + 4u)

/* What a name of a directory of the upper layer stands for now; `ino` 0: nothing. The name follows. */
struct dbx_files_entry {
	uint64_t dir, ino;
	uint32_t mode, rdev_major, rdev_minor, name_len;
};
_Static_assert(sizeof(struct dbx_files_entry) == 32, "shared with Java");

#define DBX_FILES_UNREAD UINT64_MAX

/* One inode. Followed by: extents (pairs of from, to; 8 bytes each), xattrs (name length 2, value length 4, name, value), link target. */
struct dbx_files_inode {
	uint64_t dev, ino;
	int64_t mtime_s, ctime_s, btime_s;
	uint32_t mtime_ns, ctime_ns, btime_ns, mode;
	uint32_t nlink, uid, gid, attributes;
	uint32_t rdev_major, rdev_minor;
	uint64_t size;
	/* Offset of the data of all extents, one after the other, in the capture area, or DBX_FILES_UNREAD. */
	uint64_t content;
	uint32_t extents, xattr_len, link_len, flags;
};
_Static_assert(sizeof(struct dbx_files_inode) == 112, "shared with Java");

#define DBX_FILES_SLOTS 65536u
#define DBX_FILES_EXTENTS 8192u
#define DBX_FILES_XATTRS 262144u
struct dbx_files_slot {
	uint32_t generation, at;
};
struct dbx_files_seen {
	uint64_t ino;
	uint32_t generation;
	/* 0 for an inode of the private file system. */
	uint32_t dev;
};
struct dbx_files_scratch {
	uint32_t generation, name_count, inode_count, pad;
	struct dbx_files_slot names[DBX_FILES_SLOTS];
	struct dbx_files_seen inodes[DBX_FILES_SLOTS];
	uint64_t extents[2 * DBX_FILES_EXTENTS];
	uint8_t xattrs[DBX_FILES_XATTRS];
	char list[65536];
	char link[4096];
	char path[512];
};

/* Where an inode can be looked at: an O_PATH or readable descriptor itself (name NULL), or a name in a directory. */
struct dbx_files_place {
	int dir;
	const char *name;
	/* `dir` is the inode itself, open for reading: its attributes can be had without a path. */
	int readable;
};
struct statx;

/*
 * Called inside the checkpoint window, while everything is stopped. Allocates nothing. Returns 0, or -ENOBUFS when `raw` or the capture area is too
 * small; a full arena shows in `arena->need`. In each case `raw` still holds the events, and another call starts over from them.
 */
int32_t dbx_files_window(struct dbx_files_plan *plan, struct dbx_arena *arena) DBX_MUST_CHECK;

/* Notes a holder of a file for the next window; pass fd -1 for a mapping. */
void dbx_files_hold(struct dbx_files_plan *plan, int32_t pid, int32_t fd, uint64_t start, uint64_t end);

/* files_record.c */
int dbx_files_stat(struct dbx_files_place place, struct statx *to) DBX_MUST_CHECK;
void dbx_files_fill(struct dbx_files_inode *inode, const struct statx *status);
int dbx_files_emit(struct dbx_files_plan *plan, struct dbx_arena *arena, uint32_t kind, struct dbx_files_place place, const struct statx *status) DBX_MUST_CHECK;
uint32_t dbx_files_extents(uint64_t *extents, uint32_t cap, int fd, uint64_t size);
int dbx_files_xattrs(struct dbx_files_scratch *scratch, struct dbx_files_place place, uint32_t *bytes) DBX_MUST_CHECK;

/* files_scan.c */
int dbx_files_rescan(struct dbx_files_plan *plan, struct dbx_arena *arena) DBX_MUST_CHECK;
void dbx_files_entry_record(struct dbx_arena *arena, uint64_t dir, const struct statx *status, const char *name);

#endif
