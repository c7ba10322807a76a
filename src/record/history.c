/* SPDX-License-Identifier: MIT */
#include "record/history.h"

#include "base/log.h"
#include "record/history_private.h"

#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const struct anole_history_io system_io = {
    .write = write,
    .sync = fdatasync,
    .truncate = ftruncate,
};

/* ----------------------------------------------------------- opening, closing */

static enum anole_status take_line(void *context, const struct anole_history_line *line,
                                   struct anole_error *error)
{
    return line->kind == ANOLE_HISTORY_LINE_DAMAGED ? ANOLE_DONE
                                                    : anole_history_store_add(context, line, error);
}

static void warn(const struct anole_history *history, const struct anole_history_scan *scan)
{
    if (scan->torn)
        anole_log_warning("%s: the last line of the history is torn (its writer was stopped, or "
                          "is at it); it is %s",
                          history->file.name,
                          history->mode == ANOLE_HISTORY_APPEND ? "cut off" : "left out");
    if (scan->damaged)
        anole_log_warning("%s: %zu damaged line%s of the history %s skipped; the trials on %s are "
                          "lost, the others are not",
                          history->file.name, scan->damaged, scan->damaged == 1 ? "" : "s",
                          scan->damaged == 1 ? "is" : "are", scan->damaged == 1 ? "it" : "them");
    if (scan->newer)
        anole_log_warning(
            "%s: %zu line%s of the history %s written by a newer Anole, in a way that "
            "this one does not understand; %s kept, and left out",
            history->file.name, scan->newer, scan->newer == 1 ? "" : "s",
            scan->newer == 1 ? "was" : "were", scan->newer == 1 ? "it is" : "they are");
}

/* Makes the end of the file one that a line can be written behind. */
static enum anole_status prepare_end(struct anole_history *history,
                                     const struct anole_history_scan *scan,
                                     struct anole_error *error)
{
    struct anole_history_file *file = &history->file;
    enum anole_status status = ANOLE_DONE;
    if (scan->torn)
        status = anole_history_file_cut(file, error);
    if (!status && scan->no_newline)
        status = anole_history_file_append(file, "\n", 1, error);
    if (status || file->length)
        return status;
    struct anole_text header = {0};
    anole_history_line_write_header(&header);
    status = header.failed ? anole_fail_memory(error)
                           : anole_history_file_append(file, header.data, header.length, error);
    anole_text_fini(&header);
    if (!status)
        anole_history_file_sync_folder(file);
    else
        anole_history_file_discard(file);
    return status;
}

static enum anole_status load(struct anole_history *history, struct anole_error *error)
{
    struct anole_history_scan scan;
    locale_t before = uselocale(history->plain);
    enum anole_status status =
        anole_history_file_scan(&history->file, &scan, take_line, &history->store, error);
    uselocale(before);
    if (status)
        return status;
    history->damaged = scan.damaged;
    history->newer = scan.newer;
    warn(history, &scan);
    return history->mode == ANOLE_HISTORY_APPEND ? prepare_end(history, &scan, error) : ANOLE_DONE;
}

enum anole_status anole_history_open_with(struct anole_history **history, const char *path,
                                          enum anole_history_mode mode,
                                          const struct anole_history_io *io,
                                          struct anole_error *error)
{
    struct anole_history *new = calloc(1, sizeof *new);
    if (!new)
        return anole_fail_memory(error);
    new->mode = mode;
    new->file.fd = -1;
    new->plain = newlocale(LC_NUMERIC_MASK, "C", (locale_t)0);
    enum anole_status status = new->plain ? ANOLE_DONE : anole_fail_memory(error);
    if (!status)
        status = anole_history_file_open(&new->file, path, mode, io, error);
    if (!status)
        status = load(new, error);
    if (status) {
        anole_history_close(new);
        return status;
    }
    *history = new;
    return ANOLE_DONE;
}

enum anole_status anole_history_open(struct anole_history **history, const char *path,
                                     enum anole_history_mode mode, struct anole_error *error)
{
    return anole_history_open_with(history, path, mode, &system_io, error);
}

void anole_history_close(struct anole_history *history)
{
    if (!history)
        return;
    anole_history_file_close(&history->file);
    anole_history_store_fini(&history->store);
    if (history->plain)
        freelocale(history->plain);
    free(history);
}

/* ----------------------------------------------------------------- appending */

