/* SPDX-License-Identifier: MIT
 *
 * All operators, by number and by name.
 */
#include "op/op.h"

#include <string.h>

static const struct anole_op *const table[] = {
#define X(name) &anole_op_##name,
    ANOLE_OP_MAP(X)
#undef X
};

const struct anole_op *anole_op_at(size_t i)
{
    return i < sizeof table / sizeof *table ? table[i] : NULL;
}

const struct anole_op *anole_op_find(const char *name)
{
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (strcmp(table[i]->name, name) == 0)
            return table[i];
    return NULL;
}
