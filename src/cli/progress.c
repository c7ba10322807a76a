/* SPDX-License-Identifier: MIT */
#include "cli/progress.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "cli/report.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define TERMINAL_INTERVAL 0.1 /* seconds between repaints */
#define PLAIN_INTERVAL 5.0    /* seconds between plain lines */
#define LINES 4

struct anole_progress {
    bool terminal;
    double shown;      /* anole_clock() of the last line */
    const char *phase; /* of the last line */
    bool painted;
};

/* Removes the lines on the terminal, so that something else can be said. */
static void wipe(void *context)
{
    struct anole_progress *progress = context;
    if (!progress->painted)
        return;
    fprintf(stderr, "\x1b[%dA\r\x1b[J", LINES);
    progress->painted = false;
}

enum anole_status anole_progress_create(struct anole_progress **progress, struct anole_error *error)
{
    struct anole_progress *new = calloc(1, sizeof *new);
    if (!new)
        return anole_fail_memory(error);
    const char *kind = getenv("TERM");
    new->terminal = isatty(STDERR_FILENO) && kind &&*kind &&strcmp(kind, "dumb") != 0;
    anole_log_set_hook(wipe, new);
    *progress = new;
    return ANOLE_DONE;
}

void anole_progress_destroy(struct anole_progress *progress)
{
    if (!progress)
        return;
    wipe(progress);
    anole_log_set_hook(NULL, NULL);
    free(progress);
}

/* -------------------------------------------------------------- the words */

/* The network's time with defaults and with the best so far, over the tasks for
 * which both are known. */
static void estimate(const struct anole_tune_state *state, double *before, double *after)
{
    *before = *after = 0.0;
    for (size_t i = 0; i < state->task_count; i++) {
        const struct anole_tune_task *task = state->tasks[i];
        if (isnan(task->default_seconds) || isnan(task->best_seconds))
            continue;
        *before += task->task->multiplicity * task->default_seconds;
        *after += task->task->multiplicity * task->best_seconds;
    }
}

static void put_clock(struct anole_text *out, const struct anole_tune_state *state)
{
    int elapsed = (int)state->elapsed;
    anole_text_printf(out, "%d:%02d", elapsed / 60, elapsed % 60);
    if (state->time_limit > 0.0) {
        int left = (int)fmax(0.0, state->time_limit - state->elapsed);
        anole_text_printf(out, ", %d:%02d left", left / 60, left % 60);
    }
}

static void put_trials(struct anole_text *out, const struct anole_tune_state *state)
{
    size_t resumed = 0;
    for (size_t i = 0; i < state->task_count; i++)
        resumed += state->tasks[i]->resumed;
    anole_text_printf(out, "%zu trials", state->trials);
    if (state->trial_limit > 0)
        anole_text_printf(out, " of %llu", (unsigned long long)state->trial_limit);
    if (resumed > 0)
        anole_text_printf(out, " (+%zu from the history)", resumed);
}

static void put_task(struct anole_text *out, const struct anole_tune_task *task)
{
    if (isnan(task->best_seconds)) {
        anole_text_printf(out, "nothing valid yet");
        return;
    }
    char time[32];
    if (task->task->flops > 0.0)
        anole_text_printf(out, "best %.1f GFLOP/s, ",
                          task->task->flops / task->best_seconds * 1e-9);
    anole_text_printf(out, "%s", anole_text_seconds(time, sizeof time, task->best_seconds));
    if (!isnan(task->default_seconds))
        anole_text_printf(out, ", %+.0f %% over the default",
                          100.0 * (task->default_seconds / task->best_seconds - 1.0));
}

static void put_network(struct anole_text *out, const struct anole_tune_state *state,
                        const char *separator)
{
    double before, after;
    estimate(state, &before, &after);
    if (after <= 0.0)
        return;
    char a[32], b[32];
    anole_text_printf(out, "network %s -> %s (%.2fx)%s", anole_text_seconds(a, sizeof a, before),
                      anole_text_seconds(b, sizeof b, after), before / after, separator);
}

