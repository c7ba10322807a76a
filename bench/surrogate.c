/* SPDX-License-Identifier: MIT
 *
 * Files of trials, and the surrogates fitted to them.
 */
#include "surrogate.h"

#include "base/hash.h"
#include "base/file.h"
#include "base/statistics.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST_FACTS 64
#define MOST_TIMED 65536 /* trials */
#define FOLDS 4
#define CLIMBS 400 /* of the search for the optimum */
#define MAX_FAILED_MOVES 400

static const struct anole_forest_options fit_options = {
    .trees = 250,
    .depth = 5,
    .learning_rate = 0.08,
    .seed = 1,
};

/* -- Reading -- */

struct reader {
    struct bench_surrogate *surrogate;
    const char *path;
    size_t line;
    double facts[MOST_FACTS];
    size_t fact_count;
    bool finished;  /* the space is */
    double *noises; /* [MOST_TIMED] */
    size_t timed, failed;
    struct anole_error *error;
};

static enum anole_status refuse(const struct reader *reader, const char *expected)
{
    return anole_fail(reader->error, ANOLE_ERR_INPUT,
                      "%s: line %zu: expected %s; make the file anew with anole-bench-collect",
                      reader->path, reader->line, expected);
}

static enum anole_status read_facts(struct reader *reader, char *text)
{
    for (char *word = strtok(text, " "); word; word = strtok(NULL, " ")) {
        if (reader->fact_count == MOST_FACTS)
            return refuse(reader, "fewer facts");
        reader->facts[reader->fact_count++] = strtod(word, NULL);
    }
    return ANOLE_DONE;
}

static enum anole_status read_knob(struct reader *reader, char *text)
{
    int64_t values[ANOLE_MAX_KNOB_VALUES];
    size_t count = 0;
    char *name = strtok(text, " "), *kind = strtok(NULL, " "), *fallback = strtok(NULL, " ");
    for (char *word = strtok(NULL, " "); word; word = strtok(NULL, " ")) {
        if (count == ANOLE_MAX_KNOB_VALUES)
            return refuse(reader, "fewer values");
        values[count++] = strtoll(word, NULL, 10);
    }
    if (!fallback || !count)
        return refuse(reader, "a knob's name, kind, default and values");
    return anole_space_add_knob(reader->surrogate->space, name, strcmp(kind, "categorical") == 0,
                                values, NULL, count, strtoul(fallback, NULL, 10), reader->error);
}

static enum anole_status finish_space(struct reader *reader)
{
    struct bench_surrogate *surrogate = reader->surrogate;
    reader->finished = true;
    enum anole_status status = anole_space_finish(surrogate->space, reader->error);
    if (status == ANOLE_DONE)
        status = anole_features_create(&surrogate->features, surrogate->space, reader->facts,
                                       reader->fact_count, NULL, NULL, 0, reader->error);
    return status;
}

static enum anole_status read_trial(struct reader *reader, char *text)
{
    struct bench_surrogate *surrogate = reader->surrogate;
    uint16_t digits[ANOLE_MAX_KNOBS];
    char *at = text;
    enum anole_status status = reader->finished ? ANOLE_DONE : finish_space(reader);
    if (status != ANOLE_DONE)
        return status;
    for (size_t k = 0; k < anole_space_knob_count(surrogate->space); k++) {
        unsigned long digit = strtoul(at, &at, 10);
        if (digit >= anole_space_knob(surrogate->space, k)->count)
            return refuse(reader, "a digit below the number of the knob's values");
        digits[k] = (uint16_t)digit;
        at += *at == ',';
    }
    struct anole_result result = {.outcome = ANOLE_OUTCOME_COMPILE, .seconds = NAN};
    char *end;
    double seconds = strtod(at, &end);
    if (end != at && seconds > 0.0) {
        result.outcome = ANOLE_OUTCOME_OK;
        result.seconds = result.low = result.high = seconds;
        if (reader->timed == MOST_TIMED)
            return refuse(reader, "fewer trials");
        reader->noises[reader->timed++] = strtod(end, NULL);
    } else {
        reader->failed++;
    }
    return anole_trials_add(surrogate->real, anole_space_encode(surrogate->space, digits), &result,
                            reader->error);
}

static enum anole_status read_line(struct reader *reader, char *line)
{
    struct bench_surrogate *surrogate = reader->surrogate;
    char *rest = strchr(line, ' ');
    if (!rest)
        return refuse(reader, "a word and what goes with it");
    *rest++ = '\0';
    if (strcmp(line, "trial") == 0)
        return read_trial(reader, rest);
    if (reader->finished)
        return refuse(reader, "only trials after the first");
    if (strcmp(line, "task") == 0)
        snprintf(surrogate->task, sizeof surrogate->task, "%s", rest);
    else if (strcmp(line, "facts") == 0)
        return read_facts(reader, rest);
    else if (strcmp(line, "knob") == 0)
        return read_knob(reader, rest);
    else if (strcmp(line, "constraint") == 0)
        return anole_space_add_constraint(surrogate->space, rest, NULL, reader->error);
    else if (strcmp(line, "device") != 0 && strcmp(line, "anole-trials") != 0)
        return refuse(reader, "anole-trials, task, device, facts, knob, constraint or trial");
    return ANOLE_DONE;
}

