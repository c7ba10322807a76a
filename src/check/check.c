/* SPDX-License-Identifier: MIT */
#include "check/check.h"

#include "base/log.h"
#include "base/text.h"
#include "check/fixture.h"
#include "plugin/scratch.h"
#include "devices/selection.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name, *claim;
    enum anole_clause needs;
    enum anole_check_verdict (*test)(struct anole_check_context *check);
} contract[] = {
#define X(id, name, needs, claim) {name, claim, ANOLE_CLAUSE_##needs, anole_clause_##id},
    ANOLE_CONTRACT(X)
#undef X
};

const char *anole_check_verdict_text(enum anole_check_verdict verdict)
{
    static const char *const texts[] = {"pass", "fail", "skipped"};
    return (unsigned)verdict < sizeof texts / sizeof *texts ? texts[verdict] : "unknown";
}

const char *anole_check_clause_name(size_t i)
{
    return i < ANOLE_CLAUSE_COUNT ? contract[i].name : NULL;
}

/* A run of the check. */
struct run {
    const struct anole_check_options *options;
    struct anole_check_report *report;
    struct anole_check_context check;
    struct anole_device recorded;
    bool asked[ANOLE_CLAUSE_COUNT];
    enum anole_clause clause; /* in hand */
    struct anole_sandbox_limits limits;
};

/* In the clause's own process. */
static void test(void *context, struct anole_sandbox *sandbox)
{
    struct run *run = context;
    run->check.sandbox = sandbox;
    sandbox->reply.verdict = contract[run->clause].test(&run->check);
}

static void conclude(struct run *run, enum anole_check_verdict verdict, const char *text)
{
    struct anole_check_report *report = run->report;
    struct anole_clause_result *result = &report->results[report->count++];
    result->name = contract[run->clause].name;
    result->claim = contract[run->clause].claim;
    result->verdict = verdict;
    anole_text_printable(result->text, sizeof result->text, text);
    result->asked = run->asked[run->clause];
    if (!result->asked)
        return;
    report->counts[verdict]++;
    if (run->options->told)
        run->options->told(run->options->context, result);
}

/* What a test that died has to do with the clause: it is the clause that failed. */
static void conclude_dead(struct run *run, const struct anole_sandbox *sandbox)
{
    char text[ANOLE_CHECK_TEXT + 16];
    snprintf(text, sizeof text, "the process %s", sandbox->death);
    conclude(run, ANOLE_FAIL, text);
}

static bool holds(const struct run *run, enum anole_clause clause)
{
    return run->report->results[clause].verdict == ANOLE_PASS;
}

/* What later clauses go by. */
static void learn(struct run *run, uint64_t number)
{
    struct anole_check_context *check = &run->check;
    if (run->clause == ANOLE_CLAUSE_supports)
        anole_check_take_tasks(check, number);
    if (run->clause == ANOLE_CLAUSE_source)
        check->kernels = number;
    if (run->clause == ANOLE_CLAUSE_builds)
        check->fewer = anole_fixture_fewer(check, (double)number * 1e-6);
}

/* A device whose builds or runs take long says so; users may say otherwise. */
static void set_limits(struct run *run, const struct anole_device *device)
{
    const struct anole_check_options *options = run->options;
    const double limit = options->limit > 0 ? options->limit : ANOLE_CHECK_LIMIT;
    const bool declared = device && !(options->limit > 0);
    run->limits.other = limit;
    run->limits.build = options->build_limit > 0 ? options->build_limit
                        : declared               ? fmax(limit, device->build_seconds)
                                                 : limit;
    run->limits.run = options->run_limit > 0 ? options->run_limit
                      : declared             ? fmax(limit, device->run_seconds)
                                             : limit;
}

