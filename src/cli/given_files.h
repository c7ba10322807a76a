/* SPDX-License-Identifier: MIT
 *
 * Arrays in files that inputs will hold, as far as they say what is to be known of a network before
 * it is loaded.
 */
#ifndef ANOLE_GIVEN_FILES_H
#define ANOLE_GIVEN_FILES_H

#include "cli/command.h"
#include "frontend/given.h"

/* Zero-initialise. */
struct anole_given_files {
    struct anole_given_input *items;
    size_t count;
};

/* A word of --input: FILE.npz, NAME=FILE.npy or NAME=FILE.pb.  Of other words nothing is known
 * beforehand, and *nothing is taken of them. */
enum anole_status anole_given_files_add(struct anole_given_files *files, const char *word,
                                        struct anole_error *error)
    __attribute__((warn_unused_result));
void anole_given_files_fini(struct anole_given_files *files);

/* The words of --input of a verb that runs nothing, and what they come to: words of --shape.
 * Zero-initialise. */
struct anole_given_inputs {
    const char *words[ANOLE_COMMAND_SHAPES];
    size_t count;
    char **shapes; /* [shape_count] */
    size_t shape_count;
};

/* Takes up one --input.  ERR_USAGE: it names no file of arrays, or there are too many. */
enum anole_status anole_given_inputs_take(struct anole_given_inputs *inputs, const char *word,
                                          struct anole_error *error)
    __attribute__((warn_unused_result));
/* Reads them, and appends to shapes[*count], of ANOLE_COMMAND_SHAPES, what they say of the inputs
 * of a network, in words that `inputs` holds. */
enum anole_status anole_given_inputs_read(struct anole_given_inputs *inputs, const char *network,
                                          const char **shapes, size_t *count,
                                          struct anole_error *error)
    __attribute__((warn_unused_result));
void anole_given_inputs_fini(struct anole_given_inputs *inputs);

#endif
