/* SPDX-License-Identifier: MIT */
#include "worker/wire.h"

#include <stdlib.h>
#include <string.h>

void anole_wire_writer_init(struct anole_wire *wire)
{
    *wire = (struct anole_wire){.reading = false};
}

void anole_wire_clear(struct anole_wire *wire)
{
    wire->length = 0;
    wire->failed = false;
}

void anole_wire_fini(struct anole_wire *wire)
{
    if (!wire->reading)
        free(wire->data);
    *wire = (struct anole_wire){.reading = false};
}

void anole_wire_reader_init(struct anole_wire *wire, const void *data, size_t length)
{
    *wire = (struct anole_wire){.reading = true, .data = (uint8_t *)data, .length = length};
}

bool anole_wire_complete(const struct anole_wire *wire)
{
    return !wire->failed && wire->position == wire->length;
}

/* Room for `bytes` more, or NULL and the wire has failed. */
static uint8_t *extend(struct anole_wire *wire, size_t bytes)
{
    if (wire->failed)
        return NULL;
    if (bytes > wire->capacity - wire->length) {
        size_t capacity = wire->capacity ? wire->capacity : 256;
        while (capacity - wire->length < bytes) {
            if (capacity > SIZE_MAX / 2) {
                wire->failed = true;
                return NULL;
            }
            capacity *= 2;
        }
        uint8_t *data = realloc(wire->data, capacity);
        if (!data) {
            wire->failed = true;
            return NULL;
        }
        wire->data = data;
        wire->capacity = capacity;
    }
    uint8_t *place = wire->data + wire->length;
    wire->length += bytes;
    return place;
}

/* The next `bytes`, or NULL and the wire has failed. */
static const uint8_t *take(struct anole_wire *wire, size_t bytes)
{
    if (wire->failed || bytes > wire->length - wire->position) {
        wire->failed = true;
        return NULL;
    }
    const uint8_t *place = wire->data + wire->position;
    wire->position += bytes;
    return place;
}

/* A number of `bytes` bytes, least significant first. */
static void number(struct anole_wire *wire, uint64_t *value, size_t bytes)
{
    if (wire->reading) {
        const uint8_t *place = take(wire, bytes);
        *value = 0;
        for (size_t i = 0; place && i < bytes; i++)
            *value |= (uint64_t)place[i] << (8 * i);
        return;
    }
    uint8_t *place = extend(wire, bytes);
    for (size_t i = 0; place && i < bytes; i++)
        place[i] = (uint8_t)(*value >> (8 * i));
}

#define INTEGER(name, type, bytes)                                                                 \
    void anole_wire_##name(struct anole_wire *wire, type *value)                                   \
    {                                                                                              \
        uint64_t wide = wire->reading ? 0 : (uint64_t)*value;                                      \
        number(wire, &wide, bytes);                                                                \
        if (wire->reading)                                                                         \
            *value = (type)wide;                                                                   \
    }
INTEGER(u8, uint8_t, 1)
INTEGER(u16, uint16_t, 2)
INTEGER(u32, uint32_t, 4)
INTEGER(u64, uint64_t, 8)
INTEGER(i64, int64_t, 8)
#undef INTEGER

void anole_wire_f64(struct anole_wire *wire, double *value)
{
    uint64_t bits = 0;
    if (!wire->reading)
        memcpy(&bits, value, sizeof bits);
    number(wire, &bits, sizeof bits);
    if (wire->reading)
        memcpy(value, &bits, sizeof bits);
}

void anole_wire_bool(struct anole_wire *wire, bool *value)
{
    uint8_t byte = wire->reading ? 0 : *value;
    anole_wire_u8(wire, &byte);
    if (!wire->reading)
        return;
    if (byte > 1)
        wire->failed = true;
    *value = byte == 1;
}

void anole_wire_count(struct anole_wire *wire, uint32_t *count, uint32_t limit)
{
    if (!wire->reading && *count > limit)
        wire->failed = true;
    anole_wire_u32(wire, count);
    if (wire->reading && (wire->failed || *count > limit)) {
        wire->failed = true;
        *count = 0;
    }
}

void anole_wire_text(struct anole_wire *wire, char *text, size_t size)
{
    uint32_t length = wire->reading ? 0 : (uint32_t)strnlen(text, size - 1);
    anole_wire_count(wire, &length, (uint32_t)(size - 1));
    if (!wire->reading) {
        uint8_t *place = extend(wire, length);
        if (place)
            memcpy(place, text, length);
        return;
    }
    text[0] = '\0';
    const uint8_t *place = take(wire, length);
    if (!place)
        return;
    if (memchr(place, 0, length)) {
        wire->failed = true;
        return;
    }
    memcpy(text, place, length);
    text[length] = '\0';
}

void anole_wire_block(struct anole_wire *wire, const void **data, size_t *bytes, size_t limit)
{
    uint64_t length = wire->reading ? 0 : *bytes;
    anole_wire_u64(wire, &length);
    if (length > limit)
        wire->failed = true;
    if (!wire->reading) {
        uint8_t *place = extend(wire, wire->failed ? 0 : (size_t)length);
        if (place && length > 0)
            memcpy(place, *data, (size_t)length);
        return;
    }
    const uint8_t *place = wire->failed ? NULL : take(wire, (size_t)length);
    *data = length > 0 ? place : NULL;
    *bytes = *data ? (size_t)length : 0;
}
