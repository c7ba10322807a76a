/* SPDX-License-Identifier: MIT
 *
 * Hashes: 64-bit FNV-1a for keys and checksums of text, and the CRC-32 that
 * guards each line of a history.  None of them resists an adversary.
 */
#ifndef ANOLE_HASH_H
#define ANOLE_HASH_H

#include <stddef.h>
#include <stdint.h>

uint64_t anole_hash_bytes(const void *data, size_t bytes);
uint64_t anole_hash_text(const char *text);

/* Folds one more number into a hash. */
uint64_t anole_hash_combine(uint64_t hash, uint64_t value);

/* CRC-32 (IEEE 802.3, reflected, as in gzip). */
uint32_t anole_crc32(const void *data, size_t bytes);

#endif
