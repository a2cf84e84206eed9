/*
 * What pid 1 of a sandbox and the daemon say to each other; also the order of the descriptors pid 1 starts with.
 *
 * All messages are single datagrams of a SOCK_SEQPACKET pair, little-endian, of exactly these sizes. Java mirrors them in InitChannel.
 */
#ifndef DBX_INIT_PROTOCOL_H
#define DBX_INIT_PROTOCOL_H

#include <stdint.h>

/* Descriptors of deltabox-init at its start; those of the cgroups' cgroup.procs (v1) and of the exposed paths follow, then nothing. */
enum init_fd {
	INIT_FD_CONTROL = 3,
	INIT_FD_ENGINE,
	INIT_FD_ROOT,
	INIT_FD_DEV,
	INIT_FD_DEVPTS,
	INIT_FD_SHM,
	/* Directory of the sandbox's v2 cgroup, or of anything when there is none. */
	INIT_FD_CGROUP2,
	INIT_FD_REST,
};

/* Daemon -> pid 1. */
enum init_op {
	/* Descriptors: payload, stdin, stdout, stderr, and with INIT_FLAG_CGROUP the command's cgroup directory. */
	INIT_OP_START = 1,
	/* A command's first process is `pid` again: the sandbox was put back to when it ran. */
	INIT_OP_ADOPT = 2,
	/* Sends signal `value` to a command's first process. */
	INIT_OP_SIGNAL = 3,
};
#define INIT_FLAG_TTY 1u
#define INIT_FLAG_CGROUP 2u

struct init_request {
	uint32_t op;
	uint32_t exec;
	uint32_t flags;
	uint32_t uid;
	uint32_t gid;
	/* ADOPT: the pid. SIGNAL: the signal. */
	uint32_t value;
	/* START: strings of argv, then of the environment, in the payload; one more string, the working directory, follows them. */
	uint32_t argc;
	uint32_t envc;
};
_Static_assert(sizeof(struct init_request) == 32, "shared with Java");

/* Pid 1 -> daemon. */
enum init_report {
	/* From outside the sandbox, before pid 1 runs: `pid` is its number for the daemon, a pidfd comes along. */
	INIT_HELLO = 1,
	/* Set up; ready for commands. */
	INIT_READY = 2,
	/* The sandbox could not be set up: `stage`, errno in `status`; pid 1 has ended. */
	INIT_BROKEN = 3,
	INIT_STARTED = 4,
	/* The command could not be started: `stage`, errno in `status`. */
	INIT_FAILED = 5,
	/* `status` as wait(2) has it, or -1 if it was lost. */
	INIT_EXITED = 6,
};

struct init_message {
	uint32_t kind;
	uint32_t exec;
	int32_t pid;
	int32_t status;
	uint32_t stage;
	/* How many times reports were dropped by ENGINE_QUIET_OFF: tells reports of before a rollback from later ones. */
	uint32_t generation;
};
_Static_assert(sizeof(struct init_message) == 24, "shared with Java");

/* What was being done when it failed. Java has the same list with words. */
enum init_stage {
	STAGE_NAMESPACES = 1,
	STAGE_ID_MAP,
	STAGE_CGROUP,
	STAGE_PRIVATE,
	STAGE_PROC,
	STAGE_ROOT,
	STAGE_DEV,
	STAGE_SHM,
	STAGE_EXPOSE,
	STAGE_PROC_LIMITS,
	STAGE_NAMESPACE_LIMITS,
	STAGE_HOSTNAME,
	STAGE_LOOPBACK,
	STAGE_LIMITS,
	STAGE_SERVE,
	STAGE_CLOCKS,
	STAGE_FORK = 32,
	STAGE_PAYLOAD,
	STAGE_TERMINAL,
	STAGE_STDIO,
	STAGE_CREDENTIALS,
	STAGE_FILTER,
	STAGE_CWD,
	STAGE_EXEC,
};

/* Engine -> pid 1 on its own channel, while everything else in the sandbox is stopped. Dead children are reaped before each answer. */
enum engine_op {
	/* Writes `value` to ns_last_pid: the next task gets value + 1. */
	ENGINE_LAST_PID = 1,
	ENGINE_PING = 2,
	/* No end of a command is reported from now on. */
	ENGINE_QUIET_ON = 3,
	/* Reports again. Value 0: what ended meanwhile is reported now. Value 1: it is dropped (a rollback killed it). */
	ENGINE_QUIET_OFF = 4,
	/*
	 * Makes a child of pid 1 with the number `value`, which has the rights commands start with and waits to be traced; the result is its number. A
	 * descriptor of a cgroup directory may come along, in which it is made then. Its end is reported when INIT_OP_ADOPT has named its command.
	 */
	ENGINE_STUB = 5,
};

struct engine_request {
	uint32_t op;
	uint32_t value;
};
struct engine_reply {
	int32_t result;
	uint32_t value;
};

#endif
