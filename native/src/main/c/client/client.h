/*
 * The command's client: a few hundred lines of C because a JVM takes longer to start than a checkpoint takes.
 * It finds the daemon of a data root, starts it when none answers, hands over its arguments and descriptors, and returns the exit code.
 */
#ifndef DBX_CLIENT_H
#define DBX_CLIENT_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define EXIT_FAILED 1
#define EXIT_USAGE 2
#define EXIT_MISSING 3

/* Where one daemon lives. */
struct place {
	char root[PATH_MAX]; /* data root, canonical */
	char run[PATH_MAX]; /* directory of the sockets */
	char socket[PATH_MAX];
	char log[PATH_MAX];
	bool temporary; /* a root made for one command, removed after it */
};

/* place.c. All print what went wrong and return an exit code. */
/* `data` may be NULL. A root that does not exist is made, or left empty in `place`: no daemon can be there. */
int place_find(struct place *place, const char *data, bool make);
/* Makes the directories a daemon needs. */
int place_prepare(const struct place *place);
int place_make_temporary(struct place *place);
void place_remove(const struct place *place);

/* start.c */
/* The connected socket, or -1 when no daemon answers. */
int daemon_connect(const struct place *place);
/* Starts a daemon unless another client just did; `pid` is its process or 0. Result: exit code, 0 when one answers. */
int daemon_start(const struct place *place, pid_t *pid);
/* Waits until the process that had the data root has ended. */
void daemon_await_end(const struct place *place);
/* Becomes the daemon, in the foreground. Returns only on failure. */
int daemon_run(const struct place *place);

/* wire.c */
int wire_request(int sock, int argc, char **argv);
/* Carries signals, window sizes and terminal modes until the daemon sends an exit code, which is the result. */
int wire_serve(int sock);
#define WIRE_LOST (-1) /* the daemon went away while the command ran */
#define WIRE_REFUSED (-2) /* it went away before the command began: nothing was done */

/* tty.c */
void tty_raw(bool on);

/* main.c */
__attribute__((format(printf, 1, 2))) void complain(const char *format, ...);

#endif
