/* SPDX-License-Identifier: MIT
 *
 * NumPy's files: .npy, one array, and .npz, a zip archive of such.  See
 * https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html and, of zip, PKWARE's
 * APPNOTE.TXT.
 *
 * Read are numbers, little-endian, of format 1 to 3; what is in Fortran order is transposed.
 * What is neither numbers nor little-endian is refused.
 */
#ifndef ANOLE_NPY_H
#define ANOLE_NPY_H

#include "frontend/array.h"

/* The array owns what it has; its name is "" from an .npy. */
enum anole_status anole_npy_load(struct anole_array *array, const char *path,
                                 struct anole_error *error);
/* The same from memory; `path` is for messages. */
enum anole_status anole_npy_parse(struct anole_array *array, const void *data, size_t bytes,
                                  const char *path, struct anole_error *error);

/* All arrays of an archive, stored or deflated, in its order; their names are those of the
 * entries without ".npy", and unique.  Entries of other names are left out.  Checksums are
 * checked. */
enum anole_status anole_npz_load(struct anole_arrays *arrays, const char *path,
                                 struct anole_error *error);
enum anole_status anole_npz_parse(struct anole_arrays *arrays, const void *data, size_t bytes,
                                  const char *path, struct anole_error *error);

/* Replace a file as a whole: there is the old one or the new.  ERR_INPUT: a type that NumPy does
 * not have, names that are not unique, or more than 4 GiB in an archive.  Archives are not
 * compressed, and the same arrays make the same bytes. */
enum anole_status anole_npy_save(const char *path, const struct anole_array *array,
                                 struct anole_error *error);
enum anole_status anole_npz_save(const char *path, const struct anole_array *arrays, size_t count,
                                 struct anole_error *error);

/* -- Shared by npy.c and npz.c -- */

struct anole_text;
/* Appends an array as an .npy has it. */
enum anole_status anole_npy_append(struct anole_text *out, const struct anole_array *array,
                                   struct anole_error *error);

#endif
