/*
 * Descriptors of a stopped process: what is open, what is inside, who shares what. Read-only as seen by the sandbox; the applying side is
 * fds_call.c.
 *
 * Needs ptrace access to the process (/proc, pidfd_getfd of Linux 5.6, kcmp of CONFIG_KCMP); the peers of unix sockets need CONFIG_UNIX_DIAG and the
 * right to enter the sandbox's network namespace, else they stay unknown. All threads of all processes must be stopped. Every stolen descriptor is
 * closed before the function returns: one that stays open delays end of file, unlocking and the freeing of ports inside the sandbox.
 */
#ifndef DBX_FDS_H
#define DBX_FDS_H

#include "dbx.h"

#define DBX_FDS_PROCESS (DBX_KIND_DESCRIPTORS + 0) /* struct dbx_fds_process, then the three paths and the groups */
#define DBX_FDS_DESCRIPTOR (DBX_KIND_DESCRIPTORS + 1) /* struct dbx_fds_descriptor, then link target, then fdinfo */
#define DBX_FDS_INFO (DBX_KIND_DESCRIPTORS + 2) /* struct dbx_fds_info, then more fdinfo of the descriptor record before */
#define DBX_FDS_PIPE (DBX_KIND_DESCRIPTORS + 3) /* struct dbx_fds_pipe, then its bytes */
#define DBX_FDS_CONTENT (DBX_KIND_DESCRIPTORS + 4) /* struct dbx_fds_content, then bytes: one extent of a file without a name */
#define DBX_FDS_SOCKET (DBX_KIND_DESCRIPTORS + 5) /* struct dbx_fds_socket */
#define DBX_FDS_MESSAGE (DBX_KIND_DESCRIPTORS + 6) /* struct dbx_fds_message, then bytes queued in a socket */
#define DBX_FDS_UNIX (DBX_KIND_DESCRIPTORS + 7) /* struct dbx_fds_unix: what the kernel's socket list says */
#define DBX_FDS_TTY (DBX_KIND_DESCRIPTORS + 8) /* struct dbx_fds_tty */
#define DBX_FDS_TROUBLE (DBX_KIND_DESCRIPTORS + 9) /* struct dbx_fds_trouble: something could not be read */

struct dbx_fds_place {
	uint64_t dev;
	uint64_t ino;
	uint32_t mode;
	uint32_t path_len;
};

struct dbx_fds_process {
	int32_t pid;
	int32_t inner_pid;
	int32_t group; /* process group and session, as the reader's pid namespace numbers them */
	int32_t session;
	uint32_t umask;
	int32_t inner_group;
	int64_t monotonic_nanos; /* clocks at the time of reading, for absolute timers */
	int64_t boottime_nanos;
	int64_t realtime_nanos;
	uint64_t capabilities[5]; /* inheritable, permitted, effective, bounding, ambient */
	uint32_t filters; /* of seccomp(2) */
	uint32_t groups_len; /* of the text of the supplementary groups, cut when very long */
	struct dbx_fds_place cwd;
	struct dbx_fds_place root;
	struct dbx_fds_place exe;
};

struct dbx_fds_descriptor {
	int32_t pid;
	int32_t number;
	uint32_t file; /* equal numbers in one window: one open file description */
	uint32_t flags; /* of open(2), with O_CLOEXEC of this descriptor */
	uint64_t pos;
	uint64_t dev;
	uint64_t ino;
	uint64_t rdev;
	uint64_t size;
	uint32_t mode;
	uint32_t nlink;
	uint32_t mount;
	uint32_t link_len;
	uint32_t info_len;
	uint32_t seals; /* of a memfd */
	int64_t monotonic_nanos; /* when fdinfo was read, for absolute timers */
	uint32_t uid;
	uint32_t gid;
	int64_t mtime_s;
	int64_t mtime_ns;
};

struct dbx_fds_info {
	int32_t pid;
	int32_t number;
};

struct dbx_fds_pipe {
	uint64_t dev;
	uint64_t ino;
	uint32_t capacity;
	uint32_t events; /* poll(2) of the end it was read through */
	uint32_t bytes; /* body bytes; 0 with DBX_FDS_PIPE_END when only write ends were seen so far */
	uint32_t packets; /* how many reads the content takes: > 1 for a pipe in packet mode; each packet is preceded by its length, four bytes */
	uint32_t through; /* 0: read end, content valid; 1: write end, no content */
	uint32_t reserved;
};

struct dbx_fds_content {
	uint64_t dev;
	uint64_t ino;
	uint64_t offset;
	uint64_t bytes;
};

