/* What the kernel and this user's rights offer: each probe asks for one mechanism and gives it back at once. */
#include "dbx.h"
#include "mountapi.h"

#include "uapi.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <string.h>
#include <sys/fanotify.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PROBE_USERFAULTFD 1
#define PROBE_PAGEMAP_SCAN 2
#define PROBE_FANOTIFY 3
#define PROBE_PROCMAP_QUERY 4
#define PROBE_OVERLAYFS 5
#define PROBE_TMPFS 6
#define PROBE_DETACHED 7

DBX_API int32_t dbx_doctor_probe(int32_t what);

static int32_t probe_userfaultfd(void)
{
	DBX_AUTO_FD fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK | 1 /* UFFD_USER_MODE_ONLY */);
	if (fd < 0)
		return -errno;
	struct uffdio_api api = { .api = UFFD_API, .features = UFFD_FEATURE_WP_ASYNC };
	return ioctl(fd, UFFDIO_API, &api) ? -errno : 0;
}

/* An empty range of our own memory. */
static int32_t probe_pagemap_scan(void)
{
	struct dbx_pm_scan_arg argument = { .size = sizeof(argument) };
	DBX_AUTO_FD fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	return ioctl(fd, DBX_PAGEMAP_SCAN, &argument) ? -errno : 0;
}

static int32_t probe_fanotify(void)
{
	DBX_AUTO_FD fd = fanotify_init(FAN_CLASS_NOTIF | FAN_CLOEXEC | FAN_REPORT_DFID_NAME | FAN_REPORT_FID | 0x1000 /* FAN_REPORT_TARGET_FID */, O_RDONLY);
	return fd < 0 ? -errno : 0;
}

/* The region that holds this function. */
static int32_t probe_procmap_query(void)
{
	struct dbx_procmap_query argument = { .size = sizeof(argument), .query_addr = (uint64_t)(uintptr_t)&probe_procmap_query };
	DBX_AUTO_FD fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	return ioctl(fd, DBX_PROCMAP_QUERY, &argument) ? -errno : 0;
}

/* EPERM of an ordinary user is no answer: inside a user namespace it may be allowed. */
static int32_t probe_file_system(const char *name)
{
	DBX_AUTO_FD fd = (int)syscall(430 /* fsopen */, name, 1 /* FSOPEN_CLOEXEC */);
	return fd < 0 && errno != EPERM ? -errno : 0;
}

static int mounted(int context)
{
	if (sys_fsconfig(context, DBX_FSCONFIG_CMD_CREATE, NULL, NULL, 0))
		return -errno;
	int mount = sys_fsmount(context, DBX_FSMOUNT_CLOEXEC, 0);
	return mount < 0 ? -errno : mount;
}

/* What the files of every sandbox are made of: an overlay whose layers lie on mounts that are attached nowhere, and a clone of that. */
static int32_t probe_detached(void)
{
	DBX_AUTO_FD memory = sys_fsopen("tmpfs", DBX_FSOPEN_CLOEXEC);
	if (memory < 0)
		return errno == EPERM ? 0 : -errno;
	DBX_AUTO_FD layer = mounted(memory);
	DBX_AUTO_FD root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	DBX_AUTO_FD overlay = sys_fsopen("overlay", DBX_FSOPEN_CLOEXEC);
	if (layer < 0 || root < 0 || overlay < 0)
		return layer < 0 ? layer : -errno;
	if (sys_fsconfig(overlay, DBX_FSCONFIG_SET_FD, "lowerdir+", NULL, layer) || sys_fsconfig(overlay, DBX_FSCONFIG_SET_FD, "lowerdir+", NULL, root))
		return -errno;
	DBX_AUTO_FD shown = mounted(overlay);
	if (shown < 0)
		return shown;
	DBX_AUTO_FD clone = sys_open_tree(shown, "", DBX_OPEN_TREE_CLONE | DBX_OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);
	return clone < 0 ? -errno : 0;
}

int32_t dbx_doctor_probe(int32_t what)
{
	switch (what) {
	case PROBE_USERFAULTFD:
		return probe_userfaultfd();
	case PROBE_PAGEMAP_SCAN:
		return probe_pagemap_scan();
	case PROBE_FANOTIFY:
		return probe_fanotify();
	case PROBE_PROCMAP_QUERY:
		return probe_procmap_query();
	case PROBE_OVERLAYFS:
		return probe_file_system("overlay");
	case PROBE_DETACHED:
		return probe_detached();
	case PROBE_TMPFS:
		return probe_file_system("tmpfs");
	default:
		return -EINVAL;
	}
}
