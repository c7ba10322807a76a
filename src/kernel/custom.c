/* SPDX-License-Identifier: MIT */
#include "kernel/custom.h"

#include "base/text.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_REGION (UINT64_C(1) << 30) /* bytes of what is read, and of what is written */

/* ------------------------------------------------------------------ elements */

static const struct {
    const char *text;
    size_t bytes;
    bool real, sign;
} elements[] = {
#define X(name, text, bytes, real, sign) {text, bytes, real, sign},
    ANOLE_ELEMENT_MAP(X)
#undef X
};

const char *anole_element_text(uint32_t element)
{
    return element < ANOLE_ELEMENT_COUNT ? elements[element].text : "unknown";
}

size_t anole_element_bytes(uint32_t element)
{
    return element < ANOLE_ELEMENT_COUNT ? elements[element].bytes : 0;
}

bool anole_element_is_real(uint32_t element)
{
    return element < ANOLE_ELEMENT_COUNT && elements[element].real;
}

/* IEEE 754 binary16, to the nearest, ties to even; by way of a float, whose own
 * rounding may matter in the last bit of ties alone. */
static uint16_t half_of(double number)
{
    float narrow = (float)number;
    uint32_t bits;
    memcpy(&bits, &narrow, sizeof bits);
    uint16_t sign = (uint16_t)(bits >> 16 & 0x8000u);
    uint32_t magnitude = bits & 0x7fffffffu;
    if (magnitude > 0x7f800000u)
        return sign | 0x7e00u;
    if (magnitude >= 0x477ff000u) /* 65520 and more */
        return sign | 0x7c00u;
    if (magnitude < 0x38800000u) { /* below 2^-14: a multiple of 2^-24 */
        float scaled = nearbyintf(fabsf(narrow) * 0x1p24f);
        return sign | (uint16_t)scaled;
    }
    uint32_t rounded = magnitude + 0xfffu + (magnitude >> 13 & 1u);
    return sign | (uint16_t)((rounded - 0x38000000u) >> 13);
}

static double half_value(uint16_t bits)
{
    int exponent = bits >> 10 & 31, fraction = bits & 1023;
    double value;
    if (exponent == 31)
        value = fraction ? (double)NAN : (double)INFINITY;
    else if (exponent == 0)
        value = ldexp(fraction, -24);
    else
        value = ldexp(1024 + fraction, exponent - 25);
    return bits & 0x8000u ? -value : value;
}

/* An integer of so many bits, cut to what they hold. */
static uint64_t whole(double number, unsigned bits, bool sign)
{
    double most = ldexp(1.0, (int)(sign ? bits - 1 : bits)), least = sign ? -most : 0.0;
    number = nearbyint(number);
    if (!(number > least))
        return sign ? UINT64_MAX << (bits - 1) : 0;
    if (number >= most)
        return sign ? (UINT64_C(1) << (bits - 1)) - 1 : UINT64_MAX >> (64 - bits);
    return number < 0 ? (uint64_t)(int64_t)number : (uint64_t)number;
}

void anole_element_store(void *out, uint32_t element, double number)
{
    size_t bytes = anole_element_bytes(element);
    if (element == ANOLE_ELEMENT_DOUBLE) {
        memcpy(out, &number, sizeof number);
    } else if (element == ANOLE_ELEMENT_FLOAT) {
        float value = (float)number;
        memcpy(out, &value, sizeof value);
    } else if (element == ANOLE_ELEMENT_HALF) {
        uint16_t value = half_of(number);
        memcpy(out, &value, sizeof value);
    } else if (bytes > 0) {
        uint64_t value = whole(number, (unsigned)bytes * 8, elements[element].sign);
        uint8_t u8 = (uint8_t)value;
        uint16_t u16 = (uint16_t)value;
        uint32_t u32 = (uint32_t)value;
        memcpy(out,
               bytes == 1   ? (void *)&u8
               : bytes == 2 ? (void *)&u16
               : bytes == 4 ? (void *)&u32
                            : &value,
               bytes);
    }
}

