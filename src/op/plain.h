/* SPDX-License-Identifier: MIT
 *
 * Plain kernels: how an operator's `kernel` hook makes its source and its launches.  The source
 * is a file of kernels/ behind the #defines that it asks for, so that it reads alone; sizes and
 * strides are among these.  A work-item takes a few neighbouring elements of a row.
 *
 * The hooks of families that share a kernel are here as well: an operator names what is
 * particular to it.
 */
#ifndef ANOLE_PLAIN_H
#define ANOLE_PLAIN_H

#include "base/text.h"
#include "op/iterate.h"

/* A source in the making.  Zero-initialise but for `builder`; anole_plain_finish() releases it. */
struct anole_plain_source {
    struct anole_kernel_builder *builder;
    struct anole_text text;
    bool refused;
};

#define ANOLE_PLAIN_INPUT(i)                                                                       \
    (struct anole_arg)                                                                             \
    {                                                                                              \
        .role = ANOLE_ROLE_INPUT, .value = (i)                                                     \
    }
#define ANOLE_PLAIN_OUTPUT(i)                                                                      \
    (struct anole_arg)                                                                             \
    {                                                                                              \
        .role = ANOLE_ROLE_OUTPUT, .value = (i)                                                    \
    }

/* The type of an element in OpenCL C; NULL: one that kernels do not compute with. */
const char *anole_plain_type(uint32_t dtype);
/* An unsigned integer of as many bytes, for what only moves. */
const char *anole_plain_move_type(uint32_t dtype);

/* LOWEST and HIGHEST: the bounds of a type of OpenCL C. */
void anole_plain_define_bounds(struct anole_plain_source *source, uint32_t dtype);
/* Appends the text of a kernel's file. */
void anole_plain_text(struct anole_plain_source *source, const char *text);
/* #define NAME VALUE */
void anole_plain_define(struct anole_plain_source *source, const char *name, const char *format,
                        ...) __attribute__((format(printf, 3, 4)));
void anole_plain_define_int(struct anole_plain_source *source, const char *name, int64_t value);
/* The float that is nearest. */
void anole_plain_define_real(struct anole_plain_source *source, const char *name, double value);
/* #define NAME(i): the place of row i in operand k of a walk. */
void anole_plain_define_place(struct anole_plain_source *source, const char *name,
                              const struct anole_walk *walk, uint32_t k);
/* The same where dims[rank] and strides[rank] are given, and `first` is added. */
void anole_plain_define_sum(struct anole_plain_source *source, const char *name, uint32_t rank,
                            const int64_t *dims, const int64_t *strides, int64_t first);
/* How many neighbours of a row a work-item takes. */
int anole_plain_width(int64_t length);
/* LENGTH, WIDTH, CHUNKS, ITEMS of `rows` rows of `length`; the result is ITEMS. */
int64_t anole_plain_define_rows(struct anole_plain_source *source, int64_t rows, int64_t length);

/* NUMBERS: what the `width` numbers of a tuple of indices select, each within its size. */
void anole_plain_define_numbers(struct anole_plain_source *source, uint32_t width,
                                const int64_t *sizes, const int64_t *strides);
/* Whether such indices are in range, where they are known: of others a kernel cannot tell. */
bool anole_plain_numbers_fit(const struct anole_operand *indices, uint32_t width,
                             const int64_t *sizes);

/* One launch of at least `items` work-items. */
void anole_plain_launch(struct anole_plain_source *source, const char *kernel, int64_t items,
                        const struct anole_arg *args, uint32_t count);
/* One launch of `groups` groups of `items` work-items. */
void anole_plain_launch_groups(struct anole_plain_source *source, const char *kernel,
                               int64_t groups, int64_t items, const struct anole_arg *args,
                               uint32_t count);
/* Hands over the source.  ERR_INPUT: the builder does not take what it got. */
enum anole_status anole_plain_finish(struct anole_plain_source *source, struct anole_error *error);

/* ERR_INPUT: "there is no plain kernel for …" */
enum anole_status anole_plain_none(const char *what, struct anole_error *error);

/* -- Families -- */

#define ANOLE_PLAIN_OPERANDS 3

/* out = FUNCTION, an expression of op_elementwise.cl, of up to three inputs that broadcast. */
struct anole_elementwise {
    const char *function; /* "FUNCTION_relu" */
    const char *type;     /* that it computes in, in OpenCL C */
    const char *suffix;   /* of the conversion to the output's: "_sat_rtz", or "" */
    uint32_t count;
    uint32_t inputs[ANOLE_PLAIN_OPERANDS]; /* of the call */
    bool moves; /* types of outputs and all inputs but the first: by size */
};

/* `source` has what the function needs beside. */
enum anole_status anole_plain_elementwise(struct anole_plain_source *source,
                                          const struct anole_call *call,
                                          const struct anole_elementwise *elementwise,
                                          struct anole_error *error);

/* A copy between an input and an output, as anole_copy_strided() has it. */
struct anole_strided {
    uint32_t input, output; /* of the call */
    int64_t first_in, first_out;
    uint32_t rank;
    int64_t dims[ANOLE_MAX_RANK], in_strides[ANOLE_MAX_RANK], out_strides[ANOLE_MAX_RANK];
};

/* The kernel and the launch of one copy, numbered `index`, of elements of `type`. */
void anole_plain_add_copy(struct anole_plain_source *source, const char *type, uint32_t index,
                          const struct anole_strided *copy);
/* `dtype`: of the elements.  Those without elements are left out. */
enum anole_status anole_plain_strided(struct anole_kernel_builder *builder, uint32_t dtype,
                                      const struct anole_strided *copies, size_t count,
                                      struct anole_error *error);

/* anole_copy_mapped() from input 0 to output 0.  `fill`: the bits of an element; `fill_input`:
 * the input that has it instead; 0: none. */
enum anole_status anole_plain_mapped(const struct anole_call *call, const int64_t *const *maps,
                                     uint64_t fill, uint32_t fill_input,
                                     struct anole_kernel_builder *builder,
                                     struct anole_error *error);

#endif
