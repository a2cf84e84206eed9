/* Terminals: settings, size and foreground group of a pty, seen from either end. Bytes queued inside have no interface and are not read. */
#include "fds.h"

#include <asm/termbits.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

/* <sys/ioctl.h> has another struct termios than the kernel. */
extern int ioctl(int, unsigned long, ...);
#define GET_TERMIOS 0x802c542aul
#define GET_WINDOW 0x5413ul
#define GET_GROUP 0x540ful
#define GET_SESSION 0x5429ul
#define GET_NUMBER 0x80045430ul
#define GET_LOCK 0x80045439ul
#define GET_PACKET 0x80045438ul
#define GET_QUEUED 0x541bul

#define MASTER 2u
#define MASTER_MAJOR 5u
#define SLAVE_MAJOR_FROM 136u
#define SLAVE_MAJOR_TO 143u

/* tty_nr and tpgid of /proc/PID/stat; the command name before them may hold anything, so the search starts behind its last parenthesis. */
static void controlling(const struct dbx_fds_reader *reader, uint64_t rdev, struct dbx_fds_tty *tty)
{
	char text[1024];
	DBX_AUTO_FD fd = openat(reader->base, "stat", O_RDONLY | O_CLOEXEC);
	ssize_t size = fd < 0 ? -1 : DBX_RETRY(read(fd, text, sizeof(text) - 1));
	if (size <= 0)
		return;
	text[size] = 0;
	char *at = strrchr(text, ')');
	int session = 0;
	int terminal = 0;
	int group = 0;
	if (at && sscanf(at + 1, " %*c %*d %*d %d %d %d", &session, &terminal, &group) == 3 && (uint64_t)(uint32_t)terminal == rdev) {
		tty->foreground = group;
		tty->session = session;
	}
}

void dbx_fds_tty(const struct dbx_fds_reader *reader, const struct dbx_fds_descriptor *d)
{
	int master = major(d->rdev) == MASTER_MAJOR && minor(d->rdev) == MASTER;
	if (!master && (major(d->rdev) < SLAVE_MAJOR_FROM || major(d->rdev) > SLAVE_MAJOR_TO))
		return;
	/* a shell has its terminal open several times; the foreground group is told by a process of its session only */
	uint64_t process = (uint64_t)(uint32_t)reader->pid << 32;
	if (!master && dbx_fds_first(reader->context, d->dev ^ process, d->rdev, DBX_FDS_TAG_TTY) <= 0)
		return;
	DBX_AUTO_FD fd = dbx_fds_steal(reader, d->number);
	if (fd < 0)
		return;
	struct dbx_fds_tty tty = {.dev = d->dev, .master = (uint32_t)master};
	unsigned int index = minor(d->rdev) + 256 * (major(d->rdev) - SLAVE_MAJOR_FROM);
	unsigned short window[4] = {0};
	int queued = 0;
	if (master && ioctl(fd, GET_NUMBER, &index)) {
		dbx_fds_trouble(reader, d->number, DBX_FDS_STEP_CONTENT, errno);
		return;
	}
	tty.index = index;
	tty.termios_len = ioctl(fd, GET_TERMIOS, tty.termios) ? 0 : sizeof(struct termios2);
	if (!ioctl(fd, GET_WINDOW, window)) {
		tty.rows = window[0];
		tty.columns = window[1];
		tty.width = window[2];
		tty.height = window[3];
	}
	if (!ioctl(fd, GET_QUEUED, &queued))
		tty.queued = (uint32_t)queued;
	if (master) {
		(void)ioctl(fd, GET_GROUP, &tty.foreground);
		(void)ioctl(fd, GET_SESSION, &tty.session);
		(void)ioctl(fd, GET_LOCK, &tty.locked);
		(void)ioctl(fd, GET_PACKET, &tty.packet);
	} else {
		controlling(reader, d->rdev, &tty);
	}
	struct dbx_fds_tty *body = dbx_arena_put(reader->arena, DBX_FDS_TTY, 0, sizeof(tty));
	if (body)
		*body = tty;
}

_Static_assert(sizeof(struct termios2) <= sizeof(((struct dbx_fds_tty *)0)->termios), "settings fit their record");
