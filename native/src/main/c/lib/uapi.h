/* Kernel interface constants that the oldest supported headers lack. Append only; sources: include/uapi/linux/{fs,userfaultfd,ptrace}.h. */
#ifndef DBX_UAPI_H
#define DBX_UAPI_H

#include <linux/userfaultfd.h>
#include <stdint.h>
#include <sys/ioctl.h>

#ifndef UFFD_USER_MODE_ONLY
#define UFFD_USER_MODE_ONLY 1
#endif
#ifndef UFFD_FEATURE_WP_HUGETLBFS_SHMEM
#define UFFD_FEATURE_WP_HUGETLBFS_SHMEM (1 << 12)
#endif
#ifndef UFFD_FEATURE_WP_UNPOPULATED
#define UFFD_FEATURE_WP_UNPOPULATED (1 << 13)
#endif
#ifndef UFFD_FEATURE_WP_ASYNC
#define UFFD_FEATURE_WP_ASYNC (1 << 15)
#endif

/* PAGEMAP_SCAN, Linux 6.7 */
struct dbx_pm_scan_arg {
	uint64_t size, flags, start, end, walk_end, vec, vec_len, max_pages, category_inverted, category_mask, category_anyof_mask, return_mask;
};
struct dbx_page_region {
	uint64_t start, end, categories;
};
#define DBX_PAGEMAP_SCAN _IOWR('f', 16, struct dbx_pm_scan_arg)
#define DBX_PM_SCAN_WP_MATCHING 1u
#define DBX_PM_SCAN_CHECK_WPASYNC 2u
#define DBX_PAGE_IS_WRITTEN 2u
#define DBX_PAGE_IS_FILE 4u
#define DBX_PAGE_IS_PRESENT 8u
#define DBX_PAGE_IS_SWAPPED 16u
#define DBX_PAGE_IS_PFNZERO 32u

/* PROCMAP_QUERY, Linux 6.11 */
struct dbx_procmap_query {
	uint64_t size, query_flags, query_addr, vma_start, vma_end, vma_flags, vma_page_size, vma_offset, inode;
	uint32_t dev_major, dev_minor, vma_name_size, build_id_size;
	uint64_t vma_name_addr, build_id_addr;
};
_Static_assert(sizeof(struct dbx_procmap_query) == 104, "PROCMAP_QUERY argument");
#define DBX_PROCMAP_QUERY _IOWR('f', 17, struct dbx_procmap_query)
#define DBX_PROCMAP_READABLE 1u
#define DBX_PROCMAP_WRITABLE 2u
#define DBX_PROCMAP_EXECUTABLE 4u
#define DBX_PROCMAP_SHARED 8u
#define DBX_PROCMAP_COVERING_OR_NEXT 0x10u
#define DBX_PROCMAP_FILE_BACKED 0x20u

/* PTRACE_GET_RSEQ_CONFIGURATION, Linux 5.13; an enumerator in newer headers. */
#define DBX_PTRACE_GET_RSEQ_CONFIGURATION 0x420f
struct dbx_rseq_configuration {
	uint64_t pointer;
	uint32_t size, signature, flags, pad;
};
#ifndef PR_GET_TID_ADDRESS
#define PR_GET_TID_ADDRESS 40
#endif

#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif
#ifndef SYS_pidfd_getfd
#define SYS_pidfd_getfd 438
#endif
#ifndef SYS_pidfd_send_signal
#define SYS_pidfd_send_signal 424
#endif
#ifndef SYS_epoll_pwait2
#define SYS_epoll_pwait2 441
#endif

/* CLONE_NEWTIME, Linux 5.6. */
#define DBX_CLONE_NEWTIME 0x80

/* PTRACE_SECCOMP_GET_FILTER, Linux 4.4; an enumerator in newer headers. */
#define DBX_PTRACE_SECCOMP_GET_FILTER 0x420c

#endif
