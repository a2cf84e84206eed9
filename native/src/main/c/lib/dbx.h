/*
 * What every part of the mechanism library shares: the export mark, the result convention, the arena and its records.
 *
 * Conventions of this library: a function does one mechanism, prints nothing, keeps no global state and never exits. The result is a count or
 * zero, or the negated errno; out-parameters are set only on success. Pointers cross the binding as 64-bit addresses with explicit lengths and at
 * most five arguments (jnr-ffi corrupts the sixth on x86-64).
 */
#ifndef DBX_H
#define DBX_H

#include <stddef.h>
#include <stdint.h>

#define DBX_API __attribute__((visibility("default")))
#define DBX_MUST_CHECK __attribute__((warn_unused_result))

/* Raised with every change of a structure or function that Java sees; checked when the library is loaded. */
#define DBX_ABI 1u

/* One typed record of an arena: header, then `len` bytes of body, then padding to eight bytes. Bodies are little-endian packed structures. */
struct dbx_record {
	uint32_t kind;
	uint32_t flags;
	uint64_t len;
};
_Static_assert(sizeof(struct dbx_record) == 16, "record header is shared with Java");

/* Kinds by owner: 0x000 process engine, 0x100 files, 0x200 descriptors. */
#define DBX_KIND_ENGINE 0x000u
#define DBX_KIND_FILES 0x100u
#define DBX_KIND_DESCRIPTORS 0x200u

/* A bounded buffer records are appended to. `need` counts what would have been used without the bound, so that the caller can come back with enough. */
struct dbx_arena {
	uint8_t *base;
	uint64_t cap;
	uint64_t used;
	uint64_t need;
};

/* Space for one record's body, or NULL when the arena is full (`need` still grows). The body is not cleared. */
void *dbx_arena_put(struct dbx_arena *arena, uint32_t kind, uint32_t flags, uint64_t len);

/* Shortens the last record to `len` bytes of body; `body` must be what dbx_arena_put returned last. */
void dbx_arena_trim(struct dbx_arena *arena, void *body, uint64_t len);

#define DBX_RETRY(expression) \
	({ \
		__typeof__(expression) dbx_result_; \
		do { \
			dbx_result_ = (expression); \
		} while (dbx_result_ == -1 && errno == EINTR); \
		dbx_result_; \
	})

static inline void dbx_close_fd(int *fd)
{
	extern int close(int);
	if (*fd >= 0)
		close(*fd);
}
#define DBX_AUTO_FD __attribute__((cleanup(dbx_close_fd))) int

#endif
