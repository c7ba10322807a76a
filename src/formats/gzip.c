/* SPDX-License-Identifier: MIT */
#include "formats/gzip.h"

#include "base/file.h"
#include "base/text.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#define MOST_COMPRESSED ((size_t)256 << 20)
#define MOST ((size_t)1 << 30)
#define ALWAYS_ALLOWED ((size_t)64 << 20)
#define MOST_EXPANSION 100
#define GZIP_WINDOW (15 + 16) /* the largest window, behind a gzip header */

static size_t most_output(size_t bytes)
{
    size_t most = bytes < MOST / MOST_EXPANSION ? bytes * MOST_EXPANSION : MOST;
    return most < ALWAYS_ALLOWED ? ALWAYS_ALLOWED : most;
}

static enum anole_status fail_stream(int code, const char *file, const char *reason, size_t most,
                                     struct anole_error *error)
{
    char limit[32];
    if (code == Z_MEM_ERROR)
        return anole_fail_memory(error);
    if (code == Z_OK)
        return anole_fail(error, ANOLE_ERR_INPUT,
                          "%s: uncompressed, the file is larger than %s; expected recorded "
                          "results: is it the right file?",
                          file, anole_text_bytes(limit, sizeof limit, most));
    if (code == Z_BUF_ERROR)
        return anole_fail(error, ANOLE_ERR_INPUT,
                          "%s: the compressed file ends early; expected all of it: fetch it again",
                          file);
    return anole_fail(error, ANOLE_ERR_INPUT,
                      "%s: the compressed file is damaged (zlib says: %s): fetch it again", file,
                      reason ? reason : "data error");
}

/* One member after the other until the input ends.  Z_STREAM_END is success; Z_OK
 * means that there is more output than allowed. */
static int inflate_all(z_stream *stream, struct anole_text *out, size_t most)
{
    static const size_t block = 1 << 16;
    char *buffer = malloc(block);
    int code = buffer ? Z_OK : Z_MEM_ERROR;
    while (code == Z_OK && out->length <= most) {
        stream->next_out = (Bytef *)buffer;
        stream->avail_out = (uInt)block;
        code = inflate(stream, Z_NO_FLUSH);
        if (code == Z_BUF_ERROR || (code == Z_OK && stream->avail_out == block))
            code = Z_BUF_ERROR;
        anole_text_append(out, buffer, block - stream->avail_out);
        if (out->failed)
            code = Z_MEM_ERROR;
        if (code == Z_STREAM_END && stream->avail_in > 0)
            code = inflateReset(stream);
    }
    free(buffer);
    return code;
}

enum anole_status anole_gzip_inflate(char **text, size_t *length, const void *data, size_t bytes,
                                     const char *path, struct anole_error *error)
{
    char file[256];
    struct anole_text out = {0};
    z_stream stream = {.next_in = (z_const Bytef *)data, .avail_in = (uInt)bytes};
    size_t most = most_output(bytes);
    anole_text_printable(file, sizeof file, path);
    if (bytes > UINT_MAX || inflateInit2(&stream, GZIP_WINDOW) != Z_OK)
        return anole_fail_memory(error);
    int code = inflate_all(&stream, &out, most);
    enum anole_status status = ANOLE_DONE;
    if (code != Z_STREAM_END || out.length > most)
        status = fail_stream(code == Z_STREAM_END ? Z_OK : code, file, stream.msg, most, error);
    inflateEnd(&stream);
    if (status == ANOLE_DONE) {
        anole_text_append(&out, "", 0); /* an empty file is a text, too */
        if (out.failed)
            status = anole_fail_memory(error);
    }
    if (status != ANOLE_DONE) {
        anole_text_fini(&out);
        return status;
    }
    *text = out.data;
    *length = out.length;
    return ANOLE_DONE;
}

enum anole_status anole_gzip_read(char **text, size_t *length, const char *path,
                                  struct anole_error *error)
{
    char *data;
    size_t bytes;
    enum anole_status status = anole_file_read(&data, &bytes, path, MOST_COMPRESSED, error);
    if (status != ANOLE_DONE)
        return status;
    if (bytes < 2 || memcmp(data, "\x1f\x8b", 2) != 0) {
        *text = data;
        *length = bytes;
        return ANOLE_DONE;
    }
    status = anole_gzip_inflate(text, length, data, bytes, path, error);
    free(data);
    return status;
}
