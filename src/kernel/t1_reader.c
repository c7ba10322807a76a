/* SPDX-License-Identifier: MIT
 *
 * What the parts of the reader of kernels use: messages that name the place, and the files
 * beside a T1 file.
 */
#include "kernel/t1_kernel_private.h"

#include "base/file.h"
#include "base/hash.h"
#include "base/text.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum anole_status anole_t1_fail(const struct anole_t1_reader *reader, const char *key,
                                const char *format, ...)
{
    char text[ANOLE_ERROR_TEXT / 2], file[256], shown[160];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return anole_fail(reader->error, ANOLE_ERR_INPUT, "%s: KernelSpecification%s%s: %s",
                      anole_text_printable(file, sizeof file, reader->t1->path), key[0] ? "." : "",
                      anole_text_printable(shown, sizeof shown, key), text);
}

/* A file that the T1 file names, relative to where that lies. */
static char *beside(const struct anole_t1_reader *reader, const char *name)
{
    char *path = NULL;
    const char *slash = strrchr(reader->t1->path, '/');
    if (name[0] == '/' || !slash)
        return strdup(name);
    return asprintf(&path, "%.*s%s", (int)(slash + 1 - reader->t1->path), reader->t1->path, name) <
                   0
               ? NULL
               : path;
}

enum anole_status anole_t1_read_file(char **text, size_t *length, char **full,
                                     struct anole_t1_reader *reader, const char *key,
                                     const char *name, size_t limit)
{
    char resolved[PATH_MAX], *path = beside(reader, name);
    if (!path)
        return anole_fail_memory(reader->error);
    enum anole_status status = anole_file_read(text, length, path, limit, reader->error);
    if (status == ANOLE_DONE) {
        reader->digest = anole_hash_combine(reader->digest, anole_hash_bytes(*text, *length));
        if (full && !realpath(path, resolved))
            status = anole_fail_errno(reader->error, "%s", path);
        else if (full && !(*full = strdup(resolved)))
            status = anole_fail_memory(reader->error);
        if (status != ANOLE_DONE) {
            free(*text);
        }
    }
    if (status == ANOLE_ERR_INPUT || status == ANOLE_ERR_SYSTEM) {
        char file[256];
        anole_error_prefix(reader->error, "%s: KernelSpecification.%s",
                           anole_text_printable(file, sizeof file, reader->t1->path), key);
    }
    free(path);
    return status;
}