static enum anole_status read_file(struct reader *reader)
{
    char *text, *next;
    size_t length;
    enum anole_status status = anole_file_read(&text, &length, reader->path, 0, reader->error);
    if (status != ANOLE_DONE)
        return status;
    for (char *line = text; *line && status == ANOLE_DONE; line = next) {
        next = line + strcspn(line, "\n");
        if (*next)
            *next++ = '\0';
        reader->line++;
        if (*line)
            status = read_line(reader, line);
    }
    free(text);
    if (status == ANOLE_DONE && reader->timed < 100)
        status = anole_fail(reader->error, ANOLE_ERR_INPUT,
                            "%s: %zu trials with a time, expected at least 100: too few to fit "
                            "a surrogate to",
                            reader->path, reader->timed);
    return status;
}

/* -- The surrogate -- */

struct table {
    float *rows, *labels; /* of trials with a time: features, logarithm of seconds */
    size_t count, columns;
};

static void table_fini(struct table *table)
{
    free(table->rows);
    free(table->labels);
}

static enum anole_status make_table(struct table *table, const struct bench_surrogate *surrogate,
                                    struct anole_error *error)
{
    size_t count = anole_trials_count(surrogate->real);
    *table = (struct table){.columns = anole_features_count(surrogate->features)};
    table->rows = reallocarray(NULL, count, table->columns * sizeof *table->rows);
    table->labels = calloc(count, sizeof *table->labels);
    if (!table->rows || !table->labels) {
        table_fini(table);
        return anole_fail_memory(error);
    }
    for (size_t i = 0; i < count; i++) {
        const struct anole_trial *trial = anole_trials_get(surrogate->real, i);
        if (trial->result.outcome != ANOLE_OUTCOME_OK)
            continue;
        anole_features_row(surrogate->features, trial->config,
                           table->rows + table->count * table->columns);
        table->labels[table->count++] = (float)log(trial->result.seconds);
    }
    return ANOLE_DONE;
}

/* Fits to the rows that are not of the fold; *base: their mean. */
static enum anole_status fit(struct anole_forest **forest, float *base, const struct table *table,
                             size_t fold, struct anole_error *error)
{
    float *rows = reallocarray(NULL, table->count, table->columns * sizeof *rows);
    float *labels = calloc(table->count, sizeof *labels);
    size_t count = 0;
    double sum = 0.0;
    enum anole_status status = rows && labels ? ANOLE_DONE : anole_fail_memory(error);
    for (size_t i = 0; i < table->count && status == ANOLE_DONE; i++) {
        if (i % FOLDS == fold)
            continue;
        memcpy(rows + count * table->columns, table->rows + i * table->columns,
               table->columns * sizeof *rows);
        labels[count++] = table->labels[i];
        sum += (double)table->labels[i];
    }
    *base = (float)(sum / (double)(count ? count : 1));
    for (size_t i = 0; i < count; i++)
        labels[i] -= *base;
    if (status == ANOLE_DONE)
        status = anole_forest_fit(forest, rows, labels, count, table->columns, &fit_options, error);
    free(rows);
    free(labels);
    return status;
}

/* Kendall's tau of what each fold's trials are and what the others predict. */
static enum anole_status cross_validate(struct bench_surrogate *surrogate,
                                        const struct table *table, struct anole_error *error)
{
    double balance = 0.0, pairs = 0.0;
    float *guesses = calloc(table->count, sizeof *guesses);
    enum anole_status status = guesses ? ANOLE_DONE : anole_fail_memory(error);
    for (size_t fold = 0; fold < FOLDS && status == ANOLE_DONE; fold++) {
        struct anole_forest *forest;
        float base;
        status = fit(&forest, &base, table, fold, error);
        if (status != ANOLE_DONE)
            break;
        for (size_t i = fold; i < table->count; i += FOLDS)
            guesses[i] = base + anole_forest_score(forest, table->rows + i * table->columns);
        anole_forest_destroy(forest);
    }
    for (size_t i = 0; i < table->count && status == ANOLE_DONE; i++) {
        for (size_t j = 0; j < i; j++) {
            double a = (double)(table->labels[i] - table->labels[j]);
            double b = (double)(guesses[i] - guesses[j]);
            balance += a * b > 0.0 ? 1.0 : a * b < 0.0 ? -1.0 : 0.0;
            pairs += 1.0;
        }
    }
    free(guesses);
    surrogate->fit = balance / pairs;
    return status;
}

