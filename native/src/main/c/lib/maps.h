/* Reading /proc/PID/maps as text; the file may be of a running process, whose list is then only as consistent as the kernel makes it (proc(5)). */
#ifndef DBX_MAPS_H
#define DBX_MAPS_H

#include "engine.h"

/* Begins with `file` and all else zero. The longest line: a path of 4096 bytes, each of which may be written as four. */
struct dbx_maps_text {
	int file;
	uint32_t used, taken;
	int error;
	uint64_t at;
	char bytes[20480];
};

/* Fills `region`, its classification aside; `name` is valid until the next call. 1, or 0 at the end, or the negated errno. */
int dbx_maps_next(struct dbx_maps_text *text, struct dbx_region *region, const char **name) DBX_MUST_CHECK;

/* Whether a region has pages larger than usual. */
bool dbx_maps_huge(pid_t pid, const struct dbx_region *region, const char *name);

#endif