struct dbx_fds_option {
	int32_t level;
	int32_t name;
	int32_t value;
	int32_t result; /* 0, or the negated error number of reading it */
};

#define DBX_FDS_OPTIONS 14
struct dbx_fds_socket {
	uint64_t ino;
	int32_t domain;
	int32_t type;
	int32_t protocol;
	uint32_t listening;
	uint32_t tcp_state;
	uint32_t backlog;
	uint32_t pending; /* connections nobody has accepted yet (TCP) */
	uint32_t in_queue;
	uint32_t out_queue;
	uint32_t unsent;
	uint64_t received; /* TCP: bytes since the connection began */
	uint64_t acked;
	uint32_t passed; /* descriptors in flight were seen in the queue */
	uint32_t messages;
	uint32_t local_len;
	uint32_t remote_len;
	uint8_t local[128];
	uint8_t remote[128];
	struct dbx_fds_option options[DBX_FDS_OPTIONS];
};

struct dbx_fds_message {
	uint64_t ino;
	uint64_t bytes;
};

struct dbx_fds_unix {
	uint32_t ino;
	uint32_t peer;
	uint32_t node_ino; /* of the name in the file system */
	uint32_t node_dev;
	uint32_t in_queue;
	uint32_t out_queue; /* the backlog of a listening socket */
	uint32_t type;
	uint32_t state;
	uint32_t shutdown;
	uint32_t reserved;
};

struct dbx_fds_tty {
	uint64_t dev; /* of the devpts instance */
	uint32_t index;
	uint32_t master; /* 1: read through the master */
	int32_t foreground; /* process group in the reader's pid namespace, 0 unknown */
	int32_t session;
	int32_t locked;
	int32_t packet;
	uint32_t queued; /* input not yet read by a program */
	uint16_t rows, columns, width, height;
	uint32_t termios_len;
	uint8_t termios[60];
};

struct dbx_fds_trouble {
	int32_t pid;
	int32_t number; /* -1: the process itself */
	int32_t step; /* DBX_FDS_STEP_* */
	int32_t error;
};
#define DBX_FDS_STEP_LIST 1
#define DBX_FDS_STEP_STAT 2
#define DBX_FDS_STEP_INFO 3
#define DBX_FDS_STEP_STEAL 4
#define DBX_FDS_STEP_CONTENT 5
#define DBX_FDS_STEP_SHARING 6
#define DBX_FDS_STEP_TOO_LARGE 7
#define DBX_FDS_STEP_PEERS 8
#define DBX_FDS_STEP_OVERFLOW 9

_Static_assert(sizeof(struct dbx_fds_place) == 24 && sizeof(struct dbx_fds_process) == 168, "shared with Java");
_Static_assert(sizeof(struct dbx_fds_descriptor) == 112 && sizeof(struct dbx_fds_pipe) == 40, "shared with Java");
_Static_assert(sizeof(struct dbx_fds_content) == 32 && sizeof(struct dbx_fds_message) == 16, "shared with Java");
_Static_assert(sizeof(struct dbx_fds_socket) == 80 + 256 + 16 * DBX_FDS_OPTIONS, "shared with Java");
_Static_assert(sizeof(struct dbx_fds_unix) == 40 && sizeof(struct dbx_fds_tty) == 112, "shared with Java");

/* What one window remembers from process to process: which files are one open file description, and whose content is in the arena already. */
#define DBX_FDS_HEADS 4096u
#define DBX_FDS_NODES 16384u
#define DBX_FDS_ONCE 4096u

struct dbx_fds_node {
	uint64_t key;
	int32_t pid;
	int32_t number;
	uint32_t next; /* another key of the same bucket; 0 none, else index + 1 */
	uint32_t less;
	uint32_t greater;
	uint32_t reserved;
};

struct dbx_fds_once {
	uint64_t dev;
	uint64_t ino;
	uint32_t tag;
	uint32_t next;
};

struct dbx_fds_context {
	uint32_t node_count;
	uint32_t once_count;
	uint64_t content_max; /* bytes of files without a name one window may copy; 0: DBX_FDS_CONTENT_MAX */
	uint64_t content_used;
	uint64_t pipe_dev; /* device of pipes without a name, once seen */
	uint32_t heads[DBX_FDS_HEADS];
	uint32_t once_heads[DBX_FDS_HEADS];
	/* all above is zeroed by dbx_fds_begin, what follows need not be */
	struct dbx_fds_once once[DBX_FDS_ONCE];
	struct dbx_fds_node nodes[DBX_FDS_NODES];
};
#define DBX_FDS_CONTEXT_BYTES (sizeof(struct dbx_fds_context))
#define DBX_FDS_CONTENT_MAX (UINT64_C(256) << 20)