/* Reads back each line of a text, and adds what it says if that is wanted. */
static enum anole_status each_line(struct anole_history *history, const struct anole_text *text,
                                   bool add, struct anole_error *error)
{
    enum anole_status status = ANOLE_DONE;
    const char *at = text->data, *const end = text->data + text->length, *newline;
    for (; status == ANOLE_DONE && at < end; at = newline + 1) {
        struct anole_history_line line;
        newline = memchr(at, '\n', (size_t)(end - at));
        anole_history_line_parse(&line, at, (size_t)(newline - at));
        if (line.kind == ANOLE_HISTORY_LINE_DAMAGED || line.kind == ANOLE_HISTORY_LINE_NEWER)
            return anole_fail(
                error, ANOLE_ERR_INTERNAL,
                "%s: a trial cannot be written so that it could be read back; this is a "
                "fault of Anole: please report it",
                history->file.name);
        if (add)
            status = anole_history_store_add(&history->store, &line, error);
    }
    return status;
}

/* Writes lines and adds what they say, read back from them: so the file and the
 * memory cannot disagree. */
static enum anole_status write_lines(struct anole_history *history, const struct anole_text *text,
                                     struct anole_error *error)
{
    struct anole_history_file *file = &history->file;
    enum anole_status status = each_line(history, text, false, error);
    if (status == ANOLE_DONE)
        status = anole_history_file_append(file, text->data, text->length, error);
    if (status)
        return status;
    status = each_line(history, text, true, error);
    if (status) {
        file->length -= text->length;
        anole_history_file_cut(file, error);
    }
    return status;
}

static enum anole_status check_append(const struct anole_history *history,
                                      const struct anole_history_key *key,
                                      const struct anole_result *result, struct anole_error *error)
{
    if (history->mode != ANOLE_HISTORY_APPEND)
        return anole_fail(error, ANOLE_ERR_INTERNAL, "%s: the history is open for reading only",
                          history->file.name);
    if (result && result->metric != key->metric)
        return anole_fail(error, ANOLE_ERR_INTERNAL, "%s: a trial measured in %s, for a key of %s",
                          history->file.name, anole_metric_text(result->metric),
                          anole_metric_text(key->metric));
    return ANOLE_DONE;
}

/* Adds a line to a text. */
static void put_line(struct anole_text *text, const struct anole_text *identity,
                     const struct anole_history_key *key, uint64_t id,
                     const struct anole_space *space, uint64_t config,
                     enum anole_history_line_kind kind, const struct anole_result *result)
{
    struct anole_text knobs = {0};
    anole_history_line_write_knobs(&knobs, space, config);
    if (!knobs.failed)
        anole_history_line_write(
            text, (struct anole_history_slice){identity->data, identity->length}, key->metric,
            key->warmth, id, (struct anole_history_slice){knobs.data, knobs.length}, kind, result,
            time(NULL));
    text->failed |= knobs.failed;
    anole_text_fini(&knobs);
}

/* results NULL: no trials, but events of this kind. */
static enum anole_status append(struct anole_history *history, const struct anole_history_key *key,
                                const struct anole_space *space, const uint64_t *configs,
                                enum anole_history_line_kind kind,
                                const struct anole_result *results, size_t count,
                                struct anole_error *error)
{
    struct anole_text identity = {0}, text = {0};
    enum anole_status status = ANOLE_DONE;
    for (size_t i = 0; status == ANOLE_DONE && i < count; i++)
        status = check_append(history, key, results ? &results[i] : NULL, error);
    if (status || !count)
        return status;
    locale_t before = uselocale(history->plain);
    anole_history_line_write_key(&identity, key);
    for (size_t i = 0; i < count && !identity.failed && !text.failed; i++)
        put_line(&text, &identity, key, history->store.last_id + 1 + i, space, configs[i], kind,
                 results ? &results[i] : NULL);
    status = identity.failed || text.failed ? anole_fail_memory(error)
                                            : write_lines(history, &text, error);
    uselocale(before);
    anole_text_fini(&identity);
    anole_text_fini(&text);
    return status;
}

#define AT_ONCE 256 /* lines, with one wait for the disk */

