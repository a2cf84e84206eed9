/*
 * One descriptor of each kind, set up once in DIRECTORY, wrecked on "disturb", compared with what was set up on "check". A child shares an offset.
 */
#include "probe.h"

#include <dirent.h>
#include <netinet/in.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <termios.h>

enum {
	FILE_FD = 20, FILE_DUP, APPEND, DELETED, DIRECTORY, PIPE_R, PIPE_W, FIFO, EVENT, EPOLL, TIMER, SIGNALS, WATCH, STREAM_A, STREAM_B, PACKET_A,
	PACKET_B, LISTEN_UNIX, LISTEN_TCP, MEMORY, MASTER, SLAVE, NOTHING, LOCKED, ENDS
};

static char directory[80];
static char *mapped;
static int child_ask, child_answer;
static int port;
static pid_t child;
static int wrong;

static void expect(bool good, const char *what)
{
	if (!good) {
		say("BAD %s: %s", what, strerror(errno));
		wrong++;
	}
}

static const char *in(const char *name)
{
	static char path[4][256];
	static int next;
	char *p = path[next++ & 3];
	snprintf(p, 256, "%s/%s", directory, name);
	return p;
}

static void put(int fd, int at)
{
	if (fd < 0 || dup2(fd, at) != at) {
		say("BAD set up of %d: %s", at, strerror(errno));
		_exit(5);
	}
	close(fd);
}

static int file(const char *name, int flags, const char *content)
{
	int fd = open(in(name), flags | O_CREAT, 0644);
	write(fd, content, strlen(content));
	return fd;
}

static void live_as_child(int ask, int answer)
{
	char c;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	while (read(ask, &c, 1) == 1) {
		off_t at = lseek(FILE_FD, 0, SEEK_CUR);
		write(answer, &at, sizeof(at));
	}
	_exit(0);
}

static void set_up_files(void)
{
	mkdir(directory, 0755);
	put(file("a", O_RDWR, "0123456789"), FILE_FD);
	lseek(FILE_FD, 5, SEEK_SET);
	dup2(FILE_FD, FILE_DUP);
	put(file("append", O_WRONLY | O_APPEND, "start"), APPEND);
	put(file("deleted", O_RDWR, "deleted content"), DELETED);
	lseek(DELETED, 3, SEEK_SET);
	unlink(in("deleted"));
	put(open(directory, O_RDONLY | O_DIRECTORY), DIRECTORY);
	mkfifo(in("fifo"), 0600);
	put(open(in("fifo"), O_RDWR | O_NONBLOCK), FIFO);
	write(FIFO, "fifo", 4);
	int nothing = open("/dev/null", O_WRONLY);
	dup3(nothing, NOTHING, O_CLOEXEC);
	close(nothing);
	put(file("locked", O_RDWR, "locked"), LOCKED);
	flock(FILE_FD, LOCK_EX);
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 2, .l_len = 3 };
	fcntl(LOCKED, F_SETLK, &lock);
	put(memfd_create("probe", 0), MEMORY);
	ftruncate(MEMORY, 2 * PAGE);
	mapped = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, MEMORY, 0);
	strcpy(mapped, "memory");
}

static void set_up_queues(void)
{
	int p[2], s[2];
	pipe(p);
	put(p[0], PIPE_R);
	put(p[1], PIPE_W);
	for (int i = 0; i < 100; i++)
		write(PIPE_W, "pipecontent", 10);
	socketpair(AF_UNIX, SOCK_STREAM, 0, s);
	put(s[0], STREAM_A);
	put(s[1], STREAM_B);
	write(STREAM_A, "hello", 5);
	socketpair(AF_UNIX, SOCK_SEQPACKET, 0, s);
	put(s[0], PACKET_A);
	put(s[1], PACKET_B);
	send(PACKET_A, "one", 3, 0);
	send(PACKET_A, "two!", 4, 0);
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	snprintf(un.sun_path, sizeof(un.sun_path), "%s/socket", directory);
	put(socket(AF_UNIX, SOCK_STREAM, 0), LISTEN_UNIX);
	bind(LISTEN_UNIX, (struct sockaddr *)&un, sizeof(un));
	listen(LISTEN_UNIX, 5);
	struct sockaddr_in tcp = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(tcp);
	put(socket(AF_INET, SOCK_STREAM, 0), LISTEN_TCP);
	bind(LISTEN_TCP, (struct sockaddr *)&tcp, sizeof(tcp));
	listen(LISTEN_TCP, 5);
	getsockname(LISTEN_TCP, (struct sockaddr *)&tcp, &len);
	port = ntohs(tcp.sin_port);
}

