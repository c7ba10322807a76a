/* SPDX-License-Identifier: MIT
 *
 * Zip archives of .npy files.  Offsets and sizes are from PKWARE's APPNOTE.TXT.
 */
#include "frontend/npy.h"

#include "base/hash.h"
#include "base/file.h"
#include "base/text.h"
#include "frontend/file_view.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#define LOCAL_HEADER 30
#define CENTRAL_HEADER 46
#define END_RECORD 22
#define END_RECORD_64 56
#define END_LOCATOR_64 20
#define MOST_COMMENT 65535
#define MOST_NAME 1000
#define MOST_EXPANSION 1032 /* deflate's own limit */

enum { METHOD_STORED = 0, METHOD_DEFLATED = 8 };
enum { FLAG_ENCRYPTED = 1, FLAG_UTF8 = 1 << 11 };

/* ------------------------------------------------------------------- reading */

struct archive {
    const char *file; /* for messages */
    const uint8_t *data;
    size_t bytes;
    uint64_t entries, directory, directory_bytes;
    uint64_t packed; /* bytes of the entries so far */
};

struct entry {
    char name[MOST_NAME + 1];
    uint32_t flags, method, crc;
    uint64_t packed, unpacked, offset;
    const uint8_t *data; /* [packed] */
};

static uint32_t get16(const uint8_t *data)
{
    return data[0] | (uint32_t)data[1] << 8;
}

static uint32_t get32(const uint8_t *data)
{
    return get16(data) | get16(data + 2) << 16;
}

static uint64_t get64(const uint8_t *data)
{
    return get32(data) | (uint64_t)get32(data + 4) << 32;
}

static enum anole_status fail_damaged(const struct archive *archive, const char *what,
                                      struct anole_error *error)
{
    return anole_fail(error, ANOLE_ERR_INPUT,
                      "%s: %s; expected an .npz file as numpy.savez writes it: it is damaged or "
                      "cut short",
                      archive->file, what);
}

/* In an archive of more than 4 GiB the end of the directory is in a record before the usual. */
static bool find_end_64(struct archive *archive, size_t end)
{
    if (end < END_LOCATOR_64 || memcmp(archive->data + end - END_LOCATOR_64, "PK\6\7", 4) != 0)
        return true; /* there is none */
    uint64_t place = get64(archive->data + end - END_LOCATOR_64 + 8);
    if (place > end - END_LOCATOR_64 || end - END_LOCATOR_64 - place < END_RECORD_64 ||
        memcmp(archive->data + place, "PK\6\6", 4) != 0)
        return false;
    archive->entries = get64(archive->data + place + 32);
    archive->directory_bytes = get64(archive->data + place + 40);
    archive->directory = get64(archive->data + place + 48);
    return true;
}

static enum anole_status find_directory(struct archive *archive, struct anole_error *error)
{
    size_t most = archive->bytes < END_RECORD ? 0 : archive->bytes - END_RECORD;
    size_t least = most > MOST_COMMENT ? most - MOST_COMMENT : 0;
    for (size_t end = most; archive->bytes >= END_RECORD && end + 1 > least; end--) {
        const uint8_t *record = archive->data + end;
        if (memcmp(record, "PK\5\6", 4) == 0 && get16(record + 20) <= most - end) {
            archive->entries = get16(record + 10);
            archive->directory_bytes = get32(record + 12);
            archive->directory = get32(record + 16);
            bool fits = find_end_64(archive, end) && archive->directory <= end &&
                        archive->directory_bytes <= end - archive->directory &&
                        archive->entries <= archive->directory_bytes / CENTRAL_HEADER;
            return fits ? ANOLE_DONE
                        : fail_damaged(archive, "its directory is out of place", error);
        }
        if (end == 0)
            break;
    }
    return fail_damaged(archive, "this is no zip archive", error);
}

/* Sizes of 4 GiB and more are in an extra field, those that do not fit, in this order. */
static bool read_extra(struct entry *entry, const uint8_t *extra, size_t length)
{
    uint64_t *const places[] = {&entry->unpacked, &entry->packed, &entry->offset};
    for (size_t i = 0, size; length - i >= 4; i += 4 + size) {
        size = get16(extra + i + 2);
        if (size > length - i - 4)
            return false;
        if (get16(extra + i) != 1)
            continue;
        for (size_t k = 0, at = 0; k < 3; k++) {
            if (*places[k] != UINT32_MAX)
                continue;
            if (at + 8 > size)
                return false;
            *places[k] = get64(extra + i + 4 + at);
            at += 8;
        }
        return true;
    }
    return true;
}

