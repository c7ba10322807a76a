/* SPDX-License-Identifier: MIT
 *
 * Files of trials, and the surrogates fitted to them.
 */
#include "large.h"

#include "base/hash.h"
#include "base/json.h"
#include "base/statistics.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MOST_FACTS 64
#define MOST_TIMED 65536 /* trials */
#define FOLDS 4
#define CLIMBS 400 /* of the search for the optimum */
#define PATIENCE 400

static const struct anole_forest_options fit_options = {
    .trees = 250,
    .depth = 5,
    .learning_rate = 0.08,
    .seed = 1,
};

/* -- Reading -- */

struct reader {
    struct large_world *world;
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
    return anole_space_add_knob(reader->world->space, name, strcmp(kind, "categorical") == 0,
                                values, NULL, count, strtoul(fallback, NULL, 10), reader->error);
}

static enum anole_status finish_space(struct reader *reader)
{
    struct large_world *world = reader->world;
    reader->finished = true;
    enum anole_status status = anole_space_finish(world->space, reader->error);
    if (status == ANOLE_DONE)
        status = anole_features_create(&world->features, world->space, reader->facts,
                                       reader->fact_count, NULL, NULL, 0, reader->error);
    return status;
}

static enum anole_status read_trial(struct reader *reader, char *text)
{
    struct large_world *world = reader->world;
    uint16_t digits[ANOLE_MAX_KNOBS];
    char *at = text;
    enum anole_status status = reader->finished ? ANOLE_DONE : finish_space(reader);
    if (status != ANOLE_DONE)
        return status;
    for (size_t k = 0; k < anole_space_knob_count(world->space); k++) {
        unsigned long digit = strtoul(at, &at, 10);
        if (digit >= anole_space_knob(world->space, k)->count)
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
    return anole_trials_add(world->real, anole_space_encode(world->space, digits), &result,
                            reader->error);
}

static enum anole_status read_line(struct reader *reader, char *line)
{
    struct large_world *world = reader->world;
    char *rest = strchr(line, ' ');
    if (!rest)
        return refuse(reader, "a word and what goes with it");
    *rest++ = '\0';
    if (strcmp(line, "trial") == 0)
        return read_trial(reader, rest);
    if (reader->finished)
        return refuse(reader, "only trials after the first");
    if (strcmp(line, "task") == 0)
        snprintf(world->task, sizeof world->task, "%s", rest);
    else if (strcmp(line, "facts") == 0)
        return read_facts(reader, rest);
    else if (strcmp(line, "knob") == 0)
        return read_knob(reader, rest);
    else if (strcmp(line, "constraint") == 0)
        return anole_space_add_constraint(world->space, rest, NULL, reader->error);
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

static enum anole_status make_table(struct table *table, const struct large_world *world,
                                    struct anole_error *error)
{
    size_t count = anole_trials_count(world->real);
    *table = (struct table){.columns = anole_features_count(world->features)};
    table->rows = reallocarray(NULL, count, table->columns * sizeof *table->rows);
    table->labels = calloc(count, sizeof *table->labels);
    if (!table->rows || !table->labels) {
        table_fini(table);
        return anole_fail_memory(error);
    }
    for (size_t i = 0; i < count; i++) {
        const struct anole_trial *trial = anole_trials_get(world->real, i);
        if (trial->result.outcome != ANOLE_OUTCOME_OK)
            continue;
        anole_features_row(world->features, trial->config,
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
static enum anole_status cross_validate(struct large_world *world, const struct table *table,
                                        struct anole_error *error)
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
    world->fit = balance / pairs;
    return status;
}

double large_world_seconds(const struct large_world *world, uint64_t config)
{
    float row[256];
    /* Who fails is decided by the config alone. */
    if ((double)anole_hash_combine(12345, config) < world->failing * 0x1p64)
        return NAN;
    anole_features_row(world->features, config, row);
    return exp((double)(world->base + anole_forest_score(world->forest, row)));
}

/* Climbs by changes of one to three knobs. */
static double climb(const struct large_world *world, uint64_t from, struct anole_rng *rng)
{
    uint16_t here[ANOLE_MAX_KNOBS], there[ANOLE_MAX_KNOBS];
    size_t knobs = anole_space_knob_count(world->space);
    double best = large_world_seconds(world, from);
    anole_space_decode(world->space, from, here);
    for (size_t waited = 0; waited < PATIENCE; waited++) {
        memcpy(there, here, sizeof there);
        for (uint64_t moves = 1 + anole_rng_below(rng, 3); moves; moves--) {
            size_t k = anole_rng_below(rng, knobs);
            there[k] = (uint16_t)anole_rng_below(rng, anole_space_knob(world->space, k)->count);
        }
        if (!anole_space_valid_digits(world->space, there))
            continue;
        double seconds = large_world_seconds(world, anole_space_encode(world->space, there));
        if (!(seconds < best) && !isnan(best))
            continue;
        memcpy(here, there, sizeof here);
        best = seconds;
        waited = 0;
    }
    return best;
}

/* From random configs, and from the best that were measured. */
static void find_optimum(struct large_world *world)
{
    uint64_t elites[CLIMBS / 4], config;
    size_t count = anole_trials_elites(world->real, elites, NULL, CLIMBS / 4);
    struct anole_rng rng;
    anole_rng_init(&rng, 1);
    world->optimum = INFINITY;
    for (size_t i = 0; i < CLIMBS; i++) {
        if (i < count)
            config = elites[i];
        else if (!anole_space_sample(world->space, &rng, &config))
            continue;
        if (anole_space_valid(world->space, config))
            world->optimum = fmin(world->optimum, climb(world, config, &rng));
    }
}

static enum anole_status make_surrogate(struct large_world *world, struct anole_error *error)
{
    struct table table;
    if (anole_features_count(world->features) > 256)
        return anole_fail(error, ANOLE_ERR_INPUT, "%s: more than 256 features", world->task);
    enum anole_status status = make_table(&table, world, error);
    if (status != ANOLE_DONE)
        return status;
    status = cross_validate(world, &table, error);
    if (status == ANOLE_DONE)
        status = fit(&world->forest, &world->base, &table, FOLDS, error);
    table_fini(&table);
    return status;
}

enum anole_status large_world_load(struct large_world *world, const char *path,
                                   struct anole_error *error)
{
    struct reader reader = {.world = world, .path = path, .error = error};
    bool exact;
    *world = (struct large_world){0};
    reader.noises = calloc(MOST_TIMED, sizeof *reader.noises);
    enum anole_status status = reader.noises ? ANOLE_DONE : anole_fail_memory(error);
    if (status == ANOLE_DONE)
        status = anole_space_create(&world->space, error);
    if (status == ANOLE_DONE)
        status = anole_trials_create(&world->real, error);
    if (status == ANOLE_DONE)
        status = read_file(&reader);
    if (status == ANOLE_DONE)
        status = make_surrogate(world, error);
    if (status == ANOLE_DONE) {
        struct anole_summary summary;
        anole_summarise(&summary, reader.noises, reader.timed);
        world->noise = summary.median;
    }
    free(reader.noises);
    if (status != ANOLE_DONE) {
        large_world_fini(world);
        return status;
    }
    world->failing = (double)reader.failed / (double)(reader.failed + reader.timed);
    world->configs = anole_space_count(world->space, 10000000, &exact);
    find_optimum(world);
    return ANOLE_DONE;
}

void large_world_fini(struct large_world *world)
{
    anole_forest_destroy(world->forest);
    anole_trials_destroy(world->real);
    anole_features_destroy(world->features);
    anole_space_destroy(world->space);
    *world = (struct large_world){0};
}
