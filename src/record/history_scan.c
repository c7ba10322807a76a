/* SPDX-License-Identifier: MIT
 *
 * From the bytes of a history to its lines, past whatever has damaged it.
 */
#include "record/history_file.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BLOCK ((size_t)1 << 20)
/* The longest line that is looked at; none that we write comes near. */
#define LONGEST ((size_t)1 << 16)
/* Beginnings of lines to look at within a damaged one. */
#define SALVAGES 16
/* Bytes to look through for the first line of ours. */
#define PATIENCE ((uint64_t)1 << 20)

struct walk {
    struct anole_history_file *file;
    struct anole_history_scan *scan;
    anole_history_sink *sink;
    void *context;
    char *buffer; /* [BLOCK + 1] */
    size_t filled;
    uint64_t offset;     /* in the file, of the buffer's first byte */
    uint64_t line_start; /* of the line that the buffer begins with or within */
    uint64_t number;     /* of that line, from 1 */
    bool skipping;       /* within a line that is too long */
    bool ours;           /* a line, or how the file begins, says that it is a history */
    size_t intact;       /* lines */
    uint64_t claim;      /* a newer format that the first line claims, intact or not */
};

static enum anole_status fail_version(const struct walk *w, uint64_t version,
                                      struct anole_error *error)
{
    return anole_fail(
        error, ANOLE_ERR_VERSION,
        "%s: the history is of format %" PRIu64 "; expected %d, or older: use the "
        "version of Anole that wrote it, or name another history; nothing was changed",
        w->file->name, version, ANOLE_HISTORY_VERSION);
}

static enum anole_status fail_stranger(const struct walk *w, struct anole_error *error)
{
    return anole_fail(error, ANOLE_ERR_INPUT,
                      "%s: this is no history; expected a first line that begins with "
                      "{\"anole_history\":%d: is it the right file?  Name another; nothing was "
                      "changed",
                      w->file->name, ANOLE_HISTORY_VERSION);
}

static enum anole_status deliver(struct walk *w, struct anole_history_line *line,
                                 struct anole_error *error)
{
    bool header = line->kind == ANOLE_HISTORY_LINE_HEADER;
    line->number = w->number;
    if (header && line->version > ANOLE_HISTORY_VERSION)
        return fail_version(w, line->version, error);
    w->ours = true;
    w->intact++;
    w->scan->newer += line->kind == ANOLE_HISTORY_LINE_NEWER;
    return header ? ANOLE_DONE : w->sink(w->context, line, error);
}

/* Counts one, and lets the sink know. */
static enum anole_status deliver_damaged(struct walk *w, const char *text, size_t length,
                                         struct anole_error *error)
{
    const struct anole_history_line line = {
        .kind = ANOLE_HISTORY_LINE_DAMAGED, .whole = {text, length}, .number = w->number};
    w->scan->damaged++;
    return w->sink(w->context, &line, error);
}

/* Intact lines within a damaged one: what a lost newline has joined.  In a line
 * of ours each quote within a text is escaped, so that neither its beginning nor
 * its checksum can be met elsewhere. */
static enum anole_status salvage(struct walk *w, const char *text, size_t length,
                                 struct anole_error *error)
{
    static const char start[] = "{\"v\":";
    const char *end = text + length, *at = text;
    for (int i = 0; i < SALVAGES; i++, at++) {
        at = memmem(at, (size_t)(end - at), start, sizeof start - 1);
        if (!at)
            break;
        const char *crc = memmem(at, (size_t)(end - at), ANOLE_HISTORY_CRC_START,
                                 sizeof ANOLE_HISTORY_CRC_START - 1);
        const char *close = crc ? memchr(crc, '}', (size_t)(end - crc)) : NULL;
        struct anole_history_line line;
        if (!close)
            return ANOLE_DONE;
        anole_history_line_parse(&line, at, (size_t)(close + 1 - at));
        line.whole = (struct anole_history_slice){at, (size_t)(close + 1 - at)};
        if (line.kind != ANOLE_HISTORY_LINE_DAMAGED) {
            enum anole_status status = deliver(w, &line, error);
            if (status)
                return status;
        }
    }
    return ANOLE_DONE;
}

