/* SPDX-License-Identifier: MIT
 *
 * Numbers and texts to bytes and back, for what travels between the tuner and
 * its workers: little-endian, every length written out and bounded.
 *
 * One function describes a message in both directions: a wire either writes
 * what the pointers point to, or reads into them.  A wire that fails (out of
 * memory, data cut short, a length out of bounds) ignores everything after; so
 * a message function needs no checks of its own, its caller looks at the end.
 */
#ifndef ANOLE_WIRE_H
#define ANOLE_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct anole_wire {
    bool reading;
    bool failed;
    uint8_t *data;   /* owned when writing, borrowed when reading */
    size_t length;   /* written so far, or in all */
    size_t capacity; /* writing */
    size_t position; /* reading */
};

void anole_wire_writer_init(struct anole_wire *wire);
/* Empties a writer, keeping its memory. */
void anole_wire_clear(struct anole_wire *wire);
void anole_wire_fini(struct anole_wire *wire);
/* Borrows `data` until the wire is no longer used. */
void anole_wire_reader_init(struct anole_wire *wire, const void *data, size_t length);
/* True if a reader has read everything, and nothing failed. */
bool anole_wire_complete(const struct anole_wire *wire);

void anole_wire_u8(struct anole_wire *wire, uint8_t *value);
void anole_wire_u16(struct anole_wire *wire, uint16_t *value);
void anole_wire_u32(struct anole_wire *wire, uint32_t *value);
void anole_wire_u64(struct anole_wire *wire, uint64_t *value);
void anole_wire_i64(struct anole_wire *wire, int64_t *value);
void anole_wire_f64(struct anole_wire *wire, double *value);
/* Reading, any byte but 0 and 1 fails. */
void anole_wire_bool(struct anole_wire *wire, bool *value);
/* A count of at most `limit`. */
void anole_wire_count(struct anole_wire *wire, uint32_t *count, uint32_t limit);
/* A NUL-terminated text in an array of `size`; a longer one is cut when written,
 * and fails when read.  Always terminated, also after a failure. */
void anole_wire_text(struct anole_wire *wire, char *text, size_t size);
/* A block of at most `limit` bytes.  Reading, *data points into the message, or is
 * NULL if the block is empty. */
void anole_wire_block(struct anole_wire *wire, const void **data, size_t *bytes, size_t limit);

#endif
