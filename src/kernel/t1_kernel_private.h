/* SPDX-License-Identifier: MIT
 *
 * What the parts of the reader of kernels share.
 */
#ifndef ANOLE_T1_KERNEL_PRIVATE_H
#define ANOLE_T1_KERNEL_PRIVATE_H

#include "kernel/custom.h"
#include "kernel/t1_private.h"

struct anole_t1_reader {
    struct anole_t1 *t1;
    bool whole;      /* the kernel too, not the space alone */
    json_t *problem; /* "ProblemSize", an array, or NULL */
    bool one_size;   /* the file has a number or text in its place */
    uint64_t digest; /* of all that was read so far */
    struct anole_error *error;
};

/* The kernel in a parsed file. */
enum anole_status anole_t1_kernel_read(struct anole_custom_kernel **custom, const json_t *root,
                                       const char *path, bool whole, struct anole_error *error);

/* -- t1_reader.c -- */

/* "FILE: KernelSpecification.KEY: ..." */
enum anole_status anole_t1_fail(const struct anole_t1_reader *reader, const char *key,
                                const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Reads a file that stands beside the T1 file, of at most `limit` bytes (0: 64 MiB).
 * *text, and *full (may be NULL), its absolute path, are the caller's. */
enum anole_status anole_t1_read_file(char **text, size_t *length, char **full,
                                     struct anole_t1_reader *reader, const char *key,
                                     const char *name, size_t limit);

/* -- t1_expression.c -- */

/* A JSON number or text as an expression over knobs and facts about devices, in
 * which ProblemSize[i], and max and min of a parameter, are replaced by numbers.
 * *expression is the caller's. */
enum anole_status anole_t1_expression(char **expression, const struct anole_t1_reader *reader,
                                      const char *key, const json_t *value);
enum anole_status anole_t1_expression_text(char **expression, const struct anole_t1_reader *reader,
                                           const char *key, const char *text);
/* One that has the same value for every config. */
enum anole_status anole_t1_constant(double *number, const struct anole_t1_reader *reader,
                                    const char *key, const json_t *value);

/* -- t1_launch.c -- */

/* The source, options and sizes of a kernel in `object`; `prefix` is put in front of its keys
 * in messages. */
enum anole_status anole_t1_read_launch(struct anole_custom_launch *launch,
                                       struct anole_t1_reader *reader, const json_t *object,
                                       const char *prefix);

/* -- t1_draft.c -- */

/* One argument, or a reference for one, while it is read. */
struct anole_t1_draft {
    struct anole_t1_reader *reader;
    struct anole_custom_argument *argument;
    const json_t *object;
    unsigned lanes;  /* of the vector type: 1 to 16 */
    char place[128]; /* "Arguments[2] \"a\"" */
};

/* The text of one of `count` words; *index: which.  If there is none: `usual`, unless that is
 * `count`. */
enum anole_status anole_t1_word(const struct anole_t1_draft *draft, const char *key,
                                const char *const *words, size_t count, size_t usual,
                                size_t *index);
/* A number that is the same for every config; `usual` if there is none in the object. */
enum anole_status anole_t1_draft_number(double *number, const struct anole_t1_draft *draft,
                                        const json_t *object, const char *key, double usual);
/* A file of raw numbers, as many as the argument has.  *full, its path, is the caller's. */
enum anole_status anole_t1_raw(char **full, const struct anole_t1_draft *draft,
                               const json_t *source, const char *place);

/* -- t1_arguments.c -- */

/* "Arguments", and which of them are outputs. */
enum anole_status anole_t1_read_arguments(struct anole_custom_kernel *custom,
                                          struct anole_t1_reader *reader, const json_t *spec);

/* -- t1_references.c -- */

/* "ReferenceData" and "ReferenceArguments", of arguments that have been read. */
enum anole_status anole_t1_read_references(struct anole_custom_kernel *custom,
                                           struct anole_t1_reader *reader, const json_t *spec);

#endif
