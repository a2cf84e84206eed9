/*
 * The sandbox's view of files: the overlay as root, new /proc, the given /dev, devpts, shared memory and exposed paths; parts of /proc read-only or
 * covered. The mounts come as detached descriptors made by the daemon; nothing is ever attached in the namespace of the host.
 */
#include "init/init.h"
#include "lib/mountapi.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

/* A new proc of this pid namespace, not attached. The kernel allows it only while the host's own proc is in sight, so before pivot_root. */
static int make_proc(void)
{
	DBX_AUTO_FD context = sys_fsopen("proc", DBX_FSOPEN_CLOEXEC);
	if (context < 0)
		return -errno;
	if (sys_fsconfig(context, DBX_FSCONFIG_CMD_CREATE, NULL, NULL, 0))
		return -errno;
	int mount = sys_fsmount(context, DBX_FSMOUNT_CLOEXEC, DBX_MOUNT_NOSUID | DBX_MOUNT_NODEV | DBX_MOUNT_NOEXEC);
	return mount < 0 ? -errno : mount;
}

static int attach(int mount, const char *path)
{
	return sys_move_mount(mount, "", AT_FDCWD, path, DBX_MOVE_MOUNT_F_EMPTY) ? -errno : 0;
}

/* Makes the overlay the root and forgets everything of the host. /usr is only a directory that exists to attach it on for a moment. */
static int enter_root(void)
{
	int error = attach(INIT_FD_ROOT, "/usr");
	if (error)
		return error;
	if (fchdir(INIT_FD_ROOT) || syscall(SYS_pivot_root, ".", "."))
		return -errno;
	if (umount2(".", MNT_DETACH) || chdir("/"))
		return -errno;
	return 0;
}

int mounts_enter(const struct init_plan *plan, uint32_t *stage)
{
	int error;
	*stage = STAGE_PRIVATE;
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
		return -errno;
	*stage = STAGE_PROC;
	DBX_AUTO_FD proc = make_proc();
	if (proc < 0)
		return proc;
	*stage = STAGE_ROOT;
	if ((error = enter_root()))
		return error;
	*stage = STAGE_PROC;
	if ((error = attach(proc, "/proc")))
		return error;
	*stage = STAGE_DEV;
	if ((error = attach(INIT_FD_DEV, "/dev")) || (error = attach(INIT_FD_DEVPTS, "/dev/pts")))
		return error;
	*stage = STAGE_SHM;
	if ((error = attach(INIT_FD_SHM, "/dev/shm")))
		return error;
	*stage = STAGE_EXPOSE;
	for (int i = 0; i < plan->expose_count; i++)
		if ((error = attach(INIT_FD_REST + plan->procs_count + i, plan->expose[i])))
			return error;
	return 0;
}

/* A read-only clone of `from` over `to`; missing is fine: not every kernel has every file. */
static int cover(const char *from, const char *to)
{
	struct dbx_mount_attr attributes = {.set = DBX_MOUNT_RDONLY | DBX_MOUNT_NOSUID | DBX_MOUNT_NOEXEC};
	DBX_AUTO_FD clone = sys_open_tree(AT_FDCWD, from, DBX_OPEN_TREE_CLONE | DBX_OPEN_TREE_CLOEXEC);
	if (clone < 0)
		return errno == ENOENT ? 0 : -errno;
	if (sys_mount_setattr(clone, "", AT_EMPTY_PATH, &attributes))
		return -errno;
	int error = attach(clone, to);
	return error == -ENOENT ? 0 : error;
}

/* What root of the machine could be reached through: writable settings become read-only, kernel memory and keys are covered. */
int mounts_limit_proc(uint32_t *stage)
{
	static const char *const read_only[] = {"/proc/sys", "/proc/sysrq-trigger", "/proc/irq", "/proc/bus", "/proc/fs"};
	static const char *const covered[] = {
		"/proc/kcore", "/proc/keys", "/proc/key-users", "/proc/kmsg", "/proc/timer_list", "/proc/kpagecount",
		"/proc/kpageflags", "/proc/kpagecgroup", "/proc/latency_stats", "/proc/sched_debug", "/proc/slabinfo", "/proc/vmallocinfo",
	};
	static const char *const covered_directories[] = {"/proc/acpi", "/proc/scsi"};
	int error = 0;
	*stage = STAGE_PROC_LIMITS;
	for (size_t i = 0; !error && i < sizeof read_only / sizeof *read_only; i++)
		error = cover(read_only[i], read_only[i]);
	for (size_t i = 0; !error && i < sizeof covered / sizeof *covered; i++)
		error = cover("/dev/null", covered[i]);
	for (size_t i = 0; !error && i < sizeof covered_directories / sizeof *covered_directories; i++)
		error = cover("/dev/mqueue", covered_directories[i]);
	return error;
}