/* The entry at *place of the directory, whose end is `end`; moves on to the next. */
static enum anole_status read_entry(struct entry *entry, size_t *place, size_t end,
                                    const struct archive *archive, struct anole_error *error)
{
    const uint8_t *header = archive->data + *place;
    if (end - *place < CENTRAL_HEADER || memcmp(header, "PK\1\2", 4) != 0)
        return fail_damaged(archive, "an entry of its directory is malformed", error);
    size_t name = get16(header + 28), extra = get16(header + 30), comment = get16(header + 32);
    if (name + extra + comment > end - *place - CENTRAL_HEADER)
        return fail_damaged(archive, "an entry of its directory is too long", error);
    if (name > MOST_NAME || memchr(header + CENTRAL_HEADER, '\0', name))
        return fail_damaged(archive, "a name in it is too long, or no text", error);
    memcpy(entry->name, header + CENTRAL_HEADER, name);
    entry->name[name] = '\0';
    entry->flags = get16(header + 8);
    entry->method = get16(header + 10);
    entry->crc = get32(header + 16);
    entry->packed = get32(header + 20);
    entry->unpacked = get32(header + 24);
    entry->offset = get32(header + 42);
    if (!read_extra(entry, header + CENTRAL_HEADER + name, extra))
        return fail_damaged(archive, "an entry of its directory is malformed", error);
    *place += CENTRAL_HEADER + name + extra + comment;
    return ANOLE_DONE;
}

/* Where its bytes are: behind a header of its own. */
static bool find_data(struct entry *entry, struct archive *archive)
{
    if (entry->offset > archive->directory || archive->directory - entry->offset < LOCAL_HEADER ||
        memcmp(archive->data + entry->offset, "PK\3\4", 4) != 0)
        return false;
    const uint8_t *header = archive->data + entry->offset;
    uint64_t skip = LOCAL_HEADER + get16(header + 26) + get16(header + 28);
    uint64_t left = archive->directory - entry->offset;
    if (skip > left || entry->packed > left - skip)
        return false;
    entry->data = header + skip;
    /* Entries do not share bytes: else a small file could stand for very much. */
    archive->packed += LOCAL_HEADER + entry->packed;
    return archive->packed <= archive->directory;
}

static enum anole_status check_entry(struct entry *entry, struct archive *archive,
                                     struct anole_error *error)
{
    if (entry->flags & FLAG_ENCRYPTED)
        return anole_fail(error, ANOLE_ERR_INPUT, "it is encrypted; expected plain data");
    if (entry->method != METHOD_STORED && entry->method != METHOD_DEFLATED)
        return anole_fail(error, ANOLE_ERR_INPUT,
                          "it is compressed by method %u; expected 0 (stored) or 8 (deflated)",
                          entry->method);
    if (!find_data(entry, archive))
        return fail_damaged(archive, "an entry is out of place", error);
    if (entry->method == METHOD_STORED && entry->packed != entry->unpacked)
        return fail_damaged(archive, "an entry has two sizes", error);
    if (entry->unpacked / MOST_EXPANSION > entry->packed || entry->unpacked > ANOLE_ARRAY_MAX_BYTES)
        return fail_damaged(archive, "an entry is larger than it can be", error);
    return ANOLE_DONE;
}

/* All of it at once; zlib counts in 32 bits, so it is fed in pieces. */
static int inflate_entry(uint8_t *out, const struct entry *entry)
{
    const size_t piece = (size_t)1 << 30;
    z_stream stream = {0};
    size_t in = entry->packed, room = entry->unpacked;
    int code = inflateInit2(&stream, -15); /* without a header */
    if (code != Z_OK)
        return code;
    stream.next_in = (z_const Bytef *)entry->data;
    stream.next_out = out;
    do {
        uInt give = (uInt)(in < piece ? in : piece), take = (uInt)(room < piece ? room : piece);
        stream.avail_in = give;
        stream.avail_out = take;
        code = inflate(&stream, Z_NO_FLUSH);
        in -= give - stream.avail_in;
        room -= take - stream.avail_out;
        if (code == Z_OK && give == stream.avail_in && take == stream.avail_out)
            code = Z_BUF_ERROR;
    } while (code == Z_OK);
    inflateEnd(&stream);
    if (code == Z_STREAM_END && (in > 0 || room > 0))
        code = Z_DATA_ERROR;
    return code;
}

