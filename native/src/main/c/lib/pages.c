/* Putting pages into stopped processes: over what is there, or into regions that have just been mapped. */
#include "engine.h"
#include "uapi.h"

#include <errno.h>
#include <linux/userfaultfd.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <unistd.h>

DBX_API int64_t dbx_engine_write_pages(int64_t handle, int32_t pid, uint64_t pairs, uint64_t count);
DBX_API int32_t dbx_engine_track(int64_t handle, int32_t pid, uint64_t start, uint64_t end);
DBX_API int64_t dbx_engine_fill_pages(int64_t handle, int32_t pid, uint64_t pairs, uint64_t count);

static struct dbx_proc *proc_of(int64_t handle, int32_t pid)
{
	return dbx_proc_find((const struct dbx_engine *)(uintptr_t)handle, pid);
}

struct pair {
	uint64_t to, from;
};

static int write_slow(const struct dbx_proc *proc, const struct iovec *local, const struct iovec *remote)
{
	/* Also writes what the program itself may not (read-only text, no access): fs/proc/base.c, FOLL_FORCE. */
	ssize_t put = DBX_RETRY(pwrite(proc->mem, local->iov_base, local->iov_len, (off_t)(uintptr_t)remote->iov_base));
	return put == (ssize_t)local->iov_len ? 0 : put < 0 ? -errno : -EIO;
}

static int write_batch(const struct dbx_proc *proc, const struct iovec *local, const struct iovec *remote, int count)
{
	int done = 0;
	while (done < count) {
		ssize_t put = process_vm_writev(proc->pid, local + done, (unsigned long)(count - done), remote + done, (unsigned long)(count - done), 0);
		if (put < 0)
			put = 0;
		while (done < count && put >= (ssize_t)local[done].iov_len)
			put -= (ssize_t)local[done++].iov_len;
		if (done == count)
			break;
		int result = write_slow(proc, &local[done], &remote[done]);
		if (result < 0)
			return result;
		done++;
	}
	return 0;
}

/* The run of neighbours that begins with the first pair: its length in pairs. */
static uint64_t run_length(const struct pair *pairs, uint64_t count)
{
	uint64_t n = 1;
	while (n < count && pairs[n].to == pairs[0].to + n * DBX_PAGE && pairs[n].from == pairs[0].from + n * DBX_PAGE)
		n++;
	return n;
}

/* Writes pages: `count` pairs of (address in the target, address here), in address order; neighbours become one transfer. */
int64_t dbx_engine_write_pages(int64_t handle, int32_t pid, uint64_t pairs_address, uint64_t count)
{
	const struct pair *pairs = (const struct pair *)(uintptr_t)pairs_address;
	struct dbx_proc *proc = proc_of(handle, pid);
	struct iovec local[512], remote[512];
	if (!proc || !proc->enrolled)
		return -ESRCH;
	uint64_t i = 0;
	while (i < count) {
		int n = 0;
		while (n < 512 && i < count) {
			uint64_t length = run_length(&pairs[i], count - i);
			remote[n] = (struct iovec){(void *)(uintptr_t)pairs[i].to, length * DBX_PAGE};
			local[n++] = (struct iovec){(void *)(uintptr_t)pairs[i].from, length * DBX_PAGE};
			i += length;
		}
		int result = write_batch(proc, local, remote, n);
		if (result < 0)
			return result;
	}
	return (int64_t)count;
}

/* Begins to track a region that was just mapped, so that it can be filled; the rearming at the end protects the rest of it. */
int32_t dbx_engine_track(int64_t handle, int32_t pid, uint64_t start, uint64_t end)
{
	struct dbx_proc *proc = proc_of(handle, pid);
	if (!proc || !proc->enrolled)
		return -ESRCH;
	struct uffdio_register reg = {.range = {start, end - start}, .mode = UFFDIO_REGISTER_MODE_WP};
	return ioctl(proc->uffd, UFFDIO_REGISTER, &reg) ? -errno : 0;
}

/* Returns how many bytes of a run were placed; fewer than all when a page cannot be. */
static uint64_t place(const struct dbx_proc *proc, uint64_t to, uint64_t from, uint64_t bytes)
{
	uint64_t done = 0;
	while (done < bytes) {
		struct uffdio_copy copy = {.dst = to + done, .src = from + done, .len = bytes - done, .mode = UFFDIO_COPY_MODE_WP | UFFDIO_COPY_MODE_DONTWAKE};
		int result = ioctl(proc->uffd, UFFDIO_COPY, &copy);
		if (copy.copy > 0)
			done += (uint64_t)copy.copy;
		if (result && (errno != EAGAIN || copy.copy <= 0))
			break;
	}
	return done;
}

/*
 * The same as writing, for pages of tracked regions that have nothing there yet: no fault, no clearing before the copy, and protected at once. What
 * cannot be placed is written. Does not trace, so several threads may fill one process at the same time while it is stopped.
 */
int64_t dbx_engine_fill_pages(int64_t handle, int32_t pid, uint64_t pairs_address, uint64_t count)
{
	const struct pair *pairs = (const struct pair *)(uintptr_t)pairs_address;
	struct dbx_proc *proc = proc_of(handle, pid);
	if (!proc || !proc->enrolled)
		return -ESRCH;
	for (uint64_t i = 0; i < count;) {
		uint64_t length = run_length(&pairs[i], count - i), bytes = length * DBX_PAGE;
		uint64_t done = place(proc, pairs[i].to, pairs[i].from, bytes);
		const struct iovec remote = {(void *)(uintptr_t)(pairs[i].to + done), bytes - done};
		const struct iovec local = {(void *)(uintptr_t)(pairs[i].from + done), bytes - done};
		int result = done < bytes ? write_batch(proc, &local, &remote, 1) : 0;
		if (result < 0)
			return result;
		i += length;
	}
	return (int64_t)count;
}
