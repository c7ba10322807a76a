/* SPDX-License-Identifier: MIT */
#include "base/memory.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define MOST_PATH 4096

/* The number behind `name` in a file of lines "name number"; false: there is none. */
static bool read_entry(uint64_t *value, const char *root, const char *path, const char *name)
{
    char file_name[2 * MOST_PATH], line[256];
    const size_t length = strlen(name);
    bool found = false;
    snprintf(file_name, sizeof file_name, "%s%s", root, path);
    FILE *file = fopen(file_name, "r");
    if (!file)
        return false;
    while (!found && fgets(line, sizeof line, file))
        found = strncmp(line, name, length) == 0 && sscanf(line + length, "%" SCNu64, value) == 1;
    fclose(file);
    return found;
}

/* What a group's limit leaves; pages of files that it counts can be dropped.  UINT64_MAX: it has no
 * limit. */
static uint64_t left_in_group(const char *root, const char *group)
{
    char path[MOST_PATH + 64];
    uint64_t most, used, files = 0;
    snprintf(path, sizeof path, "/sys/fs/cgroup%s/memory.max", group);
    if (!read_entry(&most, root, path, "")) /* "max" is no number */
        return UINT64_MAX;
    snprintf(path, sizeof path, "/sys/fs/cgroup%s/memory.current", group);
    if (!read_entry(&used, root, path, ""))
        return UINT64_MAX;
    snprintf(path, sizeof path, "/sys/fs/cgroup%s/memory.stat", group);
    read_entry(&files, root, path, "inactive_file ");
    used -= files < used ? files : used;
    return used < most ? most - used : 0;
}

/* The group of this process in the second version's hierarchy: the line "0::/path". */
static bool find_group(char *group, size_t size, const char *root)
{
    char name[MOST_PATH], line[MOST_PATH];
    bool found = false;
    snprintf(name, sizeof name, "%s/proc/self/cgroup", root);
    FILE *file = fopen(name, "r");
    if (!file)
        return false;
    while (!found && fgets(line, sizeof line, file)) {
        line[strcspn(line, "\n")] = '\0';
        found = strncmp(line, "0::/", 4) == 0 && strlen(line + 3) < size;
        if (found)
            strcpy(group, line + 3);
    }
    fclose(file);
    return found;
}

uint64_t anole_memory_available_below(const char *root)
{
    char group[MOST_PATH];
    uint64_t kilobytes, least = UINT64_MAX;
    if (read_entry(&kilobytes, root, "/proc/meminfo", "MemAvailable:") &&
        kilobytes < UINT64_MAX / 1024)
        least = kilobytes * 1024;
    if (!find_group(group, sizeof group, root))
        return least;
    /* Each group above has its say; the last is the root's own, "". */
    for (char *end = group + strlen(group); end; end = strrchr(group, '/')) {
        *end = '\0';
        const uint64_t left = left_in_group(root, group);
        least = left < least ? left : least;
    }
    return least;
}

uint64_t anole_memory_available(void)
{
    return anole_memory_available_below("");
}
