/* Finding, starting and becoming the daemon. */
#include "client.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define JAVA_ARGS_MAX 32
#define ENVIRONMENT_MAX 32
#define DAEMON_END_SECONDS 20

extern char **environ;

int daemon_connect(const struct place *place)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	size_t len = strlen(place->socket);
	if (!place->root[0]) {
		errno = ENOENT;
		return -1;
	}
	if (len >= sizeof(address.sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(address.sun_path, place->socket, len + 1);
	int sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (sock < 0 || !connect(sock, (struct sockaddr *)&address, sizeof(address)))
		return sock;
	close(sock);
	return -1;
}

/* The class path: as told, else the jars beside this program. */
static void class_path(char *to, size_t cap)
{
	const char *told = getenv("DELTABOX_CLASSPATH");
	char self[PATH_MAX];
	ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);
	self[len > 0 ? len : 0] = '\0';
	char *slash = strrchr(self, '/');
	if (slash)
		*slash = '\0';
	snprintf(to, cap, "%s%s", told ? told : self, told ? "" : "/../lib/*");
}

static const char *java_program(char *to, size_t cap)
{
	const char *home = getenv("JAVA_HOME");
	if (home && *home) {
		snprintf(to, cap, "%s/bin/java", home);
		if (!access(to, X_OK))
			return to;
	}
	return "java";
}

/* The daemon has an environment of its own: what the caller happens to have set must not decide how sandboxes run. */
static char **own_environment(char **to)
{
	static const char *const kept[] = { "PATH=", "HOME=", "JAVA_HOME=", "XDG_RUNTIME_DIR=", "DELTABOX_WITHOUT=", "DELTABOX_CLASSPATH=" };
	static char lang[] = "LANG=C.UTF-8";
	size_t count = 0;
	to[count++] = lang;
	for (char **pair = environ; *pair; pair++)
		for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]) && count < ENVIRONMENT_MAX - 1; i++)
			if (!strncmp(*pair, kept[i], strlen(kept[i])))
				to[count++] = *pair;
	to[count] = NULL;
	return to;
}

static void become_daemon(const struct place *place, bool announce)
{
	static char classes[1 << 17], java[PATH_MAX], tmp[PATH_MAX + 32], errors[PATH_MAX + 32];
	char *environment[ENVIRONMENT_MAX];
	class_path(classes, sizeof(classes));
	snprintf(tmp, sizeof(tmp), "-Djava.io.tmpdir=%s/tmp", place->root);
	snprintf(errors, sizeof(errors), "-XX:ErrorFile=%s/log/hs_err.log", place->root);
	const char *arguments[JAVA_ARGS_MAX] = {
		java_program(java, sizeof(java)),
		"-XX:+UseSerialGC",
		"-XX:-UsePerfData", /* would leave a file in /tmp behind after a kill */
		/* The first rollbacks of a sandbox should not be interpreted; all of the daemon so would double the cost of its start. */
		"-XX:CompileCommand=quiet",
		"-XX:CompileCommand=CompileThresholdScaling,io.deltabox.capture*::*,0.05",
		"-XX:CompileCommand=CompileThresholdScaling,io.deltabox.linux*::*,0.05",
		"-Xms64m",
		"-Xmx1g",
		"--enable-native-access=ALL-UNNAMED",
		"-Djnr.ffi.x86asm.enabled=false",
		"-Dfile.encoding=UTF-8",
		tmp,
		errors,
		"-cp",
		classes,
		"io.deltabox.cli.daemon.DaemonMain",
		"--data",
		place->root,
		"--socket",
		place->socket,
	};
	size_t count = 0;
	while (arguments[count])
		count++;
	if (place->temporary)
		arguments[count++] = "--temporary";
	if (announce)
		arguments[count++] = "--announce";
	struct rlimit none = { 0, 0 };
	(void)setrlimit(RLIMIT_CORE, &none); /* its memory holds what every sandbox holds */
	umask(077);
	if (chdir("/"))
		return;
	execvpe(arguments[0], (char *const *)(uintptr_t)arguments, own_environment(environment));
}