static void put_failures(struct anole_text *out, const struct anole_tune_state *state)
{
    size_t sum = 0;
    for (int kind = 0; kind < ANOLE_OUTCOME_COUNT; kind++) {
        size_t count = 0;
        for (size_t i = 0; i < state->task_count; i++)
            count += state->tasks[i]->outcomes[kind];
        if (count == 0)
            continue;
        anole_text_printf(out, "%s%s %zu",
                          sum ? ", " : "failures: ", anole_outcome_text((enum anole_outcome)kind),
                          count);
        sum += count;
    }
    if (sum == 0)
        anole_text_printf(out, "no failures");
}

static void put_crowding(struct anole_text *out, const struct anole_tune_state *state,
                         const char *separator)
{
    char text[96];
    if (*anole_report_crowding(text, sizeof text, state))
        anole_text_printf(out, "%s%s", separator, text);
}

/* Where the wall time went, in percent of what has passed. */
static void put_costs(struct anole_text *out, const struct anole_tune_state *state)
{
    double search = state->cost->model + state->cost->explore + state->cost->sample;
    double percent = state->elapsed > 0.0 ? 100.0 / state->elapsed : 0.0;
    anole_text_printf(out,
                      "time: build %.0f %%, run %.0f %%, verify %.0f %%, prepare %.0f %%, "
                      "workers %.0f %%, search %.1f %%, history %.1f %%",
                      percent * state->cost->build, percent * state->cost->run,
                      percent * (state->cost->verify + state->cost->transfer),
                      percent * state->cost->prepare, percent * state->cost->workers,
                      percent * search, percent * state->cost->history);
}

/* --------------------------------------------------------------- showing */

static int columns(void)
{
    struct winsize size;
    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 20)
        return size.ws_col;
    return 80;
}

static void paint(struct anole_progress *progress, const struct anole_tune_state *state)
{
    const struct anole_tune_task *task = state->tasks[state->current];
    struct anole_text lines[LINES] = {{0}};
    put_clock(&lines[0], state);
    anole_text_printf(&lines[0], "  %s  ", state->phase_text);
    put_trials(&lines[0], state);
    anole_text_printf(&lines[1], "task %zu/%zu  %s  ", state->current + 1, state->task_count,
                      task->task->label);
    put_task(&lines[1], task);
    put_network(&lines[2], state, "  ");
    put_failures(&lines[2], state);
    put_crowding(&lines[2], state, "  ");
    put_costs(&lines[3], state);
    wipe(progress);
    int width = columns();
    for (int i = 0; i < LINES; i++) {
        fprintf(stderr, "%.*s\n", width - 1, lines[i].data ? lines[i].data : "");
        anole_text_fini(&lines[i]);
    }
    progress->painted = true;
}

static void plain(const struct anole_tune_state *state)
{
    const struct anole_tune_task *task = state->tasks[state->current];
    struct anole_text line = {0};
    put_clock(&line, state);
    anole_text_printf(&line, "  %s  ", state->phase_text);
    put_trials(&line, state);
    anole_text_printf(&line, "  %s: ", task->task->label);
    put_task(&line, task);
    anole_text_printf(&line, "; ");
    put_network(&line, state, "; ");
    put_failures(&line, state);
    put_crowding(&line, state, "; ");
    fprintf(stderr, "%s\n", line.data ? line.data : "");
    anole_text_fini(&line);
}

void anole_progress_show(void *context, enum anole_tune_event event,
                         const struct anole_tune_state *state)
{
    (void)event;
    struct anole_progress *progress = context;
    double now = anole_clock();
    double interval = progress->terminal ? TERMINAL_INTERVAL : PLAIN_INTERVAL;
    if (progress->phase == state->phase_text && now - progress->shown < interval)
        return;
    progress->phase = state->phase_text;
    progress->shown = now;
    if (progress->terminal)
        paint(progress, state);
    else
        plain(state);
}