static enum anole_status take_clause(struct run *run, struct anole_error *error)
{
    enum anole_clause needs = contract[run->clause].needs;
    const struct anole_check_options *options = run->options;
    struct anole_sandbox sandbox;
    if (!run->asked[run->clause]) {
        conclude(run, ANOLE_SKIPPED, "not asked for");
        return ANOLE_DONE;
    }
    if (needs != run->clause && !holds(run, needs)) {
        char text[128];
        snprintf(text, sizeof text, "needs %s", contract[needs].name);
        conclude(run, ANOLE_SKIPPED, text);
        return ANOLE_DONE;
    }
    anole_log_debug("clause %s", contract[run->clause].name);
    enum anole_status status = anole_sandbox_run(&sandbox, test, run, &run->limits, options->stop,
                                                 options->context, error);
    if (status != ANOLE_DONE)
        return status;
    run->check.out += sandbox.out.bytes;
    run->check.err += sandbox.err.bytes;
    if (!run->check.words[0] && sandbox.out.head[0])
        anole_text_printable(run->check.words, sizeof run->check.words, sandbox.out.head);
    if (!sandbox.answered) {
        conclude_dead(run, &sandbox);
        return ANOLE_DONE;
    }
    conclude(run, (enum anole_check_verdict)sandbox.reply.verdict, sandbox.reply.text);
    learn(run, sandbox.reply.number);
    return ANOLE_DONE;
}

/* Those that were named, and what they need. */
static enum anole_status choose_clauses(struct run *run, struct anole_error *error)
{
    const struct anole_check_options *options = run->options;
    for (int i = 0; i < ANOLE_CLAUSE_COUNT; i++)
        run->asked[i] = options->clause_count == 0;
    for (size_t n = 0; n < options->clause_count; n++) {
        const char *names[ANOLE_CLAUSE_COUNT], *given = options->clauses[n];
        int at = 0;
        for (int i = 0; i < ANOLE_CLAUSE_COUNT; i++)
            names[i] = contract[i].name;
        while (at < ANOLE_CLAUSE_COUNT && strcmp(names[at], given) != 0)
            at++;
        if (at == ANOLE_CLAUSE_COUNT) {
            char safe[128];
            const char *near = anole_text_nearest(given, names, ANOLE_CLAUSE_COUNT);
            return anole_fail(error, ANOLE_ERR_USAGE,
                              "there is no clause '%s'%s%s%s; PLUGINS.md lists them",
                              anole_text_printable(safe, sizeof safe, given),
                              near ? "; did you mean '" : "", near ? near : "", near ? "'" : "");
        }
        for (; !run->asked[at]; at = (int)contract[at].needs)
            run->asked[at] = true;
    }
    return ANOLE_DONE;
}

/* -- What the tests go by -- */

static enum anole_status choose_device(struct run *run, struct anole_error *error)
{
    struct anole_check_context *check = &run->check;
    const struct anole_registry *registry = check->registry;
    const struct anole_registry_device *found = NULL;
    if (run->options->recorded) {
        char name[128];
        run->recorded = *run->options->recorded;
        check->device = &run->recorded;
        check->driver = "";
        check->recorded = true;
        set_limits(run, check->device);
        snprintf(run->report->device, sizeof run->report->device, "%s (recorded)",
                 anole_text_printable(name, sizeof name, run->recorded.name));
        return ANOLE_DONE;
    }
    if (registry->device_count == 0)
        return ANOLE_DONE;
    if (run->options->device) {
        enum anole_status status =
            anole_registry_find(&found, registry, run->options->device, error);
        if (status != ANOLE_DONE)
            return status;
    } else {
        found = &registry->devices[0];
    }
    char name[128];
    check->device = &found->device;
    check->driver = found->driver;
    set_limits(run, check->device);
    snprintf(run->report->device, sizeof run->report->device, "%s (%s)", found->id,
             anole_text_printable(name, sizeof name, found->device.name));
    return ANOLE_DONE;
}

static enum anole_status prepare(struct run *run, struct anole_error *error)
{
    const struct anole_registry_entry *entry = &run->check.registry->entries[0];
    struct anole_check_report *report = run->report;
    anole_text_printable(report->path, sizeof report->path, run->check.path);
    snprintf(report->name, sizeof report->name, "%s", entry->name);
    snprintf(report->version, sizeof report->version, "%s", entry->version);
    run->check.backend = entry->backend;
    if (!entry->backend)
        return ANOLE_DONE;
    run->check.plugin = &entry->backend->plugin;
    anole_backend_ask_here(entry->backend); /* each clause has a process of its own */
    return choose_device(run, error);
}