double bench_surrogate_seconds(const struct bench_surrogate *surrogate, uint64_t config)
{
    float row[256];
    /* Who fails is decided by the config alone. */
    if ((double)anole_hash_combine(12345, config) < surrogate->failing * 0x1p64)
        return NAN;
    anole_features_row(surrogate->features, config, row);
    return exp((double)(surrogate->base + anole_forest_score(surrogate->forest, row)));
}

/* Climbs by changes of one to three knobs. */
static double climb(const struct bench_surrogate *surrogate, uint64_t from, struct anole_rng *rng)
{
    uint16_t here[ANOLE_MAX_KNOBS], there[ANOLE_MAX_KNOBS];
    size_t knobs = anole_space_knob_count(surrogate->space);
    double best = bench_surrogate_seconds(surrogate, from);
    anole_space_decode(surrogate->space, from, here);
    for (size_t waited = 0; waited < MAX_FAILED_MOVES; waited++) {
        memcpy(there, here, sizeof there);
        for (uint64_t moves = 1 + anole_rng_below(rng, 3); moves; moves--) {
            size_t k = anole_rng_below(rng, knobs);
            there[k] = (uint16_t)anole_rng_below(rng, anole_space_knob(surrogate->space, k)->count);
        }
        if (!anole_space_valid_digits(surrogate->space, there))
            continue;
        double seconds =
            bench_surrogate_seconds(surrogate, anole_space_encode(surrogate->space, there));
        if (!(seconds < best) && !isnan(best))
            continue;
        memcpy(here, there, sizeof here);
        best = seconds;
        waited = 0;
    }
    return best;
}

/* From random configs, and from the best that were measured. */
static void find_optimum(struct bench_surrogate *surrogate)
{
    uint64_t elites[CLIMBS / 4], config;
    size_t count = anole_trials_elites(surrogate->real, elites, NULL, CLIMBS / 4);
    struct anole_rng rng;
    anole_rng_init(&rng, 1);
    surrogate->optimum = INFINITY;
    for (size_t i = 0; i < CLIMBS; i++) {
        if (i < count)
            config = elites[i];
        else if (!anole_space_sample(surrogate->space, &rng, &config))
            continue;
        if (anole_space_valid(surrogate->space, config))
            surrogate->optimum = fmin(surrogate->optimum, climb(surrogate, config, &rng));
    }
}

static enum anole_status make_surrogate(struct bench_surrogate *surrogate,
                                        struct anole_error *error)
{
    struct table table;
    if (anole_features_count(surrogate->features) > 256)
        return anole_fail(error, ANOLE_ERR_INPUT, "%s: more than 256 features", surrogate->task);
    enum anole_status status = make_table(&table, surrogate, error);
    if (status != ANOLE_DONE)
        return status;
    status = cross_validate(surrogate, &table, error);
    if (status == ANOLE_DONE)
        status = fit(&surrogate->forest, &surrogate->base, &table, FOLDS, error);
    table_fini(&table);
    return status;
}

enum anole_status bench_surrogate_load(struct bench_surrogate *surrogate, const char *path,
                                       struct anole_error *error)
{
    struct reader reader = {.surrogate = surrogate, .path = path, .error = error};
    bool exact;
    *surrogate = (struct bench_surrogate){0};
    reader.noises = calloc(MOST_TIMED, sizeof *reader.noises);
    enum anole_status status = reader.noises ? ANOLE_DONE : anole_fail_memory(error);
    if (status == ANOLE_DONE)
        status = anole_space_create(&surrogate->space, error);
    if (status == ANOLE_DONE)
        status = anole_trials_create(&surrogate->real, error);
    if (status == ANOLE_DONE)
        status = read_file(&reader);
    if (status == ANOLE_DONE)
        status = make_surrogate(surrogate, error);
    if (status == ANOLE_DONE) {
        struct anole_summary summary;
        anole_summarise(&summary, reader.noises, reader.timed);
        surrogate->noise = summary.median;
    }
    free(reader.noises);
    if (status != ANOLE_DONE) {
        bench_surrogate_fini(surrogate);
        return status;
    }
    surrogate->failing = (double)reader.failed / (double)(reader.failed + reader.timed);
    surrogate->configs = anole_space_count(surrogate->space, 10000000, &exact);
    find_optimum(surrogate);
    return ANOLE_DONE;
}

void bench_surrogate_fini(struct bench_surrogate *surrogate)
{
    anole_forest_destroy(surrogate->forest);
    anole_trials_destroy(surrogate->real);
    anole_features_destroy(surrogate->features);
    anole_space_destroy(surrogate->space);
    *surrogate = (struct bench_surrogate){0};
}
