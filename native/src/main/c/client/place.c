/* Where a daemon lives: its data root, and the sockets whose path is derived from it so that two daemons never meet. */
#include "client.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool format(char *to, const char *a, const char *b)
{
	int len = snprintf(to, PATH_MAX, "%s%s", a, b);
	return len >= 0 && len < PATH_MAX;
}

/* The default root: the machine's for root, the user's for anyone else. */
static bool default_root(char *to)
{
	if (geteuid() == 0)
		return format(to, "/var/lib", "/deltabox");
	const char *base = getenv("XDG_DATA_HOME");
	if (base && *base == '/')
		return format(to, base, "/deltabox");
	base = getenv("HOME");
	return base && *base == '/' && format(to, base, "/.local/share/deltabox");
}

static int make_directories(const char *path)
{
	char part[PATH_MAX];
	size_t len = strlen(path);
	if (len >= sizeof(part))
		return -ENAMETOOLONG;
	for (size_t i = 1; i <= len; i++) {
		if (path[i] != '/' && path[i] != '\0')
			continue;
		memcpy(part, path, i);
		part[i] = '\0';
		if (mkdir(part, i == len ? 0700 : 0755) && errno != EEXIST)
			return -errno;
	}
	return 0;
}

/* FNV-1a: a name for the path, not a secret. */
static uint64_t hash(const char *text)
{
	uint64_t value = UINT64_C(0xcbf29ce484222325);
	for (; *text; text++)
		value = (value ^ (uint8_t)*text) * UINT64_C(0x100000001b3);
	return value;
}

static bool run_directory(struct place *place)
{
	char name[32];
	snprintf(name, sizeof(name), "/deltabox-%016llx", (unsigned long long)hash(place->root));
	const char *base = getenv("XDG_RUNTIME_DIR");
	if (geteuid() == 0)
		return format(place->run, "/run", name);
	if (base && *base == '/' && !access(base, W_OK))
		return format(place->run, base, name);
	return format(place->run, place->root, "/run");
}

/* Only a directory of our own that nobody else can enter may hold the sockets. */
static int check_owned(const char *path)
{
	struct stat st;
	if (lstat(path, &st) || !S_ISDIR(st.st_mode) || st.st_uid != geteuid() || (st.st_mode & 077)) {
		complain("directory must be yours alone: path=%s expected=uid %u, mode 0700", path, geteuid());
		return EXIT_FAILED;
	}
	return 0;
}

static int place_finish(struct place *place)
{
	if (run_directory(place) && format(place->socket, place->run, "/cli.sock") && format(place->log, place->root, "/log/daemon.log"))
		return 0;
	complain("data root has too long a path: path=%s", place->root);
	return EXIT_USAGE;
}

int place_prepare(const struct place *place)
{
	char path[PATH_MAX + 16];
	static const char *const inside[] = { "log", "tmp" };
	for (size_t i = 0; i < sizeof(inside) / sizeof(inside[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", place->root, inside[i]);
		if (mkdir(path, 0700) && errno != EEXIST) {
			complain("data root is not writable: %s path=%s", strerror(errno), place->root);
			return EXIT_FAILED;
		}
	}
	int made = make_directories(place->run);
	if (made) {
		complain("make directory of the sockets failed: %s path=%s", strerror(-made), place->run);
		return EXIT_FAILED;
	}
	return check_owned(place->run);
}

int place_find(struct place *place, const char *data, bool make)
{
	char wanted[PATH_MAX];
	if (!data || !*data)
		data = getenv("DELTABOX_DATA");
	if (data && *data ? !format(wanted, data, "") : !default_root(wanted)) {
		complain("no data root: give --data DIR or set DELTABOX_DATA or HOME");
		return EXIT_USAGE;
	}
	int made = make ? make_directories(wanted) : 0;
	if (!made && realpath(wanted, place->root))
		return place_finish(place);
	place->root[0] = '\0';
	if (!make)
		return 0;
	complain("make data root failed: %s path=%s", strerror(made ? -made : errno), wanted);
	return EXIT_FAILED;
}

/* In memory where there is a tmpfs for it: what a trial run writes is gone afterwards anyway. */
int place_make_temporary(struct place *place)
{
	static const char *const bases[] = { "/dev/shm", "/tmp" };
	for (size_t i = 0; i < sizeof(bases) / sizeof(bases[0]); i++) {
		if (!format(place->root, bases[i], "/deltabox-private-XXXXXX") || !mkdtemp(place->root))
			continue;
		place->temporary = true;
		return place_finish(place);
	}
	complain("make temporary data root failed: %s tried=/dev/shm,/tmp", strerror(errno));
	return EXIT_FAILED;
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *walk)
{
	(void)st;
	(void)type;
	(void)walk;
	(void)remove(path);
	return 0;
}

/* After the daemon has ended: what it could not remove itself, because it was killed. */
void place_remove(const struct place *place)
{
	if (!place->temporary)
		return;
	(void)nftw(place->root, remove_entry, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
	(void)nftw(place->run, remove_entry, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
}
