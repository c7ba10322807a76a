/* SPDX-License-Identifier: MIT
 *
 * The wire format of Protocol Buffers (https://protobuf.dev/programming-guides/encoding/), as
 * far as ONNX files use it: a message is a series of fields, each a number, a type and a
 * value.  Reads in place; allocates nothing; does not recurse.
 *
 *     while (anole_onnx_next(&field, &message, error))
 *         switch (field.number) { ... }
 *     return message.status;
 *
 * Every length is checked before it is believed; what is not well-formed ends the message with
 * ERR_INPUT, and the error names the byte of the file.  Groups, which ONNX does not have, are
 * refused.  Fields of other numbers may be ignored.
 */
#ifndef ANOLE_ONNX_WIRE_H
#define ANOLE_ONNX_WIRE_H

#include "frontend/array.h"

/* As files have them. */
enum anole_onnx_wire_type {
    ANOLE_ONNX_VARINT = 0,
    ANOLE_ONNX_FIXED64 = 1,
    ANOLE_ONNX_BYTES = 2, /* texts, messages, and packed lists of the others */
    ANOLE_ONNX_FIXED32 = 5,
};

struct anole_onnx_message {
    const uint8_t *file; /* where the file begins, for messages */
    const uint8_t *next, *end;
    enum anole_status status; /* DONE, or how anole_onnx_next() failed */
};

struct anole_onnx_field {
    uint32_t number;
    enum anole_onnx_wire_type type;
    uint64_t value;      /* all but BYTES */
    const uint8_t *data; /* BYTES: [length], in the file */
    size_t length;
    const uint8_t *file;
    size_t offset; /* of the field in the file */
};

/* A message that is a whole file. */
struct anole_onnx_message anole_onnx_whole(const void *data, size_t bytes);

/* The next field; false at the end, and if it is malformed (message->status). */
bool anole_onnx_next(struct anole_onnx_field *field, struct anole_onnx_message *message,
                     struct anole_error *error);

/* The value of a field.  ERR_INPUT: it is of another type.  Bytes are borrowed of the file. */
enum anole_status anole_onnx_int(int64_t *value, const struct anole_onnx_field *field,
                                 struct anole_error *error);
enum anole_status anole_onnx_float(float *value, const struct anole_onnx_field *field,
                                   struct anole_error *error);
enum anole_status anole_onnx_bytes(struct anole_bytes *value, const struct anole_onnx_field *field,
                                   struct anole_error *error);
enum anole_status anole_onnx_inner(struct anole_onnx_message *inner,
                                   const struct anole_onnx_field *field, struct anole_error *error);

/* Lists of numbers come packed into BYTES, or one a field, or mixed.  Adds to *count how many
 * of `type` (not BYTES) are in this field.  ERR_INPUT: of another type, or malformed. */
enum anole_status anole_onnx_count(size_t *count, const struct anole_onnx_field *field,
                                   enum anole_onnx_wire_type type, struct anole_error *error);
/* Copies those to `out`: 8 bytes each, but 4 of FIXED32.  Returns how many; the field has been
 * through anole_onnx_count(). */
size_t anole_onnx_collect(void *out, const struct anole_onnx_field *field,
                          enum anole_onnx_wire_type type);

#endif
