/* SPDX-License-Identifier: MIT
 *
 * Field numbers are those of TensorProto and StringStringEntryProto in onnx.proto.
 */
#include "frontend/onnx_tensor.h"

#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Where a TensorProto may have its elements. */
enum store { STORE_FLOAT, STORE_INT32, STORE_STRING, STORE_INT64, STORE_DOUBLE, STORE_UINT64 };
#define STORES 6

static const struct {
    uint32_t field;
    enum anole_onnx_wire_type type;
    const char *name;
} stores[STORES] = {
    [STORE_FLOAT] = {4, ANOLE_ONNX_FIXED32, "float_data"},
    [STORE_INT32] = {5, ANOLE_ONNX_VARINT, "int32_data"},
    [STORE_STRING] = {6, ANOLE_ONNX_BYTES, "string_data"},
    [STORE_INT64] = {7, ANOLE_ONNX_VARINT, "int64_data"},
    [STORE_DOUBLE] = {10, ANOLE_ONNX_FIXED64, "double_data"},
    [STORE_UINT64] = {11, ANOLE_ONNX_VARINT, "uint64_data"},
};

enum {
    FIELD_DIMS = 1,
    FIELD_DATA_TYPE = 2,
    FIELD_SEGMENT = 3,
    FIELD_NAME = 8,
    FIELD_RAW_DATA = 9,
    FIELD_EXTERNAL_DATA = 13,
    FIELD_DATA_LOCATION = 14,
};

/* A TensorProto after a first pass over it. */
struct parts {
    struct anole_onnx_message message;
    size_t dims;
    int64_t data_type;
    size_t counts[STORES];
    /* The last field of a store, which may be all of it. */
    struct anole_onnx_field last[STORES];
    bool several[STORES];
    bool has_raw, external;
    struct anole_bytes raw;
    /* External data. */
    struct anole_bytes location, offset, length;
};

/* -- Names -- */

enum anole_status anole_onnx_name(const char **name, struct anole_onnx_source *source,
                                  const struct anole_onnx_field *field, struct anole_error *error)
{
    struct anole_bytes text;
    enum anole_status status = anole_onnx_bytes(&text, field, error);
    if (status != ANOLE_DONE)
        return status;
    if (text.length > ANOLE_ONNX_MAX_NAME)
        return anole_fail(error, ANOLE_ERR_INPUT,
                          "byte %zu: a name has %zu bytes; expected at most %d", field->offset,
                          text.length, ANOLE_ONNX_MAX_NAME);
    if (text.length > 0 && memchr(text.data, '\0', text.length))
        return anole_fail(error, ANOLE_ERR_INPUT, "byte %zu: a name has a NUL in it; expected text",
                          field->offset);
    const char *copy = text.length ? anole_arena_text(&source->arena, text.data, text.length) : "";
    if (!copy)
        return anole_fail_memory(error);
    *name = copy;
    return ANOLE_DONE;
}

/* -- External data -- */

struct anole_onnx_external {
    struct anole_onnx_external *next;
    const char *location;
    struct anole_file_view view;
};

void anole_onnx_source_fini(struct anole_onnx_source *source)
{
    for (struct anole_onnx_external *file = source->externals; file; file = file->next)
        anole_file_view_fini(&file->view);
    anole_file_view_fini(&source->file);
    anole_arena_fini(&source->arena);
    *source = (struct anole_onnx_source){.path = source->path};
}

void anole_onnx_source_forget(const struct anole_onnx_source *source, const void *data,
                              size_t bytes)
{
    anole_file_view_forget(&source->file, data, bytes);
    for (const struct anole_onnx_external *file = source->externals; file; file = file->next)
        anole_file_view_forget(&file->view, data, bytes);
}

static enum anole_status fail_location(const char *location, const char *what,
                                       struct anole_error *error)
{
    char shown[160];
    return anole_fail(error, ANOLE_ERR_INPUT,
                      "its elements are said to be in \"%s\", %s; expected a file in the model's "
                      "own folder, or below it",
                      anole_text_printable(shown, sizeof shown, location), what);
}

static bool has_parent_step(const char *location)
{
    for (const char *part = location;; part++) {
        size_t length = strcspn(part, "/");
        if (length == 2 && part[0] == '.' && part[1] == '.')
            return true;
        part += length;
        if (!*part)
            return false;
    }
}

