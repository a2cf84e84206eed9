/* The mounts a sandbox's files live on, all detached: no path of the host leads to them, and they end with their last descriptor. */
#include "files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

/* include/uapi/linux/mount.h, Linux 5.2 */
#define CONFIG_SET_FLAG 0u
#define CONFIG_SET_STRING 1u
#define CONFIG_SET_FD 5u
#define CONFIG_CREATE 6u
#define OPEN_CLOEXEC 1u

DBX_API int32_t dbx_file_mount_memory(uint64_t bytes);
DBX_API int32_t dbx_file_mount_overlay(uint64_t lowers, uint32_t count, int32_t upper, int32_t work);

static int option(int fs, const char *key, const char *value)
{
	return syscall(SYS_fsconfig, fs, CONFIG_SET_STRING, key, value, 0) ? -errno : 0;
}

static int layer(int fs, const char *key, int fd)
{
	return syscall(SYS_fsconfig, fs, CONFIG_SET_FD, key, NULL, fd) ? -errno : 0;
}

static int create(int fs)
{
	if (syscall(SYS_fsconfig, fs, CONFIG_CREATE, NULL, NULL, 0))
		return -errno;
	long mount = syscall(SYS_fsmount, fs, OPEN_CLOEXEC, 0);
	return mount < 0 ? -errno : (int)mount;
}

/* A file system in memory; its root as a mount descriptor. */
int32_t dbx_file_mount_memory(uint64_t bytes)
{
	DBX_AUTO_FD fs = (int)syscall(SYS_fsopen, "tmpfs", OPEN_CLOEXEC);
	if (fs < 0)
		return -errno;
	char size[32];
	snprintf(size, sizeof size, "%llu", (unsigned long long)bytes);
	int result = option(fs, "size", size);
	return result < 0 ? result : create(fs);
}

static int set_upper(int fs, int32_t upper, int32_t work)
{
	static const char *const options[][2] = {{"redirect_dir", "on"}, {"index", "off"}, {"metacopy", "off"}, {"xino", "off"}};
	int result = layer(fs, "upperdir", upper);
	if (result >= 0)
		result = layer(fs, "workdir", work);
	if (result >= 0 && syscall(SYS_fsconfig, fs, CONFIG_SET_FLAG, "volatile", NULL, 0))
		result = -errno;
	for (size_t i = 0; i < sizeof options / sizeof *options && result >= 0; i++)
		result = option(fs, options[i][0], options[i][1]);
	return result;
}

/* An overlay of `count` lower directories (descriptors, topmost first), with `upper` -1 a read-only view of them, which needs at least two. */
int32_t dbx_file_mount_overlay(uint64_t lowers, uint32_t count, int32_t upper, int32_t work)
{
	const int32_t *fds = (const int32_t *)(uintptr_t)lowers;
	DBX_AUTO_FD fs = (int)syscall(SYS_fsopen, "overlay", OPEN_CLOEXEC);
	if (fs < 0)
		return -errno;
	int result = 0;
	for (uint32_t i = 0; i < count && result >= 0; i++)
		result = layer(fs, "lowerdir+", fds[i]);
	if (result >= 0)
		result = upper < 0 ? option(fs, "xino", "off") : set_upper(fs, upper, work);
	return result < 0 ? result : create(fs);
}
