/* From fresh namespaces to a sandbox ready for commands. Runs once in pid 1, with all capabilities of the new user namespace. */
#include "init/init.h"
#include "lib/uapi.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The v2 cgroup was joined when pid 1 was made. The namespace is made again so that its root is where we are now. */
static int join_cgroups(const struct init_plan *plan)
{
	for (int i = 0; i < plan->procs_count; i++)
		if (write(INIT_FD_REST + i, "0", 1) < 0)
			return -errno;
	return unshare(CLONE_NEWCGROUP) ? -errno : 0;
}

#define NAMESPACE_KINDS 8

/* Missing kinds are older kernels. Opened before /proc/sys becomes read-only. */
static int open_namespace_limits(int fds[NAMESPACE_KINDS])
{
	static const char *const kinds[NAMESPACE_KINDS] = {"user", "mnt", "pid", "net", "ipc", "uts", "cgroup", "time"};
	for (int i = 0; i < NAMESPACE_KINDS; i++) {
		char path[64];
		(void)snprintf(path, sizeof path, "/proc/sys/user/max_%s_namespaces", kinds[i]);
		fds[i] = open(path, O_WRONLY | O_CLOEXEC);
		if (fds[i] < 0 && errno != ENOENT)
			return -errno;
	}
	return 0;
}

/*
 * Namespaces made inside would be a second set of mounts and rights that nobody tracks. Written after the last mount is made: the kernel counts
 * the short life of a detached mount as a mount namespace.
 */
static int forbid_namespaces(const int fds[NAMESPACE_KINDS])
{
	for (int i = 0; i < NAMESPACE_KINDS; i++)
		if (fds[i] >= 0 && write(fds[i], "0", 1) < 0)
			return -errno;
	return 0;
}

/*
 * In a sandbox made of a snapshot the monotonic clocks go on from there. Commands enter the time namespace when they are born (time_namespaces(7)), pid 1
 * itself does not.
 */
static int set_clocks(const struct init_plan *plan)
{
	const int64_t second = 1000000000;
	const int64_t offsets[2] = {plan->monotonic_ns, plan->boottime_ns};
	char text[2][64];
	if (!offsets[0] && !offsets[1])
		return 0;
	if (unshare(DBX_CLONE_NEWTIME))
		return -errno;
	for (int i = 0; i < 2; i++) {
		int64_t rest = (offsets[i] % second + second) % second;
		(void)snprintf(text[i], sizeof text[i], "%s %lld %lld\n", i ? "boottime" : "monotonic", (long long)((offsets[i] - rest) / second), (long long)rest);
	}
	DBX_AUTO_FD fd = open("/proc/self/timens_offsets", O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	/* Each write may name both clocks. */
	char both[128];
	int length = snprintf(both, sizeof both, "%s%s", text[0], text[1]);
	return write(fd, both, (size_t)length) < 0 ? -errno : 0;
}

static int loopback_up(void)
{
	struct ifreq request = {.ifr_name = "lo"};
	DBX_AUTO_FD fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (ioctl(fd, SIOCGIFFLAGS, &request))
		return -errno;
	request.ifr_flags = (short)(request.ifr_flags | IFF_UP);
	return ioctl(fd, SIOCSIFFLAGS, &request) ? -errno : 0;
}

/* As far as the daemon's own hard limit allows when it may not be raised. */
static int limit(__rlimit_resource_t resource, rlim_t soft, rlim_t hard)
{
	struct rlimit wanted = {soft, hard}, now;
	if (!setrlimit(resource, &wanted))
		return 0;
	if (getrlimit(resource, &now))
		return -errno;
	wanted.rlim_max = now.rlim_max;
	wanted.rlim_cur = soft < now.rlim_max ? soft : now.rlim_max;
	return setrlimit(resource, &wanted) ? -errno : 0;
}

int init_limits(void)
{
	/* One byte is too short for a core file and is the value with which core(5) does not start a helper program on the host either. */
	int error = limit(RLIMIT_CORE, 1, 1);
	if (!error)
		error = limit(RLIMIT_NOFILE, 1024, 524288);
	if (!error)
		error = limit(RLIMIT_STACK, 8 << 20, RLIM_INFINITY);
	umask(022);
	return error;
}

/* Of all descriptors keeps the two channels and this one, which gets the next number. */
static int keep_only(int fd)
{
	if (fd != INIT_FD_ROOT && dup3(fd, INIT_FD_ROOT, O_CLOEXEC) < 0)
		return -errno;
	return syscall(SYS_close_range, INIT_FD_ROOT + 1, ~0U, 0) ? -errno : INIT_FD_ROOT;
}

/* Returns a descriptor of ns_last_pid, opened before /proc/sys becomes read-only. */
int init_setup(const struct init_plan *plan, uint32_t *stage)
{
	int error, namespace_limits[NAMESPACE_KINDS];
	*stage = STAGE_CGROUP;
	if ((error = join_cgroups(plan)))
		return error;
	if ((error = mounts_enter(plan, stage)))
		return error;
	*stage = STAGE_NAMESPACE_LIMITS;
	if ((error = open_namespace_limits(namespace_limits)))
		return error;
	*stage = STAGE_CLOCKS;
	if ((error = set_clocks(plan)))
		return error;
	*stage = STAGE_NAMESPACE_LIMITS;
	int last_pid = open("/proc/sys/kernel/ns_last_pid", O_WRONLY | O_CLOEXEC);
	if (last_pid < 0)
		return -errno;
	*stage = STAGE_HOSTNAME;
	if (sethostname(plan->hostname, strlen(plan->hostname)))
		return -errno;
	*stage = STAGE_LOOPBACK;
	if ((error = loopback_up()))
		return error;
	if ((error = mounts_limit_proc(stage)))
		return error;
	*stage = STAGE_NAMESPACE_LIMITS;
	if ((error = forbid_namespaces(namespace_limits)))
		return error;
	return keep_only(last_pid);
}
