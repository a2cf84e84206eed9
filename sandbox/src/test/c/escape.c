/*
 * Tries to get out of a sandbox, or to a state that cannot be captured. Each attempt runs in a child; it prints "refused NAME how" or
 * "ESCAPED NAME", and the program ends with the number of escapes. "listen NAME" instead waits on an abstract socket, for the host's side.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/sched.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* An attempt returns 0 when it succeeded, else the errno. */
static int result(long value)
{
	return value < 0 ? errno : 0;
}

static int can_open(const char *path, int flags)
{
	return result(open(path, flags));
}

/* Readable with something in it. */
static int can_read(const char *path)
{
	char byte;
	int fd = open(path, O_RDONLY | O_NONBLOCK);
	if (fd < 0)
		return errno;
	ssize_t size = read(fd, &byte, 1);
	return size > 0 ? 0 : size < 0 ? errno : ENODATA;
}

static int core_pattern(void) { return can_open("/proc/sys/kernel/core_pattern", O_WRONLY); }
static int hostname_file(void) { return can_open("/proc/sys/kernel/hostname", O_WRONLY); }
static int last_pid(void) { return can_open("/proc/sys/kernel/ns_last_pid", O_WRONLY); }
static int namespace_limit(void) { return can_open("/proc/sys/user/max_user_namespaces", O_WRONLY); }
static int sysrq(void) { return can_open("/proc/sysrq-trigger", O_WRONLY); }
static int drop_caches(void) { return can_open("/proc/sys/vm/drop_caches", O_WRONLY); }
static int kcore(void) { return can_read("/proc/kcore"); }
static int kmsg(void) { return can_read("/proc/kmsg"); }
static int keys(void) { return can_read("/proc/keys"); }
static int timer_list(void) { return can_read("/proc/timer_list"); }
static int kpageflags(void) { return can_read("/proc/kpageflags"); }
static int sys_directory(void) { return can_open("/sys/kernel", O_RDONLY); }
static int dev_kmsg(void) { return can_open("/dev/kmsg", O_RDONLY); }
static int dev_mem(void) { return can_open("/dev/mem", O_RDONLY); }
static int dev_fuse(void) { return can_open("/dev/fuse", O_RDWR); }
static int dev_userfaultfd(void) { return can_open("/dev/userfaultfd", O_RDWR); }
static int init_root(void) { return can_open("/proc/1/root", O_RDONLY | O_DIRECTORY); }
static int init_exe(void) { return can_open("/proc/1/exe", O_RDONLY); }
static int init_fd(void)
{
	char link[64];
	return result(readlink("/proc/1/fd/3", link, sizeof link));
}
static int init_mem(void) { return can_open("/proc/1/mem", O_RDONLY); }
static int init_environ(void) { return can_read("/proc/1/environ"); }
static int ssl_private(void) { return can_open("/etc/ssl/private", O_RDONLY); }
static int ssh_keys(void) { return can_open("/etc/ssh", O_RDONLY); }
static int host_work(void) { return can_open("/work", O_RDONLY); }
static int staging(void) { return can_open("/proc/.deltabox", O_RDONLY); }
static int null_chmod(void) { return result(chmod("/dev/null", 0600)); }
static int null_chown(void) { return result(chown("/dev/null", 1000, 1000)); }
static int dev_write(void) { return result(mkdir("/dev/x", 0700)); }

static int make_device(mode_t mode, unsigned major_number, unsigned minor_number)
{
	char path[64];
	snprintf(path, sizeof path, "/tmp/device.%d", getpid());
	if (mknod(path, mode | 0600, makedev(major_number, minor_number)))
		return errno;
	int answer = can_open(path, O_RDONLY);
	unlink(path);
	return answer;
}

static int mknod_kmsg(void) { return make_device(S_IFCHR, 1, 11); }
static int mknod_disk(void) { return make_device(S_IFBLK, 254, 0); }
static int mknod_whiteout(void) { return make_device(S_IFCHR, 0, 0); }

static int setns_init(void)
{
	int fd = open("/proc/1/ns/mnt", O_RDONLY);
	return fd < 0 ? errno : result(setns(fd, 0));
}

