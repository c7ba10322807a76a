/* SPDX-License-Identifier: MIT */
#include "exec/guarded.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define GUARD_WORDS (ANOLE_GUARD / sizeof(uint32_t))
/* A quiet NaN that no arithmetic makes, and each half of it is one of half precision. */
#define POISON 0x7fe57fe5u
#define CHUNK ((size_t)1 << 20)

bool anole_guarded_is_poison(const void *data, size_t at, size_t element_bytes)
{
    const uint32_t poison = POISON;
    return memcmp((const char *)data + at * element_bytes, &poison, element_bytes) == 0;
}

void anole_guarded_fill(void *memory, size_t bytes)
{
    const uint32_t word = POISON;
    char *next = memory;
    for (; bytes >= sizeof word; bytes -= sizeof word, next += sizeof word)
        memcpy(next, &word, sizeof word);
    memcpy(next, &word, bytes);
}

/* Every word of a guard is another NaN, so that a shifted copy shows; so are, in half
 * precision, both halves of it.  The factor is odd: no two products agree in 15 bits. */
static void fill_guard(uint32_t words[GUARD_WORDS])
{
    for (uint32_t i = 0; i < GUARD_WORDS; i++) {
        uint32_t mixed = (i * 2654435761u) & 0x7fffu;
        words[i] = 0x7fc07e00u | (mixed >> 9) << 16 | (mixed & 0x1ffu);
    }
}

static int write_guards(const struct anole_guarded *guarded,
                        const struct anole_guarded_device *device, struct anole_message *message)
{
    uint32_t words[GUARD_WORDS];
    fill_guard(words);
    int code = device->plugin->buffer_write(device->session, guarded->buffer, 0, words,
                                            sizeof words, message);
    if (code == ANOLE_OK)
        code = device->plugin->buffer_write(device->session, guarded->buffer,
                                            ANOLE_GUARD + guarded->bytes, words, sizeof words,
                                            message);
    return code;
}

int anole_guarded_reserve(struct anole_guarded *guarded, struct anole_guarded_device *device,
                          size_t bytes, struct anole_message *message)
{
    if (guarded->buffer && (guarded->capacity < bytes || guarded->capacity / 4 > bytes))
        anole_guarded_destroy(guarded, device);
    if (!guarded->buffer) {
        struct anole_buffer *buffer = NULL;
        int code = device->plugin->buffer_create(device->session, bytes + 2 * (size_t)ANOLE_GUARD,
                                                 &buffer, message);
        if (code != ANOLE_OK)
            return code;
        guarded->buffer = buffer;
        guarded->capacity = bytes;
        device->held += bytes + 2 * (size_t)ANOLE_GUARD;
    }
    guarded->bytes = bytes;
    return write_guards(guarded, device, message);
}

int anole_guarded_write(const struct anole_guarded *guarded,
                        const struct anole_guarded_device *device, const void *data,
                        struct anole_message *message)
{
    return device->plugin->buffer_write(device->session, guarded->buffer, ANOLE_GUARD, data,
                                        guarded->bytes, message);
}

int anole_guarded_poison(const struct anole_guarded *guarded,
                         const struct anole_guarded_device *device, struct anole_message *message)
{
    size_t chunk = guarded->bytes < CHUNK ? guarded->bytes : CHUNK;
    void *poison = malloc(chunk);
    if (!poison)
        return ANOLE_NO_MEMORY;
    anole_guarded_fill(poison, chunk);
    int code = ANOLE_OK;
    for (size_t at = 0; code == ANOLE_OK && at < guarded->bytes; at += chunk) {
        size_t part = guarded->bytes - at < chunk ? guarded->bytes - at : chunk;
        code = device->plugin->buffer_write(device->session, guarded->buffer, ANOLE_GUARD + at,
                                            poison, part, message);
    }
    free(poison);
    return code;
}

int anole_guarded_read(const struct anole_guarded *guarded,
                       const struct anole_guarded_device *device, void *data,
                       struct anole_message *message)
{
    return device->plugin->buffer_read(device->session, guarded->buffer, ANOLE_GUARD, data,
                                       guarded->bytes, message);
}

int anole_guarded_check(const struct anole_guarded *guarded,
                        const struct anole_guarded_device *device, bool *before, bool *behind,
                        struct anole_message *message)
{
    *before = *behind = true;
    if (!guarded->buffer)
        return ANOLE_OK;
    uint32_t expected[GUARD_WORDS], found[GUARD_WORDS];
    fill_guard(expected);
    int code = device->plugin->buffer_read(device->session, guarded->buffer, 0, found, sizeof found,
                                           message);
    if (code != ANOLE_OK)
        return code;
    *before = memcmp(found, expected, sizeof found) == 0;
    code = device->plugin->buffer_read(device->session, guarded->buffer,
                                       ANOLE_GUARD + guarded->bytes, found, sizeof found, message);
    if (code != ANOLE_OK)
        return code;
    *behind = memcmp(found, expected, sizeof found) == 0;
    return ANOLE_OK;
}

void anole_guarded_destroy(struct anole_guarded *guarded, struct anole_guarded_device *device)
{
    if (guarded->buffer) {
        device->plugin->buffer_destroy(device->session, guarded->buffer);
        device->held -= guarded->capacity + 2 * (size_t)ANOLE_GUARD;
    }
    *guarded = (struct anole_guarded){.buffer = NULL};
}

struct anole_binding anole_guarded_binding(const struct anole_guarded *guarded)
{
    return (struct anole_binding){.buffer = guarded->buffer,
                                  .offset = guarded->buffer ? ANOLE_GUARD : 0,
                                  .bytes = guarded->bytes};
}
