/*
 * Reading of a stopped sandbox by the independent checker: pages, file trees, threads and descriptors, straight from /proc and the kernel's query
 * calls. Shares no code with the capture engine on purpose: it must not inherit its mistakes.
 *
 * Needs: read access to /proc/PID/{mem,pagemap,map_files} (CAP_SYS_PTRACE and CAP_CHECKPOINT_RESTORE over the target; root has both). Nothing here
 * changes the target, except that pages of file mappings may be faulted in. All structures are little-endian and packed by construction.
 */
#ifndef DBX_CHECK_H
#define DBX_CHECK_H

#include "dbx.h"

/* A 128-bit value of bytes: not against an adversary, only to notice a difference. `h` is the seed on entry. */
struct dbx_check_hash {
	uint64_t h[2];
};
void dbx_check_hash_add(struct dbx_check_hash *hash, const void *bytes, size_t len);

/* How a region is read. */
enum {
	/* Private memory without a file: only pages the process has; a page not there and a page of zeros are the same. */
	DBX_CHECK_ANON = 0,
	/* Private file mapping, every page through the process. */
	DBX_CHECK_ALL = 1,
	/* Private file mapping that is large and not writable: every page if at least one is the process's own, else marked DBX_CHECK_UNTOUCHED. */
	DBX_CHECK_IF_OWN = 2,
	/* Shared object: through /proc/PID/map_files, because a read fault through the mapping would fill its holes. `offset` is the file offset. */
	DBX_CHECK_SHARED = 3,
};
#define DBX_CHECK_UNTOUCHED UINT64_MAX

struct dbx_check_region {
	uint64_t from;
	uint64_t to;
	uint64_t offset;
	uint64_t how;
};

/* Bytes that read as zeros: what the kernel itself rewrites, such as the CPU numbers of restartable sequences. */
struct dbx_check_mask {
	uint64_t from;
	uint64_t len;
};

struct dbx_check_pages {
	int64_t pid;
	uint64_t regions; /* address of dbx_check_region[region_count], ascending */
	uint64_t region_count;
	uint64_t masks; /* address of dbx_check_mask[mask_count] */
	uint64_t mask_count;
	uint64_t out; /* address of the result, in 64-bit words */
	uint64_t out_words;
};
_Static_assert(sizeof(struct dbx_check_pages) == 56, "shared with Java");
_Static_assert(sizeof(struct dbx_check_region) == 32, "shared with Java");

/*
 * Writes per region one word, the number n of pages that are not zero (or DBX_CHECK_UNTOUCHED), then n times {page index, hash low, hash high}.
 * Result: words written, or -ENOSPC when `out` is too small.
 */
DBX_API int64_t dbx_check_pages(uint64_t request);

/* One entry of a file tree; followed by the path below the walked directory, the link target, and padding to eight bytes. */
struct dbx_check_entry {
	uint32_t len; /* of the whole record */
	uint32_t mode;
	uint32_t uid;
	uint32_t gid;
	uint64_t dev;
	uint64_t ino;
	uint64_t rdev;
	uint64_t size;
	int64_t mtime_seconds;
	uint32_t mtime_nanos;
	uint32_t links;
	uint64_t content[2];
	uint64_t xattrs[2]; /* sum of the hashes of all, so that their order does not count */
	uint32_t path_len;
	uint32_t target_len;
	uint32_t error; /* what hindered reading the content or the attributes, 0 = nothing */
	uint32_t reserved;
};
_Static_assert(sizeof(struct dbx_check_entry) == 112, "shared with Java");

enum {
	DBX_CHECK_CONTENT = 1, /* hash the bytes of regular files */
	DBX_CHECK_SHALLOW = 2, /* the entries of the directory, not what is below them */
};

struct dbx_check_walk {
	uint64_t root; /* path of a directory, NUL-terminated; followed, because /proc/PID/root is a link */
	uint64_t below; /* relative path in it, no link followed */
	uint64_t how; /* DBX_CHECK_CONTENT, DBX_CHECK_SHALLOW */
	uint64_t out;
	uint64_t out_bytes;
};
_Static_assert(sizeof(struct dbx_check_walk) == 40, "shared with Java");

/* Walks one directory without leaving its device. Result: bytes written, -ENOSPC when `out` is too small, -ENOENT when the directory is not there. */
DBX_API int64_t dbx_check_walk(uint64_t request);

struct dbx_check_thread {
	uint64_t regs[27];
	uint64_t regs_bytes; /* 0: the caller is not the tracer, registers unknown */
	uint64_t xstate[2]; /* hash of the extended state, without the word that says which parts are in use */
	uint64_t sigmask;
	uint64_t rseq;
	uint64_t rseq_bytes;
	uint64_t robust_list;
	uint64_t pending; /* number of queued signals, of the thread and of the process */
	uint64_t pending_hash[2];
};
_Static_assert(sizeof(struct dbx_check_thread) == 8 * 37, "shared with Java");

/* State of one stopped thread. Registers only when the calling thread traces it. */
DBX_API int32_t dbx_check_thread(int32_t tid, uint64_t out);

struct dbx_check_descriptor {
	uint64_t mode;
	uint64_t queued; /* bytes that wait to be read; of a listening socket 0 */
	uint64_t content[2]; /* of what is queued, of a file without a name, or of a terminal's settings */
	uint64_t size;
	uint64_t detail; /* sockets: domain << 32 | type << 8 | listening */
};
_Static_assert(sizeof(struct dbx_check_descriptor) == 48, "shared with Java");

/* What lies behind a descriptor, without consuming it. `content`: also hash a regular file. The borrowed copy is closed before returning. */
DBX_API int32_t dbx_check_descriptor(int32_t pid, int32_t fd, uint32_t content, uint64_t out);

/* Orders open file descriptions: 0 the same, 1 less, 2 greater (kcmp(2)). */
DBX_API int32_t dbx_check_compare_files(int32_t pid, int32_t fd, int32_t other_pid, int32_t other_fd);

#endif