/* True if the open file is `path` and, behind all symbolic links, lies below the folder. */
static bool is_inside(int fd, const char *path, const char *folder)
{
    struct stat opened, found;
    char *inner = realpath(path, NULL), *outer = realpath(folder, NULL);
    size_t length = outer ? strlen(outer) : 0;
    if (length == 1)
        length = 0; /* the root: "/" is in front of everything */
    bool inside = inner && outer && strncmp(inner, outer, length) == 0 && inner[length] == '/' &&
                  fstat(fd, &opened) == 0 && stat(inner, &found) == 0 &&
                  opened.st_dev == found.st_dev && opened.st_ino == found.st_ino;
    free(inner);
    free(outer);
    return inside;
}

static enum anole_status open_beside(struct anole_file_view *view, const char *folder,
                                     const char *location, struct anole_error *error)
{
    char *path;
    enum anole_status status = ANOLE_DONE;
    if (asprintf(&path, "%s/%s", folder, location) < 0)
        return anole_fail_memory(error);
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
    if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
        status = fail_location(location, "which does not exist", error);
    else if (fd < 0)
        status = fail_location(location, "which cannot be opened", error);
    else if (!is_inside(fd, path, folder))
        status = fail_location(location, "which leads out of the model's folder", error);
    else
        status = anole_file_view_take(view, fd, path, error);
    if (fd >= 0)
        close(fd);
    free(path);
    return status;
}

/* Opens each file once. */
static enum anole_status find_external(const struct anole_file_view **view,
                                       struct anole_onnx_source *source, const char *location,
                                       struct anole_error *error)
{
    for (struct anole_onnx_external *file = source->externals; file; file = file->next) {
        if (strcmp(file->location, location) == 0) {
            *view = &file->view;
            return ANOLE_DONE;
        }
    }
    if (location[0] == '\0')
        return fail_location(location, "which is no name", error);
    if (location[0] == '/')
        return fail_location(location, "which is an absolute path", error);
    if (has_parent_step(location))
        return fail_location(location, "which has a \"..\" in it", error);
    if (source->external_count == ANOLE_ONNX_MAX_EXTERNAL)
        return anole_fail(error, ANOLE_ERR_INPUT, "the model's elements are in more than %d files",
                          ANOLE_ONNX_MAX_EXTERNAL);
    struct anole_onnx_external *file = anole_arena_allocate(&source->arena, 1, sizeof *file);
    const char *slash = strrchr(source->path, '/');
    size_t length = slash == source->path ? 1 : slash ? (size_t)(slash - source->path) : 1;
    const char *folder = anole_arena_text(&source->arena, slash ? source->path : ".", length);
    if (!file || !folder)
        return anole_fail_memory(error);
    enum anole_status status = open_beside(&file->view, folder, location, error);
    if (status != ANOLE_DONE)
        return status;
    file->location = location;
    file->next = source->externals;
    source->externals = file;
    source->external_count++;
    *view = &file->view;
    return ANOLE_DONE;
}

/* A decimal number; an empty text leaves *value as it is. */
static enum anole_status read_decimal(uint64_t *value, struct anole_bytes text, const char *what,
                                      struct anole_error *error)
{
    char digits[24], shown[100];
    if (text.length == 0)
        return ANOLE_DONE;
    size_t length = text.length < sizeof digits ? text.length : sizeof digits - 1;
    memcpy(digits, text.data, length);
    digits[length] = '\0';
    uint64_t number = 0;
    for (size_t i = 0; i < length; i++)
        if (text.length != length || digits[i] < '0' || digits[i] > '9' ||
            __builtin_mul_overflow(number, 10, &number) ||
            __builtin_add_overflow(number, (uint64_t)(digits[i] - '0'), &number))
            return anole_fail(error, ANOLE_ERR_INPUT,
                              "the %s of its external data is \"%s\"; expected a whole number of "
                              "at most 64 bits",
                              what, anole_text_printable(shown, sizeof shown, digits));
    *value = number;
    return ANOLE_DONE;
}

