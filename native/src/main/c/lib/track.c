/* Following one process's memory: the scratch area, the userfaultfd that protects its pages, and the scans that tell what was written. */
#include "engine.h"
#include "maps.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <unistd.h>

/* Where other threads of the process run, each part of its memory that is protected costs an interrupt of their processors. */
#define PAGES_AT_ONCE 48u

#define RUNS_CAP (UINT64_C(1) << 21)

static int open_proc(pid_t pid, const char *name, int flags)
{
	char path[128];
	snprintf(path, sizeof path, "/proc/%d/%s", pid, name);
	int file = open(path, flags | O_CLOEXEC);
	return file < 0 ? -errno : file;
}

/* Address space is reserved once and only touched as far as used: no allocation while the sandbox is stopped. */
int dbx_runs_append(struct dbx_runs *runs, uint64_t start, uint64_t end)
{
	if (!runs->at) {
		void *at = mmap(NULL, RUNS_CAP * sizeof(struct dbx_run), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
		if (at == MAP_FAILED)
			return -ENOMEM;
		runs->at = at;
		runs->cap = RUNS_CAP;
	}
	if (runs->count == runs->cap)
		return -E2BIG;
	runs->at[runs->count++] = (struct dbx_run){start, end};
	return 0;
}

int dbx_runs_add(struct dbx_runs *runs, uint64_t start, uint64_t end)
{
	if (!runs->count || runs->at[runs->count - 1].end != start)
		return dbx_runs_append(runs, start, end);
	runs->at[runs->count - 1].end = end;
	return 0;
}

void dbx_runs_free(struct dbx_runs *runs)
{
	if (runs->at)
		munmap(runs->at, runs->cap * sizeof(struct dbx_run));
	*runs = (struct dbx_runs){0};
}

void dbx_unenroll(struct dbx_proc *proc)
{
	int *files[] = {&proc->uffd, &proc->pagemap, &proc->mem, &proc->maps, &proc->timers};
	for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
		if (*files[i] >= 0)
			close(*files[i]);
		*files[i] = -1;
	}
	if (proc->scratch_local)
		munmap(proc->scratch_local, DBX_SCRATCH_BYTES);
	proc->scratch_local = NULL;
	proc->scratch = 0;
	proc->dirty.count = proc->fresh.count = proc->droppable.count = proc->emitted = proc->emitted_fresh = 0;
	proc->enrolled = false;
}

/* False once the process has called execve: its files and tracking belong to the memory map that is gone. */
bool dbx_tracking_alive(const struct dbx_proc *proc)
{
	struct dbx_pm_scan_arg arg = {.size = sizeof arg, .start = proc->scratch, .end = proc->scratch + DBX_PAGE, .category_mask = DBX_PAGE_IS_WRITTEN, .return_mask = DBX_PAGE_IS_WRITTEN};
	return ioctl(proc->pagemap, DBX_PAGEMAP_SCAN, &arg) >= 0;
}

static uint64_t vdso_address(struct dbx_engine *engine)
{
	for (uint32_t i = 0, name = 0; i < engine->region_count; i++) {
		if (!strcmp(engine->names + name, "[vdso]"))
			return engine->regions[i].start;
		name += engine->regions[i].name_len + 1;
	}
	return 0;
}

static int bare(struct dbx_engine *engine, struct dbx_proc *proc, uint64_t vdso, struct dbx_call *call)
{
	proc->injected_stops++;
	proc->injected_calls++;
	int result = dbx_inject_bare(engine, &proc->threads[0], vdso + engine->syscall_offset, call);
	if (result < 0)
		return result;
	return call->result < 0 && call->result > -4096 ? (int)call->result : 0;
}

/* The daemon's side of the scratch area. */
static int share_scratch(struct dbx_proc *proc, int theirs)
{
	DBX_AUTO_FD file = (int)syscall(SYS_pidfd_getfd, proc->pidfd, theirs, 0);
	if (file < 0 || ftruncate(file, (off_t)DBX_SCRATCH_BYTES))
		return -errno;
	void *local = mmap(NULL, DBX_SCRATCH_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, file, 0);
	if (local == MAP_FAILED)
		return -errno;
	proc->scratch_local = local;
	memcpy(local, dbx_parasite_start, (size_t)(dbx_parasite_end - dbx_parasite_start));
	return 0;
}

/*
 * The scratch area is a memfd of the target with a name of its own: a private mapping would merge with anonymous neighbours, and this one is told from
 * the program's own shared memory. The name has to lie in the target's memory, in a page that is mapped for it.
 */
