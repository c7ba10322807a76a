/* SPDX-License-Identifier: MIT
 *
 * The arguments of a kernel in a T1 file, and which of them are outputs.
 */
#include "kernel/t1_kernel_private.h"

#include "base/text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* ---------------------------------------------------------------------- types */

/* "float4" is four of "float"; C's names, too, are understood. */
static bool read_type(struct anole_t1_draft *draft, const char *type)
{
    static const struct {
        const char *text;
        uint32_t element;
    } types[] = {
#define X(name, text, bytes, real, sign) {text, ANOLE_ELEMENT_##name},
        ANOLE_ELEMENT_MAP(X)
#undef X
            {"bool", ANOLE_ELEMENT_UINT8},
        {"char", ANOLE_ELEMENT_INT8},
        {"byte", ANOLE_ELEMENT_INT8},
        {"uchar", ANOLE_ELEMENT_UINT8},
        {"short", ANOLE_ELEMENT_INT16},
        {"ushort", ANOLE_ELEMENT_UINT16},
        {"int", ANOLE_ELEMENT_INT32},
        {"uint", ANOLE_ELEMENT_UINT32},
        {"long", ANOLE_ELEMENT_INT64},
        {"ulong", ANOLE_ELEMENT_UINT64},
    };
    static const struct {
        const char *text;
        unsigned lanes;
    } lanes[] = {{"", 1}, {"2", 2}, {"3", 4}, {"4", 4}, {"8", 8}, {"16", 16}};
    size_t count = sizeof types / sizeof *types;
    for (size_t i = 0; i < count; i++) {
        size_t length = strlen(types[i].text);
        for (size_t k = 0; k < sizeof lanes / sizeof *lanes; k++) {
            if (strncasecmp(type, types[i].text, length) == 0 &&
                strcmp(type + length, lanes[k].text) == 0) {
                draft->argument->element = types[i].element;
                draft->lanes = lanes[k].lanes;
                return true;
            }
        }
    }
    return false;
}

/* ------------------------------------------------------------------- contents */

static enum anole_status read_fill(struct anole_t1_draft *draft)
{
    static const char *const words[] = {"Uninitialized", "Constant", "Random", "BinaryRaw"};
    struct anole_custom_argument *argument = draft->argument;
    size_t fill;
    enum anole_status status =
        anole_t1_word(draft, "FillType", words, 4,
                      argument->writable ? ANOLE_FILL_NONE : ANOLE_FILL_RANDOM, &fill);
    if (status != ANOLE_DONE)
        return status;
    argument->fill = (uint32_t)fill;
    bool random = fill == ANOLE_FILL_RANDOM;
    double usual = !random ? 0.0 : anole_element_is_real(argument->element) ? 1.0 : 100.0;
    status = anole_t1_draft_number(&argument->fill_value, draft, draft->object, "FillValue", usual);
    if (status == ANOLE_DONE && fill == ANOLE_FILL_FILE)
        status = anole_t1_raw(&argument->fill_file, draft,
                              json_object_get(draft->object, "DataSource"), draft->place);
    return status;
}

/* ------------------------------------------------------------------ arguments */

static enum anole_status read_vector(struct anole_t1_draft *draft)
{
    static const char *const access[] = {"ReadOnly", "WriteOnly", "ReadWrite"};
    struct anole_custom_argument *argument = draft->argument;
    double size = NAN;
    size_t kind;
    enum anole_status status = anole_t1_word(draft, "AccessType", access, 3, 3, &kind);
    if (status == ANOLE_DONE)
        status = anole_t1_draft_number(&size, draft, draft->object, "Size", NAN);
    if (status != ANOLE_DONE)
        return status;
    if (!(size >= 1 && size <= 0x1p40) || size != floor(size))
        return anole_t1_fail(draft->reader, draft->place,
                             "\"Size\" is %.10g; expected a whole number of at least 1", size);
    argument->writable = kind > 0;
    argument->unread = kind == 1;
    argument->count = (uint64_t)size * draft->lanes;
    return read_fill(draft);
}

