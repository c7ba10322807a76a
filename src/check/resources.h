/* SPDX-License-Identifier: MIT
 *
 * What a process holds, and whether doing something again and again makes it more.
 */
#ifndef ANOLE_RESOURCES_H
#define ANOLE_RESOURCES_H

#include <stdbool.h>
#include <stddef.h>

struct anole_resources {
    size_t heap;     /* bytes allocated and not freed */
    size_t resident; /* bytes of memory that are this process's own */
    size_t files;    /* open descriptors */
};

void anole_resources_take(struct anole_resources *resources);

/* What grew over two equal series of `turns` each, taken before, between and
 * after them, in words: "" if nothing did.  One series may grow by what is kept
 * for good; two that grow alike leak.  True if it is so much that it counts:
 * drivers leak a little, and workers are replaced when they grow. */
bool anole_resources_leak(char *out, size_t size, const struct anole_resources series[3],
                          size_t turns);

#endif
