/* SPDX-License-Identifier: MIT
 *
 * What a custom kernel's arguments hold, and whether its outputs are right.
 */
#ifndef ANOLE_CUSTOM_DATA_H
#define ANOLE_CUSTOM_DATA_H

#include "kernel/custom.h"

/* The region that the kernel reads (or `written`) as it is before a run: vectors
 * filled from the seed, from constants and files, the rest poisoned (guarded.h).
 * memory[base.input_bytes] (or output_bytes). */
ANOLE_CHECKED enum anole_status anole_custom_fill(void *memory,
                                                  const struct anole_custom_kernel *custom,
                                                  bool written, uint64_t seed,
                                                  struct anole_error *error);

/* Writes what the file gives as references of outputs into the region.
 * memory[base.output_bytes]; the rest is left alone. */
ANOLE_CHECKED enum anole_status anole_custom_expect(void *memory,
                                                    const struct anole_custom_kernel *custom,
                                                    struct anole_error *error);
/* The other way round: takes what a run computed as reference of those outputs
 * that have none. */
void anole_custom_adopt(void *memory, const struct anole_custom_kernel *custom,
                        const void *computed);

/* Where an output is wrong. */
struct anole_custom_flaw {
    const struct anole_custom_argument *argument;
    uint64_t index; /* of the element; or of a byte behind the vector */
    bool behind;    /* the kernel wrote behind the vector */
    bool never_written;
    double expected, found, allowed;
    double sum; /* of the vector's differences, where that is what counts; else 0 */
};

/* The largest error of an element over what is allowed, 0 if there is none;
 * infinity for what is not allowed at all.  Bits that are equal are right, NaNs
 * too; integers have to be equal if their tolerance is 0.  Else allowed is
 *     tolerance * max(|expected|, root of the mean square of the vector's expected)
 * for an element that cancels out to nearly 0 is as inexact as the others are.
 * or what the argument's `validation` says instead.
 * Both regions: [base.output_bytes].  *flaw: of the worst, if above 1. */
double anole_custom_error(const struct anole_custom_kernel *custom, const void *expected,
                          const void *output, struct anole_custom_flaw *flaw);

/* "output C[17] is wrong WHEN: expected 1, found 2".  Returns out. */
/* An output that is to be taken as a reference, and of which not one element was written; or NULL.
 */
const struct anole_custom_argument *anole_custom_unwritten(const struct anole_custom_kernel *custom,
                                                           const void *output);

const char *anole_custom_flaw_text(char *out, size_t size, const struct anole_custom_flaw *flaw,
                                   const char *when);

#endif
