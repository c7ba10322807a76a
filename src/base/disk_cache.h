/* SPDX-License-Identifier: MIT
 *
 * Files that save work: entries of bytes by key, in a folder of this user's, for any number of
 * processes at a time.
 *
 * An entry is written beside its place and renamed into it, so that a reader finds a whole one
 * or none; it holds its key in full, and a hash of all of it, which is looked at whenever it is
 * read: what is damaged, cut short or not ours is no entry, and is replaced by the next who
 * makes it.  No locks.  The folder has a limit; what has not been used for longest goes first.
 *
 * Entries may be machine code.  So the folder has to belong to this user, and nobody else may
 * be able to write to it; and hashes are seeded with a secret that lies in it, so that what
 * comes from elsewhere (a network's weights) cannot be made to have the hash of something else.
 *
 * A cache that cannot be had is no failure of what wants to use it: see anole_disk_cache_open().
 * Several threads may look for entries side by side; all else is for one at a time.
 */
#ifndef ANOLE_DISK_CACHE_H
#define ANOLE_DISK_CACHE_H

#include "base/status.h"

#include <stddef.h>
#include <stdint.h>

#define ANOLE_DISK_CACHE_LIMIT (UINT64_C(2) << 30) /* bytes, unless the user says otherwise */

struct anole_disk_cache;

/* An entry that was found: data[bytes], mapped, aligned to 64. */
struct anole_disk_entry {
    const void *data;
    size_t bytes;
    void *map; /* the whole file */
    size_t map_bytes;
};

/* Where the user wants it: $ANOLE_CACHE_DIR ("": nowhere), or else anole/ in $XDG_CACHE_HOME or in
 * ~/.cache.  *path: the caller's to free; NULL: nowhere. */
ANOLE_CHECKED enum anole_status anole_disk_cache_path(char **path, struct anole_error *error);
/* $ANOLE_CACHE_LIMIT ("500M", "2G"), or ANOLE_DISK_CACHE_LIMIT. */
ANOLE_CHECKED enum anole_status anole_disk_cache_limit(uint64_t *bytes, struct anole_error *error);

/* Makes the folder if it is not there.  ERR_SYSTEM: it cannot be made or used; ERR_INPUT: it is not
 * to be trusted, for the reason given. */
ANOLE_CHECKED enum anole_status anole_disk_cache_open(struct anole_disk_cache **cache,
                                                      const char *path, uint64_t limit,
                                                      struct anole_error *error);
/* The user's, as the two above have it.  *cache NULL: there is none, because the user wants none or
 * because it cannot be had, which is said in a warning. */
ANOLE_CHECKED enum anole_status anole_disk_cache_open_default(struct anole_disk_cache **cache,
                                                              struct anole_error *error);
void anole_disk_cache_close(struct anole_disk_cache *cache);

/* For keys: 64 bits of what is too long to be put into one as it is. */
uint64_t anole_disk_cache_hash(const struct anole_disk_cache *cache, const void *data,
                               size_t bytes);

/* False: there is no such entry, or none that is whole.  `cache` NULL: there is nothing in it. */
bool anole_disk_cache_find(struct anole_disk_entry *entry, struct anole_disk_cache *cache,
                           const void *key, size_t key_bytes) __attribute__((warn_unused_result));
void anole_disk_entry_fini(struct anole_disk_entry *entry);

/* The same for an entry whose length is known, which is read to where it is wanted, once, and takes
 * no other memory.  False: also if it is not that long; out[bytes] then holds nothing of use. */
bool anole_disk_cache_read(struct anole_disk_cache *cache, const void *key, size_t key_bytes,
                           void *out, size_t bytes) __attribute__((warn_unused_result));

/* Stores an entry, instead of one of this key that may be there.  True if it was.  If it cannot be
 * written, that is said once, in a warning; if there is no room for it beside what this process
 * has used, nothing is said. */
bool anole_disk_cache_store(struct anole_disk_cache *cache, const void *key, size_t key_bytes,
                            const void *data, size_t bytes);

#endif
