/* SPDX-License-Identifier: MIT
 *
 * What a worker process writes to a pipe: how it begins and how it ends, however much
 * that is.
 */
#ifndef ANOLE_OUTPUT_H
#define ANOLE_OUTPUT_H

#include <stddef.h>

#define ANOLE_OUTPUT_HEAD 256
#define ANOLE_OUTPUT_TAIL 2048

/* Zero-initialised: nothing. */
struct anole_output {
    size_t bytes;                 /* in all */
    char head[ANOLE_OUTPUT_HEAD]; /* the first ones, as text: a NUL in it is a '?' */
    char tail[ANOLE_OUTPUT_TAIL]; /* the last ones */
    size_t tail_length;
};

/* Reads what is there, without waiting.  At the end of the pipe, closes it: *pipe is then
 * -1, which this function takes, too. */
void anole_output_drain(struct anole_output *output, int *pipe);

/* The end of it, printable, on one line: "..." and what fits, if it is too long.  Returns
 * out. */
const char *anole_output_last_words(const struct anole_output *output, char *out, size_t size);

#endif