static int setns_own(void)
{
	int fd = open("/proc/self/ns/mnt", O_RDONLY);
	return fd < 0 ? errno : result(setns(fd, 0));
}

static int ptrace_init(void) { return result(ptrace(PTRACE_SEIZE, 1, NULL, NULL)); }
static int ptrace_attach_init(void) { return result(ptrace(PTRACE_ATTACH, 1, NULL, NULL)); }

static int getfd_init(void)
{
	int pidfd = (int)syscall(SYS_pidfd_open, 1, 0);
	if (pidfd < 0)
		return errno;
	for (int fd = 0; fd < 16; fd++)
		if (syscall(SYS_pidfd_getfd, pidfd, fd, 0) >= 0)
			return 0;
	return errno;
}

static int read_init_memory(void)
{
	char byte;
	struct iovec to = {&byte, 1}, from = {(void *)0x400000, 1};
	return result(process_vm_readv(1, &to, 1, &from, 1, 0));
}

static int child_in(unsigned long flags)
{
	long pid = syscall(SYS_clone, flags | SIGCHLD, 0, 0, 0, 0);
	if (pid == 0)
		_exit(0);
	return result(pid);
}

static int clone_user(void) { return child_in(CLONE_NEWUSER); }
static int clone_mount(void) { return child_in(CLONE_NEWNS); }
static int unshare_user(void) { return result(unshare(CLONE_NEWUSER)); }
static int unshare_mount(void) { return result(unshare(CLONE_NEWNS)); }
static int unshare_net(void) { return result(unshare(CLONE_NEWNET)); }

static int clone3_in(uint64_t flags)
{
	struct clone_args args = {.flags = flags, .exit_signal = SIGCHLD};
	long pid = syscall(SYS_clone3, &args, sizeof args);
	if (pid == 0)
		_exit(0);
	return result(pid);
}

static int clone3_user(void) { return clone3_in(CLONE_NEWUSER); }
static int clone3_mount(void) { return clone3_in(CLONE_NEWNS); }
static int clone3_pid(void) { return clone3_in(CLONE_NEWPID); }
static int clone3_net(void) { return clone3_in(CLONE_NEWNET); }
static int clone3_time(void) { return clone3_in(0x80); }

static int by_handle(void)
{
	union {
		struct file_handle header;
		char room[sizeof(struct file_handle) + 128];
	} handle = {.header.handle_bytes = 128};
	int mount_id;
	/* Where handles cannot be made, any will do: the call itself must be refused. */
	(void)!name_to_handle_at(AT_FDCWD, "/usr", &handle.header, &mount_id, 0);
	int root = open("/", O_RDONLY);
	return result(open_by_handle_at(root, &handle.header, O_RDONLY));
}

static int keyctl_session(void) { return result(syscall(SYS_keyctl, 0, -3, 1)); }
static int add_key(void) { return result(syscall(SYS_add_key, "user", "x", "y", 1, -3)); }
static int request_key(void) { return result(syscall(SYS_request_key, "user", "x", NULL, 0)); }

static int io_uring(void)
{
	char params[256] = {0};
	return result(syscall(425, 4, params));
}

static int bpf(void)
{
	char attributes[128] = {0};
	return result(syscall(SYS_bpf, 0, attributes, sizeof attributes));
}

static int perf(void)
{
	char attributes[128] = {0};
	return result(syscall(SYS_perf_event_open, attributes, 0, -1, -1, 0));
}