/* Forgets the window before; call once before the first process of each window. */
DBX_API void dbx_fds_begin(struct dbx_fds_context *context);

/* Bytes the caller must provide for a context. */
DBX_API uint64_t dbx_fds_context_bytes(void);

/*
 * Writes the records of one process. `pidfd` is borrowed, `main_tid` is a living thread of it. What cannot be read becomes a DBX_FDS_TROUBLE record.
 * Result: number of descriptors, or -errno when the process is gone. A full arena is no error: its `need` says how much would have been used.
 */
DBX_API int32_t dbx_fds_window(int32_t pid, int32_t pidfd, int32_t main_tid, struct dbx_arena *arena, struct dbx_fds_context *context);

/* One system call, for the applying side: result or -errno. At most four arguments. */
DBX_API int64_t dbx_fds_call(int64_t number, int64_t a, int64_t b, int64_t c, int64_t d);

/* fstat: fills {dev, ino, rdev, size, mode:u32, nlink:u32, uid:u32, gid:u32, access time, change time: seconds and nanoseconds each}. */
DBX_API int32_t dbx_fds_stat(int32_t fd, uint64_t *out);

/* linkat(2) of two names in one directory, given as addresses. */
DBX_API int32_t dbx_fds_link(int32_t directory, uint64_t from, uint64_t to);

/* Passes `count` (1..253) descriptors over a unix socket with one byte of data. */
DBX_API int32_t dbx_fds_send(int32_t socket, const int32_t *fds, int32_t count);

/* Sets a socket option of one int. */
DBX_API int32_t dbx_fds_set_option(int32_t socket, int32_t level, int32_t name, int32_t value);

/* Sets a socket option of any size. */
DBX_API int32_t dbx_fds_set_option_data(int32_t socket, int32_t level, int32_t name, uint64_t data, uint32_t len);

/* Sends one message, or bytes of a stream, without waiting: count sent or -errno. */
DBX_API int64_t dbx_fds_push(int32_t socket, uint64_t data, uint64_t len);

/* Receives and drops all that is queued; descriptors in flight are closed. `buffer` has `len` bytes. Result: how many messages. */
DBX_API int64_t dbx_fds_drain(int32_t socket, uint64_t buffer, uint64_t len);

/*
 * Ends what is left of a TCP connection in the network of a process, for example one that waits out its time after both ends were closed. `local` and
 * `remote` point to socket addresses. -ENOENT: there is none. Needs CONFIG_INET_DIAG_DESTROY and CAP_NET_ADMIN over that network.
 */
DBX_API int32_t dbx_fds_destroy(int32_t pid, uint64_t local, uint64_t remote);

/* Inside the library. */
struct dbx_fds_reader {
	int32_t pid;
	int32_t pidfd;
	int32_t base; /* /proc/PID/task/TID */
	int32_t fd_dir;
	int32_t info_dir;
	struct dbx_arena *arena;
	struct dbx_fds_context *context;
};

/* The number of the open file description behind a descriptor; negated errno if the kernel does not tell. */
int64_t dbx_fds_share(struct dbx_fds_context *context, int32_t pid, int32_t number, uint64_t key);
/* 1 the first time in a window, 0 later, -ENOSPC when the table is full. */
int32_t dbx_fds_first(struct dbx_fds_context *context, uint64_t dev, uint64_t ino, uint32_t tag);
void dbx_fds_trouble(const struct dbx_fds_reader *reader, int32_t number, int32_t step, int32_t error);
/* A socket of sock_diag(7) in the network of the process whose /proc directory is `base`. */
int32_t dbx_fds_diag(int32_t base);
int32_t dbx_fds_steal(const struct dbx_fds_reader *reader, int32_t number);
void dbx_fds_pipe(const struct dbx_fds_reader *reader, const struct dbx_fds_descriptor *descriptor);
void dbx_fds_content(const struct dbx_fds_reader *reader, struct dbx_fds_descriptor *descriptor);
void dbx_fds_socket(const struct dbx_fds_reader *reader, const struct dbx_fds_descriptor *descriptor);
void dbx_fds_tty(const struct dbx_fds_reader *reader, const struct dbx_fds_descriptor *descriptor);

#define DBX_FDS_TAG_PIPE 1u
#define DBX_FDS_TAG_PIPE_WRITER 2u
#define DBX_FDS_TAG_CONTENT 3u
#define DBX_FDS_TAG_SOCKET 4u
#define DBX_FDS_TAG_NETNS 5u
#define DBX_FDS_TAG_TTY 6u

#endif
