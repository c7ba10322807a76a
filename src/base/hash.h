/* SPDX-License-Identifier: MIT
 *
 * Hashes: 64-bit FNV-1a for keys and checksums of text, and the CRC-32 that
 * guards each line of a history, neither of which resists an adversary; and
 * SipHash, which does, as long as its key is not known.
 */
#ifndef ANOLE_HASH_H
#define ANOLE_HASH_H

#include <stddef.h>
#include <stdint.h>

uint64_t anole_hash_bytes(const void *data, size_t bytes);
uint64_t anole_hash_text(const char *text);

/* Folds one more number into a hash. */
uint64_t anole_hash_combine(uint64_t hash, uint64_t value);

/* SipHash-2-4 (Aumasson and Bernstein, 2012): where two texts of strangers must not be taken for
 * one, and the key is drawn anew by each process (anole_hash_draw_key()). */
uint64_t anole_hash_keyed(const uint64_t key[2], const void *data, size_t bytes);
void anole_hash_draw_key(uint64_t key[2]);

/* CRC-32 (IEEE 802.3, reflected, as in gzip). */
uint32_t anole_crc32(const void *data, size_t bytes);

#endif
