/* deltabox-client: hands one command to the daemon of its data root and returns the exit code. */
#include "client.h"

#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

void complain(const char *format, ...)
{
	va_list list;
	va_start(list, format);
	fputs("deltabox: ", stderr);
	vfprintf(stderr, format, list);
	fputc('\n', stderr);
	va_end(list);
}

/* Options before the verb that the client itself needs; the daemon reads them again. */
static int parse(int argc, char **argv, const char **data, int *verb)
{
	for (*verb = 1; *verb < argc && argv[*verb][0] == '-'; ++*verb) {
		if (!strcmp(argv[*verb], "--data")) {
			if (++*verb >= argc) {
				complain("--data needs a directory");
				return EXIT_USAGE;
			}
			*data = argv[*verb];
		} else if (!strncmp(argv[*verb], "--data=", 7)) {
			*data = argv[*verb] + 7;
		}
	}
	return 0;
}

/* Descriptors 0-2 are passed on, so they must be something. */
static void fill_descriptors(void)
{
	int fd;
	do {
		fd = open("/dev/null", O_RDWR);
	} while (fd >= 0 && fd < 3);
	if (fd >= 3)
		close(fd);
}

static bool is(int argc, char **argv, int at, const char *word)
{
	return at < argc && !strcmp(argv[at], word);
}

/* Which daemon a command line needs. */
enum need {
	NEED_DAEMON, /* the one of the data root, started when none answers */
	NEED_RUNNING, /* the one of the data root if it runs */
	NEED_ANY, /* that one, or else one for this command: nothing of it may stay */
	NEED_OWN, /* one for this command: it makes and breaks sandboxes for show or for measure */
	NEED_TO_BE, /* this process becomes it */
};

static enum need need(int argc, char **argv, int verb, bool placed)
{
	if (verb >= argc || is(argc, argv, verb, "help") || is(argc, argv, verb, "doctor"))
		return NEED_ANY;
	for (int i = 1; i < argc && i <= verb + 1; i++)
		if (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h") || !strcmp(argv[i], "--version") || !strcmp(argv[i], "-V"))
			return NEED_ANY;
	if (is(argc, argv, verb, "demo") || is(argc, argv, verb, "bench"))
		return placed ? NEED_DAEMON : NEED_OWN;
	if (!is(argc, argv, verb, "daemon") || is(argc, argv, verb + 1, "start"))
		return NEED_DAEMON;
	return is(argc, argv, verb + 1, "run") ? NEED_TO_BE : NEED_RUNNING;
}

static int not_running(int argc, char **argv)
{
	bool json = false;
	for (int i = 1; i < argc; i++)
		json = json || !strcmp(argv[i], "--json");
	puts(json ? "{\"running\":false}" : "no daemon is running");
	return 0;
}

static int start(struct place *place, pid_t *daemon, int *sock)
{
	int result = daemon_start(place, daemon);
	if (result)
		return result;
	*sock = daemon_connect(place);
	if (*sock >= 0)
		return 0;
	complain("the daemon does not answer: socket=%s log=%s", place->socket, place->log);
	return EXIT_FAILED;
}

static int serve(struct place *place, int *sock, pid_t *daemon, int argc, char **argv)
{
	int result = wire_request(*sock, argc, argv);
	if (!result)
		result = wire_serve(*sock);
	tty_raw(false);
	/* A daemon that was just killed or stopped may still have taken the connection. */
	if (result == WIRE_REFUSED && !place->temporary) {
		close(*sock);
		*sock = -1;
		result = start(place, daemon, sock);
		if (!result)
			result = wire_request(*sock, argc, argv);
		if (!result)
			result = wire_serve(*sock);
		tty_raw(false);
	}
	if (result < 0) {
		complain("the daemon ended before the command did: its sandboxes ended too log=%s", place->log);
		result = EXIT_FAILED;
	}
	return result;
}

/* Ends and removes what was made for this command alone. */
static void clean_up(const struct place *place, int sock, pid_t daemon)
{
	if (!place->temporary)
		return;
	if (sock >= 0)
		close(sock);
	if (daemon > 0)
		(void)waitpid(daemon, NULL, 0);
	place_remove(place);
}

int main(int argc, char **argv)
{
	static struct place place;
	const char *data = NULL;
	pid_t daemon = 0;
	int verb, sock = -1;
	fill_descriptors();
	signal(SIGPIPE, SIG_IGN);
	int result = parse(argc, argv, &data, &verb);
	if (result)
		return result;
	enum need what = need(argc, argv, verb, data != NULL);
	if (what != NEED_OWN)
		result = place_find(&place, data, what == NEED_DAEMON || what == NEED_TO_BE);
	if (!result && what == NEED_TO_BE)
		return daemon_run(&place);
	if (!result && what != NEED_OWN)
		sock = daemon_connect(&place);
	if (!result && sock < 0 && what == NEED_RUNNING)
		return not_running(argc, argv);
	if (!result && sock < 0 && what != NEED_DAEMON)
		result = place_make_temporary(&place);
	if (!result && sock < 0)
		result = start(&place, &daemon, &sock);
	if (!result)
		result = serve(&place, &sock, &daemon, argc, argv);
	if (!result && is(argc, argv, verb, "daemon") && is(argc, argv, verb + 1, "stop"))
		daemon_await_end(&place);
	clean_up(&place, sock, daemon);
	return result;
}
