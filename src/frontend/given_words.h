/* SPDX-License-Identifier: MIT
 *
 * What is said of an input in words, which people write and lock files keep: its sizes,
 * "images=1x3x640x640", or, where it is a size itself, its elements, "sizes=[1,3,80,80]".
 */
#ifndef ANOLE_GIVEN_WORDS_H
#define ANOLE_GIVEN_WORDS_H

#include "frontend/given.h"

struct anole_given_word {
    const char *name; /* in the text, [length]; NULL: there is none, and one input is expected */
    size_t length;
    uint32_t rank;
    int64_t dims[ANOLE_MAX_RANK];
    int64_t *values; /* [dims[0]]; NULL: sizes alone are said */
};

/* ERR_USAGE: it is neither. */
enum anole_status anole_given_word_parse(struct anole_given_word *word, const char *text,
                                         struct anole_error *error)
    __attribute__((warn_unused_result));
void anole_given_word_fini(struct anole_given_word *word);

/* The word for an array: its elements where they may be known (see struct anole_given_input), else
 * its sizes.  *text: the caller's to free. */
enum anole_status anole_given_word_make(char **text, const char *name,
                                        const struct anole_operand *value,
                                        struct anole_error *error)
    __attribute__((warn_unused_result));

#endif
