/* SPDX-License-Identifier: MIT
 *
 * Clauses on the optional ops that networks are run with: sequences, and memory that the host
 * sees where it lies.
 */
#include "check/fixture.h"

#include "exec/verify.h"
#include "plugin/plugin_message.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* -- Sequences -- */

#define STEPS 2

/* A step writes to the output of the task, the other to another of the same size. */
struct pair {
    struct anole_fixture *fixture;
    struct anole_guarded other;
    struct anole_binding bindings[STEPS][ANOLE_ROLE_COUNT];
};

static enum anole_check_verdict fail(const struct anole_fixture *fixture, const char *what,
                                     int code, const struct anole_message *message)
{
    char words[256];
    return anole_check_fail(fixture->check, "%s, %s: %s failed: %s", fixture->label, fixture->words,
                            what, anole_plugin_words(words, sizeof words, code, message));
}

static enum anole_check_verdict look_at_times(const struct anole_fixture *fixture, double host,
                                              const double *device)
{
    if (!isfinite(host) || host < 0)
        return anole_check_fail(fixture->check,
                                "%s, %s: sequence_run() reports a host time of %g s",
                                fixture->label, fixture->words, host);
    for (int i = 0; device && i < STEPS; i++)
        if (isnan(device[i]) || isinf(device[i]))
            return anole_check_fail(fixture->check,
                                    "%s, %s: sequence_run() reports a time of %g s for step %d",
                                    fixture->label, fixture->words, device[i], i);
    return ANOLE_PASS;
}

/* Runs the sequence twice, asking for the steps' times once; each time the output is written
 * anew. */
static enum anole_check_verdict run_twice(struct anole_fixture *fixture,
                                          struct anole_sequence *sequence)
{
    const struct anole_plugin *plugin = fixture->check->plugin;
    enum anole_check_verdict verdict = ANOLE_PASS;
    for (int i = 0; i < 2 && verdict == ANOLE_PASS; i++) {
        struct anole_message message = {.size = sizeof message};
        struct anole_result result;
        double device[STEPS] = {-1, -1}, host = NAN;
        anole_result_clear(&result);
        if (!anole_executable_poison(&fixture->executable, &fixture->target, &result))
            return anole_fixture_fail(fixture, &result);
        int code = plugin->sequence_run(fixture->target.session, sequence, i ? device : NULL, &host,
                                        &message);
        verdict = code == ANOLE_OK ? look_at_times(fixture, host, i ? device : NULL)
                                   : fail(fixture, "sequence_run()", code, &message);
        if (verdict == ANOLE_PASS &&
            !anole_verify_output(&fixture->target, "after a sequence that was to write it",
                                 &result))
            verdict = anole_fixture_fail(fixture, &result);
    }
    return verdict;
}

/* Makes a sequence in which step `at` writes to the task's output, runs it, and looks at that. */
static enum anole_check_verdict try_order(struct pair *pair, int at)
{
    struct anole_fixture *fixture = pair->fixture;
    const struct anole_plugin *plugin = fixture->check->plugin;
    struct anole_message message = {.size = sizeof message};
    struct anole_sequence *sequence = NULL;
    struct anole_sequence_step steps[STEPS];
    struct anole_result result;
    anole_result_clear(&result);
    enum anole_check_verdict verdict = anole_fixture_bind(fixture);
    for (int i = 0; i < STEPS; i++) {
        memcpy(pair->bindings[i], fixture->executable.bindings, sizeof pair->bindings[i]);
        if (i != at)
            pair->bindings[i][ANOLE_ROLE_OUTPUT] = anole_guarded_binding(&pair->other);
        steps[i] = (struct anole_sequence_step){.build = fixture->executable.build,
                                                .bindings = pair->bindings[i],
                                                .binding_count = ANOLE_ROLE_COUNT};
    }
    if (verdict != ANOLE_PASS)
        return verdict;
    anole_check_step(fixture->check, "running %s of %s in a sequence of %d", fixture->words,
                     fixture->label, STEPS);
    int code = plugin->sequence_create(fixture->target.session, steps, STEPS, &sequence, &message);
    memset(pair->bindings, 0, sizeof pair->bindings); /* they need not outlive the call */
    memset(steps, 0, sizeof steps);
    if (code != ANOLE_OK)
        return fail(fixture, "sequence_create()", code, &message);
    verdict = run_twice(fixture, sequence);
    plugin->sequence_destroy(fixture->target.session, sequence);
    if (verdict == ANOLE_PASS &&
        !anole_verify_guards(&fixture->executable, &fixture->target, "in a sequence", &result))
        verdict = anole_fixture_fail(fixture, &result);
    return verdict;
}

static enum anole_check_verdict look_at_sequence(struct anole_fixture *fixture)
{
    struct pair pair = {.fixture = fixture};
    struct anole_message message = {.size = sizeof message};
    enum anole_check_verdict verdict = ANOLE_PASS;
    int code =
        anole_guarded_reserve(&pair.other, &fixture->target.memory,
                              fixture->executable.bindings[ANOLE_ROLE_OUTPUT].bytes, &message);
    if (code != ANOLE_OK)
        return fail(fixture, "buffer_create()", code, &message);
    for (int at = 0; at < STEPS && verdict == ANOLE_PASS; at++)
        verdict = try_order(&pair, at);
    anole_guarded_destroy(&pair.other, &fixture->target.memory);
    return verdict;
}

