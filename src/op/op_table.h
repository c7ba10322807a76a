/* SPDX-License-Identifier: MIT
 *
 * The table of operators: one line each, of the name under which its file defines it.
 */
#ifndef ANOLE_OP_TABLE_H
#define ANOLE_OP_TABLE_H

#define ANOLE_OP_MAP(X)                                                                            \
    /* what changes nothing but the shape */                                                       \
    X(reshape)

#endif