/* A scalar's value, or the number of elements of local memory. */
static enum anole_status read_value(struct anole_t1_draft *draft, const char *key)
{
    char place[192];
    const json_t *value = json_object_get(draft->object, key);
    snprintf(place, sizeof place, "%s.%s", draft->place, key);
    if (draft->argument->memory == ANOLE_CUSTOM_SCALAR && draft->lanes != 1)
        return anole_t1_fail(draft->reader, draft->place,
                             "a scalar of a vector type cannot be passed");
    enum anole_status status =
        anole_t1_expression(&draft->argument->value, draft->reader, place, value);
    if (status != ANOLE_DONE || draft->lanes == 1)
        return status;
    char *lanes = NULL;
    if (asprintf(&lanes, "(%s) * %u", draft->argument->value, draft->lanes) < 0)
        return anole_fail_memory(draft->reader->error);
    free(draft->argument->value);
    draft->argument->value = lanes;
    return ANOLE_DONE;
}

/* T1 has it for types of one's own; where it is there, it says what "Type" does. */
static enum anole_status check_type_size(const struct anole_t1_draft *draft)
{
    char found[96];
    const json_t *size = json_object_get(draft->object, "TypeSize");
    size_t bytes = anole_element_bytes(draft->argument->element) * draft->lanes;
    if (!size || json_is_null(size) ||
        (json_is_integer(size) && (size_t)json_integer_value(size) == bytes))
        return ANOLE_DONE;
    return anole_t1_fail(draft->reader, draft->place,
                         "\"TypeSize\" is %s; expected %zu, the bytes of its \"Type\"",
                         anole_json_found(found, sizeof found, size), bytes);
}

static enum anole_status read_argument(struct anole_t1_draft *draft, size_t index)
{
    static const char *const memories[] = {"Scalar", "Vector", "Local"};
    char found[96], shown[64];
    size_t memory;
    struct anole_custom_argument *argument = draft->argument;
    const char *name = json_string_value(json_object_get(draft->object, "Name"));
    const json_t *type = json_object_get(draft->object, "Type");
    snprintf(argument->name, sizeof argument->name, "%s",
             anole_text_printable(shown, sizeof shown, name ? name : "?"));
    snprintf(draft->place, sizeof draft->place, "Arguments[%zu] \"%s\"", index, argument->name);
    if (!json_is_object(draft->object))
        return anole_t1_fail(draft->reader, draft->place, "expected an object, found %s",
                             anole_json_found(found, sizeof found, draft->object));
    if (!json_is_string(type) || !read_type(draft, json_string_value(type)))
        return anole_t1_fail(draft->reader, draft->place,
                             "\"Type\" is %s; expected int8 to int64, uint8 to uint64, half, float "
                             "or double, or vectors of them such as float4",
                             anole_json_found(found, sizeof found, type));
    enum anole_status status = check_type_size(draft);
    if (status == ANOLE_DONE)
        status = anole_t1_word(draft, "MemoryType", memories, 3, 3, &memory);
    if (status != ANOLE_DONE)
        return status;
    argument->memory = (uint32_t)memory;
    if (memory == ANOLE_CUSTOM_VECTOR)
        return read_vector(draft);
    return read_value(draft, memory == ANOLE_CUSTOM_LOCAL ? "Size" : "FillValue");
}

/* -------------------------------------------------------------------- outputs */

/* Rounding errors of a reduction, say, grow with its length: twenty times what a
 * sum of a thousand terms is off by. */
static double usual_tolerance(uint32_t element)
{
    switch (element) {
    case ANOLE_ELEMENT_HALF:
        return 1e-2;
    case ANOLE_ELEMENT_FLOAT:
        return 1e-4;
    case ANOLE_ELEMENT_DOUBLE:
        return 1e-10;
    default:
        return 0.0;
    }
}

