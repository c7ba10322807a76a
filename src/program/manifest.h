/* SPDX-License-Identifier: MIT
 *
 * Kernels and programs described in JSON, for programs that launch them without Anole: the
 * one writer of kernels.json (`anole best --kernels`) and manifest.json (`anole export`).
 * docs/export.md has the members.
 */
#ifndef ANOLE_MANIFEST_H
#define ANOLE_MANIFEST_H

#include "program/program.h"

#define ANOLE_MANIFEST_VERSION 2

struct json_t; /* Jansson's */

/* How a file of kernels is called: "03_conv_3x3_1_64_64_56x56.cl", "04_softmax.cl". */
#define ANOLE_MANIFEST_FILE 96
void anole_manifest_file_name(char out[ANOLE_MANIFEST_FILE], size_t number,
                              const struct anole_kernel *kernel);

/* A kernel by itself: its task, its tensors by role, how it is built and launched.  `file`:
 * where its source is.  NULL: memory ran out. */
struct json_t *anole_manifest_kernel(const struct anole_kernel *kernel, const char *file)
    __attribute__((warn_unused_result));

/* Adds what a network is made of: "tensors", "inputs", "outputs" and "nodes".  kernels[] says
 * for each of the program's kernels which of the list "kernels" it is; ANOLE_NONE: none. */
enum anole_status anole_manifest_add_graph(struct json_t *root, const struct anole_program *program,
                                           const size_t *kernels, struct anole_error *error)
    __attribute__((warn_unused_result));

/* Adds how it runs: "buffers", "constants" and "launches".  starts[]: of each buffer, where its
 * content begins in the file of weights.  The program has no steps of the host's.  After
 * anole_manifest_add_graph(). */
enum anole_status
anole_manifest_add_launches(struct json_t *root, const struct anole_program *program,
                            const size_t *kernels, const size_t *starts, struct anole_error *error)
    __attribute__((warn_unused_result));

#endif
