/* SPDX-License-Identifier: MIT */
#include "cli/failures.h"

#include "base/text.h"
#include "cli/command.h"
#include "op/task.h"
#include "record/history.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST_KINDS 1000 /* messages that are each of their own kind: enough of them */

/* Failures that have the outcome and, numbers aside, the message in common. */
struct kind {
    enum anole_outcome outcome;
    char pattern[256]; /* the message, with # for each number, / for each path */
    char message[256]; /* of the first */
    uint64_t id;       /* the first */
    size_t count, quarantined;
    char task[ANOLE_TASK_KEY]; /* of the first */
};

struct kinds {
    struct kind *items;
    size_t count;
    size_t trials, failures; /* in all */
};

static enum anole_status add(struct kinds *kinds, const struct anole_history_event *trial,
                             struct anole_error *error)
{
    char pattern[256];
    anole_text_pattern(pattern, sizeof pattern, trial->result.message);
    size_t at = 0;
    while (at < kinds->count && (kinds->items[at].outcome != trial->result.outcome ||
                                 strcmp(kinds->items[at].pattern, pattern) != 0))
        at++;
    if (at == kinds->count && at == MOST_KINDS)
        at--;
    if (at == kinds->count) {
        struct kind *grown = reallocarray(kinds->items, at + 1, sizeof *grown);
        if (!grown)
            return anole_fail_memory(error);
        kinds->items = grown;
        kinds->count++;
        grown[at] = (struct kind){.outcome = trial->result.outcome, .id = trial->id};
        memcpy(grown[at].pattern, pattern, sizeof pattern);
        anole_text_printable(grown[at].message, sizeof grown[at].message, trial->result.message);
        snprintf(grown[at].task, sizeof grown[at].task, "%s", trial->found.key.task);
    }
    kinds->items[at].count++;
    kinds->items[at].quarantined += trial->quarantined;
    return ANOLE_DONE;
}

static enum anole_status collect(struct kinds *kinds, const struct anole_history *history,
                                 struct anole_error *error)
{
    struct anole_history_event *trial = calloc(1, sizeof *trial);
    size_t next = 0;
    enum anole_status status = trial ? ANOLE_DONE : anole_fail_memory(error);
    while (status == ANOLE_DONE && anole_history_next_event(history, &next, trial)) {
        kinds->trials++;
        if (trial->result.outcome == ANOLE_OUTCOME_OK)
            continue;
        kinds->failures++;
        status = add(kinds, trial, error);
    }
    free(trial);
    return status;
}

/* By outcome, then the most frequent first. */
static int compare(const void *a, const void *b)
{
    const struct kind *x = a, *y = b;
    if (x->outcome != y->outcome)
        return x->outcome < y->outcome ? -1 : 1;
    if (x->count != y->count)
        return x->count > y->count ? -1 : 1;
    return (x->id > y->id) - (x->id < y->id);
}

static void print_kinds(const struct kinds *kinds, const char *path)
{
    struct anole_text command = {.data = NULL};
    const struct kind *before = NULL;
    anole_command_quote(&command, path);
    printf("%zu of %zu trials failed, in %zu way%s\n", kinds->failures, kinds->trials, kinds->count,
           kinds->count == 1 ? "" : "s");
    for (size_t i = 0; i < kinds->count; i++) {
        const struct kind *kind = &kinds->items[i];
        char label[64], safe[ANOLE_TASK_KEY];
        struct anole_task task;
        if (!before || before->outcome != kind->outcome)
            printf("\n%s: %s\n", anole_outcome_text(kind->outcome),
                   anole_outcome_words(kind->outcome));
        before = kind;
        bool known = anole_task_parse_key(&task, kind->task, NULL) == ANOLE_DONE;
        printf("  %zu x  %s\n", kind->count, kind->message[0] ? kind->message : "(no message)");
        printf("       e.g. %s%s\n",
               known ? anole_task_label(label, sizeof label, &task)
                     : anole_text_printable(safe, sizeof safe, kind->task),
               kind->quarantined ? "; quarantined: it took its worker with it twice" : "");
        printf("       anole replay-trial %s %llu\n",
               command.data ? command.data : anole_command_shown(path),
               (unsigned long long)kind->id);
    }
    anole_text_fini(&command);
}

static enum anole_status print_json(const struct kinds *kinds, const char *path,
                                    struct anole_error *error)
{
    json_t *list = json_array();
    for (size_t i = 0; i < kinds->count; i++) {
        const struct kind *kind = &kinds->items[i];
        char task[2 * ANOLE_TASK_KEY];
        json_array_append_new(list, json_pack("{s:s, s:s, s:I, s:I, s:I, s:s}", "outcome",
                                              anole_outcome_text(kind->outcome), "message",
                                              kind->message, "count", (json_int_t)kind->count,
                                              "quarantined", (json_int_t)kind->quarantined, "id",
                                              (json_int_t)kind->id, "task",
                                              anole_text_printable(task, sizeof task, kind->task)));
    }
    return anole_command_print_json(json_pack("{s:s, s:I, s:I, s:o}", "history", path, "trials",
                                              (json_int_t)kinds->trials, "failures",
                                              (json_int_t)kinds->failures, "kinds", list),
                                    error);
}

enum anole_status anole_failures_print(const char *path, bool json, struct anole_error *error)
{
    struct anole_history *history;
    struct kinds kinds = {.items = NULL};
    enum anole_status status = anole_history_open(&history, path, ANOLE_HISTORY_READ, error);
    if (status != ANOLE_DONE)
        return status;
    status = collect(&kinds, history, error);
    anole_history_close(history);
    if (status == ANOLE_DONE && kinds.count > 0)
        qsort(kinds.items, kinds.count, sizeof *kinds.items, compare);
    if (status == ANOLE_DONE && json)
        status = print_json(&kinds, path, error);
    else if (status == ANOLE_DONE)
        print_kinds(&kinds, path);
    free(kinds.items);
    return status;
}
