/*
 * Which system calls commands of a sandbox may not make, and which ones the engine makes in their name.
 *
 * One list for the filter and for the injector: a call that is injected must pass the filter, because a filter can be suspended by the tracer only
 * when the tracer itself runs under none (ptrace(2), PTRACE_O_SUSPEND_SECCOMP). Numbers are written out where old headers lack them; they are the
 * same on every architecture since 5.0.
 */
#ifndef DBX_CALLS_H
#define DBX_CALLS_H

#include <sys/syscall.h>

#define DBX_NR_io_uring_setup 425
#define DBX_NR_io_uring_enter 426
#define DBX_NR_io_uring_register 427
#define DBX_NR_open_tree 428
#define DBX_NR_move_mount 429
#define DBX_NR_fsopen 430
#define DBX_NR_fsconfig 431
#define DBX_NR_fsmount 432
#define DBX_NR_fspick 433
#define DBX_NR_mount_setattr 442
#define DBX_NR_quotactl_fd 443
#define DBX_NR_landlock_create_ruleset 444
#define DBX_NR_landlock_add_rule 445
#define DBX_NR_landlock_restrict_self 446
#define DBX_NR_process_madvise 440
#define DBX_NR_memfd_secret 447
#define DBX_NR_map_shadow_stack 453
#define DBX_NR_mseal 462
#define DBX_NR_open_tree_attr 467

/*
 * Refused as if the kernel did not have them, so that programs fall back: state they make cannot be read, put back or undone from outside
 * (rings, sealed and secret memory, landlock domains, shadow stacks, LDT entries).
 */
#define DBX_CALLS_ABSENT(X) \
	X(DBX_NR_io_uring_setup) \
	X(DBX_NR_io_uring_enter) \
	X(DBX_NR_io_uring_register) \
	X(DBX_NR_landlock_create_ruleset) \
	X(DBX_NR_landlock_add_rule) \
	X(DBX_NR_landlock_restrict_self) \
	X(DBX_NR_memfd_secret) \
	X(DBX_NR_map_shadow_stack) \
	X(DBX_NR_mseal) \
	X(__NR_keyctl) \
	X(__NR_add_key) \
	X(__NR_request_key)

/*
 * Advice of madvise(2) refused with EINVAL, as kernels before 4.5 and 6.13 do: pages freed lazily keep their content until memory is short and show
 * no sign of it, so one put back by a rollback could vanish afterwards; guard pages can neither be read nor be written over.
 */
#define DBX_MADV_FREE 8
#define DBX_MADV_GUARD_INSTALL 102

/* Refused with EPERM: what only the owner of the machine does, and ways out of the namespaces. */
#define DBX_CALLS_DENIED(X) \
	X(DBX_NR_open_tree) \
	X(DBX_NR_open_tree_attr) \
	X(DBX_NR_move_mount) \
	X(DBX_NR_fsopen) \
	X(DBX_NR_fsconfig) \
	X(DBX_NR_fsmount) \
	X(DBX_NR_fspick) \
	X(DBX_NR_mount_setattr) \
	X(__NR_mount) \
	X(__NR_umount2) \
	X(__NR_pivot_root) \
	X(__NR_setns) \
	X(__NR_unshare) \
	X(__NR_bpf) \
	X(__NR_perf_event_open) \
	X(__NR_open_by_handle_at) \
	X(__NR_kexec_load) \
	X(__NR_kexec_file_load) \
	X(__NR_init_module) \
	X(__NR_finit_module) \
	X(__NR_delete_module) \
	X(__NR_reboot) \
	X(__NR_swapon) \
	X(__NR_swapoff) \
	X(__NR_acct) \
	X(__NR_quotactl) \
	X(DBX_NR_quotactl_fd) \
	X(__NR_settimeofday) \
	X(__NR_clock_settime) \
	X(__NR_clock_adjtime) \
	X(__NR_adjtimex) \
	X(__NR_syslog) \
	X(__NR_vhangup) \
	X(__NR_lookup_dcookie) \
	X(__NR_nfsservctl)

