/* SPDX-License-Identifier: MIT
 *
 * Arrays as files hold them: of any element type of ONNX, dense, in C order, little-endian.
 */
#ifndef ANOLE_ARRAY_H
#define ANOLE_ARRAY_H

#include "base/status.h"

#include <stddef.h>
#include <stdint.h>

#define ANOLE_ARRAY_MAX_RANK 8
#define ANOLE_ARRAY_MAX_BYTES ((size_t)1 << 46)

/* name, number (that of ONNX's TensorProto.DataType), text, bits of an element, type as npy
 * files write it (NULL: they cannot) */
#define ANOLE_ARRAY_TYPE_MAP(X)                                                                    \
    X(F32, 1, "float32", 32, "<f4")                                                                \
    X(U8, 2, "uint8", 8, "|u1")                                                                    \
    X(I8, 3, "int8", 8, "|i1")                                                                     \
    X(U16, 4, "uint16", 16, "<u2")                                                                 \
    X(I16, 5, "int16", 16, "<i2")                                                                  \
    X(I32, 6, "int32", 32, "<i4")                                                                  \
    X(I64, 7, "int64", 64, "<i8")                                                                  \
    X(STRING, 8, "string", 8 * sizeof(struct anole_bytes), NULL)                                   \
    X(BOOL, 9, "bool", 8, "|b1")                                                                   \
    X(F16, 10, "float16", 16, "<f2")                                                               \
    X(F64, 11, "float64", 64, "<f8")                                                               \
    X(U32, 12, "uint32", 32, "<u4")                                                                \
    X(U64, 13, "uint64", 64, "<u8")                                                                \
    X(C64, 14, "complex64", 64, "<c8")                                                             \
    X(C128, 15, "complex128", 128, "<c16")                                                         \
    X(BF16, 16, "bfloat16", 16, NULL)                                                              \
    X(F8E4M3FN, 17, "float8e4m3fn", 8, NULL)                                                       \
    X(F8E4M3FNUZ, 18, "float8e4m3fnuz", 8, NULL)                                                   \
    X(F8E5M2, 19, "float8e5m2", 8, NULL)                                                           \
    X(F8E5M2FNUZ, 20, "float8e5m2fnuz", 8, NULL)                                                   \
    X(U4, 21, "uint4", 4, NULL)                                                                    \
    X(I4, 22, "int4", 4, NULL)                                                                     \
    X(F4E2M1, 23, "float4e2m1", 4, NULL)                                                           \
    X(F8E8M0, 24, "float8e8m0", 8, NULL)                                                           \
    X(U2, 25, "uint2", 2, NULL)                                                                    \
    X(I2, 26, "int2", 2, NULL)

enum anole_array_type {
    ANOLE_ARRAY_NONE = 0, /* not known */
#define X(name, number, text, bits, npy) ANOLE_ARRAY_##name = number,
    ANOLE_ARRAY_TYPE_MAP(X)
#undef X
};

/* Bytes of any kind, as they are: no text, not ended by a NUL unless it is said. */
struct anole_bytes {
    const char *data; /* [length]; may be NULL if length is 0 */
    size_t length;
};

struct anole_array {
    const char *name; /* never NULL once it is filled in; may be "" */
    enum anole_array_type element;
    uint32_t rank; /* 0: a scalar */
    int64_t dims[ANOLE_ARRAY_MAX_RANK];
    /* Elements of less than 8 bits are packed, the first in the lowest bits; a BOOL is a byte,
     * true unless 0; a STRING is a struct anole_bytes.  May lie at any address, even an odd
     * one, where it points into a file: see anole_array_aligned().  Never NULL. */
    const void *data; /* [bytes] */
    size_t bytes;
    bool owns; /* name and data are on the heap, and freed with the array */
};

/* Arrays by name. */
struct anole_arrays {
    struct anole_array *items;
    size_t count;
};

/* "float32"; "an unknown type" for what is none.  A literal. */
const char *anole_array_type_text(enum anole_array_type element);
/* Bits of an element; 0: no such type. */
size_t anole_array_type_bits(uint32_t element);
/* The type of an npy file's "descr"; ANOLE_ARRAY_NONE: none of ours. */
enum anole_array_type anole_array_type_of_npy(const char *descr);
/* The other way; NULL: npy files cannot hold it. */
const char *anole_array_type_npy(enum anole_array_type element);

/* How many elements there are; never overflows once sized. */
size_t anole_array_elements(const struct anole_array *array);
/* Sets `bytes` from element, rank and dims.  ERR_INPUT: a negative size, or more than
 * ANOLE_ARRAY_MAX_BYTES (sizes of 0 do not make the others right). */
enum anole_status anole_array_size(struct anole_array *array, struct anole_error *error);
/* True if a pointer to the element type may point to its data. */
bool anole_array_aligned(const struct anole_array *array);
/* "float32[1,3,224,224]", for messages.  Returns out. */
const char *anole_array_text(char *out, size_t size, const struct anole_array *array);

/* A copy on the heap, aligned, which needs nothing of the other. */
enum anole_status anole_array_copy(struct anole_array *copy, const struct anole_array *array,
                                   struct anole_error *error);
/* Zeroed ones are fine. */
void anole_array_fini(struct anole_array *array);
void anole_arrays_fini(struct anole_arrays *arrays);
/* NULL: there is none of that name. */
const struct anole_array *anole_arrays_find(const struct anole_arrays *arrays, const char *name);

#endif
