/* SPDX-License-Identifier: MIT
 *
 * anole history show: single trials, the best or the latest of those that are asked for.
 */
#include "cli/cmd_history.h"
#include "cli/history_filter.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_MOST 20
#define MOST 1000000

struct arguments {
    struct anole_history_filter filter;
    uint64_t most;
    bool latest, json;
};

enum { SHOW_MOST = ANOLE_FILTER_OPTIONS, LATEST, JSON };

static const struct anole_option options[] = {
    ANOLE_FILTER_TABLE,
    [SHOW_MOST] = {"most", "N", "so many at most (default 20)"},
    [LATEST] = {"latest", NULL, "the last ones of the files, instead of the best"},
    [JSON] = {"json", NULL, "print JSON to stdout instead of a table"},
    {0},
};

static enum anole_status take(void *context, size_t index, const char *value,
                              struct anole_error *error)
{
    struct arguments *arguments = context;
    if (index < ANOLE_FILTER_OPTIONS)
        return anole_filter_take(&arguments->filter, index, value, error);
    if (index == SHOW_MOST)
        return anole_text_parse_u64(&arguments->most, value, "--most", 1, MOST, error);
    if (index == LATEST)
        arguments->latest = true;
    else
        arguments->json = true;
    return ANOLE_DONE;
}

/* --------------------------------------------------- the first so many of all */

struct trial {
    double rank;     /* less comes first */
    uint64_t number; /* among all that passed */
    size_t row;
    uint64_t id;
    char *knobs;
    char when[ANOLE_HISTORY_TIME];
    struct anole_result result;
};

/* A heap whose root is the last of those that are kept: whatever comes before it takes its place.
 */
struct kept {
    struct trial **trials;
    size_t count, most;
    uint64_t passed;
    bool latest;
};

static bool is_behind(const struct trial *a, const struct trial *b)
{
    return a->rank > b->rank || (a->rank == b->rank && a->number > b->number);
}

static void swap(struct kept *kept, size_t a, size_t b)
{
    struct trial *held = kept->trials[a];
    kept->trials[a] = kept->trials[b];
    kept->trials[b] = held;
}

static void sift_up(struct kept *kept, size_t at)
{
    for (; at > 0 && is_behind(kept->trials[at], kept->trials[(at - 1) / 2]); at = (at - 1) / 2)
        swap(kept, at, (at - 1) / 2);
}

static void sift_down(struct kept *kept)
{
    for (size_t at = 0;;) {
        size_t last = at;
        for (size_t child = 2 * at + 1; child <= 2 * at + 2 && child < kept->count; child++)
            if (is_behind(kept->trials[child], kept->trials[last]))
                last = child;
        if (last == at)
            return;
        swap(kept, at, last);
        at = last;
    }
}

static double rank_of(const struct kept *kept, const struct anole_history_line *line)
{
    if (kept->latest)
        return -(double)kept->passed;
    double cost = anole_result_cost(&line->result);
    return isnan(cost) ? INFINITY : cost;
}

static enum anole_status keep(void *context, size_t row, const struct anole_history_line *line,
                              struct anole_error *error)
{
    struct kept *kept = context;
    struct trial next = {.rank = rank_of(kept, line), .number = kept->passed++, .row = row};
    bool full = kept->count == kept->most;
    if (full && !is_behind(kept->trials[0], &next))
        return ANOLE_DONE;
    struct trial *room = full ? kept->trials[0] : malloc(sizeof *room);
    if (!room)
        return anole_fail_memory(error);
    if (full)
        free(room->knobs);
    *room = next;
    room->id = line->id;
    room->result = line->result;
    room->knobs = strndup(line->knobs.data, line->knobs.length);
    anole_history_time(room->when, line);
    if (!full) {
        kept->trials[kept->count++] = room;
        sift_up(kept, kept->count - 1);
    } else {
        sift_down(kept);
    }
    return room->knobs ? ANOLE_DONE : anole_fail_memory(error);
}

/* The best first; of the latest, the last one last. */
static int compare_rank(const void *a, const void *b)
{
    const struct trial *x = *(const struct trial *const *)a, *y = *(const struct trial *const *)b;
    return is_behind(x, y) ? 1 : is_behind(y, x) ? -1 : 0;
}

static int compare_number(const void *a, const void *b)
{
    return -compare_rank(a, b);
}

static void kept_fini(struct kept *kept)
{
    for (size_t i = 0; i < kept->count; i++) {
        free(kept->trials[i]->knobs);
        free(kept->trials[i]);
    }
    free(kept->trials);
}

/* ------------------------------------------------------------------ words */

static void put_time(struct anole_table *table, const struct trial *trial)
{
    char value[32], low[32], high[32];
    if (trial->result.outcome != ANOLE_OUTCOME_OK)
        anole_table_cell(table, "-");
    else
        anole_table_cell(
            table, "%s [%s, %s]%s",
            anole_text_seconds(value, sizeof value, anole_result_value(&trial->result)),
            anole_text_seconds(low, sizeof low, trial->result.low),
            anole_text_seconds(high, sizeof high, trial->result.high),
            trial->result.abandoned ? " abandoned" : "");
}

static void put_trial(struct anole_table *table, const struct trial *trial,
                      const struct anole_history_stream *stream)
{
    struct anole_history_found found;
    char label[200], knobs[512];
    if (!anole_history_row_key(&found, &stream->rows[trial->row]))
        return;
    anole_filter_knobs(knobs, sizeof knobs,
                       (struct anole_history_slice){trial->knobs, strlen(trial->knobs)});
    anole_table_cell(table, "%" PRIu64, trial->id);
    anole_table_cell(table, "%s", anole_filter_label(label, sizeof label, &found.key));
    anole_table_cell(table, "%.60s", found.key.device);
    anole_table_cell(table, "%s%s", anole_outcome_text(trial->result.outcome),
                     trial->result.simulated ? ", simulated" : "");
    put_time(table, trial);
    anole_table_cell(table, "%s", trial->when);
    anole_table_cell(table, "%s%s%.100s", knobs, trial->result.message[0] ? "  " : "",
                     trial->result.message);
}

