/* SPDX-License-Identifier: MIT
 *
 * A hash map from configs to small numbers; also serves as a set of configs.
 */
#ifndef ANOLE_CONFIG_MAP_H
#define ANOLE_CONFIG_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Zero-initialise; the caller's storage. */
struct anole_config_map {
    uint64_t *keys;
    uint32_t *values; /* UINT32_MAX: the slot is free */
    size_t count, capacity;
};

void anole_config_map_fini(struct anole_config_map *map);
/* Keeps its memory. */
void anole_config_map_clear(struct anole_config_map *map);
/* value < UINT32_MAX; replaces what was there.  False if memory ran out. */
bool anole_config_map_put(struct anole_config_map *map, uint64_t config, uint32_t value);
/* UINT32_MAX if it is not there. */
uint32_t anole_config_map_get(const struct anole_config_map *map, uint64_t config);

static inline bool anole_config_map_has(const struct anole_config_map *map, uint64_t config)
{
    return anole_config_map_get(map, config) != UINT32_MAX;
}

#endif