static enum anole_status take_external(struct anole_array *array, const struct parts *parts,
                                       struct anole_onnx_source *source, struct anole_error *error)
{
    const struct anole_file_view *view = NULL;
    uint64_t offset = 0, length = array->bytes;
    char shown[160];
    if (array->element == ANOLE_ARRAY_STRING)
        return anole_fail(error, ANOLE_ERR_INPUT, "texts cannot be external data");
    if (parts->location.length > 4096 ||
        (parts->location.length > 0 && memchr(parts->location.data, '\0', parts->location.length)))
        return anole_fail(error, ANOLE_ERR_INPUT,
                          "the location of its external data is no name of a file");
    const char *location =
        anole_arena_text(&source->arena, parts->location.data, parts->location.length);
    if (!location)
        return anole_fail_memory(error);
    enum anole_status status = read_decimal(&offset, parts->offset, "offset", error);
    if (status == ANOLE_DONE)
        status = read_decimal(&length, parts->length, "length", error);
    if (status == ANOLE_DONE)
        status = find_external(&view, source, location, error);
    if (status != ANOLE_DONE)
        return status;
    if (length != array->bytes)
        return anole_fail(error, ANOLE_ERR_INPUT,
                          "its external data are %" PRIu64 " bytes; expected %zu for its sizes",
                          length, array->bytes);
    if (offset > view->bytes || length > view->bytes - offset)
        return anole_fail(error, ANOLE_ERR_INPUT,
                          "\"%s\" has %zu bytes; expected at least %" PRIu64 " and %" PRIu64
                          " more: the file is too short",
                          anole_text_printable(shown, sizeof shown, location), view->bytes, offset,
                          length);
    array->data = view->data + offset;
    return ANOLE_DONE;
}

/* -- The first pass -- */

static enum anole_status take_entry(struct parts *parts, const struct anole_onnx_field *field,
                                    struct anole_error *error)
{
    struct anole_onnx_message entry;
    struct anole_onnx_field part;
    struct anole_bytes texts[3] = {0}; /* by the field's number */
    enum anole_status status = anole_onnx_inner(&entry, field, error);
    while (status == ANOLE_DONE && anole_onnx_next(&part, &entry, error))
        if (part.number == 1 || part.number == 2)
            status = anole_onnx_bytes(&texts[part.number], &part, error);
    if (status == ANOLE_DONE)
        status = entry.status;
    static const char *const keys[] = {"location", "offset", "length"};
    struct anole_bytes *const places[] = {&parts->location, &parts->offset, &parts->length};
    for (size_t i = 0; i < 3; i++)
        if (texts[1].length == strlen(keys[i]) &&
            memcmp(texts[1].data, keys[i], texts[1].length) == 0)
            *places[i] = texts[2];
    return status;
}

static enum anole_status take_store(struct parts *parts, const struct anole_onnx_field *field,
                                    struct anole_error *error)
{
    struct anole_bytes text;
    for (size_t i = 0; i < STORES; i++) {
        if (stores[i].field != field->number)
            continue;
        parts->several[i] = parts->counts[i] > 0;
        parts->last[i] = *field;
        if (i != STORE_STRING)
            return anole_onnx_count(&parts->counts[i], field, stores[i].type, error);
        parts->counts[i]++;
        return anole_onnx_bytes(&text, field, error);
    }
    return ANOLE_DONE;
}

static enum anole_status take_part(struct anole_array *array, struct parts *parts,
                                   struct anole_onnx_source *source,
                                   const struct anole_onnx_field *field, struct anole_error *error)
{
    int64_t value;
    enum anole_status status;
    switch (field->number) {
    case FIELD_DIMS:
        return anole_onnx_count(&parts->dims, field, ANOLE_ONNX_VARINT, error);
    case FIELD_DATA_TYPE:
        return anole_onnx_int(&parts->data_type, field, error);
    case FIELD_SEGMENT:
        return anole_fail(error, ANOLE_ERR_INPUT,
                          "it is one segment of a tensor; expected whole tensors");
    case FIELD_NAME:
        return anole_onnx_name(&array->name, source, field, error);
    case FIELD_RAW_DATA:
        parts->has_raw = true;
        return anole_onnx_bytes(&parts->raw, field, error);
    case FIELD_EXTERNAL_DATA:
        return take_entry(parts, field, error);
    case FIELD_DATA_LOCATION:
        status = anole_onnx_int(&value, field, error);
        parts->external = status == ANOLE_DONE && value == 1;
        return status;
    default:
        return take_store(parts, field, error);
    }
}

static enum anole_status take_dims(struct anole_array *array, const struct parts *parts,
                                   struct anole_error *error)
{
    struct anole_onnx_message message = parts->message;
    struct anole_onnx_field field;
    if (parts->dims > ANOLE_ARRAY_MAX_RANK)
        return anole_fail(error, ANOLE_ERR_INPUT, "it has %zu dimensions; expected at most %d",
                          parts->dims, ANOLE_ARRAY_MAX_RANK);
    array->rank = 0;
    while (anole_onnx_next(&field, &message, error))
        if (field.number == FIELD_DIMS)
            array->rank +=
                (uint32_t)anole_onnx_collect(array->dims + array->rank, &field, ANOLE_ONNX_VARINT);
    if (parts->data_type < 0 || parts->data_type > UINT32_MAX ||
        anole_array_type_bits((uint32_t)parts->data_type) == 0)
        return anole_fail(error, ANOLE_ERR_INPUT,
                          "its element type is number %" PRId64
                          "; expected one of onnx.proto's, 1 (float32) to 26",
                          parts->data_type);
    array->element = (enum anole_array_type)parts->data_type;
    return anole_array_size(array, error);
}