static int make_scratch(struct dbx_engine *engine, struct dbx_proc *proc)
{
	static const char name[] = DBX_SCRATCH_NAME;
	uint64_t vdso = vdso_address(engine);
	if (!vdso || !engine->syscall_offset)
		return -ENOEXEC;
	struct dbx_call page = {.number = SYS_mmap, .args = {DBX_SCRATCH_HINT, DBX_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, (uint64_t)-1, 0}};
	int result = bare(engine, proc, vdso, &page);
	if (result < 0)
		return result;
	if (pwrite(proc->mem, name, sizeof name, (off_t)page.result) != (ssize_t)sizeof name)
		return -errno;
	struct dbx_call file = {.number = SYS_memfd_create, .args = {(uint64_t)page.result, 1 /* MFD_CLOEXEC */}};
	result = bare(engine, proc, vdso, &file);
	struct dbx_call gone = {.number = SYS_munmap, .args = {(uint64_t)page.result, DBX_PAGE}};
	int cleared = bare(engine, proc, vdso, &gone);
	if (result < 0 || cleared < 0)
		return result < 0 ? result : cleared;
	result = share_scratch(proc, (int)file.result);
	struct dbx_call map = {.number = SYS_mmap, .args = {DBX_SCRATCH_HINT, DBX_SCRATCH_BYTES, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_SHARED, (uint64_t)file.result, 0}};
	if (result >= 0)
		result = bare(engine, proc, vdso, &map);
	struct dbx_call close_file = {.number = SYS_close, .args = {(uint64_t)file.result}};
	int closed = bare(engine, proc, vdso, &close_file);
	if (result >= 0)
		proc->scratch = (uint64_t)map.result;
	return result < 0 ? result : closed;
}

static int make_tracking(struct dbx_engine *engine, struct dbx_proc *proc)
{
	struct dbx_call *calls = dbx_calls(proc);
	memset(calls, 0, 3 * sizeof *calls);
	calls[0] = (struct dbx_call){.number = SYS_mprotect, .args = {proc->scratch, DBX_PAGE, PROT_READ | PROT_EXEC}};
	calls[1] = (struct dbx_call){.number = SYS_madvise, .args = {proc->scratch, DBX_SCRATCH_BYTES, MADV_DONTFORK}};
	calls[2] = (struct dbx_call){.number = SYS_userfaultfd, .args = {O_CLOEXEC | UFFD_USER_MODE_ONLY}};
	int result = dbx_inject(engine, proc, &proc->threads[0], 0, 3);
	if (result < 0)
		return result;
	if (calls[2].result < 0)
		return (int)calls[2].result;
	uint64_t theirs = (uint64_t)calls[2].result;
	proc->uffd = (int)syscall(SYS_pidfd_getfd, proc->pidfd, (int)theirs, 0);
	int stolen = proc->uffd < 0 ? -errno : 0;
	calls[0] = (struct dbx_call){.number = SYS_close, .args = {theirs}};
	result = dbx_inject(engine, proc, &proc->threads[0], 0, 1);
	if (stolen < 0 || result < 0)
		return stolen < 0 ? stolen : result;
	struct uffdio_api api = {.api = UFFD_API, .features = UFFD_FEATURE_WP_ASYNC | UFFD_FEATURE_WP_UNPOPULATED | UFFD_FEATURE_PAGEFAULT_FLAG_WP | UFFD_FEATURE_WP_HUGETLBFS_SHMEM};
	return ioctl(proc->uffd, UFFDIO_API, &api) ? -errno : 0;
}

/* Begins to follow a stopped process. Nothing is protected yet: every region counts as fresh until it is armed. */
int dbx_enroll(struct dbx_engine *engine, struct dbx_proc *proc)
{
	if (!proc->thread_count)
		return -ESRCH;
	dbx_unenroll(proc);
	engine->culprit = proc->pid;
	proc->pagemap = open_proc(proc->pid, "pagemap", O_RDONLY);
	proc->mem = open_proc(proc->pid, "mem", O_RDWR);
	proc->maps = open_proc(proc->pid, "maps", O_RDONLY);
	proc->timers = open_proc(proc->pid, "timers", O_RDONLY);
	int result = proc->pagemap < 0 ? proc->pagemap : proc->mem < 0 ? proc->mem : proc->maps < 0 ? proc->maps : 0;
	if (result >= 0)
		result = dbx_read_regions(engine, proc);
	if (result >= 0)
		result = make_scratch(engine, proc);
	if (result >= 0)
		result = make_tracking(engine, proc);
	if (result < 0)
		dbx_unenroll(proc);
	else
		proc->enrolled = true;
	if (result >= 0)
		dbx_read_image(proc);
	return result;
}

