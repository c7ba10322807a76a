/* SPDX-License-Identifier: MIT
 *
 * A kernel of the user's own: its space, source, launch and arguments, and what
 * its output is held to.  docs/kernel.md says what the parts mean; t1_kernel.h
 * reads one from a T1 file.
 *
 * What it reads lies in one region of memory (ANOLE_ROLE_INPUT), what it writes in
 * another (ANOLE_ROLE_OUTPUT): each argument from a page on, with a page at least
 * behind it that belongs to nobody.
 *
 * Expressions (expression.h) are over the knobs and the names of device.h.
 */
#ifndef ANOLE_CUSTOM_H
#define ANOLE_CUSTOM_H

#include "base/status.h"
#include "space/space.h"

#include <anole/plugin.h>

#define ANOLE_CUSTOM_PAGE 4096u

/* name, T1's word, bytes, is it floating-point?, is it signed? */
#define ANOLE_ELEMENT_MAP(X)                                                                       \
    X(INT8, "int8", 1, false, true)                                                                \
    X(UINT8, "uint8", 1, false, false)                                                             \
    X(INT16, "int16", 2, false, true)                                                              \
    X(UINT16, "uint16", 2, false, false)                                                           \
    X(INT32, "int32", 4, false, true)                                                              \
    X(UINT32, "uint32", 4, false, false)                                                           \
    X(INT64, "int64", 8, false, true)                                                              \
    X(UINT64, "uint64", 8, false, false)                                                           \
    X(HALF, "half", 2, true, true)                                                                 \
    X(FLOAT, "float", 4, true, true)                                                               \
    X(DOUBLE, "double", 8, true, true)

enum anole_element {
#define X(name, text, bytes, real, sign) ANOLE_ELEMENT_##name,
    ANOLE_ELEMENT_MAP(X)
#undef X
        ANOLE_ELEMENT_COUNT
};

const char *anole_element_text(uint32_t element);
size_t anole_element_bytes(uint32_t element);
bool anole_element_is_real(uint32_t element);
/* A number as memory has it, rounded to the type; what does not fit is cut to the
 * nearest that does.  out[anole_element_bytes()]. */
void anole_element_store(void *out, uint32_t element, double number);
double anole_element_load(const void *memory, uint32_t element);

enum anole_custom_memory { ANOLE_CUSTOM_SCALAR, ANOLE_CUSTOM_VECTOR, ANOLE_CUSTOM_LOCAL };

/* What a vector holds before the kernel runs, or has to hold after it. */
enum anole_custom_fill {
    ANOLE_FILL_NONE, /* NaNs: the kernel does not read it; after it: not known */
    ANOLE_FILL_CONSTANT,
    ANOLE_FILL_RANDOM, /* uniform in [0, value); integers: 0 to value */
    ANOLE_FILL_FILE,   /* the bytes of a file */
};

/* What of an output may differ, by its `tolerance` (custom_data.h). */
enum anole_custom_validation {
    ANOLE_VALIDATE_TOLERANCE, /* relative, to the element or to what is typical of the vector */
    ANOLE_VALIDATE_SUM,       /* the differences of all elements, summed up */
    ANOLE_VALIDATE_ELEMENT,   /* the difference of each */
    ANOLE_VALIDATE_RELATIVE,  /* the difference of each, over what is expected */
    ANOLE_VALIDATE_COUNT
};

struct anole_custom_argument {
    char name[64];
    uint32_t memory;  /* enum anole_custom_memory */
    uint32_t element; /* enum anole_element */
    bool writable;    /* VECTOR: it lies in the output */
    bool unread;      /* VECTOR, writable: the kernel does not read it */
    bool checked;     /* VECTOR, writable: held to a reference */
    uint64_t count;   /* VECTOR: elements */
    uint64_t offset;  /* VECTOR: bytes from the beginning of its region */
    char *value;      /* SCALAR: an expression; LOCAL: one of its elements; else NULL */
    uint32_t fill;    /* enum anole_custom_fill */
    double fill_value;
    char *fill_file;    /* or NULL */
    uint32_t reference; /* NONE: computed on the device; CONSTANT; FILE */
    double reference_value;
    char *reference_file; /* or NULL */
    uint32_t validation;  /* enum anole_custom_validation */
    double tolerance;     /* see custom_data.h */
};

/* One kernel to run. */
struct anole_custom_launch {
    char *source, *kernel, *options; /* kernel NULL: there is no such launch */
    char *global[3], *local[3];      /* expressions */
    bool groups;                     /* global counts work-groups, not work-items */
};

struct anole_custom_knob {
    char name[ANOLE_KNOB_NAME];
    bool categorical;
    uint32_t count, default_digit;
    int64_t *values;
    char **labels; /* as the source is to see them; NULL: the values themselves */
};

struct anole_custom_kernel {
    struct anole_custom base; /* first: what backends see of it */
    char *name;
    struct anole_custom_knob *knobs;
    size_t knob_count;
    char **constraints;
    size_t constraint_count;
    struct anole_custom_launch launch;
    struct anole_custom_launch reference; /* a plain kernel with the same arguments */
    struct anole_custom_argument arguments[ANOLE_MAX_ARGS];
    size_t argument_count;
};

void anole_custom_destroy(struct anole_custom_kernel *custom);

/* The task that is tuned: named NAME-DIGEST.  Borrows the kernel. */
void anole_custom_task(struct anole_task *task, const struct anole_custom_kernel *custom);

/* The kernel that comes with a task; NULL: none. */
const struct anole_custom_kernel *anole_custom_of(const struct anole_task *task);

/* True if the references of some outputs have to be computed on a device. */
bool anole_custom_needs_run(const struct anole_custom_kernel *custom);

/* Gives each vector its place, and the regions their sizes. */
enum anole_status anole_custom_place(struct anole_custom_kernel *custom, struct anole_error *error);

/* -- For a device (custom_make.c) -- */

/* The design space, finished: knobs, constraints, and what the device allows. */
enum anole_status anole_custom_space(struct anole_space **space,
                                     const struct anole_custom_kernel *custom,
                                     const struct anole_device *device, struct anole_error *error);
/* Hands the kernel of a config to a builder; `reference`: the plain one.  A failure
 * (ERR_INPUT) is the config's. */
enum anole_status anole_custom_generate(const struct anole_custom_kernel *custom, bool reference,
                                        const struct anole_device *device, const int64_t *values,
                                        struct anole_kernel_builder *builder,
                                        struct anole_error *error);

/* The names of facts about a device, in capitals: DEVICE_LOCAL_MEMORY and so on,
 * NULL at the end. */
const char *const *anole_device_fact_names(void);
/* An expression with numbers instead of them; the caller's to free.  NULL: out of
 * memory.  What is not known sets no limit. */
char *anole_device_substitute(const char *expression, const struct anole_device *device);
/* True if an expression has one of them. */
bool anole_device_mentioned(const char *expression);

#endif