/* Calls of one architecture only: what is refused like DENIED, and what is injected. */
#ifdef __x86_64__
#define DBX_CALLS_DENIED_ARCH(X) \
	X(__NR_iopl) \
	X(__NR_ioperm) \
	X(__NR_modify_ldt) \
	X(__NR_uselib) \
	X(__NR__sysctl)
#define DBX_CALLS_INJECTED_ARCH(X) \
	X(__NR_open) \
	X(__NR_unlink) \
	X(__NR_poll) \
	X(__NR_arch_prctl)
#else
#define DBX_CALLS_DENIED_ARCH(X)
#define DBX_CALLS_INJECTED_ARCH(X)
#endif

/* What the engine runs inside a stopped process. userfaultfd only with UFFD_USER_MODE_ONLY, which the filter asks of everybody. */
#define DBX_CALLS_INJECTED(X) \
	X(__NR_mmap) \
	X(__NR_munmap) \
	X(__NR_mremap) \
	X(__NR_mprotect) \
	X(__NR_madvise) \
	X(__NR_mlock2) \
	X(__NR_munlock) \
	X(__NR_brk) \
	X(__NR_prctl) \
	X(__NR_clone) \
	X(__NR_clone3) \
	X(__NR_fork) \
	X(__NR_execve) \
	X(__NR_execveat) \
	X(__NR_exit) \
	X(__NR_exit_group) \
	X(__NR_wait4) \
	X(__NR_waitid) \
	X(__NR_kill) \
	X(__NR_tgkill) \
	X(__NR_rt_sigaction) \
	X(__NR_rt_sigprocmask) \
	X(__NR_rt_sigqueueinfo) \
	X(__NR_rt_tgsigqueueinfo) \
	X(__NR_rt_sigtimedwait) \
	X(__NR_sigaltstack) \
	X(__NR_set_tid_address) \
	X(__NR_set_robust_list) \
	X(__NR_rseq) \
	X(__NR_userfaultfd) \
	X(__NR_ioctl) \
	X(__NR_openat) \
	X(__NR_close) \
	X(__NR_close_range) \
	X(__NR_dup3) \
	X(__NR_fcntl) \
	X(__NR_flock) \
	X(__NR_lseek) \
	X(__NR_read) \
	X(__NR_write) \
	X(__NR_pread64) \
	X(__NR_pwrite64) \
	X(__NR_ftruncate) \
	X(__NR_pipe2) \
	X(__NR_tee) \
	X(__NR_memfd_create) \
	X(__NR_eventfd2) \
	X(__NR_epoll_create1) \
	X(__NR_epoll_ctl) \
	X(__NR_timerfd_create) \
	X(__NR_timerfd_settime) \
	X(__NR_signalfd4) \
	X(__NR_inotify_init1) \
	X(__NR_inotify_add_watch) \
	X(__NR_socket) \
	X(__NR_socketpair) \
	X(__NR_bind) \
	X(__NR_listen) \
	X(__NR_connect) \
	X(__NR_accept4) \
	X(__NR_sendmsg) \
	X(__NR_recvmsg) \
	X(__NR_setsockopt) \
	X(__NR_getsockopt) \
	X(__NR_getsockname) \
	X(__NR_shutdown) \
	X(__NR_setitimer) \
	X(__NR_timer_create) \
	X(__NR_timer_gettime) \
	X(__NR_timer_settime) \
	X(__NR_timer_delete) \
	X(__NR_chdir) \
	X(__NR_fchdir) \
	X(__NR_umask) \
	X(__NR_setsid) \
	X(__NR_setpgid) \
	X(__NR_getpid) \
	X(__NR_gettid) \
	X(__NR_getpriority) \
	X(__NR_personality) \
	X(__NR_sched_getaffinity) \
	X(__NR_setresuid) \
	X(__NR_setresgid) \
	X(__NR_setgroups) \
	X(__NR_capset) \
	X(__NR_chroot) \
	X(__NR_openat2) \
	X(__NR_unlinkat) \
	X(__NR_utimensat) \
	X(__NR_fallocate) \
	X(__NR_inotify_rm_watch) \
	X(__NR_sendto) \
	X(__NR_recvfrom) \
	X(__NR_pidfd_open) \
	X(__NR_pidfd_getfd) \
	DBX_CALLS_INJECTED_ARCH(X)

#endif
