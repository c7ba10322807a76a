/* SPDX-License-Identifier: MIT */
#include "frontend/npy.h"

#include "base/file.h"
#include "base/text.h"
#include "frontend/file_view.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define MAGIC "\x93NUMPY"
#define MAGIC_BYTES 6
#define ALIGNMENT 64      /* of the elements in what we write, as NumPy has it */
#define MOST_HEADER 65536 /* bytes; those of plain arrays have 118 */

/* -- The header: a literal of Python, {'descr': '<f4', 'fortran_order': False, ...} -- */

struct header {
    const char *next, *end;
    char descr[32];
    bool has_descr, fortran, has_fortran, has_shape;
    struct anole_array *array;
};

static void skip_space(struct header *header)
{
    while (header->next < header->end &&
           (*header->next == ' ' || *header->next == '\n' || *header->next == '\t'))
        header->next++;
}

/* Takes a word, with space before it; false: something else is there. */
static bool take(struct header *header, const char *word)
{
    size_t length = strlen(word);
    skip_space(header);
    if ((size_t)(header->end - header->next) < length || memcmp(header->next, word, length) != 0)
        return false;
    header->next += length;
    return true;
}

/* A text in quotes; what has escapes in it, or does not fit, is none of ours. */
static bool take_quoted(char *out, size_t size, struct header *header)
{
    skip_space(header);
    if (header->next == header->end || (*header->next != '\'' && *header->next != '"'))
        return false;
    char quote = *header->next++;
    const char *close = memchr(header->next, quote, (size_t)(header->end - header->next));
    size_t length = close ? (size_t)(close - header->next) : size;
    if (length >= size || memchr(header->next, '\\', length))
        return false;
    memcpy(out, header->next, length);
    out[length] = '\0';
    header->next = close + 1;
    return strlen(out) == length;
}

static bool take_size(int64_t *size, struct header *header)
{
    uint64_t number = 0;
    skip_space(header);
    const char *start = header->next;
    for (; header->next < header->end && *header->next >= '0' && *header->next <= '9';
         header->next++)
        if (__builtin_mul_overflow(number, 10, &number) ||
            __builtin_add_overflow(number, (uint64_t)(*header->next - '0'), &number) ||
            number > INT64_MAX)
            return false;
    *size = (int64_t)number;
    bool found = header->next > start;
    take(header, "L"); /* as Python 2 wrote them */
    return found;
}

static bool take_shape(struct header *header)
{
    struct anole_array *array = header->array;
    if (!take(header, "("))
        return false;
    array->rank = 0;
    while (!take(header, ")")) {
        if (array->rank == ANOLE_ARRAY_MAX_RANK || !take_size(&array->dims[array->rank++], header))
            return false;
        if (!take(header, ","))
            return take(header, ")");
    }
    return true;
}

static bool take_entry(struct header *header)
{
    char key[20];
    if (!take_quoted(key, sizeof key, header) || !take(header, ":"))
        return false;
    if (strcmp(key, "descr") == 0)
        return header->has_descr = take_quoted(header->descr, sizeof header->descr, header);
    if (strcmp(key, "shape") == 0)
        return header->has_shape = take_shape(header);
    header->fortran = take(header, "True");
    header->has_fortran = header->fortran || take(header, "False");
    return strcmp(key, "fortran_order") == 0 && header->has_fortran;
}

static bool take_all(struct header *header)
{
    if (!take(header, "{"))
        return false;
    for (bool more = !take(header, "}"); more;) {
        if (!take_entry(header))
            return false;
        bool comma = take(header, ","), end = take(header, "}");
        if (!comma && !end)
            return false;
        more = !end;
    }
    skip_space(header);
    return header->next == header->end && header->has_descr && header->has_fortran &&
           header->has_shape;
}

/* -- Elements -- */

/* From Fortran order, in which the first index changes fastest. */
static void transpose(uint8_t *out, const uint8_t *data, const struct anole_array *array)
{
    size_t unit = anole_array_type_bits(array->element) / 8, count = anole_array_elements(array);
    size_t strides[ANOLE_ARRAY_MAX_RANK] = {0}, stride = 1, place = 0;
    int64_t index[ANOLE_ARRAY_MAX_RANK] = {0};
    for (uint32_t i = 0; i < array->rank; i++) {
        strides[i] = stride;
        stride *= (size_t)array->dims[i];
    }
    for (size_t n = 0; n < count; n++) {
        memcpy(out + n * unit, data + place * unit, unit);
        for (uint32_t i = array->rank; i-- > 0;) {
            place += strides[i];
            if (++index[i] < array->dims[i])
                break;
            place -= strides[i] * (size_t)array->dims[i];
            index[i] = 0;
        }
    }
}

static enum anole_status take_elements(struct anole_array *array, const struct header *header,
                                       const uint8_t *data, size_t left, const char *file,
                                       struct anole_error *error)
{
    char shown[100];
    enum anole_status status = anole_array_size(array, error);
    if (status != ANOLE_DONE) {
        anole_error_prefix(error, "%s", file);
        return status;
    }
    if (left != array->bytes)
        return anole_fail(error, ANOLE_ERR_INPUT,
                          "%s: the file has %zu bytes of elements; expected %zu for %s: it is "
                          "damaged or cut short",
                          file, left, array->bytes, anole_array_text(shown, sizeof shown, array));
    uint8_t *copy = malloc(array->bytes + 1);
    char *name = strdup("");
    if (!copy || !name) {
        free(copy);
        free(name);
        return anole_fail_memory(error);
    }
    if (header->fortran && array->rank > 1)
        transpose(copy, data, array);
    else if (array->bytes > 0)
        memcpy(copy, data, array->bytes);
    array->data = copy;
    array->name = name;
    array->owns = true;
    return ANOLE_DONE;
}

