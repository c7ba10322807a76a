/* SPDX-License-Identifier: MIT */
#include "frontend/array.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "files are used in place");

static const struct {
    const char *text;
    size_t bits;
    const char *npy;
} elements[] = {
#define X(name, number, text, bits, npy) [number] = {text, bits, npy},
    ANOLE_ARRAY_TYPE_MAP(X)
#undef X
};

#define ELEMENTS (sizeof elements / sizeof *elements)

const char *anole_array_type_text(enum anole_array_type element)
{
    return anole_array_type_bits(element) ? elements[element].text : "an unknown type";
}

size_t anole_array_type_bits(uint32_t element)
{
    return element < ELEMENTS ? elements[element].bits : 0;
}

enum anole_array_type anole_array_type_of_npy(const char *descr)
{
    for (size_t i = 0; i < ELEMENTS && descr[0]; i++)
        if (elements[i].npy && strcmp(elements[i].npy + 1, descr + 1) == 0 &&
            (descr[0] == elements[i].npy[0] || descr[0] == '='))
            return (enum anole_array_type)i;
    return ANOLE_ARRAY_NONE;
}

const char *anole_array_type_npy(enum anole_array_type element)
{
    return anole_array_type_bits(element) ? elements[element].npy : NULL;
}

size_t anole_array_elements(const struct anole_array *array)
{
    size_t count = 1;
    for (uint32_t i = 0; i < array->rank; i++)
        count *= (size_t)array->dims[i];
    return count;
}

enum anole_status anole_array_size(struct anole_array *array, struct anole_error *error)
{
    uint64_t count = 1, bits = anole_array_type_bits(array->element);
    bool empty = false;
    for (uint32_t i = 0; i < array->rank; i++) {
        if (array->dims[i] < 0)
            return anole_fail(error, ANOLE_ERR_INPUT,
                              "size %" PRIu32 " is %" PRId64 "; expected 0 or more", i,
                              array->dims[i]);
        empty |= array->dims[i] == 0;
        if (array->dims[i] > 0 &&
            (__builtin_mul_overflow(count, (uint64_t)array->dims[i], &count) ||
             count > ANOLE_ARRAY_MAX_BYTES * 8 / bits))
            return anole_fail(error, ANOLE_ERR_INPUT,
                              "the sizes make more than 64 TiB; expected something that fits a "
                              "memory");
    }
    array->bytes = empty ? 0 : (size_t)((count * bits + 7) / 8);
    return ANOLE_DONE;
}

bool anole_array_aligned(const struct anole_array *array)
{
    size_t bytes = anole_array_type_bits(array->element) / 8;
    if (bytes > 8)
        bytes = 8;
    return bytes < 2 || (uintptr_t)array->data % bytes == 0;
}

const char *anole_array_text(char *out, size_t size, const struct anole_array *array)
{
    size_t length = (size_t)snprintf(out, size, "%s[", anole_array_type_text(array->element));
    for (uint32_t i = 0; i < array->rank && length < size; i++)
        length += (size_t)snprintf(out + length, size - length, "%s%" PRId64, i ? "," : "",
                                   array->dims[i]);
    if (length < size)
        snprintf(out + length, size - length, "]");
    return out;
}

/* A block with the table first, and all texts behind it. */
static void *copy_strings(const struct anole_bytes *strings, size_t count)
{
    size_t bytes = count * sizeof *strings;
    for (size_t i = 0; i < count; i++)
        if (__builtin_add_overflow(bytes, strings[i].length, &bytes))
            return NULL;
    struct anole_bytes *copy = malloc(bytes + 1);
    if (!copy)
        return NULL;
    char *next = (char *)(copy + count);
    for (size_t i = 0; i < count; i++) {
        copy[i] = (struct anole_bytes){next, strings[i].length};
        if (strings[i].length > 0)
            memcpy(next, strings[i].data, strings[i].length);
        next += strings[i].length;
    }
    return copy;
}

enum anole_status anole_array_copy(struct anole_array *copy, const struct anole_array *array,
                                   struct anole_error *error)
{
    char *name = strdup(array->name);
    void *data = array->element == ANOLE_ARRAY_STRING
                     ? copy_strings(array->data, anole_array_elements(array))
                     : malloc(array->bytes + 1);
    if (!name || !data) {
        free(name);
        free(data);
        return anole_fail_memory(error);
    }
    if (array->element != ANOLE_ARRAY_STRING && array->bytes > 0)
        memcpy(data, array->data, array->bytes);
    *copy = *array;
    copy->name = name;
    copy->data = data;
    copy->owns = true;
    return ANOLE_DONE;
}

void anole_array_fini(struct anole_array *array)
{
    if (array->owns) {
        free((char *)array->name);
        free((void *)array->data);
    }
    *array = (struct anole_array){0};
}

void anole_arrays_fini(struct anole_arrays *arrays)
{
    for (size_t i = 0; i < arrays->count; i++)
        anole_array_fini(&arrays->items[i]);
    free(arrays->items);
    *arrays = (struct anole_arrays){0};
}

const struct anole_array *anole_arrays_find(const struct anole_arrays *arrays, const char *name)
{
    for (size_t i = 0; i < arrays->count; i++)
        if (strcmp(arrays->items[i].name, name) == 0)
            return &arrays->items[i];
    return NULL;
}
