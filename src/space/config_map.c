/* SPDX-License-Identifier: MIT */
#include "space/config_map.h"

#include <stdlib.h>
#include <string.h>

void anole_config_map_fini(struct anole_config_map *map)
{
    free(map->keys);
    free(map->values);
    *map = (struct anole_config_map){0};
}

void anole_config_map_clear(struct anole_config_map *map)
{
    if (map->count)
        memset(map->values, 0xff, map->capacity * sizeof *map->values);
    map->count = 0;
}

/* The slot that holds the config, or the free one where it belongs. */
static size_t find_slot(const struct anole_config_map *map, uint64_t config)
{
    uint64_t hash = config * UINT64_C(0x9e3779b97f4a7c15);
    size_t slot = (size_t)(hash ^ hash >> 32) & (map->capacity - 1);
    while (map->values[slot] != UINT32_MAX && map->keys[slot] != config)
        slot = (slot + 1) & (map->capacity - 1);
    return slot;
}

static bool grow(struct anole_config_map *map)
{
    struct anole_config_map grown = {.capacity = map->capacity ? 2 * map->capacity : 64};
    grown.keys = calloc(grown.capacity, sizeof *grown.keys);
    grown.values = malloc(grown.capacity * sizeof *grown.values);
    if (!grown.keys || !grown.values) {
        anole_config_map_fini(&grown);
        return false;
    }
    memset(grown.values, 0xff, grown.capacity * sizeof *grown.values);
    for (size_t i = 0; i < map->capacity; i++) {
        if (map->values[i] == UINT32_MAX)
            continue;
        size_t slot = find_slot(&grown, map->keys[i]);
        grown.keys[slot] = map->keys[i];
        grown.values[slot] = map->values[i];
    }
    grown.count = map->count;
    anole_config_map_fini(map);
    *map = grown;
    return true;
}

bool anole_config_map_put(struct anole_config_map *map, uint64_t config, uint32_t value)
{
    if (2 * (map->count + 1) > map->capacity && !grow(map))
        return false;
    size_t slot = find_slot(map, config);
    map->count += map->values[slot] == UINT32_MAX;
    map->keys[slot] = config;
    map->values[slot] = value;
    return true;
}

uint32_t anole_config_map_get(const struct anole_config_map *map, uint64_t config)
{
    return map->capacity ? map->values[find_slot(map, config)] : UINT32_MAX;
}
