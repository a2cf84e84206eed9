/* Detached mounts for a sandbox: made in the daemon's mount namespace, never attached there, given to pid 1 by descriptor. Needs CAP_SYS_ADMIN. */
#include "lib/dbx.h"
#include "lib/mountapi.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

DBX_API int32_t dbx_sandbox_tmpfs(uint64_t bytes, uint64_t inodes, uint32_t mode, uint32_t attributes);
DBX_API int32_t dbx_sandbox_devpts(void);
DBX_API int32_t dbx_sandbox_overlay(uint64_t lowers, uint32_t count, int32_t upper, int32_t work, uint32_t attributes);
DBX_API int32_t dbx_sandbox_clone(int32_t directory, const char *path, uint32_t recursive, uint32_t attributes);
DBX_API int32_t dbx_sandbox_attributes(int32_t mount, uint32_t attributes);
DBX_API int32_t dbx_sandbox_open(int32_t directory, const char *path, uint32_t flags);
DBX_API int32_t dbx_sandbox_device(int32_t directory, const char *name, uint32_t mode, uint32_t major, uint32_t minor);
DBX_API int32_t dbx_sandbox_directory(int32_t directory, const char *path, uint32_t mode, uint32_t uid, uint32_t gid);
DBX_API int32_t dbx_sandbox_opaque(const char *path);

static int finish(int context, unsigned attributes)
{
	if (sys_fsconfig(context, DBX_FSCONFIG_CMD_CREATE, NULL, NULL, 0))
		return -errno;
	int mount = sys_fsmount(context, DBX_FSMOUNT_CLOEXEC, attributes);
	return mount < 0 ? -errno : mount;
}

static int set(int context, const char *key, const char *value)
{
	return sys_fsconfig(context, DBX_FSCONFIG_SET_STRING, key, value, 0) ? -errno : 0;
}

static int set_number(int context, const char *key, uint64_t value)
{
	char text[24];
	(void)snprintf(text, sizeof text, "%llu", (unsigned long long)value);
	return set(context, key, text);
}

/* A private tmpfs; the mount's descriptor. */
int32_t dbx_sandbox_tmpfs(uint64_t bytes, uint64_t inodes, uint32_t mode, uint32_t attributes)
{
	char text[8];
	int error;
	DBX_AUTO_FD context = sys_fsopen("tmpfs", DBX_FSOPEN_CLOEXEC);
	if (context < 0)
		return -errno;
	(void)snprintf(text, sizeof text, "%o", mode & 07777);
	if ((error = set_number(context, "size", bytes)) || (error = set_number(context, "nr_inodes", inodes)) ||
	    (error = set(context, "mode", text)))
		return error;
	return finish(context, attributes);
}

/* A devpts of its own: the daemon opens terminals in it, the sandbox sees their names. */
int32_t dbx_sandbox_devpts(void)
{
	int error;
	DBX_AUTO_FD context = sys_fsopen("devpts", DBX_FSOPEN_CLOEXEC);
	if (context < 0)
		return -errno;
	if ((error = set(context, "ptmxmode", "666")) || (error = set(context, "mode", "620")) || (error = set(context, "gid", "5")))
		return error;
	return finish(context, DBX_MOUNT_NOSUID | DBX_MOUNT_NOEXEC);
}

/*
 * An overlay of `count` lower directories (descriptors, topmost first). volatile: ending it must not sync the file system below.
 * redirect_dir: directories of the base can be renamed. index and metacopy off: every change is under the name it was made under, whole.
 */
int32_t dbx_sandbox_overlay(uint64_t lowers, uint32_t count, int32_t upper, int32_t work, uint32_t attributes)
{
	const int32_t *fds = (const int32_t *)(uintptr_t)lowers;
	int error;
	DBX_AUTO_FD context = sys_fsopen("overlay", DBX_FSOPEN_CLOEXEC);
	if (context < 0)
		return -errno;
	for (uint32_t i = 0; i < count; i++)
		if (sys_fsconfig(context, DBX_FSCONFIG_SET_FD, "lowerdir+", NULL, fds[i]))
			return -errno;
	/* Without an upper directory it is a read-only view of the layers. */
	if (upper < 0)
		return finish(context, attributes);
	if (sys_fsconfig(context, DBX_FSCONFIG_SET_FD, "upperdir", NULL, upper) ||
	    sys_fsconfig(context, DBX_FSCONFIG_SET_FD, "workdir", NULL, work) ||
	    sys_fsconfig(context, DBX_FSCONFIG_SET_FLAG, "volatile", NULL, 0))
		return -errno;
	if ((error = set(context, "redirect_dir", "on")) || (error = set(context, "index", "off")) ||
	    (error = set(context, "metacopy", "off")) || (error = set(context, "xino", "off")))
		return error;
	return finish(context, attributes);
}

int32_t dbx_sandbox_attributes(int32_t mount, uint32_t attributes)
{
	struct dbx_mount_attr attr = {.set = attributes};
	return sys_mount_setattr(mount, "", AT_EMPTY_PATH, &attr) ? -errno : 0;
}

/* A detached clone of the mount `path` lies on, rooted there; an empty path is the directory itself. */
int32_t dbx_sandbox_clone(int32_t directory, const char *path, uint32_t recursive, uint32_t attributes)
{
	unsigned flags = DBX_OPEN_TREE_CLONE | DBX_OPEN_TREE_CLOEXEC | AT_EMPTY_PATH | (recursive ? DBX_AT_RECURSIVE : 0);
	struct dbx_mount_attr attr = {.set = attributes};
	int fd = sys_open_tree(directory < 0 ? AT_FDCWD : directory, path, flags);
	if (fd < 0)
		return -errno;
	if (attributes && sys_mount_setattr(fd, "", AT_EMPTY_PATH | (recursive ? DBX_AT_RECURSIVE : 0), &attr)) {
		int error = -errno;
		close(fd);
		return error;
	}
	return fd;
}

int32_t dbx_sandbox_open(int32_t directory, const char *path, uint32_t flags)
{
	int fd = openat(directory < 0 ? AT_FDCWD : directory, path, (int)flags | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* A character device node; 0:0 is what an overlay takes for "not there". */
int32_t dbx_sandbox_device(int32_t directory, const char *name, uint32_t mode, uint32_t major, uint32_t minor)
{
	if (mknodat(directory, name, S_IFCHR | (mode & 0777), makedev(major, minor)))
		return -errno;
	/* The umask of the daemon must not show inside. */
	return fchmodat(directory, name, mode & 0777, 0) ? -errno : 0;
}

/* Hides what lower layers have in this directory. */
int32_t dbx_sandbox_opaque(const char *path)
{
	return setxattr(path, "trusted.overlay.opaque", "y", 1, 0) ? -errno : 0;
}

/* A directory of exactly this mode, whatever the umask. */
int32_t dbx_sandbox_directory(int32_t directory, const char *path, uint32_t mode, uint32_t uid, uint32_t gid)
{
	if (mkdirat(directory, path, 0700) && errno != EEXIST)
		return -errno;
	if (fchownat(directory, path, uid, gid, AT_SYMLINK_NOFOLLOW) || fchmodat(directory, path, mode & 07777, 0))
		return -errno;
	return 0;
}