/* -- Elements -- */

static enum store store_of(enum anole_array_type element)
{
    switch (element) {
    case ANOLE_ARRAY_F32:
    case ANOLE_ARRAY_C64:
        return STORE_FLOAT;
    case ANOLE_ARRAY_STRING:
        return STORE_STRING;
    case ANOLE_ARRAY_I64:
        return STORE_INT64;
    case ANOLE_ARRAY_F64:
    case ANOLE_ARRAY_C128:
        return STORE_DOUBLE;
    case ANOLE_ARRAY_U32:
    case ANOLE_ARRAY_U64:
        return STORE_UINT64;
    default:
        return STORE_INT32;
    }
}

/* Bytes of the array that one number of the store stands for: of small elements, those that
 * share a byte come as one. */
static size_t store_unit(const struct anole_array *array, enum store store)
{
    size_t bytes = (anole_array_type_bits(array->element) + 7) / 8;
    if (store == STORE_FLOAT || store == STORE_DOUBLE)
        return store == STORE_FLOAT ? 4 : 8;
    return bytes;
}

/* Narrows `count` numbers of 64 bits to `unit` < 8 bytes each; false: one does not fit. */
static bool narrow(uint8_t *out, const int64_t *numbers, size_t count, size_t unit, bool positive)
{
    int64_t high = ((int64_t)1 << (8 * unit)) - 1, low = -((int64_t)1 << (8 * unit - 1));
    for (size_t i = 0; i < count; i++) {
        if (numbers[i] > high || numbers[i] < (positive ? 0 : low))
            return false;
        memcpy(out + i * unit, &numbers[i], unit);
    }
    return true;
}

/* All numbers of a store, as anole_onnx_collect() has them, one field after the other. */
static void collect(void *out, const struct parts *parts, enum store store)
{
    struct anole_onnx_message message = parts->message;
    struct anole_onnx_field field;
    size_t unit = stores[store].type == ANOLE_ONNX_FIXED32 ? 4 : 8;
    uint8_t *next = out;
    while (anole_onnx_next(&field, &message, NULL))
        if (field.number == stores[store].field)
            next += unit * anole_onnx_collect(next, &field, stores[store].type);
}

/* Narrow elements are decoded by way of a list of wide numbers. */
static enum anole_status decode_narrow(uint8_t *out, const struct parts *parts, enum store store,
                                       size_t unit, struct anole_error *error)
{
    size_t count = parts->counts[store];
    int64_t *numbers = reallocarray(NULL, count + 1, sizeof *numbers);
    if (!numbers)
        return anole_fail_memory(error);
    collect(numbers, parts, store);
    bool fits = narrow(out, numbers, count, unit, store == STORE_UINT64);
    free(numbers);
    if (!fits)
        return anole_fail(error, ANOLE_ERR_INPUT,
                          "a number in %s is out of range; expected elements of %zu bytes",
                          stores[store].name, unit);
    return ANOLE_DONE;
}

static void take_strings(struct anole_bytes *strings, const struct parts *parts)
{
    struct anole_onnx_message message = parts->message;
    struct anole_onnx_field field;
    while (anole_onnx_next(&field, &message, NULL))
        if (field.number == stores[STORE_STRING].field)
            *strings++ = (struct anole_bytes){(const char *)field.data, field.length};
}

/* From float_data, int32_data and so on. */
static enum anole_status take_typed(struct anole_array *array, const struct parts *parts,
                                    struct anole_onnx_source *source, struct anole_error *error)
{
    enum store store = store_of(array->element);
    size_t unit = store_unit(array, store), expected = array->bytes / unit;
    bool fixed =
        stores[store].type == ANOLE_ONNX_FIXED32 || stores[store].type == ANOLE_ONNX_FIXED64;
    if (parts->counts[store] != expected)
        return anole_fail(error, ANOLE_ERR_INPUT,
                          "%s has %zu entries, and there is no raw_data; expected %zu for its "
                          "type and sizes",
                          stores[store].name, parts->counts[store], expected);
    if (fixed && !parts->several[store] && parts->last[store].type == ANOLE_ONNX_BYTES) {
        array->data = parts->last[store].data;
        return ANOLE_DONE;
    }
    void *data = anole_arena_allocate(&source->arena, array->bytes, 1);
    if (!data)
        return anole_fail_memory(error);
    array->data = data;
    if (store == STORE_STRING) {
        take_strings(data, parts);
        return ANOLE_DONE;
    }
    if (!fixed && unit < 8)
        return decode_narrow(data, parts, store, unit, error);
    collect(data, parts, store);
    return ANOLE_DONE;
}