static uint32_t classify(uint32_t flags, const char *name)
{
	if (!strncmp(name, "[v", 2) || !strncmp(name, "/memfd:" DBX_SCRATCH_NAME, sizeof "/memfd:" DBX_SCRATCH_NAME - 1))
		return DBX_REGION_SPECIAL;
	if (!strncmp(name, "/memfd:", 7) || !strncmp(name, "/SYSV", 5) || ((flags & DBX_REGION_SHARED) && !strncmp(name, "/dev/zero", 9)))
		return DBX_REGION_OBJECT;
	return 0;
}

static bool ends_with(const char *text, uint32_t len, const char *end)
{
	size_t bytes = strlen(end);
	return len >= bytes && !strcmp(text + len - bytes, end);
}

/*
 * A mapped file whose name is gone: known by what fstat(2) tells of it, as its descriptors are. If it has no other name either, only its holders lead to
 * its content, as with shared memory.
 */
static void look_at_removed(const struct dbx_proc *proc, struct dbx_region *region, const char *name)
{
	if (!region->inode || (region->flags & (DBX_REGION_SPECIAL | DBX_REGION_OBJECT | DBX_REGION_HUGETLB)) || !ends_with(name, region->name_len, " (deleted)"))
		return;
	char path[96];
	snprintf(path, sizeof path, "/proc/%d/map_files/%llx-%llx", proc->pid, (unsigned long long)region->start, (unsigned long long)region->end);
	struct stat status;
	if (stat(path, &status) || !S_ISREG(status.st_mode))
		return;
	region->inode = status.st_ino;
	region->dev_major = major(status.st_dev);
	region->dev_minor = minor(status.st_dev);
	if (!status.st_nlink)
		region->flags |= DBX_REGION_OBJECT;
}

/* Room for one more region with the longest name, which then lies at the end of the names. */
static bool has_room(const struct dbx_engine *engine)
{
	return engine->region_count < DBX_REGIONS_MAX && engine->names_used + 4096 <= DBX_NAMES_MAX;
}

static int read_queries(struct dbx_engine *engine, struct dbx_proc *proc)
{
	for (uint64_t at = 0;;) {
		if (!has_room(engine))
			return -E2BIG;
		char *name = engine->names + engine->names_used;
		struct dbx_procmap_query query = {.size = sizeof query, .query_flags = DBX_PROCMAP_COVERING_OR_NEXT, .query_addr = at, .vma_name_size = 4096, .vma_name_addr = (uint64_t)(uintptr_t)name};
		if (ioctl(proc->maps, DBX_PROCMAP_QUERY, &query)) {
			if (errno == ENOENT)
				return 0;
			return -errno;
		}
		uint32_t len = query.vma_name_size ? query.vma_name_size - 1 : 0;
		name[len] = 0;
		uint32_t flags = (uint32_t)query.vma_flags & 15u;
		flags |= classify(flags, name) | (query.vma_page_size != DBX_PAGE ? DBX_REGION_HUGETLB : 0);
		engine->regions[engine->region_count++] = (struct dbx_region){query.vma_start, query.vma_end, query.vma_offset, query.inode, query.dev_major, query.dev_minor, flags, len};
		look_at_removed(proc, &engine->regions[engine->region_count - 1], name);
		engine->names_used += len + 1;
		at = query.vma_end;
	}
}

static int read_text(struct dbx_engine *engine, struct dbx_proc *proc)
{
	struct dbx_maps_text text = {.file = proc->maps};
	struct dbx_region region;
	const char *name;
	int result;
	while ((result = dbx_maps_next(&text, &region, &name)) > 0) {
		if (!strcmp(name, "[vsyscall]"))
			continue; /* Not of the process: PROCMAP_QUERY does not show it either. */
		if (!has_room(engine) || region.name_len > 4095)
			return -E2BIG;
		region.flags |= classify(region.flags, name) | (dbx_maps_huge(proc->pid, &region, name) ? DBX_REGION_HUGETLB : 0);
		memcpy(engine->names + engine->names_used, name, region.name_len + 1);
		engine->names_used += region.name_len + 1;
		look_at_removed(proc, &region, name);
		engine->regions[engine->region_count++] = region;
	}
	return result;
}

/* Fills the engine's region list for one process, in address order. */
int dbx_read_regions(struct dbx_engine *engine, struct dbx_proc *proc)
{
	engine->region_count = 0;
	engine->names_used = 0;
	return engine->without & DBX_WITHOUT_PROCMAP_QUERY ? read_text(engine, proc) : read_queries(engine, proc);
}