static enum anole_status print_table(const struct kept *kept,
                                     const struct anole_history_stream *stream,
                                     struct anole_error *error)
{
    static const char *const titles[] = {">id",         "task", "device", "outcome",
                                         "time [95 %]", "when", "config", NULL};
    struct anole_table *table = NULL;
    enum anole_status status = anole_table_create(&table, titles, error);
    for (size_t i = 0; status == ANOLE_DONE && i < kept->count; i++)
        put_trial(table, kept->trials[i], stream);
    if (status == ANOLE_DONE && kept->count)
        status = anole_table_print(table, stdout, error);
    anole_table_destroy(table);
    if (status != ANOLE_DONE)
        return status;
    printf("%zu of %" PRIu64 " trials%s\n", kept->count, kept->passed,
           kept->count == kept->passed ? ""
           : kept->latest              ? ", the latest"
                                       : ", the best");
    anole_filter_report(stream);
    return ANOLE_DONE;
}

/* ------------------------------------------------------------------- JSON */

static json_t *knobs_json(const char *text)
{
    char names[ANOLE_MAX_KNOBS][ANOLE_KNOB_NAME], safe[4 * ANOLE_KNOB_NAME];
    int64_t values[ANOLE_MAX_KNOBS];
    size_t count = 0;
    json_t *knobs = json_object();
    if (!anole_history_line_knobs(names, values, &count,
                                  (struct anole_history_slice){text, strlen(text)}))
        return knobs;
    for (size_t i = 0; i < count; i++)
        json_object_set_new(knobs, anole_text_printable(safe, sizeof safe, names[i]),
                            json_integer(values[i]));
    return knobs;
}

static json_t *trial_json(const struct trial *trial, const struct anole_history_stream *stream)
{
    struct anole_history_found found;
    const struct anole_result *result = &trial->result;
    char texts[6][4 * 256], message[4 * sizeof result->message];
    if (!anole_history_row_key(&found, &stream->rows[trial->row]))
        return NULL;
    for (size_t i = 0; i < 6; i++)
        anole_text_printable(texts[i], sizeof texts[i], found.texts[i]);
    anole_text_printable(message, sizeof message, result->message);
    return json_pack(
        "{s:I, s:s, s:s, s:s, s:I, s:s, s:s, s:s, s:I, s:s, s:s, s:o, s:o, s:o, s:b, s:b, s:s, "
        "s:o, s:s}",
        "id", (json_int_t)trial->id, "task", texts[0], "backend", texts[1], "backend_version",
        texts[2], "generator", (json_int_t)found.key.generator, "device", texts[3], "driver",
        texts[4], "driver_version", texts[5], "threads", (json_int_t)found.key.threads, "timing",
        anole_warmth_text(found.key.warmth), "outcome", anole_outcome_text(result->outcome),
        "seconds", anole_json_real(result->seconds), "low", anole_json_real(result->low), "high",
        anole_json_real(result->high), "abandoned", (int)result->abandoned, "simulated",
        (int)result->simulated, "message", message, "knobs", knobs_json(trial->knobs), "time",
        trial->when);
}

static enum anole_status print_json(const struct kept *kept,
                                    const struct anole_history_stream *stream,
                                    struct anole_error *error)
{
    json_t *trials = json_array();
    for (size_t i = 0; i < kept->count; i++) {
        json_t *trial = trial_json(kept->trials[i], stream);
        if (trial)
            json_array_append_new(trials, trial);
    }
    return anole_command_print_json(
        json_pack("{s:o, s:I}", "trials", trials, "of", (json_int_t)kept->passed), error);
}

/* -------------------------------------------------------------------- run */

static enum anole_status show(const struct arguments *arguments, char **files, size_t count,
                              struct anole_error *error)
{
    struct kept kept = {.most = arguments->most, .latest = arguments->latest};
    struct anole_history_stream *stream = NULL;
    kept.trials = calloc(kept.most, sizeof(struct trial *));
    if (!kept.trials)
        return anole_fail_memory(error);
    enum anole_status status = anole_history_stream_create(&stream, &arguments->filter, error);
    for (size_t i = 0; status == ANOLE_DONE && i < count; i++)
        status = anole_history_stream_read(stream, files[i], keep, &kept, error);
    if (status == ANOLE_DONE) {
        qsort(kept.trials, kept.count, sizeof *kept.trials,
              kept.latest ? compare_number : compare_rank);
        status =
            arguments->json ? print_json(&kept, stream, error) : print_table(&kept, stream, error);
    }
    anole_history_stream_destroy(stream);
    kept_fini(&kept);
    return status;
}

static enum anole_status run(int argc, char **argv, struct anole_error *error)
{
    struct arguments arguments = {.most = DEFAULT_MOST};
    char **files;
    size_t count;
    bool help;
    enum anole_status status = anole_options_parse(&anole_cmd_history_show, argc, argv, take,
                                                   &arguments, &files, &count, &help, error);
    if (status != ANOLE_DONE || help)
        return status;
    return show(&arguments, files, count, error);
}

const struct anole_command anole_cmd_history_show = {
    .name = "history show",
    .arguments = "HISTORY...",
    .summary = "Show single trials: the best, or the latest, of those asked for",
    .options = options,
    .least = 1,
    .most = ANOLE_HISTORY_FILES,
    .run = run,
};