/* Elements must be in one place only: else, which is meant? */
static enum anole_status check_places(const struct parts *parts, struct anole_error *error)
{
    unsigned places = parts->raw.length > 0;
    const char *last = "raw_data";
    for (size_t i = 0; i < STORES; i++) {
        if (parts->counts[i] > 0) {
            places++;
            last = stores[i].name;
        }
    }
    if (places + parts->external > 1)
        return anole_fail(error, ANOLE_ERR_INPUT,
                          "it has elements in %s, and others beside; expected them in one place",
                          last);
    return ANOLE_DONE;
}

static enum anole_status take_elements(struct anole_array *array, const struct parts *parts,
                                       struct anole_onnx_source *source, struct anole_error *error)
{
    char shown[160];
    size_t typed = 0;
    for (size_t i = 0; i < STORES; i++)
        typed += parts->counts[i];
    enum anole_status status = check_places(parts, error);
    if (status != ANOLE_DONE)
        return status;
    array->data = "";
    if (parts->external)
        return take_external(array, parts, source, error);
    if (!parts->has_raw || typed > 0)
        return take_typed(array, parts, source, error);
    if (array->element == ANOLE_ARRAY_STRING)
        return anole_fail(error, ANOLE_ERR_INPUT,
                          "texts are in raw_data; expected them in string_data");
    if (parts->raw.length != array->bytes)
        return anole_fail(error, ANOLE_ERR_INPUT, "raw_data has %zu bytes; %s takes %zu",
                          parts->raw.length, anole_array_text(shown, sizeof shown, array),
                          array->bytes);
    if (array->bytes > 0)
        array->data = parts->raw.data;
    return ANOLE_DONE;
}

enum anole_status anole_onnx_tensor_read(struct anole_array *array,
                                         struct anole_onnx_source *source,
                                         struct anole_onnx_message message,
                                         struct anole_error *error)
{
    struct parts parts = {.message = message};
    struct anole_array read = {.name = "", .data = ""};
    struct anole_onnx_field field;
    char shown[120];
    enum anole_status status = ANOLE_DONE;
    while (status == ANOLE_DONE && anole_onnx_next(&field, &message, error))
        status = take_part(&read, &parts, source, &field, error);
    if (status == ANOLE_DONE)
        status = message.status;
    if (status == ANOLE_DONE)
        status = take_dims(&read, &parts, error);
    if (status == ANOLE_DONE)
        status = take_elements(&read, &parts, source, error);
    if (status != ANOLE_DONE) {
        anole_error_prefix(error, "tensor \"%s\"",
                           anole_text_printable(shown, sizeof shown, read.name));
        return status;
    }
    *array = read;
    return ANOLE_DONE;
}

/* -- Files of one tensor -- */

static enum anole_status parse(struct anole_array *array, struct anole_onnx_source *source,
                               const void *data, size_t bytes, struct anole_error *error)
{
    struct anole_array read;
    char file[256];
    enum anole_status status =
        anole_onnx_tensor_read(&read, source, anole_onnx_whole(data, bytes), error);
    if (status == ANOLE_DONE)
        status = anole_array_copy(array, &read, error);
    if (status != ANOLE_DONE)
        anole_error_prefix(error, "%s", anole_text_printable(file, sizeof file, source->path));
    return status;
}

enum anole_status anole_onnx_tensor_parse(struct anole_array *array, const void *data, size_t bytes,
                                          const char *path, struct anole_error *error)
{
    struct anole_onnx_source source = {.path = path};
    enum anole_status status = parse(array, &source, data, bytes, error);
    anole_onnx_source_fini(&source);
    return status;
}

enum anole_status anole_onnx_tensor_load(struct anole_array *array, const char *path,
                                         struct anole_error *error)
{
    struct anole_onnx_source source = {.path = path};
    enum anole_status status = anole_file_view_open(&source.file, path, error);
    if (status == ANOLE_DONE)
        status = parse(array, &source, source.file.data, source.file.bytes, error);
    anole_onnx_source_fini(&source);
    return status;
}
