/* SPDX-License-Identifier: MIT */
#include "check/check.h"

#include "base/log.h"
#include "base/text.h"
#include "check/exam.h"
#include "plugin/scratch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name, *claim;
    enum anole_clause needs;
    enum anole_ruling (*test)(struct anole_exam *exam);
} contract[] = {
#define X(id, name, needs, claim) {name, claim, ANOLE_CLAUSE_##needs, anole_clause_##id},
    ANOLE_CONTRACT(X)
#undef X
};

const char *anole_ruling_text(enum anole_ruling verdict)
{
    static const char *const texts[] = {"pass", "fail", "skipped"};
    return (unsigned)verdict < sizeof texts / sizeof *texts ? texts[verdict] : "unknown";
}

/* A run of the check. */
struct run {
    const struct anole_check_options *options;
    struct anole_check_report *report;
    struct anole_exam exam;
    enum anole_clause clause; /* in hand */
    double limit;
};

/* In the clause's own process. */
static void test(void *context, struct anole_cell *cell)
{
    struct run *run = context;
    run->exam.cell = cell;
    cell->reply.verdict = contract[run->clause].test(&run->exam);
}

static void conclude(struct run *run, enum anole_ruling verdict, const char *text)
{
    struct anole_check_report *report = run->report;
    struct anole_clause_result *result = &report->results[report->count++];
    result->name = contract[run->clause].name;
    result->claim = contract[run->clause].claim;
    result->verdict = verdict;
    anole_text_printable(result->text, sizeof result->text, text);
    report->counts[verdict]++;
    if (run->options->told)
        run->options->told(run->options->context, result);
}

/* What a test that died has to do with the clause: it is the clause that failed. */
static void conclude_dead(struct run *run, const struct anole_cell *cell)
{
    char text[ANOLE_CHECK_TEXT];
    const char *separator = cell->err_words[0] ? "; its last words: " : "";
    snprintf(text, sizeof text, "the process %.255s%s%.255s", cell->death, separator,
             cell->err_words);
    conclude(run, ANOLE_FAIL, text);
}

static bool holds(const struct run *run, enum anole_clause clause)
{
    return run->report->results[clause].verdict == ANOLE_PASS;
}

static enum anole_status take_clause(struct run *run, struct anole_error *error)
{
    enum anole_clause needs = contract[run->clause].needs;
    const struct anole_check_options *options = run->options;
    struct anole_cell cell;
    if (needs != run->clause && !holds(run, needs)) {
        char text[128];
        snprintf(text, sizeof text, "needs %s", contract[needs].name);
        conclude(run, ANOLE_SKIPPED, text);
        return ANOLE_DONE;
    }
    anole_log_debug("clause %s", contract[run->clause].name);
    enum anole_status status =
        anole_cell_run(&cell, test, run, run->limit, options->stop, options->context, error);
    if (status != ANOLE_DONE)
        return status;
    run->exam.out += cell.out;
    run->exam.err += cell.err;
    if (!run->exam.words[0] && cell.out_words[0])
        anole_text_printable(run->exam.words, sizeof run->exam.words, cell.out_words);
    if (!cell.answered) {
        conclude_dead(run, &cell);
        return ANOLE_DONE;
    }
    conclude(run, (enum anole_ruling)cell.reply.verdict, cell.reply.text);
    if (run->clause == ANOLE_CLAUSE_supports)
        anole_exam_take_tasks(&run->exam, cell.reply.number);
    if (run->clause == ANOLE_CLAUSE_source)
        run->exam.kernels = cell.reply.number;
    return ANOLE_DONE;
}

/* -- What the tests go by -- */

static enum anole_status choose_device(struct run *run, struct anole_error *error)
{
    struct anole_exam *exam = &run->exam;
    const struct anole_registry *registry = exam->registry;
    const struct anole_registry_device *found = NULL;
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
    exam->device = &found->device;
    exam->driver = found->driver;
    snprintf(run->report->device, sizeof run->report->device, "%s (%s)", found->id,
             anole_text_printable(name, sizeof name, found->device.name));
    return ANOLE_DONE;
}

static enum anole_status prepare(struct run *run, struct anole_error *error)
{
    const struct anole_registry_entry *entry = &run->exam.registry->entries[0];
    struct anole_check_report *report = run->report;
    anole_text_printable(report->path, sizeof report->path, run->exam.path);
    snprintf(report->name, sizeof report->name, "%s", entry->name);
    snprintf(report->version, sizeof report->version, "%s", entry->version);
    run->exam.backend = entry->backend;
    if (!entry->backend)
        return ANOLE_DONE;
    run->exam.plugin = &entry->backend->plugin;
    return choose_device(run, error);
}

static enum anole_status go(struct run *run, struct anole_error *error)
{
    struct anole_registry *registry = NULL;
    enum anole_status status =
        anole_registry_create_file(&registry, run->exam.path, run->options->threads, error);
    if (status != ANOLE_DONE)
        return status;
    run->exam.registry = registry;
    status = prepare(run, error);
    for (int i = 0; i < ANOLE_CLAUSE_COUNT && status == ANOLE_DONE; i++) {
        run->clause = (enum anole_clause)i;
        status = take_clause(run, error);
    }
    anole_registry_destroy(registry);
    return status;
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
        status = anole_scratch_create(&scratch, error);
    if (status == ANOLE_DONE) {
        setenv(ANOLE_SCRATCH_VARIABLE, scratch, 1); /* the tests' processes share it */
        *run = (struct run){.options = options, .report = new};
        run->limit = options->limit > 0 ? options->limit : ANOLE_CHECK_LIMIT;
        run->exam.path = path;
        run->exam.threads = options->threads;
        run->exam.samples = options->samples ? options->samples : ANOLE_CHECK_SAMPLES;
        run->exam.seed = options->seed;
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
    if (report->counts[ANOLE_FAIL] > 0) {
        bool wrong = report->results[ANOLE_CLAUSE_outputs].verdict == ANOLE_FAIL ||
                     report->results[ANOLE_CLAUSE_bounds].verdict == ANOLE_FAIL;
        return anole_fail(error, wrong ? ANOLE_ERR_WRONG_RESULT : ANOLE_ERR_PLUGIN,
                          "%s breaks %zu of %zu clauses of the contract; PLUGINS.md explains each",
                          report->path, report->counts[ANOLE_FAIL], report->count);
    }
    if (report->results[ANOLE_CLAUSE_describes].verdict != ANOLE_PASS)
        return anole_fail(error, ANOLE_ERR_NO_DEVICE,
                          "%s has no device here: most clauses could not be tested", report->path);
    return ANOLE_DONE;
}
