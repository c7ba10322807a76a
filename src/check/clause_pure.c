/* SPDX-License-Identifier: MIT
 *
 * Clauses on the generate group: the same arguments give the same answer, always,
 * on any thread, without a device.
 */
#include "check/context.h"

#include "plugin/plugin_message.h"
#include "plugin/host.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define THREADS 4
#define PAIRS 64 /* of configs that differ in one knob, for each knob of a task */

static const char *label_of(char *out, size_t size, const struct anole_generator *generator)
{
    return anole_task_label(out, size, anole_generator_task(generator));
}

typedef enum anole_status maker(struct anole_generator **generator,
                                const struct anole_backend *backend,
                                const struct anole_device *device, const struct anole_task *task,
                                struct anole_error *error);

/* Calls `look` with the generator of each task, until one does not pass.  `make`: of a space
 * alone, or with its features, too. */
static enum anole_check_verdict
each_task(struct anole_check_context *check, const char *doing, maker *make,
          enum anole_check_verdict (*look)(struct anole_check_context *check,
                                           struct anole_generator *generator))
{
    for (size_t i = 0; i < check->task_count; i++) {
        struct anole_generator *generator = NULL;
        struct anole_error error = {.status = ANOLE_DONE};
        char label[128];
        anole_check_step(check, "%s of %s", doing,
                         anole_task_label(label, sizeof label, &check->tasks[i]));
        if (make(&generator, check->backend, check->device, &check->tasks[i], &error) != ANOLE_DONE)
            return anole_check_fail(check, "%s", error.text);
        enum anole_check_verdict verdict = look(check, generator);
        anole_generator_destroy(generator);
        if (verdict != ANOLE_PASS)
            return verdict;
    }
    return anole_check_pass(check, "for %zu tasks", check->task_count);
}

/* -- The space -- */

/* Making it was all: what is wrong with it stands in the error. */
static enum anole_check_verdict look_at_nothing(struct anole_check_context *check,
                                                struct anole_generator *generator)
{
    (void)check;
    (void)generator;
    return ANOLE_PASS;
}

enum anole_check_verdict anole_clause_declares(struct anole_check_context *check)
{
    return each_task(check, "declaring the design space", anole_generator_create_unwalked,
                     look_at_nothing);
}

static enum anole_check_verdict look_at_space(struct anole_check_context *check,
                                              struct anole_generator *generator)
{
    struct anole_generator *again = NULL;
    struct anole_error error = {.status = ANOLE_DONE};
    char label[128];
    if (anole_generator_create_unwalked(&again, check->backend, check->device,
                                        anole_generator_task(generator), &error) != ANOLE_DONE)
        return anole_check_fail(check, "the second time, %s", error.text);
    const struct anole_space *first = anole_generator_space(generator);
    const struct anole_space *second = anole_generator_space(again);
    bool same = anole_space_fingerprint(first) == anole_space_fingerprint(second) &&
                anole_space_default(first) == anole_space_default(second);
    anole_generator_destroy(again);
    return same ? ANOLE_PASS
                : anole_check_fail(check, "asked twice, space() declares two design spaces for %s",
                                   label_of(label, sizeof label, generator));
}

enum anole_check_verdict anole_clause_space(struct anole_check_context *check)
{
    return each_task(check, "declaring the design space", anole_generator_create_unwalked,
                     look_at_space);
}

static enum anole_check_verdict look_at_default(struct anole_check_context *check,
                                                struct anole_generator *generator)
{
    const struct anole_space *space = anole_generator_space(generator);
    uint16_t digits[ANOLE_MAX_KNOBS];
    char label[128];
    for (size_t i = 0; i < anole_space_knob_count(space); i++)
        digits[i] = (uint16_t)anole_space_knob(space, i)->default_digit;
    if (anole_space_default(space) == anole_space_encode(space, digits))
        return ANOLE_PASS; /* another is taken only where this one is not valid */
    const char *why = anole_space_violation(space, anole_space_encode(space, digits));
    return anole_check_fail(check, "the default config of %s violates: %s",
                            label_of(label, sizeof label, generator), why ? why : "valid()");
}

enum anole_check_verdict anole_clause_default_valid(struct anole_check_context *check)
{
    return each_task(check, "looking at the default config", anole_generator_create_unwalked,
                     look_at_default);
}

/* -- Features -- */

#define BEHIND 1024 /* numbers behind the room for features that are looked at */

