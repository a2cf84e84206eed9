/*
 * What tells files of the base apart from others under the same names: asked of the sandbox's own root, in one call for many. Needs the right to open
 * /proc/PID/root. Nothing that the sandbox does to its names leads out of its root or through a link.
 */
#include "files.h"
#include "uapi.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* All zero: there is no regular file. */
struct dbx_file_identity {
	uint64_t dev, ino, size;
	int64_t modified_ns, changed_ns;
};
_Static_assert(sizeof(struct dbx_file_identity) == 40, "shared with Java");

DBX_API int32_t dbx_file_identities(int32_t pid, uint64_t paths, uint32_t count, uint64_t to);

static void identify(int root, const char *path, struct dbx_file_identity *out)
{
	struct open_how how = {.flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS};
	struct stat status;
	DBX_AUTO_FD file = (int)syscall(SYS_openat2, root, path, &how, sizeof how);
	if (file < 0 || fstat(file, &status) || !S_ISREG(status.st_mode))
		return;
	out->dev = status.st_dev;
	out->ino = status.st_ino;
	out->size = (uint64_t)status.st_size;
	out->modified_ns = (int64_t)status.st_mtim.tv_sec * 1000000000 + status.st_mtim.tv_nsec;
	out->changed_ns = (int64_t)status.st_ctim.tv_sec * 1000000000 + status.st_ctim.tv_nsec;
}

/* `paths`: `count` paths one after the other, each ended by a NUL; `to`: as many identities. `pid` is in the daemon's namespace. */
int32_t dbx_file_identities(int32_t pid, uint64_t paths, uint32_t count, uint64_t to)
{
	char name[64];
	const char *path = (const char *)(uintptr_t)paths;
	struct dbx_file_identity *out = (struct dbx_file_identity *)(uintptr_t)to;
	snprintf(name, sizeof name, "/proc/%d/root", pid);
	DBX_AUTO_FD root = open(name, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return -errno;
	memset(out, 0, count * sizeof *out);
	for (uint32_t i = 0; i < count; i++, path += strlen(path) + 1)
		identify(root, path, &out[i]);
	return 0;
}
