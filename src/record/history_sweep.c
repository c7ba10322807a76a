/* SPDX-License-Identifier: MIT
 *
 * Twice through the file: first to see which announcements have been answered since, then to copy
 * what stays.
 */
#include "record/history_merge.h"

#include "base/file.h"
#include "base/hash.h"
#include "record/history_set.h"

#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BLOCK ((size_t)1 << 20)

static const struct anole_history_io system_io = {
    .write = write,
    .sync = fdatasync,
    .truncate = ftruncate,
};

/* A line that begins a trial, or ends one. */
struct event {
    uint64_t what;  /* hash of key and config */
    uint64_t index; /* of its line */
    enum anole_history_line_kind kind;
};

struct sweep {
    struct anole_history_swept *swept;
    struct anole_history_stream *unwanted; /* NULL: none is */
    struct anole_history_set met;
    uint64_t key[2];
    uint64_t index; /* of the line in hand, among those that are intact */
    struct event *events;
    size_t event_count, event_room;
    unsigned char *ended; /* a bit for each line that says nothing any more, [looked] */
    uint64_t looked;      /* lines, the first time through: there may be more the second time */
    struct anole_history_trouble trouble;
    struct anole_file_draft *draft; /* NULL: none is written */
    struct anole_text block;
};

/* ------------------------------------------------------------- first time through */

static void mark(struct sweep *sweep, uint64_t index)
{
    sweep->ended[index / 8] |= (unsigned char)(1u << index % 8);
}

static bool is_marked(const struct sweep *sweep, uint64_t index)
{
    return index < sweep->looked && sweep->ended[index / 8] >> index % 8 & 1;
}

static enum anole_status hash_config(uint64_t *hash, const struct sweep *sweep,
                                     const struct anole_history_line *line,
                                     struct anole_error *error)
{
    struct anole_text text = {0};
    anole_history_line_write_fields(&text, &line->fields);
    anole_text_printf(&text, "\n%u %u\n", line->metric, line->warmth);
    anole_text_append(&text, line->knobs.data, line->knobs.length);
    bool failed = text.failed;
    *hash = failed ? 0 : anole_hash_keyed(sweep->key, text.data, text.length);
    anole_text_fini(&text);
    return failed ? anole_fail_memory(error) : ANOLE_DONE;
}

static enum anole_status add_event(struct sweep *sweep, uint64_t what,
                                   enum anole_history_line_kind kind, struct anole_error *error)
{
    if (sweep->event_count == sweep->event_room) {
        size_t room = sweep->event_room ? 2 * sweep->event_room : 256;
        struct event *events = reallocarray(sweep->events, room, sizeof *events);
        if (!events)
            return anole_fail_memory(error);
        sweep->events = events;
        sweep->event_room = room;
    }
    sweep->events[sweep->event_count++] = (struct event){what, sweep->index, kind};
    return ANOLE_DONE;
}

static int compare_events(const void *a, const void *b)
{
    const struct event *x = a, *y = b;
    return x->what != y->what ? (x->what > y->what) - (x->what < y->what)
                              : (x->index > y->index) - (x->index < y->index);
}

/* Of each config: an end answers the last announcement before it that none has answered.  Those
 * stand in a stack, in the room of events that have been looked at. */
static enum anole_status find_ended(struct sweep *sweep, struct anole_error *error)
{
    struct event *events = sweep->events;
    size_t open = 0;
    sweep->looked = sweep->index;
    sweep->ended = calloc(1, (size_t)(sweep->looked / 8) + 1);
    if (!sweep->ended)
        return anole_fail_memory(error);
    if (sweep->event_count)
        qsort(events, sweep->event_count, sizeof *events, compare_events);
    for (size_t i = 0; i < sweep->event_count; i++) {
        const struct event event = events[i];
        if (event.kind == ANOLE_HISTORY_LINE_BEGUN) {
            events[open++] = event;
            continue;
        }
        if (event.kind == ANOLE_HISTORY_LINE_WITHDRAWN)
            mark(sweep, event.index);
        if (open && events[open - 1].what == event.what)
            mark(sweep, events[--open].index);
    }
    return ANOLE_DONE;
}

static enum anole_status look(void *context, const struct anole_history_line *line,
                              struct anole_error *error)
{
    struct sweep *sweep = context;
    bool known = false;
    uint64_t what;
    if (line->kind == ANOLE_HISTORY_LINE_DAMAGED)
        return ANOLE_DONE;
    enum anole_status status = anole_history_set_add(&sweep->met, &known, line->whole, error);
    if (status == ANOLE_DONE && !known && line->kind != ANOLE_HISTORY_LINE_NEWER) {
        status = hash_config(&what, sweep, line, error);
        if (status == ANOLE_DONE)
            status = add_event(sweep, what, line->kind, error);
    }
    sweep->index++;
    return status;
}

/* ------------------------------------------------------------ second time through */