static enum anole_status go(struct run *run, struct anole_error *error)
{
    struct anole_registry *registry = NULL;
    enum anole_status status =
        anole_registry_create_file(&registry, run->check.path, run->options->threads, error);
    if (status != ANOLE_DONE)
        return status;
    run->check.registry = registry;
    status = prepare(run, error);
    for (int i = 0; i < ANOLE_CLAUSE_COUNT && status == ANOLE_DONE; i++) {
        run->clause = (enum anole_clause)i;
        status = take_clause(run, error);
    }
    anole_registry_destroy(registry);
    return status;
}

static enum anole_status set_up(struct run *run, struct anole_check_report *report,
                                const char *path, const struct anole_check_options *options,
                                struct anole_error *error)
{
    struct anole_check_context *check = &run->check;
    run->options = options;
    run->report = report;
    set_limits(run, NULL);
    check->path = path;
    check->threads = options->threads;
    check->samples = options->samples ? options->samples : ANOLE_CHECK_SAMPLES;
    check->all_samples = options->samples > 0;
    check->patience = options->patience > 0 ? options->patience : ANOLE_CHECK_PATIENCE;
    check->seed = options->seed;
    anole_check_set_candidates(check, options->tasks, options->task_count);
    return choose_clauses(run, error);
}

enum anole_status anole_check_run(struct anole_check_report **report, const char *path,
                                  const struct anole_check_options *options,
                                  struct anole_error *error)
{
    struct anole_check_report *new = calloc(1, sizeof *new);
    struct run *run = calloc(1, sizeof *run);
    char *scratch = NULL;
    enum anole_status status = ANOLE_DONE;
    if (new)
        new->results = calloc(ANOLE_CLAUSE_COUNT, sizeof *new->results);
    if (!run || !new || !new->results)
        status = anole_fail_memory(error);
    if (status == ANOLE_DONE)
        status = set_up(run, new, path, options, error);
    if (status == ANOLE_DONE)
        status = anole_scratch_create(&scratch, error);
    if (status == ANOLE_DONE) {
        setenv(ANOLE_SCRATCH_VARIABLE, scratch, 1); /* the tests' processes share it */
        status = go(run, error);
        unsetenv(ANOLE_SCRATCH_VARIABLE);
        anole_scratch_remove(scratch);
    }
    free(scratch);
    free(run);
    if (status != ANOLE_DONE) {
        anole_check_report_destroy(new);
        return status;
    }
    *report = new;
    return ANOLE_DONE;
}

void anole_check_report_destroy(struct anole_check_report *report)
{
    if (!report)
        return;
    free(report->results);
    free(report);
}

enum anole_status anole_check_judge(const struct anole_check_report *report,
                                    struct anole_error *error)
{
    const struct anole_clause_result *describes = &report->results[ANOLE_CLAUSE_describes];
    if (report->counts[ANOLE_FAIL] > 0) {
        bool wrong = report->results[ANOLE_CLAUSE_outputs].verdict == ANOLE_FAIL ||
                     report->results[ANOLE_CLAUSE_bounds].verdict == ANOLE_FAIL;
        return anole_fail(error, wrong ? ANOLE_ERR_WRONG_RESULT : ANOLE_ERR_PLUGIN,
                          "%s breaks %zu of %zu clauses of the contract; PLUGINS.md explains each",
                          report->path, report->counts[ANOLE_FAIL],
                          report->counts[ANOLE_PASS] + report->counts[ANOLE_FAIL] +
                              report->counts[ANOLE_SKIPPED]);
    }
    if (describes->asked && describes->verdict != ANOLE_PASS)
        return anole_fail(error, ANOLE_ERR_NO_DEVICE,
                          "%s has no device here: most clauses could not be tested", report->path);
    return ANOLE_DONE;
}
