/* Which descriptors are one open file description, and what was captured already: the memory of one window. */
#include "fds.h"

#include <errno.h>
#include <linux/kcmp.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

void dbx_fds_begin(struct dbx_fds_context *context)
{
	uint64_t content_max = context->content_max;
	memset(context, 0, offsetof(struct dbx_fds_context, once));
	context->content_max = content_max;
}

uint64_t dbx_fds_context_bytes(void)
{
	return DBX_FDS_CONTEXT_BYTES;
}

static uint32_t bucket(uint64_t key)
{
	return (uint32_t)((key * UINT64_C(0x9e3779b97f4a7c15)) >> 40) % DBX_FDS_HEADS;
}

static int64_t add(struct dbx_fds_context *context, uint32_t *link, int32_t pid, int32_t number, uint64_t key)
{
	if (context->node_count == DBX_FDS_NODES)
		return -ENOSPC;
	uint32_t id = ++context->node_count;
	context->nodes[id - 1] = (struct dbx_fds_node){.key = key, .pid = pid, .number = number};
	*link = id;
	return id;
}

/*
 * kcmp(2) orders open file descriptions, so those with one key form a search tree: a hundred processes that each opened /dev/null themselves cost a
 * handful of comparisons each and not a hundred.
 */
int64_t dbx_fds_share(struct dbx_fds_context *context, int32_t pid, int32_t number, uint64_t key)
{
	uint32_t *link = &context->heads[bucket(key)];
	while (*link && context->nodes[*link - 1].key != key)
		link = &context->nodes[*link - 1].next;
	while (*link) {
		struct dbx_fds_node *node = &context->nodes[*link - 1];
		long order = syscall(SYS_kcmp, pid, node->pid, KCMP_FILE, (unsigned long)number, (unsigned long)node->number);
		if (order == 0)
			return *link;
		if (order < 0)
			return -errno;
		link = order == 1 ? &node->less : &node->greater;
	}
	return add(context, link, pid, number, key);
}

int32_t dbx_fds_first(struct dbx_fds_context *context, uint64_t dev, uint64_t ino, uint32_t tag)
{
	uint32_t *link = &context->once_heads[bucket(ino ^ (dev << 20) ^ tag)];
	while (*link) {
		struct dbx_fds_once *once = &context->once[*link - 1];
		if (once->ino == ino && once->dev == dev && once->tag == tag)
			return 0;
		link = &once->next;
	}
	if (context->once_count == DBX_FDS_ONCE)
		return -ENOSPC;
	uint32_t id = ++context->once_count;
	context->once[id - 1] = (struct dbx_fds_once){.dev = dev, .ino = ino, .tag = tag};
	*link = id;
	return 1;
}