enum anole_status anole_history_append_all(struct anole_history *history,
                                           const struct anole_history_key *key,
                                           const struct anole_space *space, const uint64_t *configs,
                                           const struct anole_result *results, size_t count,
                                           struct anole_error *error)
{
    enum anole_status status = ANOLE_DONE;
    for (size_t i = 0; status == ANOLE_DONE && i < count; i += AT_ONCE)
        status = append(history, key, space, configs + i, ANOLE_HISTORY_LINE_TRIAL, results + i,
                        count - i < AT_ONCE ? count - i : AT_ONCE, error);
    return status;
}

enum anole_status anole_history_append(struct anole_history *history,
                                       const struct anole_history_key *key,
                                       const struct anole_space *space, uint64_t config,
                                       const struct anole_result *result, struct anole_error *error)
{
    return append(history, key, space, &config, ANOLE_HISTORY_LINE_TRIAL, result, 1, error);
}

enum anole_status anole_history_begin(struct anole_history *history,
                                      const struct anole_history_key *key,
                                      const struct anole_space *space, uint64_t config,
                                      struct anole_error *error)
{
    return append(history, key, space, &config, ANOLE_HISTORY_LINE_BEGUN, NULL, 1, error);
}

enum anole_status anole_history_withdraw(struct anole_history *history,
                                         const struct anole_history_key *key,
                                         const struct anole_space *space, uint64_t config,
                                         struct anole_error *error)
{
    return append(history, key, space, &config, ANOLE_HISTORY_LINE_WITHDRAWN, NULL, 1, error);
}

/* ------------------------------------------------------------------- looking */

/* *entry NULL: the history has nothing under this key. */
static enum anole_status find_entry(const struct anole_history_entry **entry,
                                    const struct anole_history *history,
                                    const struct anole_history_key *key, struct anole_error *error)
{
    struct anole_text text = {0};
    anole_history_line_write_key(&text, key);
    enum anole_status status = text.failed ? anole_fail_memory(error) : ANOLE_DONE;
    if (!status)
        *entry = anole_history_store_find(&history->store,
                                          (struct anole_history_slice){text.data, text.length},
                                          (struct anole_history_kind){key->metric, key->warmth});
    anole_text_fini(&text);
    return status;
}

/* The config that knobs mean in this space; false if they mean none. */
static bool find_config(uint64_t *config, struct anole_history_slice knobs,
                        const struct anole_space *space)
{
    char names[ANOLE_MAX_KNOBS][ANOLE_KNOB_NAME];
    const char *pointers[ANOLE_MAX_KNOBS];
    int64_t values[ANOLE_MAX_KNOBS];
    size_t count;
    if (!anole_history_line_knobs(names, values, &count, knobs))
        return false;
    for (size_t i = 0; i < count; i++)
        pointers[i] = names[i];
    return anole_space_lookup(space, config, pointers, values, count, NULL) == ANOLE_DONE;
}

/* A config that was lost, by its number. */
struct lost_config {
    uint64_t config;
    uint32_t count;
    bool open; /* begun, and not ended */
};

static int compare_lost(const void *a, const void *b)
{
    const struct lost_config *x = a, *y = b;
    return (x->config > y->config) - (x->config < y->config);
}

/* What was lost of a key, each config once: knobs may stand in one order or another.  *lost is the
 * caller's to free. */
static enum anole_status list_lost(struct lost_config **lost, size_t *count,
                                   const struct anole_history *history,
                                   const struct anole_history_entry *entry,
                                   const struct anole_space *space, struct anole_error *error)
{
    const struct anole_history_loss *losses = history->store.losses;
    size_t found = 0, kept = 0;
    for (uint32_t i = entry->losses; i != ANOLE_HISTORY_NONE; i = losses[i].next)
        found++;
    struct lost_config *list = calloc(found + 1, sizeof *list);
    if (!list)
        return anole_fail_memory(error);
    found = 0;
    for (uint32_t i = entry->losses; i != ANOLE_HISTORY_NONE; i = losses[i].next) {
        list[found].count = losses[i].count;
        list[found].open = losses[i].open != ANOLE_HISTORY_NONE;
        found += losses[i].count > 0 && find_config(&list[found].config, losses[i].knobs, space);
    }
    qsort(list, found, sizeof *list, compare_lost);
    for (size_t i = 0; i < found; i++) {
        if (kept && list[kept - 1].config == list[i].config) {
            list[kept - 1].count += list[i].count;
            list[kept - 1].open |= list[i].open;
        } else {
            list[kept++] = list[i];
        }
    }
    *lost = list;
    *count = kept;
    return ANOLE_DONE;
}