enum anole_check_verdict anole_clause_sequences(struct anole_check_context *check)
{
    const struct anole_plugin *plugin = check->plugin;
    int there = !!plugin->sequence_create + !!plugin->sequence_run + !!plugin->sequence_destroy;
    if (there == 0)
        return anole_check_skip(check, "it has no op sequence_create");
    if (there < 3)
        return anole_check_fail(check,
                                "it has %d of sequence_create, sequence_run and sequence_destroy: "
                                "expected all three or none",
                                there);
    return anole_fixture_each(check, true, look_at_sequence);
}

/* -- Memory -- */

#define MAP_BYTES 12288u
#define MAP_FROM 4096u
#define MAP_LENGTH 4160u

struct mapping {
    struct anole_check_context *check;
    struct anole_session *session;
    struct anole_buffer *buffer;
    unsigned char here[MAP_BYTES]; /* what the buffer is to hold */
};

static enum anole_check_verdict map_failed(struct anole_check_context *check, const char *what,
                                           int code, const struct anole_message *message)
{
    char words[256];
    return anole_check_fail(check, "%s failed: %s", what,
                            anole_plugin_words(words, sizeof words, code, message));
}

/* Maps a part, compares it, and changes it; and a second part at a time. */
static enum anole_check_verdict use_mapping(struct mapping *mapping)
{
    const struct anole_plugin *plugin = mapping->check->plugin;
    struct anole_message message = {.size = sizeof message};
    void *memory = NULL, *first = NULL;
    int code = plugin->buffer_map(mapping->session, mapping->buffer, MAP_FROM, MAP_LENGTH, &memory,
                                  &message);
    if (code != ANOLE_OK || !memory)
        return map_failed(mapping->check, "buffer_map()", code, &message);
    code = plugin->buffer_map(mapping->session, mapping->buffer, 0, 64, &first, &message);
    if (code != ANOLE_OK || !first)
        return map_failed(mapping->check, "buffer_map() of a second part", code, &message);
    bool same = memcmp(memory, mapping->here + MAP_FROM, MAP_LENGTH) == 0 &&
                memcmp(first, mapping->here, 64) == 0;
    for (size_t i = 0; i < MAP_LENGTH; i++)
        mapping->here[MAP_FROM + i] ^= 0x5a;
    memcpy(memory, mapping->here + MAP_FROM, MAP_LENGTH);
    code = plugin->buffer_unmap(mapping->session, mapping->buffer, memory, &message);
    if (code == ANOLE_OK)
        code = plugin->buffer_unmap(mapping->session, mapping->buffer, first, &message);
    if (code != ANOLE_OK)
        return map_failed(mapping->check, "buffer_unmap()", code, &message);
    return same ? ANOLE_PASS
                : anole_check_fail(mapping->check, "what buffer_map() shows is not what "
                                                   "buffer_write() wrote there");
}

static enum anole_check_verdict try_mapping(struct mapping *mapping)
{
    const struct anole_plugin *plugin = mapping->check->plugin;
    struct anole_message message = {.size = sizeof message};
    unsigned char back[MAP_BYTES];
    for (size_t i = 0; i < MAP_BYTES; i++)
        mapping->here[i] = (unsigned char)(i * 7 + i / 256);
    int code = plugin->buffer_write(mapping->session, mapping->buffer, 0, mapping->here, MAP_BYTES,
                                    &message);
    if (code != ANOLE_OK)
        return map_failed(mapping->check, "buffer_write()", code, &message);
    enum anole_check_verdict verdict = use_mapping(mapping);
    if (verdict != ANOLE_PASS)
        return verdict;
    code = plugin->buffer_read(mapping->session, mapping->buffer, 0, back, MAP_BYTES, &message);
    if (code != ANOLE_OK)
        return map_failed(mapping->check, "buffer_read()", code, &message);
    return memcmp(back, mapping->here, MAP_BYTES) == 0
               ? anole_check_pass(mapping->check, "two parts of a buffer, changed in place")
               : anole_check_fail(mapping->check, "what the host wrote into memory that "
                                                  "buffer_map() gave is not what buffer_read() "
                                                  "reads, or more than that was changed");
}

enum anole_check_verdict anole_clause_maps(struct anole_check_context *check)
{
    const struct anole_plugin *plugin = check->plugin;
    struct anole_message message = {.size = sizeof message};
    struct anole_fixture fixture;
    static struct mapping mapping;
    if (!plugin->buffer_map && !plugin->buffer_unmap)
        return anole_check_skip(check, "it has no op buffer_map");
    if (!plugin->buffer_map || !plugin->buffer_unmap)
        return anole_check_fail(check, "it has one of buffer_map and buffer_unmap: expected both "
                                       "or none");
    if (anole_check_simulated(check))
        return anole_check_skip(check, ANOLE_CHECK_NO_DATA);
    enum anole_check_verdict verdict = anole_fixture_open(&fixture, check, &check->tasks[0]);
    if (verdict != ANOLE_PASS)
        return verdict;
    mapping = (struct mapping){.check = check, .session = fixture.target.session};
    anole_check_step(check, "mapping memory");
    int code = plugin->buffer_create(mapping.session, MAP_BYTES, &mapping.buffer, &message);
    verdict = code == ANOLE_OK ? try_mapping(&mapping)
                               : map_failed(check, "buffer_create()", code, &message);
    if (code == ANOLE_OK)
        plugin->buffer_destroy(mapping.session, mapping.buffer);
    anole_fixture_close(&fixture);
    return verdict;
}