static void set_up_events(void)
{
	put(eventfd(7, EFD_NONBLOCK), EVENT);
	put(epoll_create1(0), EPOLL);
	struct epoll_event event = { .events = EPOLLIN, .data.u64 = 1234567890123 };
	epoll_ctl(EPOLL, EPOLL_CTL_ADD, EVENT, &event);
	event.events = EPOLLIN | EPOLLET;
	event.data.u64 = 99;
	epoll_ctl(EPOLL, EPOLL_CTL_ADD, FIFO, &event);
	put(timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK), TIMER);
	struct itimerspec it = { { 50, 0 }, { 1000, 0 } };
	timerfd_settime(TIMER, 0, &it, NULL);
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	put(signalfd(-1, &set, SFD_NONBLOCK), SIGNALS);
	put(inotify_init1(IN_NONBLOCK), WATCH);
	mkdir(in("watched"), 0755);
	inotify_add_watch(WATCH, in("watched"), IN_CREATE);
	int master, slave;
	struct winsize size = { .ws_row = 33, .ws_col = 101 };
	openpty(&master, &slave, NULL, NULL, &size);
	put(master, MASTER);
	put(slave, SLAVE);
	struct termios t;
	tcgetattr(SLAVE, &t);
	t.c_lflag &= (tcflag_t) ~(ICANON | ECHO);
	tcsetattr(SLAVE, TCSANOW, &t);
}

static void disturb_files(void)
{
	lseek(FILE_FD, 9, SEEK_SET);
	write(FILE_FD, "overwritten", 11);
	flock(FILE_FD, LOCK_UN);
	close(FILE_DUP);
	put(open("/dev/zero", O_RDONLY), FILE_DUP);
	write(APPEND, "more", 4);
	close(APPEND);
	ftruncate(DELETED, 0);
	write(DELETED, "other", 5);
	close(DELETED);
	close(DIRECTORY);
	fcntl(NOTHING, F_SETFD, 0);
	struct flock lock = { .l_type = F_UNLCK, .l_whence = SEEK_SET };
	fcntl(LOCKED, F_SETLK, &lock);
	unlink(in("a"));
	strcpy(mapped, "changed");
	strcpy(mapped + PAGE, "more");
	fcntl(FIFO, F_SETFL, O_RDWR);
}

static void disturb_rest(void)
{
	char b[2000];
	read(PIPE_R, b, 300);
	write(PIPE_W, "new", 3);
	read(FIFO, b, 2);
	recv(STREAM_B, b, 3, 0);
	send(STREAM_B, "back", 4, 0);
	recv(PACKET_B, b, 100, 0);
	close(PACKET_A);
	close(PACKET_B);
	close(LISTEN_UNIX);
	unlink(in("socket"));
	close(LISTEN_TCP);
	uint64_t n = 100;
	write(EVENT, &n, 8);
	struct epoll_event event = { .events = EPOLLOUT, .data.u64 = 5 };
	epoll_ctl(EPOLL, EPOLL_CTL_MOD, EVENT, &event);
	epoll_ctl(EPOLL, EPOLL_CTL_DEL, FIFO, NULL);
	struct itimerspec off = { { 0, 0 }, { 0, 0 } };
	timerfd_settime(TIMER, 0, &off, NULL);
	close(SIGNALS);
	inotify_rm_watch(WATCH, 1);
	struct termios t;
	tcgetattr(SLAVE, &t);
	t.c_lflag |= ICANON | ECHO;
	tcsetattr(SLAVE, TCSANOW, &t);
	struct winsize size = { .ws_row = 1, .ws_col = 2 };
	ioctl(MASTER, TIOCSWINSZ, &size);
	for (int i = 60; i < 70; i++)
		put(open("/dev/null", O_RDONLY), i);
}

static bool content(int fd, const char *text)
{
	char b[64] = "";
	ssize_t n = pread(fd, b, sizeof(b) - 1, 0);
	return n == (ssize_t)strlen(text) && strcmp(b, text) == 0;
}

static void check_files(void)
{
	struct stat st, named;
	off_t at = -1;
	expect(content(FILE_FD, "0123456789"), "file content");
	expect(lseek(FILE_FD, 0, SEEK_CUR) == 5, "offset");
	lseek(FILE_DUP, 7, SEEK_SET);
	expect(lseek(FILE_FD, 0, SEEK_CUR) == 7, "offset shared by two descriptors");
	write(child_ask, "x", 1);
	expect(read(child_answer, &at, sizeof(at)) == sizeof(at) && at == 7, "offset shared with the child");
	lseek(FILE_FD, 5, SEEK_SET);
	expect(fstat(FILE_FD, &st) == 0 && stat(in("a"), &named) == 0 && st.st_ino == named.st_ino, "descriptor is of the file with that name");
	int other = open(in("a"), O_RDONLY);
	expect(flock(other, LOCK_EX | LOCK_NB) != 0, "flock is held");
	close(other);
	expect((fcntl(APPEND, F_GETFL) & O_APPEND) != 0 && stat(in("append"), &named) == 0 && named.st_size == 5, "append");
	expect(content(DELETED, "deleted content") && lseek(DELETED, 0, SEEK_CUR) == 3, "deleted file");
	expect(fstat(DELETED, &st) == 0 && st.st_nlink == 0, "deleted file has no name");
	expect(fstat(DIRECTORY, &st) == 0 && S_ISDIR(st.st_mode), "directory");
	expect(fcntl(NOTHING, F_GETFD) == FD_CLOEXEC, "close on exec");
	expect(strcmp(mapped, "memory") == 0 && mapped[PAGE] == 0, "memory file through the mapping");
	char b[8] = "";
	expect(pread(MEMORY, b, 6, 0) == 6 && strcmp(b, "memory") == 0, "memory file through the descriptor");
	expect((fcntl(FIFO, F_GETFL) & O_NONBLOCK) != 0, "flags");
	for (int fd = 60; fd < 70; fd++)
		expect(fcntl(fd, F_GETFD) < 0, "later descriptor is closed");
}

