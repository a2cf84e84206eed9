/* The region list of kernels without PROCMAP_QUERY (before Linux 6.11): the text of /proc/PID/maps. Slower: the kernel writes text, this reads it. */
#include "maps.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statfs.h>
#include <unistd.h>

#define HUGETLBFS 0x958458f6

/* The next line without its end, valid until the next call; NULL at the end or after an error. */
static char *next_line(struct dbx_maps_text *text)
{
	for (;;) {
		char *line = text->bytes + text->taken;
		char *end = memchr(line, '\n', text->used - text->taken);
		if (end) {
			*end = 0;
			text->taken = (uint32_t)(end + 1 - text->bytes);
			return line;
		}
		text->used -= text->taken;
		memmove(text->bytes, line, text->used);
		text->taken = 0;
		if (text->used == sizeof text->bytes)
			return NULL;
		ssize_t got = pread(text->file, text->bytes + text->used, sizeof text->bytes - text->used, (off_t)text->at);
		if (got <= 0) {
			text->error = got < 0 ? -errno : 0;
			return NULL;
		}
		text->at += (uint64_t)got;
		text->used += (uint32_t)got;
	}
}

static uint64_t number(char **at, int base)
{
	return strtoull(*at, at, base);
}

static uint32_t rights(const char *text)
{
	return (text[0] == 'r' ? DBX_REGION_READ : 0) | (text[1] == 'w' ? DBX_REGION_WRITE : 0) | (text[2] == 'x' ? DBX_REGION_EXEC : 0) |
	       (text[3] == 's' ? DBX_REGION_SHARED : 0);
}

/* A line end in a name is written as \012 (fs/seq_file.c, mangle_path). */
static uint32_t unescape(char *name)
{
	char *to = name;
	for (const char *from = name; *from; to++) {
		bool escaped = !strncmp(from, "\\012", 4);
		*to = escaped ? '\n' : *from;
		from += escaped ? 4 : 1;
	}
	*to = 0;
	return (uint32_t)(to - name);
}

int dbx_maps_next(struct dbx_maps_text *text, struct dbx_region *region, const char **name)
{
	char *at = next_line(text);
	if (!at)
		return text->error;
	*region = (struct dbx_region){0};
	region->start = number(&at, 16);
	at++;
	region->end = number(&at, 16);
	if (region->end <= region->start || strlen(at) < 6)
		return -EBADMSG;
	region->flags = rights(at + 1);
	at += 6;
	region->offset = number(&at, 16);
	region->dev_major = (uint32_t)number(&at, 16);
	at += *at == ':';
	region->dev_minor = (uint32_t)number(&at, 16);
	region->inode = number(&at, 10);
	at += strspn(at, " ");
	region->name_len = unescape(at);
	*name = at;
	return 1;
}

/* The text does not tell the page size; only what can lie on hugetlbfs is asked. */
bool dbx_maps_huge(pid_t pid, const struct dbx_region *region, const char *name)
{
	if (strncmp(name, "/anon_hugepage", 14) && strncmp(name, "/memfd:", 7) && strncmp(name, "/SYSV", 5))
		return false;
	char path[96];
	struct statfs fs;
	snprintf(path, sizeof path, "/proc/%d/map_files/%llx-%llx", pid, (unsigned long long)region->start, (unsigned long long)region->end);
	return !statfs(path, &fs) && fs.f_type == HUGETLBFS;
}
