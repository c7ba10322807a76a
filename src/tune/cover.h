/* SPDX-License-Identifier: MIT
 *
 * A few kernels for many sizes: which of the candidates, when at most so many may stay, do least
 * badly where they do worst.  A p-centre problem; it knows nothing of kernels.
 */
#ifndef ANOLE_COVER_H
#define ANOLE_COVER_H

#include <stdbool.h>
#include <stddef.h>

/* Sets that are tried one by one; beyond that, candidates are added greedily, and exchanged while
 * that helps. */
#define ANOLE_COVER_EXACT 200000
#define ANOLE_COVER_CANDIDATES 64

/* How well a set does. */
struct anole_cover {
    size_t without; /* sizes that none of the set works for */
    double worst;   /* the greatest loss of the others; 0 if there are none */
    double sum;     /* of their losses */
    bool exact;     /* no set is better */
};

/* loss[candidate * sizes + size]: how much longer a candidate takes for a size than what is best
 * there, 0 for that one; INFINITY or NaN: it does not work.  chosen[candidates]: which are in the
 * set, of at most `most` (at least 1), out of at
 * most ANOLE_COVER_CANDIDATES.  Sets are better by fewer sizes without, then by a smaller
 * worst loss, then by a smaller sum, then by fewer candidates, then by earlier ones. */
void anole_cover_choose(bool *chosen, struct anole_cover *cover, const double *loss,
                        size_t candidates, size_t sizes, size_t most);

/* The best of the set for a size; SIZE_MAX: none works. */
size_t anole_cover_best(const bool *chosen, const double *loss, size_t candidates, size_t sizes,
                        size_t size);

#endif