static enum anole_status unpack(struct anole_array *array, const struct entry *entry,
                                const struct archive *archive, struct anole_error *error)
{
    const uint8_t *data = entry->data;
    uint8_t *unpacked = NULL;
    enum anole_status status;
    if (entry->method == METHOD_DEFLATED) {
        unpacked = malloc(entry->unpacked + 1);
        int code = unpacked ? inflate_entry(unpacked, entry) : Z_MEM_ERROR;
        data = unpacked;
        if (code != Z_STREAM_END) {
            free(unpacked);
            return code == Z_MEM_ERROR
                       ? anole_fail_memory(error)
                       : fail_damaged(archive, "its compressed data are damaged", error);
        }
    }
    if (anole_crc32(data, entry->unpacked) != entry->crc)
        status = fail_damaged(archive, "its checksum is wrong", error);
    else
        status = anole_npy_parse(array, data, entry->unpacked, archive->file, error);
    free(unpacked);
    return status;
}

static enum anole_status read_array(struct anole_arrays *arrays, struct entry *entry,
                                    struct archive *archive, struct anole_error *error)
{
    struct anole_array array;
    size_t length = strlen(entry->name);
    if (length < 4 || strcmp(entry->name + length - 4, ".npy") != 0)
        return ANOLE_DONE;
    entry->name[length - 4] = '\0';
    if (anole_arrays_find(arrays, entry->name))
        return fail_damaged(archive, "its name is there twice", error);
    enum anole_status status = check_entry(entry, archive, error);
    if (status == ANOLE_DONE)
        status = unpack(&array, entry, archive, error);
    if (status != ANOLE_DONE)
        return status;
    free((char *)array.name);
    array.name = strdup(entry->name);
    arrays->items[arrays->count++] = array;
    return array.name ? ANOLE_DONE : anole_fail_memory(error);
}

static enum anole_status read_arrays(struct anole_arrays *arrays, struct archive *archive,
                                     struct anole_error *error)
{
    struct entry entry;
    char shown[120];
    size_t place = (size_t)archive->directory, end = place + (size_t)archive->directory_bytes;
    enum anole_status status = ANOLE_DONE;
    arrays->items = calloc(archive->entries + 1, sizeof *arrays->items);
    if (!arrays->items)
        return anole_fail_memory(error);
    for (uint64_t i = 0; status == ANOLE_DONE && i < archive->entries; i++) {
        status = read_entry(&entry, &place, end, archive, error);
        if (status != ANOLE_DONE)
            break;
        status = read_array(arrays, &entry, archive, error);
        if (status != ANOLE_DONE)
            anole_error_prefix(error, "array \"%s\"",
                               anole_text_printable(shown, sizeof shown, entry.name));
    }
    return status;
}

enum anole_status anole_npz_parse(struct anole_arrays *arrays, const void *data, size_t bytes,
                                  const char *path, struct anole_error *error)
{
    char file[256];
    struct archive archive = {
        .file = anole_text_printable(file, sizeof file, path), .data = data, .bytes = bytes};
    struct anole_arrays read = {0};
    enum anole_status status = find_directory(&archive, error);
    if (status == ANOLE_DONE)
        status = read_arrays(&read, &archive, error);
    if (status != ANOLE_DONE) {
        anole_arrays_fini(&read);
        return status;
    }
    *arrays = read;
    return ANOLE_DONE;
}

enum anole_status anole_npz_load(struct anole_arrays *arrays, const char *path,
                                 struct anole_error *error)
{
    struct anole_file_view view = {0};
    enum anole_status status = anole_file_view_open(&view, path, error);
    if (status == ANOLE_DONE)
        status = anole_npz_parse(arrays, view.data, view.bytes, path, error);
    anole_file_view_fini(&view);
    return status;
}

/* ------------------------------------------------------------------- writing */

static void put16(uint8_t *out, uint32_t value)
{
    out[0] = (uint8_t)value;
    out[1] = (uint8_t)(value >> 8);
}

static void put32(uint8_t *out, uint32_t value)
{
    put16(out, value);
    put16(out + 2, value >> 16);
}

/* What an entry says of itself, before its bytes and in the directory alike: 26 bytes.  The
 * time is the first of 1980, always. */