/* Where the header ends; 0: there is none. */
static size_t find_header(const char **header, size_t *length, const uint8_t *data, size_t bytes)
{
    if (bytes < MAGIC_BYTES + 4 || memcmp(data, MAGIC, MAGIC_BYTES) != 0 || data[6] < 1 ||
        data[6] > 3)
        return 0;
    size_t begin = data[6] == 1 ? 10 : 12;
    if (bytes < begin)
        return 0;
    *length = data[8] | (size_t)data[9] << 8;
    if (data[6] > 1)
        *length |= (size_t)data[10] << 16 | (size_t)data[11] << 24;
    *header = (const char *)data + begin;
    return *length <= bytes - begin && *length <= MOST_HEADER ? begin + *length : 0;
}

enum anole_status anole_npy_parse(struct anole_array *array, const void *data, size_t bytes,
                                  const char *path, struct anole_error *error)
{
    char file[256], shown[80];
    struct anole_array read = {.name = ""};
    struct header header = {.array = &read};
    size_t length = 0, end = find_header(&header.next, &length, data, bytes);
    anole_text_printable(file, sizeof file, path);
    if (end == 0)
        return anole_fail(error, ANOLE_ERR_INPUT,
                          "%s: this is no .npy file of format 1 to 3; expected one as numpy.save "
                          "writes it",
                          file);
    header.end = header.next + length;
    if (!take_all(&header))
        return anole_fail(error, ANOLE_ERR_INPUT,
                          "%s: the header is not understood; expected descr, fortran_order and "
                          "shape of an array of numbers, of at most %d dimensions",
                          file, ANOLE_ARRAY_MAX_RANK);
    read.element = anole_array_type_of_npy(header.descr);
    if (read.element == ANOLE_ARRAY_NONE)
        return anole_fail(error, ANOLE_ERR_INPUT,
                          "%s: the elements are \"%s\"; expected numbers, little-endian, such as "
                          "\"<f4\" (float32): convert them by astype()",
                          file, anole_text_printable(shown, sizeof shown, header.descr));
    enum anole_status status =
        take_elements(&read, &header, (const uint8_t *)data + end, bytes - end, file, error);
    if (status == ANOLE_DONE)
        *array = read;
    return status;
}

enum anole_status anole_npy_load(struct anole_array *array, const char *path,
                                 struct anole_error *error)
{
    struct anole_file_view view = {0};
    enum anole_status status = anole_file_view_open(&view, path, error);
    if (status == ANOLE_DONE)
        status = anole_npy_parse(array, view.data, view.bytes, path, error);
    anole_file_view_fini(&view);
    return status;
}

/* -- Writing -- */

static void append_header(struct anole_text *out, const struct anole_array *array)
{
    struct anole_text text = {0};
    anole_text_printf(&text, "{'descr': '%s', 'fortran_order': False, 'shape': (",
                      anole_array_type_npy(array->element));
    for (uint32_t i = 0; i < array->rank; i++)
        anole_text_printf(&text, i ? " %" PRId64 "," : "%" PRId64 ",", array->dims[i]);
    if (array->rank > 1 && !text.failed)
        text.length--; /* (3,) but (3, 4) */
    anole_text_append(&text, "), }", 4);
    while (!text.failed && (MAGIC_BYTES + 4 + text.length + 1) % ALIGNMENT != 0)
        anole_text_append(&text, " ", 1);
    anole_text_append(&text, "\n", 1);
    if (text.failed)
        out->failed = true;
    unsigned char length[2] = {(unsigned char)text.length, (unsigned char)(text.length >> 8)};
    anole_text_append(out, MAGIC "\x01", MAGIC_BYTES + 2);
    anole_text_append(out, (const char *)length, 2);
    anole_text_append(out, text.data, text.failed ? 0 : text.length);
    anole_text_fini(&text);
}

enum anole_status anole_npy_append(struct anole_text *out, const struct anole_array *array,
                                   struct anole_error *error)
{
    char shown[120];
    if (!anole_array_type_npy(array->element))
        return anole_fail(error, ANOLE_ERR_INPUT,
                          "array \"%s\": NumPy's files have no elements of type %s; expected a "
                          "type of NumPy's own",
                          anole_text_printable(shown, sizeof shown, array->name),
                          anole_array_type_text(array->element));
    append_header(out, array);
    anole_text_append(out, array->data, array->bytes);
    return out->failed ? anole_fail_memory(error) : ANOLE_DONE;
}

enum anole_status anole_npy_save(const char *path, const struct anole_array *array,
                                 struct anole_error *error)
{
    struct anole_text text = {0};
    enum anole_status status = anole_npy_append(&text, array, error);
    if (status == ANOLE_DONE)
        status = anole_file_replace(path, text.data, text.length, error);
    anole_text_fini(&text);
    return status;
}