bool anole_history_quarantined(const struct anole_history *history,
                               const struct anole_history_key *key, const struct anole_space *space,
                               uint64_t config)
{
    const struct anole_history_entry *entry;
    struct lost_config *lost = NULL;
    size_t count = 0;
    if (find_entry(&entry, history, key, NULL) != ANOLE_DONE || !entry ||
        list_lost(&lost, &count, history, entry, space, NULL) != ANOLE_DONE)
        return false;
    const struct lost_config wanted = {.config = config};
    const struct lost_config *found = bsearch(&wanted, lost, count, sizeof *lost, compare_lost);
    bool quarantined = found && found->count >= ANOLE_HISTORY_QUARANTINE;
    free(lost);
    return quarantined;
}

/* What was begun twice and never ended has no trial to say that it was visited. */
static enum anole_status collect_quarantined(const struct anole_history *history,
                                             const struct anole_history_entry *entry,
                                             const struct anole_space *space,
                                             struct anole_trials *trials, size_t *count,
                                             struct anole_error *error)
{
    const struct anole_result result = {
        .outcome = ANOLE_OUTCOME_CRASH,
        .seconds = NAN,
        .low = NAN,
        .high = NAN,
        .error = NAN,
        .message = "the tuner ended while it was tried, more than once",
    };
    struct lost_config *lost;
    size_t lost_count;
    enum anole_status status = list_lost(&lost, &lost_count, history, entry, space, error);
    if (status)
        return status;
    for (size_t i = 0; !status && i < lost_count; i++) {
        if (!lost[i].open || lost[i].count < ANOLE_HISTORY_QUARANTINE ||
            anole_trials_visited(trials, lost[i].config))
            continue;
        status = anole_trials_add(trials, lost[i].config, &result, error);
        *count += !status;
    }
    free(lost);
    return status;
}

static enum anole_status collect_entry(const struct anole_history *history,
                                       const struct anole_history_entry *entry,
                                       const struct anole_space *space, struct anole_trials *trials,
                                       size_t *count, struct anole_error *error)
{
    const struct anole_history_record *records = history->store.records;
    for (uint32_t i = entry->first; i != ANOLE_HISTORY_NONE; i = records[i].next) {
        struct anole_result result;
        uint64_t config;
        if (records[i].begun || !find_config(&config, records[i].knobs, space))
            continue;
        anole_history_record_result(&result, &records[i]);
        enum anole_status status = anole_trials_add(trials, config, &result, error);
        if (status)
            return status;
        ++*count;
    }
    return collect_quarantined(history, entry, space, trials, count, error);
}

enum anole_status anole_history_visit(const struct anole_history *history,
                                      const struct anole_history_key *key,
                                      anole_history_visitor *visit, void *context,
                                      struct anole_error *error)
{
    const struct anole_history_entry *entry = NULL;
    const struct anole_history_record *records = history->store.records;
    enum anole_status status = find_entry(&entry, history, key, error);
    for (uint32_t i = entry ? entry->first : ANOLE_HISTORY_NONE; !status && i != ANOLE_HISTORY_NONE;
         i = records[i].next) {
        struct anole_history_trial trial;
        if (records[i].begun || !anole_history_line_knobs(trial.names, trial.values,
                                                          &trial.knob_count, records[i].knobs))
            continue;
        trial.id = records[i].id;
        anole_history_record_result(&trial.result, &records[i]);
        status = visit(context, &trial, error);
    }
    return status;
}

/* `open`: the query may leave the text out, and then matches any. */
static bool matches(struct anole_history_slice slice, const char *text, bool open)
{
    struct anole_text escaped = {0};
    if (open && !text)
        return true;
    anole_history_line_write_text(&escaped, text);
    bool same =
        !escaped.failed &&
        anole_history_slice_equal(
            slice, (struct anole_history_slice){escaped.data ? escaped.data : "", escaped.length});
    anole_text_fini(&escaped);
    return same;
}