static int fault_kernel(void) { return result(syscall(SYS_userfaultfd, O_CLOEXEC)); }
static int memory_secret(void) { return result(syscall(447, 0)); }
static int landlock(void) { return result(syscall(444, NULL, 0, 1)); }
static int seal(void) { return result(syscall(462, 0, 0, 0)); }
static int kexec(void) { return result(syscall(SYS_kexec_load, 0, 0, NULL, 0)); }
static int module_load(void) { return result(syscall(SYS_finit_module, 0, "", 0)); }
static int reboot_host(void) { return result(syscall(SYS_reboot, 0xfee1dead, 672274793, 0, NULL)); }
static int set_time(void) { struct timespec now; clock_gettime(CLOCK_REALTIME, &now); return result(clock_settime(CLOCK_REALTIME, &now)); }
static int set_name(void) { return result(sethostname("x", 1)); }
static int kernel_log(void) { return result(syscall(SYS_syslog, 10, NULL, 0)); }
static int swap(void) { return result(syscall(SYS_swapoff, "/nothing")); }
static int mount_tmpfs(void) { return result(mount("x", "/mnt", "tmpfs", 0, NULL)); }
static int mount_proc(void) { return result(mount("x", "/mnt", "proc", 0, NULL)); }
static int remount(void) { return result(mount(NULL, "/proc/sys", NULL, MS_REMOUNT | MS_BIND, NULL)); }
static int unmount(void) { return result(umount2("/proc/sys", MNT_DETACH)); }
static int new_mount(void) { return result(syscall(430, "tmpfs", 0)); }
static int clone_mount_tree(void) { return result(syscall(428, AT_FDCWD, "/proc", 1)); }
static int pivot(void) { return result(syscall(SYS_pivot_root, "/", "/tmp")); }
static int vsock(void) { return result(socket(AF_VSOCK, SOCK_STREAM, 0)); }
static int crypto_socket(void) { return result(socket(AF_ALG, SOCK_SEQPACKET, 0)); }

static int reach(const char *address, uint16_t port)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port)};
	inet_pton(AF_INET, address, &to.sin_addr);
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	return fd < 0 ? errno : result(connect(fd, (struct sockaddr *)&to, sizeof to));
}

static int metadata(void) { return reach("169.254.169.254", 80); }
static int internet(void) { return reach("1.1.1.1", 53); }

static socklen_t abstract_name(struct sockaddr_un *address, const char *name)
{
	memset(address, 0, sizeof *address);
	address->sun_family = AF_UNIX;
	strncpy(address->sun_path + 1, name, sizeof address->sun_path - 2);
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + strlen(name));
}

static const char *host_socket = "none";

static int abstract_socket(void)
{
	struct sockaddr_un address;
	socklen_t length = abstract_name(&address, host_socket);
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	return fd < 0 ? errno : result(connect(fd, (struct sockaddr *)&address, length));
}

static int all_capabilities(void)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2] = {{1u << CAP_SYS_ADMIN, 1u << CAP_SYS_ADMIN, 0}};
	return result(syscall(SYS_capset, &header, data));
}

static int bounding_set(void) { return prctl(PR_CAPBSET_READ, CAP_SYS_ADMIN) > 0 ? 0 : EPERM; }
static int trace_capability(void) { return prctl(PR_CAPBSET_READ, CAP_SYS_PTRACE) > 0 ? 0 : EPERM; }

/* A copy of a program with the set-user-id bit, run by somebody else, must not become root. */
static int set_user_id(void)
{
	if (geteuid() != 0)
		return EPERM;
	if (system("cp /usr/bin/id /tmp/suid-id && chmod 4755 /tmp/suid-id"))
		return EIO;
	int out[2], status;
	char text[256] = "";
	if (pipe(out))
		return errno;
	pid_t pid = fork();
	if (pid == 0) {
		dup2(out[1], 1);
		if (setresgid(1000, 1000, 1000) || setresuid(1000, 1000, 1000))
			_exit(1);
		execl("/tmp/suid-id", "id", "-u", (char *)NULL);
		_exit(1);
	}
	close(out[1]);
	(void)!read(out[0], text, sizeof text - 1);
	waitpid(pid, &status, 0);
	unlink("/tmp/suid-id");
	return strcmp(text, "0\n") ? EPERM : 0;
}

static int advise(int advice)
{
	void *at = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return at == MAP_FAILED ? 0 : result(madvise(at, 4096, advice));
}

/* No ways out, but states that could not be put back. */
static int free_late(void) { return advise(8 /* MADV_FREE */); }
static int guard_pages(void) { return advise(102 /* MADV_GUARD_INSTALL */); }

static int ldt(void) { return result(syscall(SYS_modify_ldt, 0, NULL, 0)); }
static int io_ports(void) { return result(syscall(SYS_iopl, 3)); }

