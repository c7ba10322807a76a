/* SPDX-License-Identifier: MIT
 *
 * What operators check and read in the same way: types and ranks of operands, sizes of
 * outputs, and the numbers that older files have as attributes and newer ones as inputs.
 * Failures are ERR_INPUT, and say what was expected and what was found.
 */
#ifndef ANOLE_PARAMETERS_H
#define ANOLE_PARAMETERS_H

#include "op/op.h"

#define ANOLE_TYPE(name) (1u << ANOLE_##name)
#define ANOLE_TYPES_REAL                                                                           \
    (ANOLE_TYPE(F32) | ANOLE_TYPE(TF32) | ANOLE_TYPE(F16) | ANOLE_TYPE(F64) | ANOLE_TYPE(BF16))
#define ANOLE_TYPES_SIGNED (ANOLE_TYPE(I8) | ANOLE_TYPE(I16) | ANOLE_TYPE(I32) | ANOLE_TYPE(I64))
#define ANOLE_TYPES_UNSIGNED (ANOLE_TYPE(U8) | ANOLE_TYPE(U16) | ANOLE_TYPE(U32) | ANOLE_TYPE(U64))
#define ANOLE_TYPES_INTEGER (ANOLE_TYPES_SIGNED | ANOLE_TYPES_UNSIGNED)
#define ANOLE_TYPES_NUMBER (ANOLE_TYPES_REAL | ANOLE_TYPES_INTEGER)
#define ANOLE_TYPES_ANY (ANOLE_TYPES_NUMBER | ANOLE_TYPE(BOOL))
#define ANOLE_TYPES_INDEX (ANOLE_TYPE(I32) | ANOLE_TYPE(I64))

/* The texts of all types in the order of enum anole_dtype, ended by NULL, for attributes of
 * the kind CHOICE: the chosen index plus 1 is the type. */
extern const char *const anole_dtype_choices[];

/* An input; NULL: it is absent. */
const struct anole_operand *anole_call_input(const struct anole_call *call, uint32_t i);

/* `what` names the operand: "the input", "the indices". */
enum anole_status anole_check_type(const struct anole_operand *operand, uint32_t types,
                                   const char *what, struct anole_error *error);
enum anole_status anole_check_same_type(const struct anole_operand *operand,
                                        const struct anole_operand *as, const char *what,
                                        struct anole_error *error);
enum anole_status anole_check_rank(const struct anole_operand *operand, uint32_t low, uint32_t high,
                                   const char *what, struct anole_error *error);
/* That an operand is a list of `length` numbers (one a channel, say). */
enum anole_status anole_check_list(const struct anole_operand *operand, int64_t length,
                                   const char *what, struct anole_error *error);
/* Fewer than 2^31 elements. */
enum anole_status anole_check_size(const struct anole_operand *output, struct anole_error *error);

/* The whole numbers of input i, a scalar or a list of at most `most`, which has to be known.
 * *given false (and *list as it was): the input is absent. */
enum anole_status anole_input_ints(struct anole_ints *list, bool *given,
                                   const struct anole_call *call, uint32_t i, uint32_t most,
                                   const char *what, struct anole_error *error);
/* The same for one number; *value stays where the input is absent. */
enum anole_status anole_input_int(int64_t *value, const struct anole_call *call, uint32_t i,
                                  const char *what, struct anole_error *error);
enum anole_status anole_input_real(double *value, const struct anole_call *call, uint32_t i,
                                   const char *what, struct anole_error *error);

/* Axes as files have them, each once, as a set; none: all axes, if `all`. */
enum anole_status anole_axes_set(bool set[ANOLE_MAX_RANK], const struct anole_ints *axes,
                                 uint32_t rank, bool all, struct anole_error *error);

/* An index as files have it (negative: from the end) within 0..size-1. */
enum anole_status anole_check_index(int64_t *at, int64_t value, int64_t size,
                                    struct anole_error *error);
/* The place that tuple i of indices selects: the sum of its `width` numbers, each checked against
 * its size, times their strides. */
enum anole_status anole_check_tuple(int64_t *at, const struct anole_operand *indices, size_t i,
                                    uint32_t width, const int64_t *sizes, const int64_t *strides,
                                    struct anole_error *error);

#endif