/* The features of a config, `count` of them, in room that shows what is written behind it. */
static enum anole_check_verdict ask_features(struct anole_check_context *check,
                                             const struct anole_generator *generator,
                                             const int64_t *values, uint32_t count, double *out)
{
    static const double mark = -7.25e77;
    const struct anole_task *task = anole_generator_task(generator);
    uint32_t knobs = (uint32_t)anole_space_knob_count(anole_generator_space(generator));
    char label[128];
    label_of(label, sizeof label, generator);
    for (uint32_t i = 0; i < count + BEHIND; i++)
        out[i] = mark;
    uint32_t found = check->plugin->features(check->device, task, values, knobs, out);
    for (uint32_t i = count; i < count + BEHIND; i++)
        if (memcmp(&out[i], &mark, sizeof mark) != 0)
            return anole_check_fail(check,
                                    "features() announces %u numbers for %s, and writes one at "
                                    "position %u: there is room for as many as it announced",
                                    count, label, i);
    if (found != count)
        return anole_check_fail(check, "configs of %s differ in their number of features: %u, %u",
                                label, count, found);
    for (uint32_t i = 0; i < count; i++)
        if (memcmp(&out[i], &mark, sizeof mark) == 0)
            return anole_check_fail(check,
                                    "features() announces %u numbers for %s, and does not "
                                    "write number %u",
                                    count, label, i);
    return ANOLE_PASS;
}

static enum anole_check_verdict compare_features(struct anole_check_context *check,
                                                 const struct anole_generator *generator,
                                                 const int64_t *values, uint32_t expected)
{
    double *twice[2] = {calloc(expected + BEHIND, sizeof(double)),
                        calloc(expected + BEHIND, sizeof(double))};
    enum anole_check_verdict verdict = ANOLE_PASS;
    char label[128];
    for (int turn = 0; turn < 2 && twice[0] && twice[1] && verdict == ANOLE_PASS; turn++)
        verdict = ask_features(check, generator, values, expected, twice[turn]);
    if (!twice[0] || !twice[1])
        verdict = anole_check_fail(check, "out of memory");
    for (uint32_t i = 0; i < expected && verdict == ANOLE_PASS; i++)
        if (!isfinite(twice[0][i]) || memcmp(&twice[0][i], &twice[1][i], sizeof(double)) != 0)
            verdict = anole_check_fail(check, "feature %u of %s is %g, and then %g", i,
                                       label_of(label, sizeof label, generator), twice[0][i],
                                       twice[1][i]);
    free(twice[0]);
    free(twice[1]);
    return verdict;
}

static enum anole_check_verdict look_at_features(struct anole_check_context *check,
                                                 struct anole_generator *generator)
{
    const struct anole_space *space = anole_generator_space(generator);
    uint32_t knobs = (uint32_t)anole_space_knob_count(space);
    uint64_t *configs = calloc(check->samples + 1, sizeof *configs);
    if (!configs)
        return anole_check_fail(check, "out of memory");
    size_t count = anole_check_sample(check, generator, configs);
    uint32_t expected = 0;
    enum anole_check_verdict verdict = ANOLE_PASS;
    for (size_t i = 0; i < count && verdict == ANOLE_PASS; i++) {
        int64_t values[ANOLE_MAX_KNOBS];
        anole_space_values(space, configs[i], values);
        if (i == 0)
            expected = check->plugin->features(check->device, anole_generator_task(generator),
                                               values, knobs, NULL);
        verdict = compare_features(check, generator, values, expected);
    }
    free(configs);
    return verdict;
}

enum anole_check_verdict anole_clause_features(struct anole_check_context *check)
{
    if (!check->plugin->features)
        return anole_check_skip(check, "it has no op features");
    return each_task(check, "computing features", anole_generator_create, look_at_features);
}

/* -- The source -- */

enum anole_check_verdict anole_clause_source(struct anole_check_context *check)
{
    uint64_t first, second;
    size_t count, refused;
    struct anole_error error = {.status = ANOLE_DONE};
    anole_check_step(check, "generating kernels");
    if (anole_check_kernels(check, &first, &count, &refused, &error) != ANOLE_DONE ||
        anole_check_kernels(check, &second, &count, &refused, &error) != ANOLE_DONE)
        return anole_check_fail(check, "%s", error.text);
    check->sandbox->reply.number = first;
    if (first != second)
        return anole_check_fail(check, "asked twice, generate() gives two kernels for one config");
    return anole_check_pass(check, "%zu kernels for %zu tasks, %zu configs refused", count,
                            check->task_count, refused);
}

struct thread {
    struct anole_check_context *check;
    uint64_t number;
    enum anole_status status;
    struct anole_error error;
};

static void *generate_all(void *context)
{
    struct thread *thread = context;
    size_t count, refused;
    thread->status =
        anole_check_kernels(thread->check, &thread->number, &count, &refused, &thread->error);
    return NULL;
}