static enum anole_status flush(struct sweep *sweep, struct anole_error *error)
{
    enum anole_status status = ANOLE_DONE;
    if (sweep->block.failed)
        return anole_fail_memory(error);
    if (sweep->draft && sweep->block.length)
        status =
            anole_file_draft_append(sweep->draft, sweep->block.data, sweep->block.length, error);
    sweep->swept->after += sweep->block.length;
    anole_text_clear(&sweep->block);
    return status;
}

static enum anole_status copy(void *context, const struct anole_history_line *line,
                              struct anole_error *error)
{
    struct sweep *sweep = context;
    struct anole_history_swept *swept = sweep->swept;
    bool known = false, unwanted = false;
    if (line->kind == ANOLE_HISTORY_LINE_DAMAGED) {
        anole_history_trouble_note(&sweep->trouble, line);
        return ANOLE_DONE;
    }
    uint64_t index = sweep->index++;
    enum anole_status status = anole_history_set_add(&sweep->met, &known, line->whole, error);
    if (status == ANOLE_DONE && !known && sweep->unwanted)
        status = anole_history_stream_wants(sweep->unwanted, &unwanted, line, error);
    if (status != ANOLE_DONE)
        return status;
    if (known)
        swept->repeated++;
    else if (is_marked(sweep, index))
        swept->ended++;
    else if (unwanted)
        swept->unwanted++;
    else {
        swept->kept++;
        anole_text_append(&sweep->block, line->whole.data, line->whole.length);
        anole_text_append(&sweep->block, "\n", 1);
    }
    return sweep->block.failed || sweep->block.length >= BLOCK ? flush(sweep, error) : ANOLE_DONE;
}

static enum anole_status sweep_file(struct sweep *sweep, struct anole_history_file *file,
                                    struct anole_error *error)
{
    struct anole_history_scan scan;
    struct stat info;
    anole_history_set_init(&sweep->met);
    enum anole_status status = anole_history_file_scan(file, &scan, look, sweep, error);
    if (status == ANOLE_DONE)
        status = find_ended(sweep, error);
    anole_history_set_fini(&sweep->met);
    anole_history_set_init(&sweep->met);
    sweep->index = 0;
    sweep->trouble = (struct anole_history_trouble){.file = file->name};
    if (status == ANOLE_DONE && fstat(file->fd, &info) != 0)
        status = anole_fail_errno(error, "%s: the history cannot be examined", file->name);
    anole_history_line_write_header(&sweep->block);
    if (status == ANOLE_DONE)
        status = anole_history_file_scan(file, &scan, copy, sweep, error);
    if (status == ANOLE_DONE)
        status = flush(sweep, error);
    if (status != ANOLE_DONE)
        return status;
    anole_history_trouble_end(&sweep->trouble, &scan);
    sweep->swept->damaged = scan.damaged + scan.torn;
    sweep->swept->before = (uint64_t)info.st_size;
    return ANOLE_DONE;
}

enum anole_status anole_history_sweep(struct anole_history_swept *swept, const char *path,
                                      const struct anole_history_filter *unwanted, bool dry,
                                      struct anole_error *error)
{
    struct anole_history_swept sum = {0};
    struct sweep sweep = {.swept = &sum};
    struct anole_history_file file, held = {.fd = -1};
    /* Opened to read first: there must be such a file.  Locked as long as it is replaced. */
    enum anole_status status =
        anole_history_file_open(&file, path, ANOLE_HISTORY_READ, &system_io, error);
    if (status != ANOLE_DONE)
        return status;
    anole_hash_draw_key(sweep.key);
    locale_t plain = newlocale(LC_NUMERIC_MASK, "C", (locale_t)0);
    locale_t before = plain ? uselocale(plain) : (locale_t)0;
    if (!plain)
        status = anole_fail_memory(error);
    if (status == ANOLE_DONE && !dry)
        status = anole_history_file_open(&held, path, ANOLE_HISTORY_APPEND, &system_io, error);
    if (status == ANOLE_DONE && unwanted)
        status = anole_history_stream_create(&sweep.unwanted, unwanted, error);
    if (status == ANOLE_DONE && !dry)
        status = anole_file_draft_create(&sweep.draft, path, error);
    if (status == ANOLE_DONE)
        status = sweep_file(&sweep, dry ? &file : &held, error);
    if (status == ANOLE_DONE && sweep.draft) {
        status = anole_file_draft_commit(sweep.draft, error);
        sweep.draft = NULL;
    }
    if (status == ANOLE_DONE)
        *swept = sum;
    if (plain) {
        uselocale(before);
        freelocale(plain);
    }
    anole_file_draft_discard(sweep.draft);
    anole_history_stream_destroy(sweep.unwanted);
    anole_history_set_fini(&sweep.met);
    anole_text_fini(&sweep.block);
    free(sweep.events);
    free(sweep.ended);
    anole_history_file_close(&held);
    anole_history_file_close(&file);
    return status;
}