double anole_element_load(const void *memory, uint32_t element)
{
    union {
        int8_t i8;
        uint8_t u8;
        int16_t i16;
        uint16_t u16;
        int32_t i32;
        uint32_t u32;
        int64_t i64;
        uint64_t u64;
        float f32;
        double f64;
    } u = {.u64 = 0};
    memcpy(&u, memory, anole_element_bytes(element));
    switch (element) {
    case ANOLE_ELEMENT_INT8:
        return u.i8;
    case ANOLE_ELEMENT_UINT8:
        return u.u8;
    case ANOLE_ELEMENT_INT16:
        return u.i16;
    case ANOLE_ELEMENT_UINT16:
        return u.u16;
    case ANOLE_ELEMENT_INT32:
        return u.i32;
    case ANOLE_ELEMENT_UINT32:
        return u.u32;
    case ANOLE_ELEMENT_INT64:
        return (double)u.i64;
    case ANOLE_ELEMENT_UINT64:
        return (double)u.u64;
    case ANOLE_ELEMENT_HALF:
        return half_value(u.u16);
    case ANOLE_ELEMENT_FLOAT:
        return u.f32;
    case ANOLE_ELEMENT_DOUBLE:
        return u.f64;
    default:
        return NAN;
    }
}

/* -------------------------------------------------------------------- whole */

static void destroy_texts(char **texts, size_t count)
{
    for (size_t i = 0; texts && i < count; i++)
        free(texts[i]);
    free(texts);
}

static void launch_fini(struct anole_custom_launch *launch)
{
    free(launch->source);
    free(launch->kernel);
    free(launch->options);
    for (int d = 0; d < 3; d++) {
        free(launch->global[d]);
        free(launch->local[d]);
    }
}

void anole_custom_destroy(struct anole_custom_kernel *custom)
{
    if (!custom)
        return;
    for (size_t i = 0; custom->knobs && i < custom->knob_count; i++) {
        destroy_texts(custom->knobs[i].labels, custom->knobs[i].count);
        free(custom->knobs[i].values);
    }
    free(custom->knobs);
    destroy_texts(custom->constraints, custom->constraint_count);
    launch_fini(&custom->launch);
    launch_fini(&custom->reference);
    for (size_t i = 0; i < ANOLE_MAX_ARGS; i++) {
        free(custom->arguments[i].value);
        free(custom->arguments[i].fill_file);
        free(custom->arguments[i].reference_file);
    }
    free(custom->name);
    free(custom);
}

void anole_custom_task(struct anole_task *task, const struct anole_custom_kernel *custom)
{
    *task = (struct anole_task){.size = sizeof *task,
                                .kind = ANOLE_TASK_CUSTOM,
                                .dtype = ANOLE_F32,
                                .custom = &custom->base};
    snprintf(task->name, sizeof task->name, "%.40s-%016" PRIx64, custom->name, custom->base.digest);
}

const struct anole_custom_kernel *anole_custom_of(const struct anole_task *task)
{
    return (const struct anole_custom_kernel *)task->custom;
}

bool anole_custom_needs_run(const struct anole_custom_kernel *custom)
{
    for (size_t i = 0; i < custom->argument_count; i++)
        if (custom->arguments[i].checked && custom->arguments[i].reference == ANOLE_FILL_NONE)
            return true;
    return false;
}

enum anole_status anole_custom_place(struct anole_custom_kernel *custom, struct anole_error *error)
{
    uint64_t ends[2] = {0, 0}; /* of what is read, and of what is written */
    for (size_t i = 0; i < custom->argument_count; i++) {
        struct anole_custom_argument *argument = &custom->arguments[i];
        size_t bytes = anole_element_bytes(argument->element);
        uint64_t *end = &ends[argument->writable];
        if (argument->memory != ANOLE_CUSTOM_VECTOR)
            continue;
        if (argument->count == 0 || argument->count > MAX_REGION / bytes ||
            *end + argument->count * bytes > MAX_REGION)
            return anole_fail(error, ANOLE_ERR_INPUT,
                              "the vectors that a kernel %s come to more than 1 GiB: make '%s' "
                              "smaller",
                              argument->writable ? "writes" : "reads", argument->name);
        argument->offset = *end;
        *end += argument->count * bytes + ANOLE_CUSTOM_PAGE;
        *end = (*end + ANOLE_CUSTOM_PAGE - 1) / ANOLE_CUSTOM_PAGE * ANOLE_CUSTOM_PAGE;
    }
    custom->base.input_bytes = ends[0];
    custom->base.output_bytes = ends[1];
    return ANOLE_DONE;
}