/* getpid of the 32-bit table; and of the x32 one. Both must kill. */
static int call_i386(void)
{
	long value;
	__asm__ volatile("int $0x80" : "=a"(value) : "a"(20) : "memory", "r8", "r9", "r10", "r11");
	return value > 0 ? 0 : (int)-value;
}

static int call_x32(void) { return result(syscall(0x40000000 | SYS_getpid)); }

static const struct {
	const char *name;
	int (*attempt)(void);
} attempts[] = {
#define TRY(name) {#name, name},
	TRY(core_pattern) TRY(hostname_file) TRY(last_pid) TRY(namespace_limit) TRY(sysrq) TRY(drop_caches) TRY(kcore) TRY(kmsg) TRY(keys)
	TRY(timer_list) TRY(kpageflags) TRY(sys_directory) TRY(dev_kmsg) TRY(dev_mem) TRY(dev_fuse) TRY(dev_userfaultfd) TRY(init_root)
	TRY(init_exe) TRY(init_fd) TRY(init_mem) TRY(init_environ) TRY(ssl_private) TRY(ssh_keys) TRY(host_work) TRY(staging) TRY(null_chmod)
	TRY(null_chown) TRY(dev_write) TRY(mknod_kmsg) TRY(mknod_disk) TRY(mknod_whiteout) TRY(setns_init) TRY(setns_own) TRY(ptrace_init)
	TRY(ptrace_attach_init) TRY(getfd_init) TRY(read_init_memory) TRY(clone_user) TRY(clone_mount) TRY(unshare_user) TRY(unshare_mount)
	TRY(unshare_net) TRY(clone3_user) TRY(clone3_mount) TRY(clone3_pid) TRY(clone3_net) TRY(clone3_time) TRY(by_handle)
	TRY(keyctl_session) TRY(add_key) TRY(request_key) TRY(io_uring) TRY(bpf) TRY(perf) TRY(fault_kernel) TRY(memory_secret) TRY(landlock)
	TRY(seal) TRY(kexec) TRY(module_load) TRY(reboot_host) TRY(set_time) TRY(set_name) TRY(kernel_log) TRY(swap) TRY(mount_tmpfs)
	TRY(mount_proc) TRY(remount) TRY(unmount) TRY(new_mount) TRY(clone_mount_tree) TRY(pivot) TRY(vsock) TRY(crypto_socket) TRY(metadata) TRY(free_late) TRY(guard_pages)
	TRY(internet) TRY(abstract_socket) TRY(all_capabilities) TRY(bounding_set) TRY(trace_capability) TRY(set_user_id) TRY(ldt)
	TRY(io_ports) TRY(call_i386) TRY(call_x32)
};

/* 1 if it got out. */
static int try_one(size_t index)
{
	int status;
	const char *name = attempts[index].name;
	fflush(stdout);
	pid_t pid = fork();
	if (pid == 0) {
		alarm(10);
		_exit(attempts[index].attempt() & 0xff);
	}
	if (waitpid(pid, &status, 0) < 0)
		return 1;
	if (WIFSIGNALED(status))
		printf("refused %s signal %d\n", name, WTERMSIG(status));
	else if (WEXITSTATUS(status))
		printf("refused %s %s\n", name, strerrorname_np(WEXITSTATUS(status)));
	else
		return printf("ESCAPED %s\n", name), 1;
	return 0;
}

static int listen_as(const char *name)
{
	struct sockaddr_un address;
	socklen_t length = abstract_name(&address, name);
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	if (bind(fd, (struct sockaddr *)&address, length) || listen(fd, 4))
		return 1;
	puts("listening");
	fflush(stdout);
	char byte;
	return read(0, &byte, 1) < 0;
}

int main(int argc, char **argv)
{
	int escapes = 0;
	if (argc > 2 && !strcmp(argv[1], "listen"))
		return listen_as(argv[2]);
	if (argc > 1)
		host_socket = argv[1];
	for (size_t i = 0; i < sizeof attempts / sizeof *attempts; i++)
		escapes += try_one(i);
	return escapes;
}
