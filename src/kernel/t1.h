/* SPDX-License-Identifier: MIT
 *
 * T1 files: tuning problems as the auto-tuning community writes them down (Kernel
 * Tuner, KTT, BAT), in JSON: "ConfigurationSpace" (tunable parameters and the
 * conditions that they must meet) and "KernelSpecification" (kernel.h).  This is
 * the reader of the space.  Nothing in a file is ever handed to an interpreter.
 *
 * Parameters become knobs.  Their values may be given as a JSON array, or as a
 * text in Python's notation: "[1, 2, 4]", "range(16, 257, 16)",
 * "[1] + [32 * i for i in range(1, 33) if i % 2 == 0]", "['row', 'column']".  A
 * list stands for a set: the order does not matter, nor does what is there twice.
 *   whole numbers, True, False   a knob with these values, in ascending order
 *   fractions       a knob with the values times a power of ten, for knobs are
 *                   integers; conditions mean the fractions all the same, exactly
 *   texts           a categorical knob: each distinct text of the file has a
 *                   number, which conditions may compare: layout == 'row'
 * A default that is missing is the first in the list; one that is not in the list
 * is replaced by the nearest that is.
 *
 * Unknown keys are ignored: every tool has its own.
 */
#ifndef ANOLE_T1_H
#define ANOLE_T1_H

#include "base/status.h"
#include "space/space.h"

#include <stddef.h>
#include <stdint.h>

#define ANOLE_T1_LIMIT ((size_t)16 << 20) /* bytes of a file */

enum anole_t1_kind { ANOLE_T1_WHOLE, ANOLE_T1_FRACTION, ANOLE_T1_TEXT };

struct anole_t1_parameter {
    char name[ANOLE_KNOB_NAME];
    enum anole_t1_kind kind;
    uint32_t count; /* of values; their positions are the knob's digits */
    uint32_t default_digit;
    int64_t *values; /* the knob's */
    double *numbers; /* what they mean; NULL if they are texts */
    char **labels;   /* the same as a text: "64", "0.25", "row" */
    double scale;    /* value / scale is the number; 0: there is no such scale */
};

struct anole_t1 {
    char *path; /* of the file, for messages */
    char *name; /* General.BenchmarkName, or the like; never NULL */
    struct anole_t1_parameter *parameters;
    size_t parameter_count;
    char **conditions;      /* expressions over the knobs, ready for expression.h */
    char **condition_texts; /* the same as the file has them */
    size_t condition_count;
    char **texts; /* those that have numbers: the position is the number */
    size_t text_count;
};

/* ERR_INPUT says which file, where in it (line and column, or the path of keys),
 * what was expected and what was found. */
enum anole_status anole_t1_load(struct anole_t1 **t1, const char *path, struct anole_error *error);
/* The same from memory; `path` is for messages. */
enum anole_status anole_t1_parse(struct anole_t1 **t1, const char *text, size_t length,
                                 const char *path, struct anole_error *error);
void anole_t1_destroy(struct anole_t1 *t1);

/* The design space, finished; the caller's.  Conditions that speak of a device
 * (custom.h) are left out: here there is none. */
enum anole_status anole_t1_space(struct anole_space **space, const struct anole_t1 *t1,
                                 struct anole_error *error);

/* Positions of what another file (results in T4, say) calls a parameter, or a
 * value of it; SIZE_MAX if there is none. */
size_t anole_t1_find(const struct anole_t1 *t1, const char *name);
size_t anole_t1_find_number(const struct anole_t1_parameter *parameter, double number);
size_t anole_t1_find_text(const struct anole_t1_parameter *parameter, const char *text);

#endif