static bool tracked(const struct dbx_region *region)
{
	return !(region->flags & (DBX_REGION_SPECIAL | DBX_REGION_SHARED | DBX_REGION_HUGETLB));
}

/*
 * A hole that is protected against writing looks swapped to PAGEMAP_SCAN. /proc/PID/pagemap tells the type of a swap entry: real devices come first, the
 * kernel's own marks are at the other end (include/linux/swap.h).
 */
static bool really_swapped(uint64_t entry)
{
	const uint64_t present = UINT64_C(1) << 63, swapped = UINT64_C(1) << 62;
	return !(entry & present) && (entry & swapped) && (entry & 31) < 8;
}

static int add_swapped(struct dbx_proc *proc, uint64_t start, uint64_t end, struct dbx_runs *runs)
{
	uint64_t entries[512];
	while (start < end) {
		uint64_t pages = (end - start) / DBX_PAGE < 512 ? (end - start) / DBX_PAGE : 512;
		ssize_t got = pread(proc->pagemap, entries, pages * 8, (off_t)(start / DBX_PAGE * 8));
		if (got < 0)
			return -errno;
		for (uint64_t i = 0; i < (uint64_t)got / 8; i++) {
			int result = really_swapped(entries[i]) ? dbx_runs_add(runs, start + i * DBX_PAGE, start + (i + 1) * DBX_PAGE) : 0;
			if (result < 0)
				return result;
		}
		start += pages * DBX_PAGE;
	}
	return 0;
}

/* A scan that fails has stored runs all the same and does not say how many; the vector is kept zeroed between scans, so they can be counted. */
static uint64_t stored(const struct dbx_engine *engine)
{
	uint64_t count = 0;
	while (count < DBX_VEC_MAX && engine->vec[count].end)
		count++;
	return count;
}

/* Pages of a range that are in memory and are neither of a file nor the zero page; with swap space also those that are there. */
int dbx_present(struct dbx_engine *engine, struct dbx_proc *proc, uint64_t start, uint64_t end, struct dbx_runs *runs)
{
	int result = engine->swap ? add_swapped(proc, start, end, runs) : 0;
	while (start < end && result >= 0) {
		struct dbx_pm_scan_arg arg = {.size = sizeof arg, .start = start, .end = end, .vec = (uint64_t)(uintptr_t)engine->vec, .vec_len = DBX_VEC_MAX, .category_inverted = DBX_PAGE_IS_FILE | DBX_PAGE_IS_PFNZERO,
					      .category_mask = DBX_PAGE_IS_FILE | DBX_PAGE_IS_PFNZERO | DBX_PAGE_IS_PRESENT, .return_mask = DBX_PAGE_IS_PRESENT};
		long count = ioctl(proc->pagemap, DBX_PAGEMAP_SCAN, &arg);
		if (count < 0)
			result = -errno;
		uint64_t got = count < 0 ? stored(engine) : (uint64_t)count;
		for (uint64_t i = 0; i < got && result >= 0; i++)
			result = dbx_runs_add(runs, engine->vec[i].start, engine->vec[i].end);
		memset(engine->vec, 0, got * sizeof *engine->vec);
		start = arg.walk_end;
	}
	return result;
}

/* Registers a region and protects all of it, holes included, so that the next scan reports every change. */
int dbx_arm(struct dbx_engine *engine, struct dbx_proc *proc, uint64_t start, uint64_t end)
{
	(void)engine;
	struct uffdio_register reg = {.range = {start, end - start}, .mode = UFFDIO_REGISTER_MODE_WP};
	if (ioctl(proc->uffd, UFFDIO_REGISTER, &reg))
		return -errno;
	struct dbx_pm_scan_arg arg = {.size = sizeof arg, .flags = DBX_PM_SCAN_WP_MATCHING | DBX_PM_SCAN_CHECK_WPASYNC, .start = start, .end = end, .category_mask = DBX_PAGE_IS_WRITTEN, .return_mask = DBX_PAGE_IS_WRITTEN};
	return ioctl(proc->pagemap, DBX_PAGEMAP_SCAN, &arg) < 0 ? -errno : 0;
}

/*
 * Written pages of one range into `dirty`. With -EPERM some region in it is not registered: the kernel has then stored, and in clearing mode
 * already protected, what lies before it (fs/proc/task_mmu.c, do_pagemap_scan).
 */
