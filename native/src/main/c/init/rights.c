/* What commands may do: capabilities of the user namespace and the system call filter. */
#include "init/init.h"
#include "lib/calls.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define CAPABILITY(name) (UINT64_C(1) << (name))

/* The usual set of containers without making device nodes and writing audit records, which mean nothing in a user namespace. */
static const uint64_t ALLOWED = CAPABILITY(CAP_CHOWN) | CAPABILITY(CAP_DAC_OVERRIDE) | CAPABILITY(CAP_FSETID) | CAPABILITY(CAP_FOWNER) |
	CAPABILITY(CAP_NET_RAW) | CAPABILITY(CAP_SETGID) | CAPABILITY(CAP_SETUID) | CAPABILITY(CAP_SETFCAP) | CAPABILITY(CAP_SETPCAP) |
	CAPABILITY(CAP_NET_BIND_SERVICE) | CAPABILITY(CAP_SYS_CHROOT) | CAPABILITY(CAP_KILL);

int capabilities_bound(void)
{
	for (int capability = 0; capability < 64; capability++) {
		if (ALLOWED & CAPABILITY(capability))
			continue;
		if (prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) && errno != EINVAL)
			return -errno;
	}
	return 0;
}

int capabilities_drop(uint32_t uid)
{
	uint64_t left = uid == 0 ? ALLOWED : 0;
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2] = {
		{.effective = (uint32_t)left, .permitted = (uint32_t)left},
		{.effective = (uint32_t)(left >> 32), .permitted = (uint32_t)(left >> 32)},
	};
	(void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	return syscall(SYS_capset, &header, data) ? -errno : 0;
}

#if defined(__x86_64__)
#define NATIVE_ABI AUDIT_ARCH_X86_64
#define FOREIGN_BIT 0x40000000u /* x32: the same ABI number with this bit in the call's */
#elif defined(__aarch64__)
#define NATIVE_ABI AUDIT_ARCH_AARCH64
#define FOREIGN_BIT 0x80000000u
#else
#error "no filter for this machine"
#endif

#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define ANSWER(action) BPF_STMT(BPF_RET | BPF_K, (action))
#define REFUSE(error) ANSWER(SECCOMP_RET_ERRNO | (error))
#define WHEN(value, action) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (value), 0, 1), action
#define ABSENT(nr) WHEN((uint32_t)(nr), REFUSE(ENOSYS)),
#define DENIED(nr) WHEN((uint32_t)(nr), REFUSE(EPERM)),

#define NEW_NAMESPACES 0x7e020000u /* CLONE_NEWNS, CGROUP, UTS, IPC, USER, PID, NET */
#define USER_MODE_ONLY 1u

/* clone3's flags lie in memory and cannot be looked at; user.max_*_namespaces = 0 stops it there. */
static const struct sock_filter PROGRAM[] = {
	LOAD(arch),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, NATIVE_ABI, 1, 0),
	ANSWER(SECCOMP_RET_KILL_PROCESS),
	LOAD(nr),
	BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, FOREIGN_BIT, 0, 1),
	ANSWER(SECCOMP_RET_KILL_PROCESS),
	DBX_CALLS_ABSENT(ABSENT)
	DBX_CALLS_DENIED(DENIED)
	DBX_CALLS_DENIED_ARCH(DENIED)
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_clone, 0, 4),
	LOAD(args[0]),
	BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, NEW_NAMESPACES, 0, 1),
	REFUSE(EPERM),
	ANSWER(SECCOMP_RET_ALLOW),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_userfaultfd, 0, 4),
	LOAD(args[0]),
	BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, USER_MODE_ONLY, 1, 0),
	REFUSE(EPERM),
	ANSWER(SECCOMP_RET_ALLOW),
	/* The hypervisor's sockets belong to no network namespace; the crypto sockets' state cannot be read back. */
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_socket, 0, 5),
	LOAD(args[0]),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AF_VSOCK, 1, 0),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AF_ALG, 0, 1),
	REFUSE(EAFNOSUPPORT),
	ANSWER(SECCOMP_RET_ALLOW),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_madvise, 0, 2),
	LOAD(args[2]),
	BPF_JUMP(BPF_JMP | BPF_JA, 2, 0, 0),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, DBX_NR_process_madvise, 0, 4),
	LOAD(args[3]),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, DBX_MADV_FREE, 1, 0),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, DBX_MADV_GUARD_INSTALL, 0, 1),
	REFUSE(EINVAL),
	ANSWER(SECCOMP_RET_ALLOW),
};

/* A call that is injected and refused would break a rollback in the middle: found when this file is compiled. */
#define CASE(nr) case (nr): break;
static inline void injected_calls_pass(long nr)
{
	switch (nr) {
		DBX_CALLS_ABSENT(CASE)
		DBX_CALLS_DENIED(CASE)
		DBX_CALLS_DENIED_ARCH(CASE)
		DBX_CALLS_INJECTED(CASE)
	default:
		break;
	}
}

int filter_install(void)
{
	const struct sock_fprog program = {.len = sizeof PROGRAM / sizeof *PROGRAM, .filter = (struct sock_filter *)(uintptr_t)PROGRAM};
	injected_calls_pass(0);
	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) ? -errno : 0;
}