static void check_queues(void)
{
	int n = -1;
	char b[64] = "";
	expect(ioctl(PIPE_R, FIONREAD, &n) == 0 && n == 1000, "pipe content");
	expect(ioctl(FIFO, FIONREAD, &n) == 0 && n == 4, "named pipe content");
	expect(recv(STREAM_B, b, sizeof(b), MSG_PEEK | MSG_DONTWAIT) == 5 && memcmp(b, "hello", 5) == 0, "socket pair content");
	expect(recv(STREAM_A, b, sizeof(b), MSG_PEEK | MSG_DONTWAIT) < 0 && errno == EAGAIN, "socket pair empty the other way");
	expect(recv(PACKET_B, b, sizeof(b), MSG_PEEK | MSG_DONTWAIT) == 3 && memcmp(b, "one", 3) == 0, "packets");
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	snprintf(un.sun_path, sizeof(un.sun_path), "%s/socket", directory);
	int c = socket(AF_UNIX, SOCK_STREAM, 0);
	expect(connect(c, (struct sockaddr *)&un, sizeof(un)) == 0, "connect to the unix socket");
	close(c);
	close(accept4(LISTEN_UNIX, NULL, NULL, SOCK_NONBLOCK));
	struct sockaddr_in tcp = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	c = socket(AF_INET, SOCK_STREAM, 0);
	expect(connect(c, (struct sockaddr *)&tcp, sizeof(tcp)) == 0, "connect to the tcp port");
	close(c);
	close(accept4(LISTEN_TCP, NULL, NULL, SOCK_NONBLOCK));
}

static void check_events(void)
{
	uint64_t n = 0;
	struct epoll_event events[4];
	int count = epoll_wait(EPOLL, events, 4, 0);
	bool good = false;
	for (int i = 0; i < count; i++)
		good |= events[i].data.u64 == 1234567890123 && events[i].events == EPOLLIN;
	expect(good, "epoll");
	expect(read(EVENT, &n, 8) == 8 && n == 7, "eventfd");
	n = 7;
	write(EVENT, &n, 8);
	struct itimerspec it;
	expect(timerfd_gettime(TIMER, &it) == 0 && it.it_interval.tv_sec == 50 && it.it_value.tv_sec > 800, "timerfd");
	struct signalfd_siginfo info;
	kill(getpid(), SIGUSR1);
	expect(read(SIGNALS, &info, sizeof(info)) == sizeof(info) && info.ssi_signo == SIGUSR1, "signalfd");
	char b[512];
	while (read(WATCH, b, sizeof(b)) > 0)
		;
	close(open(in("watched/new"), O_CREAT | O_RDWR, 0600));
	unlink(in("watched/new"));
	expect(read(WATCH, b, sizeof(b)) > 0, "inotify");
	struct termios t;
	expect(tcgetattr(SLAVE, &t) == 0 && !(t.c_lflag & (ICANON | ECHO)), "terminal settings");
	struct winsize size;
	expect(ioctl(SLAVE, TIOCGWINSZ, &size) == 0 && size.ws_row == 33 && size.ws_col == 101, "terminal size");
	expect(write(MASTER, "k", 1) == 1 && poll(&(struct pollfd){ SLAVE, POLLIN, 0 }, 1, 1000) == 1 && read(SLAVE, b, 8) >= 1, "terminal passes a key");
}

int main(int argc, char **argv)
{
	char line[64];
	snprintf(directory, sizeof(directory), "%s", argc > 1 ? argv[1] : "/tmp/descriptors");
	set_up_files();
	set_up_queues();
	set_up_events();
	int ask[2], answer[2];
	pipe(ask);
	pipe(answer);
	child = fork();
	if (child == 0)
		live_as_child(ask[0], answer[1]);
	child_ask = ask[1];
	child_answer = answer[0];
	say("ready");
	for (;;) {
		hear(line, sizeof(line));
		if (strcmp(line, "disturb") == 0) {
			disturb_files();
			disturb_rest();
			say("disturbed");
		} else if (strcmp(line, "check") == 0) {
			wrong = 0;
			check_files();
			check_queues();
			check_events();
			say(wrong ? "end bad" : "end ok");
		}
	}
}
