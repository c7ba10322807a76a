/* SPDX-License-Identifier: MIT
 *
 * Tables for people: columns as wide as they need to be, numbers to the right.
 */
#ifndef ANOLE_TABLE_H
#define ANOLE_TABLE_H

#include "base/status.h"

#include <stdio.h>

struct anole_table;

/* `titles`: NULL-terminated; a title that begins with '>' aligns its column to
 * the right (the '>' is not shown). */
enum anole_status anole_table_create(struct anole_table **table, const char *const *titles,
                                     struct anole_error *error);
void anole_table_destroy(struct anole_table *table);

/* Appends the next cell, row by row.  Control characters are made printable.
 * Running out of memory shows when it is printed. */
void anole_table_cell(struct anole_table *table, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* A cell with the name of a layer: of a long one, as ONNX files have, the beginning and the end. */
void anole_table_name(struct anole_table *table, const char *name);

/* A cell with the GFLOP/s of so many operations; "-" if they are not known. */
void anole_table_gflops(struct anole_table *table, double flops, double seconds);

enum anole_status anole_table_print(const struct anole_table *table, FILE *out,
                                    struct anole_error *error);

#endif
