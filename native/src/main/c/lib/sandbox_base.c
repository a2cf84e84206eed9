/* What of the host's root directory a sandbox does not see. In C because names are bytes here: one that is no text of the JVM's locale counts too. */
#include "lib/dbx.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

DBX_API int32_t dbx_sandbox_hide_rest(int32_t layer, const char *host, uint64_t passed, uint32_t count);
DBX_API int64_t dbx_sandbox_names(const char *host);
DBX_API int32_t dbx_sandbox_watch_names(const char *host);

static bool is_dots(const char *name)
{
	return !strcmp(name, ".") || !strcmp(name, "..");
}

static bool among(const char *name, const char *strings, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++, strings += strlen(strings) + 1)
		if (!strcmp(name, strings))
			return true;
	return false;
}

/* A whiteout of an overlay: a character device 0:0. What the layer has itself stays. */
static int hide(int layer, const char *name)
{
	struct stat info;
	if (!fstatat(layer, name, &info, AT_SYMLINK_NOFOLLOW))
		return 0;
	return mknodat(layer, name, S_IFCHR, makedev(0, 0)) ? -errno : 1;
}

/*
 * Hides in an overlay layer every name of the directory `host` that is neither in the layer nor among `passed` (`count` strings one after the
 * other, each ended by a NUL). The number hidden.
 */
int32_t dbx_sandbox_hide_rest(int32_t layer, const char *host, uint64_t passed, uint32_t count)
{
	int32_t hidden = 0;
	DIR *list = opendir(host);
	if (!list)
		return -errno;
	for (struct dirent *entry; hidden >= 0 && (entry = readdir(list));) {
		if (is_dots(entry->d_name) || among(entry->d_name, (const char *)(uintptr_t)passed, count))
			continue;
		int result = hide(layer, entry->d_name);
		hidden = result < 0 ? result : hidden + result;
	}
	closedir(list);
	return hidden;
}

/* A number that differs when the directory has other names, whatever their order; not negative. FNV-1a of each name, summed. */
int64_t dbx_sandbox_names(const char *host)
{
	uint64_t sum = 0;
	DIR *list = opendir(host);
	if (!list)
		return -errno;
	for (struct dirent *entry; (entry = readdir(list));) {
		uint64_t hash = UINT64_C(14695981039346656037);
		for (const unsigned char *byte = (const unsigned char *)entry->d_name; *byte; byte++)
			hash = (hash ^ *byte) * UINT64_C(1099511628211);
		sum += hash;
	}
	closedir(list);
	return (int64_t)(sum >> 1);
}

/* A descriptor that is readable when the directory has got a new name. */
int32_t dbx_sandbox_watch_names(const char *host)
{
	int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (fd < 0)
		return -errno;
	if (inotify_add_watch(fd, host, IN_CREATE | IN_MOVED_TO | IN_ONLYDIR) < 0) {
		int error = -errno;
		close(fd);
		return error;
	}
	return fd;
}