/* text[length] is the newline. */
static enum anole_status take_line(struct walk *w, const char *text, size_t length,
                                   struct anole_error *error)
{
    struct anole_history_line line;
    if (length && text[length - 1] == '\r')
        length--;
    anole_history_line_parse(&line, text, length);
    line.whole = (struct anole_history_slice){text, length};
    if (line.kind != ANOLE_HISTORY_LINE_DAMAGED)
        return deliver(w, &line, error);
    if (w->line_start == 0) {
        uint64_t claim = anole_history_line_claim(text, length);
        w->ours = claim != 0;
        w->claim = claim > ANOLE_HISTORY_VERSION ? claim : 0;
    }
    enum anole_status status = deliver_damaged(w, text, length, error);
    return status ? status : salvage(w, text, length, error);
}

/* Takes the whole lines that are in the buffer, and moves the rest to its front. */
static enum anole_status take_lines(struct walk *w, struct anole_error *error)
{
    char *at = w->buffer, *end = w->buffer + w->filled, *newline;
    while ((newline = memchr(at, '\n', (size_t)(end - at)))) {
        enum anole_status status = ANOLE_DONE;
        if (w->skipping || (size_t)(newline - at) > LONGEST)
            status = deliver_damaged(w, "", 0, error);
        else
            status = take_line(w, at, (size_t)(newline - at), error);
        if (status)
            return status;
        w->skipping = false;
        w->number++;
        at = newline + 1;
        w->line_start = w->offset + (uint64_t)(at - w->buffer);
    }
    if ((size_t)(end - at) > LONGEST) {
        w->skipping = true;
        at = end;
    }
    w->offset += (uint64_t)(at - w->buffer);
    w->filled = (size_t)(end - at);
    memmove(w->buffer, at, w->filled);
    if (!w->ours && w->offset > PATIENCE)
        return fail_stranger(w, error);
    return ANOLE_DONE;
}

static enum anole_status read_block(struct walk *w, size_t *got, struct anole_error *error)
{
    ssize_t n;
    do
        n = pread(w->file->fd, w->buffer + w->filled, BLOCK - w->filled,
                  (off_t)(w->offset + w->filled));
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return anole_fail_errno(error, "%s: the history cannot be read", w->file->name);
    w->filled += (size_t)n;
    *got = (size_t)n;
    return ANOLE_DONE;
}

/* What is behind the last newline: nothing, as a rule. */
static enum anole_status take_rest(struct walk *w, struct anole_error *error)
{
    struct anole_text header = {0};
    struct anole_history_line line;
    w->file->length = w->line_start;
    if (w->filled == 0 && !w->skipping)
        return ANOLE_DONE;
    w->buffer[w->filled] = '\n';
    anole_history_line_parse(&line, w->buffer, w->skipping ? 0 : w->filled);
    line.whole = (struct anole_history_slice){w->buffer, w->filled};
    if (line.kind != ANOLE_HISTORY_LINE_DAMAGED) {
        w->scan->no_newline = true;
        w->file->length = w->offset + w->filled;
        return deliver(w, &line, error);
    }
    size_t before = w->intact;
    enum anole_status status = w->skipping ? ANOLE_DONE : salvage(w, w->buffer, w->filled, error);
    if (status || w->intact > before) { /* its newline was lost, and nothing torn */
        if (!status)
            status = deliver_damaged(w, w->buffer, w->filled, error);
        w->scan->no_newline = true;
        w->file->length = w->offset + w->filled;
        return status;
    }
    w->scan->torn = true;
    w->scan->torn_number = w->number;
    if (w->line_start != 0 || w->skipping)
        return ANOLE_DONE;
    /* Torn while it was created. */
    anole_history_line_write_header(&header);
    w->ours = !header.failed && w->filled < header.length &&
              memcmp(w->buffer, header.data, w->filled) == 0;
    anole_text_fini(&header);
    return ANOLE_DONE;
}

enum anole_status anole_history_file_scan(struct anole_history_file *file,
                                          struct anole_history_scan *scan, anole_history_sink *sink,
                                          void *context, struct anole_error *error)
{
    struct walk w = {.file = file, .scan = scan, .sink = sink, .context = context, .number = 1};
    size_t got = 0;
    memset(scan, 0, sizeof *scan);
    w.buffer = malloc(BLOCK + 1);
    if (!w.buffer)
        return anole_fail_memory(error);
    enum anole_status status;
    do {
        status = read_block(&w, &got, error);
        if (!status)
            status = take_lines(&w, error);
    } while (!status && got);
    if (!status)
        status = take_rest(&w, error);
    if (!status && w.claim && !w.intact)
        status = fail_version(&w, w.claim, error);
    else if (!status && !w.ours && (w.line_start || w.scan->torn))
        status = fail_stranger(&w, error);
    free(w.buffer);
    return status;
}