static bool is_marked(const json_t *mark)
{
    return json_is_true(mark) || json_integer_value(mark) != 0;
}

/* Which vectors are outputs: those marked "Output", or else all that are written. */
static enum anole_status mark_outputs(struct anole_custom_kernel *custom,
                                      struct anole_t1_reader *reader, const json_t *list,
                                      const json_t *spec)
{
    bool marked = false, found = false;
    char shown[96];
    for (size_t i = 0; i < custom->argument_count; i++) {
        const json_t *mark = json_object_get(json_array_get(list, i), "Output");
        if (mark && !json_is_boolean(mark) && !json_is_integer(mark) && !json_is_null(mark))
            return anole_t1_fail(reader, "Arguments",
                                 "[%zu]: \"Output\" is %s; expected 1, 0, true or false", i,
                                 anole_json_found(shown, sizeof shown, mark));
        marked |= is_marked(mark);
    }
    for (size_t i = 0; i < custom->argument_count; i++) {
        struct anole_custom_argument *argument = &custom->arguments[i];
        const json_t *object = json_array_get(list, i), *mark = json_object_get(object, "Output");
        struct anole_t1_draft draft = {.reader = reader, .argument = argument, .object = object};
        bool wanted = is_marked(mark);
        snprintf(draft.place, sizeof draft.place, "Arguments[%zu] \"%s\"", i, argument->name);
        if (wanted && !argument->writable)
            return anole_t1_fail(reader, draft.place,
                                 "it is an output, but no vector that is written: its "
                                 "\"AccessType\" should be WriteOnly or ReadWrite");
        argument->checked = argument->writable && (wanted || !marked);
        found |= argument->checked;
        double whole, own;
        enum anole_status status = anole_t1_draft_number(&whole, &draft, spec, "Tolerance",
                                                         usual_tolerance(argument->element));
        if (status == ANOLE_DONE)
            status = anole_t1_draft_number(&own, &draft, object, "Tolerance", whole);
        if (status != ANOLE_DONE)
            return status;
        if (!(own >= 0 && own <= 1))
            return anole_t1_fail(reader, draft.place, "\"Tolerance\" is %g; expected 0 to 1", own);
        argument->tolerance = own;
    }
    return found ? ANOLE_DONE
                 : anole_t1_fail(reader, "Arguments",
                                 "no vector is written: there is nothing to check the kernel by");
}

/* Whether an argument before has that name. */
static bool is_taken(const struct anole_custom_kernel *custom, size_t index)
{
    for (size_t i = 0; i < index; i++)
        if (strcmp(custom->arguments[i].name, custom->arguments[index].name) == 0)
            return true;
    return false;
}

enum anole_status anole_t1_read_arguments(struct anole_custom_kernel *custom,
                                          struct anole_t1_reader *reader, const json_t *spec)
{
    char found[96];
    const json_t *list = json_object_get(spec, "Arguments");
    size_t count = json_array_size(list);
    if (!json_is_array(list) || count < 1 || count > ANOLE_MAX_ARGS)
        return anole_t1_fail(reader, "Arguments", "expected an array of 1 to %d, found %s",
                             ANOLE_MAX_ARGS, anole_json_found(found, sizeof found, list));
    for (size_t i = 0; i < count; i++) {
        struct anole_t1_draft draft = {
            .reader = reader, .argument = &custom->arguments[i], .object = json_array_get(list, i)};
        custom->argument_count++;
        enum anole_status status = read_argument(&draft, i);
        if (status == ANOLE_DONE && strcmp(custom->arguments[i].name, "?") != 0 &&
            is_taken(custom, i))
            status = anole_t1_fail(reader, draft.place, "there is another of that name");
        if (status != ANOLE_DONE)
            return status;
    }
    return mark_outputs(custom, reader, list, spec);
}
