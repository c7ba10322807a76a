/* SPDX-License-Identifier: MIT
 *
 * Vectors of operators: tests/data/op/NAME.json, made by make.py there from ONNX's reference
 * evaluator and numpy.  A vector has what inference and computation have to make of inputs, or
 * a part of the message that they are refused with.
 */
#ifndef OP_FIXTURE_H
#define OP_FIXTURE_H

#include "base/json.h"
#include "op/op.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define OP_VECTOR_MOST 32 /* operands of a vector */

struct op_vector {
    const char *file;
    size_t index;
    const json_t *json;
    const struct anole_op *op;
    void *attributes; /* the defaults, until op_vector_attributes() */
    struct anole_operand inputs[OP_VECTOR_MOST], expected[OP_VECTOR_MOST], outputs[OP_VECTOR_MOST];
    const struct anole_operand *pointers[OP_VECTOR_MOST];
    uint32_t input_count, output_count;
};

/* Fails the test with the vector that is wrong. */
void op_vector_fail(const struct op_vector *vector, const char *format, ...)
    __attribute__((format(printf, 2, 3), noreturn));

/* Reads what vector->json has: `file`, `index` and `json` are the caller's.  Fails the test
 * where it is none. */
void op_vector_read(struct op_vector *vector);
void op_vector_free(struct op_vector *vector);
/* The attributes as the vector has them. */
enum anole_status op_vector_attributes(struct op_vector *vector, struct anole_error *error);

/* Fails the test unless output `index` is as expected.  `least`: a tolerance below which the
 * vector's own does not go; 0: none. */
void op_vector_compare(const struct op_vector *vector, uint32_t index, double least);

#endif