static void put_entry(uint8_t *out, uint32_t crc, size_t bytes, size_t name)
{
    put16(out, 20); /* version 2.0 of the format can read it */
    put16(out + 2, FLAG_UTF8);
    put16(out + 4, METHOD_STORED);
    put16(out + 6, 0);
    put16(out + 8, 1 << 5 | 1);
    put32(out + 10, crc);
    put32(out + 14, (uint32_t)bytes);
    put32(out + 18, (uint32_t)bytes);
    put16(out + 22, (uint32_t)name);
    put16(out + 24, 0);
}

static enum anole_status append_entry(struct anole_text *out, struct anole_text *directory,
                                      const struct anole_array *array, struct anole_error *error)
{
    uint8_t local[LOCAL_HEADER] = "PK\3\4", central[CENTRAL_HEADER] = "PK\1\2";
    size_t offset = out->length, name = strlen(array->name) + 4,
           begin = offset + sizeof local + name;
    anole_text_append(out, (const char *)local, sizeof local); /* for now */
    anole_text_printf(out, "%s.npy", array->name);
    enum anole_status status = anole_npy_append(out, array, error);
    if (status != ANOLE_DONE)
        return status;
    size_t bytes = out->length - begin;
    if (out->length > UINT32_MAX || offset + directory->length > UINT32_MAX)
        return anole_fail(error, ANOLE_ERR_INPUT,
                          "the arrays are more than 4 GiB; expected less: write several files, or "
                          ".npy");
    uint32_t crc = anole_crc32(out->data + begin, bytes);
    put_entry(local + 4, crc, bytes, name);
    memcpy(out->data + offset, local, sizeof local);
    put16(central + 4, 20);
    put_entry(central + 6, crc, bytes, name);
    put32(central + 42, (uint32_t)offset);
    anole_text_append(directory, (const char *)central, sizeof central);
    anole_text_printf(directory, "%s.npy", array->name);
    return out->failed || directory->failed ? anole_fail_memory(error) : ANOLE_DONE;
}

static enum anole_status append_end(struct anole_text *out, const struct anole_text *directory,
                                    size_t count, struct anole_error *error)
{
    uint8_t end[END_RECORD] = "PK\5\6";
    if (out->length + directory->length > UINT32_MAX - END_RECORD)
        return anole_fail(error, ANOLE_ERR_INPUT, "the arrays are more than 4 GiB; expected less");
    put16(end + 8, (uint32_t)count);
    put16(end + 10, (uint32_t)count);
    put32(end + 12, (uint32_t)directory->length);
    put32(end + 16, (uint32_t)out->length);
    anole_text_append(out, directory->data, directory->length);
    anole_text_append(out, (const char *)end, sizeof end);
    return out->failed ? anole_fail_memory(error) : ANOLE_DONE;
}

static enum anole_status check_names(const struct anole_array *arrays, size_t count,
                                     struct anole_error *error)
{
    char shown[120];
    if (count >= UINT16_MAX)
        return anole_fail(error, ANOLE_ERR_INPUT, "there are %zu arrays; expected less than %d",
                          count, UINT16_MAX);
    for (size_t i = 0; i < count; i++) {
        const struct anole_arrays before = {(struct anole_array *)arrays, i};
        if (strlen(arrays[i].name) + 4 > MOST_NAME || anole_arrays_find(&before, arrays[i].name))
            return anole_fail(error, ANOLE_ERR_INPUT,
                              "the name of array \"%s\" is too long, or there twice; expected "
                              "unique ones",
                              anole_text_printable(shown, sizeof shown, arrays[i].name));
    }
    return ANOLE_DONE;
}

enum anole_status anole_npz_save(const char *path, const struct anole_array *arrays, size_t count,
                                 struct anole_error *error)
{
    struct anole_text out = {0}, directory = {0};
    char file[256];
    enum anole_status status = check_names(arrays, count, error);
    for (size_t i = 0; status == ANOLE_DONE && i < count; i++)
        status = append_entry(&out, &directory, &arrays[i], error);
    if (status == ANOLE_DONE)
        status = append_end(&out, &directory, count, error);
    if (status != ANOLE_DONE)
        anole_error_prefix(error, "%s", anole_text_printable(file, sizeof file, path));
    else
        status = anole_file_replace(path, out.data, out.length, error);
    anole_text_fini(&out);
    anole_text_fini(&directory);
    return status;
}
