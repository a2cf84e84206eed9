/* The mount API by descriptor (fsopen(2), open_tree(2), mount_setattr(2)): constants and calls that older headers lack. Linux 5.12 and later. */
#ifndef DBX_MOUNTAPI_H
#define DBX_MOUNTAPI_H

#include "lib/calls.h"

#include <stdint.h>
#include <unistd.h>

#define DBX_FSOPEN_CLOEXEC 1u
#define DBX_FSMOUNT_CLOEXEC 1u
#define DBX_FSCONFIG_SET_FLAG 0u
#define DBX_FSCONFIG_SET_STRING 1u
#define DBX_FSCONFIG_SET_FD 5u
#define DBX_FSCONFIG_CMD_CREATE 6u
#define DBX_MOUNT_RDONLY 1u
#define DBX_MOUNT_NOSUID 2u
#define DBX_MOUNT_NODEV 4u
#define DBX_MOUNT_NOEXEC 8u
#define DBX_OPEN_TREE_CLONE 1u
#define DBX_OPEN_TREE_CLOEXEC 02000000u
#define DBX_AT_RECURSIVE 0x8000u
#define DBX_MOVE_MOUNT_F_EMPTY 4u

struct dbx_mount_attr {
	uint64_t set;
	uint64_t clear;
	uint64_t propagation;
	uint64_t user_namespace;
};

static inline int sys_fsopen(const char *type, unsigned flags)
{
	return (int)syscall(DBX_NR_fsopen, type, flags);
}

static inline int sys_fsconfig(int context, unsigned command, const char *key, const void *value, int extra)
{
	return (int)syscall(DBX_NR_fsconfig, context, command, key, value, extra);
}

static inline int sys_fsmount(int context, unsigned flags, unsigned attributes)
{
	return (int)syscall(DBX_NR_fsmount, context, flags, attributes);
}

static inline int sys_open_tree(int directory, const char *path, unsigned flags)
{
	return (int)syscall(DBX_NR_open_tree, directory, path, flags);
}

static inline int sys_move_mount(int from, const char *from_path, int to, const char *to_path, unsigned flags)
{
	return (int)syscall(DBX_NR_move_mount, from, from_path, to, to_path, flags);
}

static inline int sys_mount_setattr(int fd, const char *path, unsigned flags, struct dbx_mount_attr *attributes)
{
	return (int)syscall(DBX_NR_mount_setattr, fd, path, flags, attributes, sizeof *attributes);
}

#endif