static size_t count_near(const struct anole_history *history, const struct anole_history_key *key,
                         const struct anole_history_entry *exact)
{
    size_t near = 0;
    for (size_t i = 0; i < history->store.entry_count; i++) {
        const struct anole_history_entry *entry = &history->store.entries[i];
        if (entry != exact && entry->kind.metric == key->metric &&
            matches(entry->fields.task, key->task, false) &&
            matches(entry->fields.backend, key->backend, false) &&
            matches(entry->fields.device, key->device, false))
            near += entry->count.trials;
    }
    return near;
}

enum anole_status anole_history_collect(const struct anole_history *history,
                                        const struct anole_history_key *key,
                                        const struct anole_space *space,
                                        struct anole_trials *trials, size_t *matched, size_t *near,
                                        struct anole_error *error)
{
    const struct anole_history_entry *entry = NULL;
    size_t count = 0;
    enum anole_status status = find_entry(&entry, history, key, error);
    if (!status && entry)
        status = collect_entry(history, entry, space, trials, &count, error);
    if (status)
        return status;
    if (matched)
        *matched = count;
    if (near)
        *near = count_near(history, key, entry);
    return ANOLE_DONE;
}

static bool fits(const struct anole_history_entry *entry, const struct anole_history_key *key)
{
    const struct anole_history_fields *fields = &entry->fields;
    return entry->kind.metric == key->metric &&
           (!key->generator || key->generator == fields->generator) &&
           (!key->threads || key->threads == fields->threads) &&
           matches(fields->task, key->task, false) &&
           matches(fields->backend, key->backend, true) &&
           matches(fields->backend_version, key->backend_version, true) &&
           matches(fields->device, key->device, true) &&
           matches(fields->driver, key->driver, true) &&
           matches(fields->driver_version, key->driver_version, true);
}

static bool is_better(const struct anole_history_entry *entry, enum anole_metric metric,
                      const struct anole_history_count *count)
{
    if (isnan(entry->count.best) || isnan(count->best) || entry->kind.warmth != count->warmth)
        return !isnan(entry->count.best) &&
               (isnan(count->best) || entry->kind.warmth == ANOLE_WARMTH_COLD);
    return anole_metric_cost(metric, entry->count.best) < anole_metric_cost(metric, count->best);
}

void anole_history_count(const struct anole_history *history, const struct anole_history_key *key,
                         struct anole_history_count *count)
{
    *count = (struct anole_history_count){.best = NAN};
    for (size_t i = 0; i < history->store.entry_count; i++) {
        const struct anole_history_entry *entry = &history->store.entries[i];
        if (!fits(entry, key))
            continue;
        count->trials += entry->count.trials;
        for (size_t o = 0; o < ANOLE_OUTCOME_COUNT; o++)
            count->by_outcome[o] += entry->count.by_outcome[o];
        if (is_better(entry, key->metric, count)) {
            count->best = entry->count.best;
            count->warmth = entry->kind.warmth;
        }
    }
}

bool anole_history_decode_key(struct anole_history_found *found,
                              const struct anole_history_entry *entry)
{
    return anole_history_decode_fields(found, &entry->fields, entry->kind.metric,
                                       entry->kind.warmth);
}

bool anole_history_decode_fields(struct anole_history_found *found,
                                 const struct anole_history_fields *fields,
                                 enum anole_metric metric, enum anole_warmth warmth)
{
    const struct anole_history_slice slices[] = {
        fields->task,   fields->backend, fields->backend_version,
        fields->device, fields->driver,  fields->driver_version};
    for (size_t i = 0; i < sizeof slices / sizeof *slices; i++)
        if (!anole_history_line_decode(found->texts[i], sizeof found->texts[i], slices[i]))
            return false;
    found->key = (struct anole_history_key){
        .task = found->texts[0],
        .backend = found->texts[1],
        .backend_version = found->texts[2],
        .generator = fields->generator,
        .device = found->texts[3],
        .driver = found->texts[4],
        .driver_version = found->texts[5],
        .threads = fields->threads,
        .metric = metric,
        .warmth = warmth,
    };
    return true;
}

bool anole_history_next_key(const struct anole_history *history, size_t *next,
                            struct anole_history_found *found)
{
    while (*next < history->store.entry_count) {
        const struct anole_history_entry *entry = &history->store.entries[(*next)++];
        if (entry->count.trials && anole_history_decode_key(found, entry))
            return true;
    }
    return false;
}

size_t anole_history_damaged(const struct anole_history *history)
{
    return history->damaged;
}

size_t anole_history_newer(const struct anole_history *history)
{
    return history->newer;
}
