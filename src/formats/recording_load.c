/* SPDX-License-Identifier: MIT
 *
 * From a file to a recording: which format it has, and what all of its entries come to.
 */
#include "formats/recording_private.h"

#include "base/text.h"
#include "formats/gzip.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct format {
    const char *key; /* the member that tells the format */
    char opens;      /* how its value begins */
    enum anole_status (*read)(struct anole_recording_reader *reader); /* behind the file's '{' */
};

static const struct format formats[] = {
    {"kernel_family", '"', anole_recording_read_clblast},
    {"clblast_device_name", '"', anole_recording_read_clblast},
    {"results", '[', anole_recording_read_t4},
    {"cache", '{', anole_recording_read_cache},
};

static enum anole_status find_format(struct anole_recording_reader *reader,
                                     const struct format **format)
{
    struct anole_json_scan scan = reader->scan;
    char key[32];
    bool more;
    scan.may_end = true; /* a fault behind is the reader's to find */
    enum anole_status status = anole_json_scan_open(&scan, '{');
    while (status == ANOLE_DONE) {
        status = anole_json_scan_member(&scan, &more, key, sizeof key);
        if (status != ANOLE_DONE || !more)
            break;
        char next = anole_json_scan_peek(&scan);
        for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
            if (strcmp(key, formats[i].key) == 0 && next == formats[i].opens) {
                *format = &formats[i];
                return ANOLE_DONE;
            }
        }
        status = anole_json_scan_skip(&scan);
    }
    if (status != ANOLE_DONE)
        return status;
    return anole_fail(reader->error, ANOLE_ERR_INPUT,
                      "%s: expected results in the format T4 (an array \"results\"), a cache "
                      "file of Kernel Tuner (an object \"cache\") or a file of CLBlast's tuners "
                      "(\"kernel_family\"), found none of them",
                      scan.file);
}

/* What the file's name says before the first dot: "A100.T4.json.gz". */
static void name_after_file(struct anole_recording *recording, const char *path)
{
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    char raw[128];
    snprintf(raw, sizeof raw, "%.*s", (int)strcspn(name, "."), name);
    anole_text_printable(recording->device, sizeof recording->device, raw);
}

static enum anole_status sum_up(struct anole_recording_reader *reader)
{
    struct anole_recording *recording = reader->recording;
    struct anole_recording_counts *counts = &recording->counts;
    for (size_t i = 0; i < recording->count; i++) {
        const struct anole_recorded *item = &recording->items[i];
        if (item->outcome != ANOLE_OUTCOME_OK) {
            counts->failed++;
        } else if (counts->ok++ == 0 || item->seconds < recording->items[recording->best].seconds) {
            recording->best = i;
        }
    }
    if (counts->ok)
        return ANOLE_DONE;
    if (counts->entries && counts->outside == counts->entries)
        return anole_fail(reader->error, ANOLE_ERR_INPUT,
                          "%s: none of its %zu entries lies in the design space of %s: is that the "
                          "T1 file that it was made with?",
                          reader->scan.file, counts->entries, reader->t1->path);
    char text[256];
    return anole_fail(reader->error, ANOLE_ERR_INPUT,
                      "%s: expected a kernel that ran, found none: %s", reader->scan.file,
                      anole_recording_summary(recording, text, sizeof text));
}

enum anole_status anole_recording_parse(struct anole_recording **recording,
                                        const struct anole_t1 *t1, const struct anole_space *space,
                                        const char *text, size_t length, const char *path,
                                        struct anole_error *error)
{
    char file[256];
    const struct format *format = NULL;
    struct anole_recording_reader reader = {.t1 = t1, .space = space, .unit = 1e-3, .error = error};
    anole_text_printable(file, sizeof file, path);
    reader.scan =
        (struct anole_json_scan){.text = text, .length = length, .file = file, .error = error};
    reader.recording = calloc(1, sizeof *reader.recording);
    if (!reader.recording)
        return anole_fail_memory(error);
    name_after_file(reader.recording, path);
    enum anole_status status = find_format(&reader, &format);
    if (status == ANOLE_DONE)
        status = anole_json_scan_open(&reader.scan, '{');
    if (status == ANOLE_DONE)
        status = format->read(&reader);
    if (status == ANOLE_DONE)
        status = sum_up(&reader);
    if (status == ANOLE_DONE)
        *recording = reader.recording;
    else
        anole_recording_destroy(reader.recording);
    return status;
}

enum anole_status anole_recording_load(struct anole_recording **recording,
                                       const struct anole_t1 *t1, const struct anole_space *space,
                                       const char *path, struct anole_error *error)
{
    char *text;
    size_t length;
    enum anole_status status = anole_gzip_read(&text, &length, path, error);
    if (status != ANOLE_DONE)
        return status;
    status = anole_recording_parse(recording, t1, space, text, length, path, error);
    free(text);
    return status;
}