int daemon_run(const struct place *place)
{
	int result = place_prepare(place);
	if (result)
		return result;
	become_daemon(place, false);
	complain("start java failed: %s (Debian package: openjdk-17-jdk-headless)", strerror(errno));
	return EXIT_MISSING;
}

/* The child's part: a session of its own, no terminal, only the pipe and the log open. */
static void child(const struct place *place, int announce, pid_t parent)
{
	sigset_t none;
	/* A daemon for one command must not outlive a client that is killed before it sends the command. */
	if (place->temporary && (prctl(PR_SET_PDEATHSIG, SIGTERM) || getppid() != parent))
		_exit(EXIT_FAILED);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	setsid();
	int null = open("/dev/null", O_RDWR);
	int log = open(place->log, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW, 0600);
	if (null >= 0 && log >= 0 && dup2(announce, 1) == 1 && dup2(null, 0) == 0 && dup2(log, 2) == 2) {
		closefrom(3);
		become_daemon(place, true);
	}
	int error = errno;
	/* After the last step 1 is the pipe, before it the pipe is where it was. */
	dprintf(fcntl(announce, F_GETFD) < 0 ? 1 : announce, "start java failed: %s (Debian package: openjdk-17-jdk-headless)\n", strerror(error));
	_exit(EXIT_MISSING);
}

static void give_up(int signal)
{
	(void)signal;
}

/* A daemon that was told to stop keeps its lock until its process has ended: waits for that, a bounded time. */
void daemon_await_end(const struct place *place)
{
	char path[PATH_MAX + 16];
	snprintf(path, sizeof(path), "%s/daemon.lock", place->root);
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	struct sigaction action = { .sa_handler = give_up };
	struct flock whole = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	sigaction(SIGALRM, &action, NULL);
	alarm(DAEMON_END_SECONDS);
	(void)fcntl(fd, F_SETLKW, &whole);
	alarm(0);
	close(fd);
}

/* Reads what the daemon says about its start: "ready", or one line why not. */
static int await_ready(const struct place *place, int from)
{
	char said[1024];
	size_t len = 0;
	ssize_t got;
	while (len < sizeof(said) - 1 && (got = read(from, said + len, sizeof(said) - 1 - len)) != 0) {
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			break;
		len += (size_t)got;
		if (memchr(said, '\n', len))
			break;
	}
	said[len] = '\0';
	said[strcspn(said, "\n")] = '\0';
	if (!strncmp(said, "ready", 5)) {
		if (said[5] == ' ')
			complain("note: %s", said + 6);
		return 0;
	}
	complain("start the daemon failed: %s log=%s", len ? said : "it ended without a word", place->log);
	return EXIT_FAILED;
}

static int fork_daemon(const struct place *place, pid_t *pid)
{
	int ends[2];
	if (pipe2(ends, O_CLOEXEC)) {
		complain("make pipe failed: %s", strerror(errno));
		return EXIT_FAILED;
	}
	pid_t self = getpid();
	*pid = fork();
	if (*pid == 0)
		child(place, ends[1], self);
	close(ends[1]);
	if (*pid < 0) {
		complain("start a process failed: %s", strerror(errno));
		return EXIT_FAILED;
	}
	int result = await_ready(place, ends[0]);
	close(ends[0]);
	return result;
}

/* The lock keeps two clients from starting two daemons; the second then finds the first one's. */
int daemon_start(const struct place *place, pid_t *pid)
{
	char path[PATH_MAX + 16];
	int result = place_prepare(place);
	if (result)
		return result;
	snprintf(path, sizeof(path), "%s/start.lock", place->root);
	int lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (lock < 0 || flock(lock, LOCK_EX)) {
		complain("lock data root failed: %s path=%s", strerror(errno), path);
		return EXIT_FAILED;
	}
	int sock = daemon_connect(place);
	if (sock >= 0) {
		close(sock);
	} else {
		daemon_await_end(place);
		result = fork_daemon(place, pid);
	}
	close(lock);
	return result;
}
