/* SPDX-License-Identifier: MIT */
#include "op/plain.h"

#include "base/text.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#define MOST_LOCAL 32 /* work-items in a group: what llvmpipe takes of every kernel */
#define FEWEST_GROUPS 16

const char *anole_plain_type(uint32_t dtype)
{
    switch (dtype) {
    case ANOLE_F32:
    case ANOLE_TF32:
        return "float";
    case ANOLE_I8:
        return "char";
    case ANOLE_I16:
        return "short";
    case ANOLE_I32:
        return "int";
    case ANOLE_I64:
        return "long";
    case ANOLE_BOOL:
    case ANOLE_U8:
        return "uchar";
    case ANOLE_U16:
        return "ushort";
    case ANOLE_U32:
        return "uint";
    case ANOLE_U64:
        return "ulong";
    default:
        return NULL;
    }
}

const char *anole_plain_move_type(uint32_t dtype)
{
    switch (anole_dtype_bytes(dtype)) {
    case 1:
        return "uchar";
    case 2:
        return "ushort";
    case 4:
        return "uint";
    case 8:
        return "ulong";
    default:
        return NULL;
    }
}

void anole_plain_define(struct anole_plain_source *source, const char *name, const char *format,
                        ...)
{
    va_list arguments;
    anole_text_printf(&source->text, "#define %s ", name);
    va_start(arguments, format);
    anole_text_vprintf(&source->text, format, arguments);
    va_end(arguments);
    anole_text_append(&source->text, "\n", 1);
}

void anole_plain_define_int(struct anole_plain_source *source, const char *name, int64_t value)
{
    anole_plain_define(source, name, value < 0 ? "(%" PRId64 ")" : "%" PRId64, value);
}

void anole_plain_define_real(struct anole_plain_source *source, const char *name, double value)
{
    float rounded = (float)value;
    if (isnan(rounded))
        anole_plain_define(source, name, "NAN");
    else if (isinf(rounded))
        anole_plain_define(source, name, rounded > 0 ? "INFINITY" : "(-INFINITY)");
    else
        anole_plain_define(source, name, "(%af)", (double)rounded);
}

void anole_plain_define_bounds(struct anole_plain_source *source, uint32_t dtype)
{
    const uint32_t bits = 8 * (uint32_t)anole_dtype_bytes(dtype);
    const bool is_signed =
        dtype == ANOLE_I8 || dtype == ANOLE_I16 || dtype == ANOLE_I32 || dtype == ANOLE_I64;
    if (anole_dtype_is_real(dtype)) {
        anole_plain_define(source, "LOWEST", "(-INFINITY)");
        anole_plain_define(source, "HIGHEST", "INFINITY");
        return;
    }
    const uint64_t highest = dtype == ANOLE_BOOL ? 1 : UINT64_MAX >> (64 - bits + is_signed);
    anole_plain_define(source, "HIGHEST", "0x%" PRIx64 "%s", highest, is_signed ? "l" : "ul");
    if (is_signed)
        anole_plain_define(source, "LOWEST", "(-0x%" PRIx64 "l - 1)", highest);
    else
        anole_plain_define(source, "LOWEST", "0");
}

void anole_plain_text(struct anole_plain_source *source, const char *text)
{
    anole_text_append(&source->text, text, strlen(text));
}

void anole_plain_define_sum(struct anole_plain_source *source, const char *name, uint32_t rank,
                            const int64_t *dims, const int64_t *strides, int64_t first)
{
    int64_t divisor = 1;
    anole_text_printf(&source->text, "#define %s(i) (%" PRId64, name, first);
    for (uint32_t d = rank; d-- > 0; divisor *= dims[d]) {
        if (dims[d] == 1 || strides[d] == 0)
            continue;
        anole_text_append(&source->text, " + (i)", 6);
        if (divisor > 1)
            anole_text_printf(&source->text, " / %" PRId64, divisor);
        if (d > 0)
            anole_text_printf(&source->text, " %% %" PRId64, dims[d]);
        if (strides[d] != 1)
            anole_text_printf(&source->text, " * %" PRId64, strides[d]);
    }
    anole_text_append(&source->text, ")\n", 2);
}

void anole_plain_define_place(struct anole_plain_source *source, const char *name,
                              const struct anole_walk *walk, uint32_t k)
{
    anole_plain_define_sum(source, name, walk->rank, walk->dims, walk->strides[k], walk->at[k]);
}

int anole_plain_width(int64_t length)
{
    if (length >= 1024 || (length >= 16 && length % 16 == 0))
        return 16;
    return length >= 8 ? 8 : length >= 4 ? 4 : 2;
}

int64_t anole_plain_define_rows(struct anole_plain_source *source, int64_t rows, int64_t length)
{
    const int width = anole_plain_width(length);
    int64_t chunks = (length + width - 1) / width;
    anole_plain_define_int(source, "LENGTH", length);
    anole_plain_define_int(source, "WIDTH", width);
    anole_plain_define_int(source, "CHUNKS", chunks);
    anole_plain_define_int(source, "ITEMS", rows * chunks);
    return rows * chunks;
}

void anole_plain_define_numbers(struct anole_plain_source *source, uint32_t width,
                                const int64_t *sizes, const int64_t *strides)
{
    anole_text_printf(&source->text, "#define NUMBERS");
    for (uint32_t i = 0; i < width; i++)
        anole_text_printf(&source->text, " ADD(%u, %" PRId64 ", %" PRId64 ")", i, sizes[i],
                          strides[i]);
    anole_text_append(&source->text, "\n", 1);
}

bool anole_plain_numbers_fit(const struct anole_operand *indices, uint32_t width,
                             const int64_t *sizes)
{
    for (size_t i = 0; indices->data && i < anole_operand_elements(indices); i++) {
        const int64_t size = sizes[i % width], index = anole_operand_int(indices, i);
        if (index < -size || index >= size)
            return false;
    }
    return true;
}

void anole_plain_launch(struct anole_plain_source *source, const char *kernel, int64_t items,
                        const struct anole_arg *args, uint32_t count)
{
    int64_t local = 1;
    while (local < MOST_LOCAL && local * 2 * FEWEST_GROUPS <= items)
        local *= 2;
    anole_plain_launch_groups(source, kernel, (items + local - 1) / local, local, args, count);
}

void anole_plain_launch_groups(struct anole_plain_source *source, const char *kernel,
                               int64_t groups, int64_t items, const struct anole_arg *args,
                               uint32_t count)
{
    struct anole_launch launch = {.size = sizeof launch, .dimensions = 1, .kernel = kernel};
    launch.local[0] = (uint64_t)items;
    launch.global[0] = (uint64_t)(groups * items);
    for (uint32_t i = 0; i < count && i < ANOLE_MAX_ARGS; i++)
        launch.args[launch.arg_count++] = args[i];
    if (count > ANOLE_MAX_ARGS || source->builder->launch(source->builder, &launch) != ANOLE_OK)
        source->refused = true;
}

enum anole_status anole_plain_finish(struct anole_plain_source *source, struct anole_error *error)
{
    enum anole_status status = ANOLE_DONE;
    if (source->text.failed)
        status = anole_fail_memory(error);
    else if (source->refused || source->builder->source(source->builder, source->text.data,
                                                        source->text.length) != ANOLE_OK)
        status = anole_fail(error, ANOLE_ERR_INPUT, "the plain kernel is not taken");
    anole_text_fini(&source->text);
    return status;
}

enum anole_status anole_plain_none(const char *what, struct anole_error *error)
{
    return anole_fail(error, ANOLE_ERR_INPUT, "there is no plain kernel for %s", what);
}
