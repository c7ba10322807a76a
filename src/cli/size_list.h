/* SPDX-License-Identifier: MIT
 *
 * Sizes of a network, as people ask for several: --batch 1,2,4 --shape images=1x3x224,320x224,320.
 */
#ifndef ANOLE_CLI_SIZE_LIST_H
#define ANOLE_CLI_SIZE_LIST_H

#include <anole/anole.h>

#include "base/status.h"

/* Every batch with every shape.  `sizes` borrow from the rest. */
struct anole_size_list {
    struct anole_load_size sizes[ANOLE_MOST_SIZES];
    size_t count; /* 1 or more */
    char **texts; /* shapes, those of the first size first: [text_count] */
    size_t text_count;
};

/* `batch`: "1,2,4", of distinct numbers from 1 to 2^31 - 1; NULL: none is given.  Where shapes have
 * lists of sizes ("224,320", or "{224,320}"), these are as long as each other, and go in step: the
 * first of each, then the second.  ERR_USAGE. */
ANOLE_CHECKED enum anole_status anole_size_list_init(struct anole_size_list *list,
                                                     const char *batch, const char *const *shapes,
                                                     size_t shape_count, struct anole_error *error);
/* A zeroed one is fine. */
void anole_size_list_fini(struct anole_size_list *list);

#endif
