/* SPDX-License-Identifier: MIT */
#include "frontend/onnx_wire.h"

#include <inttypes.h>
#include <string.h>

#define LONGEST_VARINT 10
#define MOST_NUMBER ((1u << 29) - 1)

struct anole_onnx_message anole_onnx_whole(const void *data, size_t bytes)
{
    const uint8_t *file = data;
    return (struct anole_onnx_message){.file = file, .next = file, .end = file + bytes};
}

/* Reads seven bits a byte, the lowest first.  Returns the bytes it took; 0: the number goes on
 * behind the end, or has more than 64 bits. */
static size_t read_varint(uint64_t *value, const uint8_t *data, size_t left)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < left && i < LONGEST_VARINT; i++) {
        if (i == LONGEST_VARINT - 1 && data[i] > 1)
            return 0;
        sum |= (uint64_t)(data[i] & 0x7f) << (7 * i);
        if (data[i] < 0x80) {
            *value = sum;
            return i + 1;
        }
    }
    return 0;
}

static bool refuse(struct anole_onnx_message *message, const uint8_t *place, const char *what,
                   struct anole_error *error)
{
    message->status =
        anole_fail(error, ANOLE_ERR_INPUT,
                   "byte %zu: %s; expected a file in ONNX's binary format: it is damaged, cut "
                   "short, or no ONNX file",
                   (size_t)(place - message->file), what);
    return false;
}

/* The value of the field that begins at `start`. */
static bool read_value(struct anole_onnx_field *field, struct anole_onnx_message *message,
                       const uint8_t *start, struct anole_error *error)
{
    size_t left = (size_t)(message->end - message->next), used = 0;
    switch (field->type) {
    case ANOLE_ONNX_VARINT:
        used = read_varint(&field->value, message->next, left);
        if (used == 0)
            return refuse(message, start, "a number has no end", error);
        break;
    case ANOLE_ONNX_FIXED64:
    case ANOLE_ONNX_FIXED32:
        used = field->type == ANOLE_ONNX_FIXED64 ? 8 : 4;
        if (left < used)
            return refuse(message, start, "a number ends behind what holds it", error);
        memcpy(&field->value, message->next, used);
        break;
    case ANOLE_ONNX_BYTES:
        used = read_varint(&field->value, message->next, left);
        if (used == 0 || field->value > left - used)
            return refuse(message, start, "a field ends behind what holds it", error);
        field->data = message->next + used;
        field->length = (size_t)field->value;
        used += field->length;
        break;
    default:
        return refuse(message, start, "a field has a type that ONNX does not use", error);
    }
    message->next += used;
    return true;
}

bool anole_onnx_next(struct anole_onnx_field *field, struct anole_onnx_message *message,
                     struct anole_error *error)
{
    uint64_t key;
    const uint8_t *start = message->next;
    if (message->status != ANOLE_DONE || start == message->end)
        return false;
    size_t used = read_varint(&key, start, (size_t)(message->end - start));
    if (used == 0 || key >> 3 == 0 || key >> 3 > MOST_NUMBER)
        return refuse(message, start, "this begins no field", error);
    *field = (struct anole_onnx_field){.number = (uint32_t)(key >> 3),
                                       .type = (enum anole_onnx_wire_type)(key & 7),
                                       .file = message->file,
                                       .offset = (size_t)(start - message->file)};
    message->next += used;
    return read_value(field, message, start, error);
}

static enum anole_status expect(const struct anole_onnx_field *field,
                                enum anole_onnx_wire_type type, struct anole_error *error)
{
    static const char *const names[] = {
        [ANOLE_ONNX_VARINT] = "a whole number",
        [ANOLE_ONNX_FIXED64] = "8 bytes",
        [ANOLE_ONNX_BYTES] = "text, a list or a message",
        [ANOLE_ONNX_FIXED32] = "4 bytes",
    };
    if (field->type == type)
        return ANOLE_DONE;
    return anole_fail(error, ANOLE_ERR_INPUT,
                      "byte %zu: field %" PRIu32 " is %s; expected %s: the file is damaged",
                      field->offset, field->number, names[field->type], names[type]);
}

enum anole_status anole_onnx_int(int64_t *value, const struct anole_onnx_field *field,
                                 struct anole_error *error)
{
    enum anole_status status = expect(field, ANOLE_ONNX_VARINT, error);
    if (status == ANOLE_DONE)
        *value = (int64_t)field->value;
    return status;
}

enum anole_status anole_onnx_float(float *value, const struct anole_onnx_field *field,
                                   struct anole_error *error)
{
    enum anole_status status = expect(field, ANOLE_ONNX_FIXED32, error);
    if (status == ANOLE_DONE)
        memcpy(value, &field->value, sizeof *value);
    return status;
}

enum anole_status anole_onnx_bytes(struct anole_bytes *value, const struct anole_onnx_field *field,
                                   struct anole_error *error)
{
    enum anole_status status = expect(field, ANOLE_ONNX_BYTES, error);
    if (status == ANOLE_DONE)
        *value = (struct anole_bytes){(const char *)field->data, field->length};
    return status;
}

enum anole_status anole_onnx_inner(struct anole_onnx_message *inner,
                                   const struct anole_onnx_field *field, struct anole_error *error)
{
    enum anole_status status = expect(field, ANOLE_ONNX_BYTES, error);
    if (status == ANOLE_DONE)
        *inner = (struct anole_onnx_message){
            .file = field->file, .next = field->data, .end = field->data + field->length};
    return status;
}

/* How many varints there are; false: one is malformed. */
static bool count_varints(size_t *count, const uint8_t *data, size_t length)
{
    uint64_t value;
    for (size_t i = 0, used; i < length; i += used, ++*count) {
        used = read_varint(&value, data + i, length - i);
        if (used == 0)
            return false;
    }
    return true;
}

enum anole_status anole_onnx_count(size_t *count, const struct anole_onnx_field *field,
                                   enum anole_onnx_wire_type type, struct anole_error *error)
{
    size_t unit = type == ANOLE_ONNX_FIXED32 ? 4 : 8;
    if (field->type != ANOLE_ONNX_BYTES) {
        *count += 1;
        return expect(field, type, error);
    }
    bool whole = type == ANOLE_ONNX_VARINT ? count_varints(count, field->data, field->length)
                                           : field->length % unit == 0;
    if (!whole)
        return anole_fail(error, ANOLE_ERR_INPUT,
                          "byte %zu: the list in field %" PRIu32
                          " ends inside a number: the file is damaged",
                          field->offset, field->number);
    if (type != ANOLE_ONNX_VARINT)
        *count += field->length / unit;
    return ANOLE_DONE;
}

size_t anole_onnx_collect(void *out, const struct anole_onnx_field *field,
                          enum anole_onnx_wire_type type)
{
    size_t unit = type == ANOLE_ONNX_FIXED32 ? 4 : 8, count = 0;
    uint8_t *next = out;
    if (field->type != ANOLE_ONNX_BYTES) {
        memcpy(next, &field->value, unit);
        return 1;
    }
    if (type != ANOLE_ONNX_VARINT) {
        if (field->length > 0)
            memcpy(next, field->data, field->length);
        return field->length / unit;
    }
    for (size_t i = 0; i < field->length; count++) {
        uint64_t value = 0;
        i += read_varint(&value, field->data + i, field->length - i);
        memcpy(next + count * sizeof value, &value, sizeof value);
    }
    return count;
}