static int scan_range(struct dbx_engine *engine, struct dbx_proc *proc, enum dbx_scan_mode mode, struct dbx_run range, struct dbx_runs *dirty)
{
	uint64_t flags = DBX_PM_SCAN_CHECK_WPASYNC | (mode == DBX_SCAN_CLEAR ? DBX_PM_SCAN_WP_MATCHING : 0);
	while (range.start < range.end) {
		struct dbx_pm_scan_arg arg = {.size = sizeof arg, .flags = flags, .start = range.start, .end = range.end, .vec = (uint64_t)(uintptr_t)engine->vec, .vec_len = DBX_VEC_MAX, .max_pages = dbx_paced(engine) ? PAGES_AT_ONCE : 0,
					      .category_mask = DBX_PAGE_IS_WRITTEN, .return_mask = DBX_PAGE_IS_WRITTEN};
		long count = ioctl(proc->pagemap, DBX_PAGEMAP_SCAN, &arg);
		int error = count < 0 ? errno : 0;
		uint64_t got = count < 0 ? stored(engine) : (uint64_t)count;
		int result = 0;
		for (uint64_t i = 0; i < got && result >= 0; i++)
			if (!error || mode == DBX_SCAN_CLEAR)
				result = dbx_runs_add(dirty, engine->vec[i].start, engine->vec[i].end);
		memset(engine->vec, 0, got * sizeof *engine->vec);
		if (error || result < 0)
			return error ? -error : result;
		range.start = arg.walk_end;
		dbx_breathe(engine);
	}
	return 0;
}

bool dbx_no_access(const struct dbx_region *region)
{
	return !(region->flags & (DBX_REGION_READ | DBX_REGION_WRITE | DBX_REGION_EXEC));
}

/*
 * Scans every private region: `dirty` gets the pages written since the last clearing scan, `fresh` the regions that are not registered. Adjacent
 * regions and the gaps between them are one ioctl. Regions without any access are often reservations that are not registered, so each is
 * asked for itself.
 */
int dbx_scan(struct dbx_engine *engine, struct dbx_proc *proc, enum dbx_scan_mode mode, struct dbx_runs *dirty, struct dbx_runs *fresh)
{
	int result = 0;
	for (uint32_t i = 0, last; i < engine->region_count && result >= 0; i = last + 1) {
		const struct dbx_region *region = engine->regions;
		last = i;
		if (!tracked(&region[i]))
			continue;
		while (!dbx_no_access(&region[last]) && last + 1 < engine->region_count && tracked(&region[last + 1]) && !dbx_no_access(&region[last + 1]))
			last++;
		result = scan_range(engine, proc, mode, (struct dbx_run){region[i].start, region[last].end}, dirty);
		if (result != -EPERM)
			continue;
		result = 0;
		for (uint32_t k = i; k <= last && result >= 0; k++) {
			result = scan_range(engine, proc, mode, (struct dbx_run){region[k].start, region[k].end}, dirty);
			if (result == -EPERM)
				result = dbx_runs_append(fresh, region[k].start, region[k].end);
		}
	}
	return result;
}

static int64_t read_slow(const struct dbx_proc *proc, struct dbx_run run, uint8_t *to)
{
	for (uint64_t at = run.start; at < run.end; at += DBX_PAGE, to += DBX_PAGE)
		if (DBX_RETRY(pread(proc->mem, to, DBX_PAGE, (off_t)at)) != (ssize_t)DBX_PAGE)
			memset(to, 0, DBX_PAGE);
	return 0;
}

/*
 * Copies the pages of the runs, one after the other, to `to`. What the plain way cannot read (no read permission) goes through /proc/PID/mem;
 * a page past the end of its file reads as zeros, which is what the region shows again after its file is mapped again.
 */
int64_t dbx_read_pages(const struct dbx_proc *proc, const struct dbx_run *runs, uint64_t count, uint8_t *to)
{
	struct iovec remote[512];
	uint64_t i = 0, total = 0;
	while (i < count) {
		int n = 0;
		uint64_t bytes = 0;
		for (; n < 512 && i + (uint64_t)n < count && bytes < (UINT64_C(1) << 30); n++) {
			remote[n] = (struct iovec){(void *)(uintptr_t)runs[i + (uint64_t)n].start, runs[i + (uint64_t)n].end - runs[i + (uint64_t)n].start};
			bytes += remote[n].iov_len;
		}
		struct iovec local = {to, bytes};
		ssize_t got = process_vm_readv(proc->pid, &local, 1, remote, (unsigned long)n, 0);
		if (got != (ssize_t)bytes) {
			uint8_t *at = to;
			for (int k = 0; k < n; k++) {
				(void)read_slow(proc, runs[i + (uint64_t)k], at);
				at += remote[k].iov_len;
			}
		}
		to += bytes;
		total += bytes;
		i += (uint64_t)n;
	}
	return (int64_t)total;
}
