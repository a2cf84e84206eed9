/*
 * What the command's client and the daemon say to each other over cli.sock.
 *
 * A frame is a header and `len` bytes of body, little-endian. The client sends one REQUEST, with its descriptors 0, 1 and 2 as SCM_RIGHTS on its
 * first byte, and then SIGNAL and WINDOW frames; the daemon sends one BEGUN, RAW frames and at last one EXIT. Either side may close at any time: a
 * client that is gone cancels its command, a daemon that is gone ends it. Without BEGUN nothing was done and the request may be sent again. Kinds
 * 4 and 18 are kept for files that the client opens for the daemon.
 *
 * REQUEST: struct dbx_command_request, then `strings` times { u32 len, bytes }: the working directory, `argc` arguments, `envc` NAME=value pairs.
 */
#ifndef DBX_COMMAND_WIRE_H
#define DBX_COMMAND_WIRE_H

#include <stdint.h>

#define DBX_COMMAND_MAGIC 0x31584244u /* "DBX1" */

#define DBX_COMMAND_REQUEST 1u
#define DBX_COMMAND_SIGNAL 2u /* i32 signal number */
#define DBX_COMMAND_WINDOW 3u /* u16 rows, u16 columns */
#define DBX_COMMAND_FILE 4u
#define DBX_COMMAND_EXIT 16u /* i32 exit code */
#define DBX_COMMAND_RAW 17u /* i32: 1 terminal goes raw, 0 it is put back */
#define DBX_COMMAND_OPEN 18u
#define DBX_COMMAND_BEGUN 19u /* i32 zero */

/* An argument list may have 2 MiB on Linux; the rest is lengths. */
#define DBX_COMMAND_BODY_MAX (4u << 20)

struct dbx_command_frame {
	uint32_t magic;
	uint32_t kind;
	uint32_t len;
};
_Static_assert(sizeof(struct dbx_command_frame) == 12, "frame header is shared with Java");

struct dbx_command_request {
	uint32_t argc;
	uint32_t envc;
	uint32_t tty; /* bit n: descriptor n is a terminal */
	uint16_t rows;
	uint16_t columns;
};
_Static_assert(sizeof(struct dbx_command_request) == 16, "request header is shared with Java");

#endif