enum anole_check_verdict anole_clause_threads(struct anole_check_context *check)
{
    pthread_t ids[THREADS];
    struct thread threads[THREADS];
    anole_check_step(check, "generating kernels on %d threads", THREADS);
    for (int i = 0; i < THREADS; i++) {
        threads[i] = (struct thread){.check = check};
        if (pthread_create(&ids[i], NULL, generate_all, &threads[i]) != 0)
            return anole_check_skip(check, "threads cannot be started here");
    }
    for (int i = 0; i < THREADS; i++)
        pthread_join(ids[i], NULL);
    for (int i = 0; i < THREADS; i++) {
        if (threads[i].status != ANOLE_DONE)
            return anole_check_fail(check, "on one of %d threads: %s", THREADS,
                                    threads[i].error.text);
        if (threads[i].number != check->kernels)
            return anole_check_fail(check, "%d threads at once get other kernels than one",
                                    THREADS);
    }
    return anole_check_pass(check, "%d threads, the same kernels", THREADS);
}

/* This process has seen no device so far: nothing in it was asked of a driver. */
enum anole_check_verdict anole_clause_no_device(struct anole_check_context *check)
{
    static const char *const moments[] = {"before a device was opened", "while it is open",
                                          "after it was closed"};
    const struct anole_plugin *plugin = check->plugin;
    struct anole_session *session = NULL;
    struct anole_message message = {.size = sizeof message};
    for (int i = 0; i < (check->recorded ? 1 : 3); i++) {
        uint64_t number;
        size_t count, refused;
        char words[256];
        struct anole_error error = {.status = ANOLE_DONE};
        anole_check_step(check, "generating kernels %s", moments[i]);
        if (anole_check_kernels(check, &number, &count, &refused, &error) != ANOLE_DONE)
            return anole_check_fail(check, "%s: %s", moments[i], error.text);
        if (number != check->kernels)
            return anole_check_fail(check, "%s, it generates other kernels", moments[i]);
        if (check->recorded)
            return anole_check_pass(check, "the same kernels in two processes without it");
        anole_check_step(check, "%s the device", i == 0 ? "opening" : "closing");
        int code = i == 0 ? plugin->open(anole_host_get(check->threads), check->driver,
                                         check->device->index, &session, &message)
                          : ANOLE_OK;
        if (code != ANOLE_OK)
            return anole_check_fail(check, "open() failed: %s",
                                    anole_plugin_words(words, sizeof words, code, &message));
        if (i == 1)
            plugin->close(session);
    }
    return anole_check_pass(check, "the same kernels before, while and after");
}

/* -- Knobs -- */

/* Hash of a config's kernel; false: it has none. */
static bool kernel_of(const struct anole_generator *generator, uint64_t config, uint64_t *hash)
{
    struct anole_generated *generated = NULL;
    if (anole_generator_kernel(&generated, generator, config, NULL) != ANOLE_DONE)
        return false;
    *hash = generated->source_hash;
    anole_generated_destroy(generated);
    return true;
}

/* Whether some change of this knob alone, from a config, changes the kernel. */
static bool matters(const struct anole_generator *generator, uint64_t config, size_t knob,
                    size_t *pairs)
{
    const struct anole_space *space = anole_generator_space(generator);
    uint32_t count = anole_space_knob(space, knob)->count;
    uint16_t digits[ANOLE_MAX_KNOBS];
    uint64_t hash, other;
    if (!kernel_of(generator, config, &hash))
        return false;
    anole_space_decode(space, config, digits);
    uint16_t was = digits[knob];
    for (uint32_t d = 0; d < count && *pairs < PAIRS; d++) {
        digits[knob] = (uint16_t)d;
        if (d == was || !anole_space_valid_digits(space, digits) ||
            !kernel_of(generator, anole_space_encode(space, digits), &other))
            continue;
        ++*pairs;
        if (other != hash)
            return true;
    }
    return false;
}

static enum anole_check_verdict look_at_knobs(struct anole_check_context *check,
                                              struct anole_generator *generator)
{
    const struct anole_space *space = anole_generator_space(generator);
    uint64_t *configs = calloc(check->samples + 1, sizeof *configs);
    enum anole_check_verdict verdict = ANOLE_PASS;
    if (!configs)
        return anole_check_fail(check, "out of memory");
    size_t count = anole_check_sample(check, generator, configs);
    for (size_t k = 0; k < anole_space_knob_count(space) && verdict == ANOLE_PASS; k++) {
        size_t pairs = 0;
        bool found = false;
        for (size_t i = 0; i < count && !found && pairs < PAIRS; i++)
            found = matters(generator, configs[i], k, &pairs);
        char label[128];
        if (!found && pairs > 0)
            verdict = anole_check_fail(
                check,
                "knob %s of %s: %zu pairs of configs that differ in it alone have the same kernel; "
                "the search would spend trials on a difference that is none",
                anole_space_knob(space, k)->name, label_of(label, sizeof label, generator), pairs);
    }
    free(configs);
    return verdict;
}

enum anole_check_verdict anole_clause_knobs(struct anole_check_context *check)
{
    if (anole_check_simulated(check))
        return anole_check_skip(check, ANOLE_CHECK_NO_DATA);
    return each_task(check, "comparing kernels", anole_generator_create, look_at_knobs);
}
