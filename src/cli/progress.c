/* SPDX-License-Identifier: MIT */
#include "cli/progress.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "cli/progress_events.h"
#include "cli/progress_share.h"
#include "cli/report.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define TERMINAL_INTERVAL 0.1 /* seconds between repaints */
#define PLAIN_INTERVAL 5.0    /* seconds between plain lines */
#define NARROWEST 24          /* columns; a terminal that says less is not believed */
#define GAP "  "              /* between what stands in one line */

struct anole_progress {
    bool json;
    bool terminal;
    double shown;      /* anole_clock() of the last line */
    const char *phase; /* of the last line */
    int painted;       /* lines on the terminal */
};

/* Removes the lines on the terminal, so that something else can be said. */
static void wipe(void *context)
{
    struct anole_progress *progress = context;
    if (!progress->painted)
        return;
    fprintf(stderr, "\x1b[%dA\r\x1b[J", progress->painted);
    progress->painted = 0;
}

enum anole_status anole_progress_create(struct anole_progress **progress, bool json,
                                        struct anole_error *error)
{
    struct anole_progress *new = calloc(1, sizeof *new);
    if (!new)
        return anole_fail_memory(error);
    const char *kind = getenv("TERM");
    new->json = json;
    new->terminal = !json &&isatty(STDERR_FILENO) && kind &&*kind &&strcmp(kind, "dumb") != 0;
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
    const size_t earlier = anole_progress_resumed(state);
    anole_text_printf(out, "%zu trials", state->trials);
    if (state->trial_limit > 0)
        anole_text_printf(out, " of %llu", (unsigned long long)state->trial_limit);
    if (earlier > 0)
        anole_text_printf(out, " (+%zu from the history)", earlier);
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

static void put_network(struct anole_text *out, const struct anole_tune_state *state)
{
    double before, after;
    anole_progress_estimate(state, &before, &after);
    if (after <= 0.0)
        return;
    char a[32], b[32];
    anole_text_printf(out, "network %s -> %s (%.2fx)", anole_text_seconds(a, sizeof a, before),
                      anole_text_seconds(b, sizeof b, after), before / after);
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

static void put_crowding(struct anole_text *out, const struct anole_tune_state *state)
{
    char text[96];
    anole_text_printf(out, "%s", anole_report_crowding(text, sizeof text, state));
}

/* Where the wall time went, in percent of what has passed; what rounds to nothing is left out. */
static void put_costs(struct anole_text *out, const struct anole_tune_state *state)
{
    const struct anole_tune_cost *cost = state->cost;
    const struct {
        const char *name;
        double seconds;
    } parts[] = {
        {"build", cost->build},
        {"run", cost->run},
        {"verify", cost->verify + cost->transfer},
        {"prepare", cost->prepare},
        {"workers", cost->workers},
        {"search", cost->model + cost->explore + cost->sample},
        {"history", cost->history},
        {"network", cost->in_place},
    };
    const char *before = "time: ";
    for (size_t i = 0; i < sizeof parts / sizeof *parts && state->elapsed > 0.0; i++) {
        const double percent = 100.0 * parts[i].seconds / state->elapsed;
        if (percent < 0.5)
            continue;
        anole_text_printf(out, "%s%s %.0f %%", before, parts[i].name, percent);
        before = ", ";
    }
}

/* --------------------------------------------------------------- showing */

static int columns(void)
{
    struct winsize size;
    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col >= NARROWEST)
        return size.ws_col;
    return 80;
}

/* What is painted: pieces that stand side by side where there is room. */
struct page {
    struct anole_text text;
    int width; /* columns that a line may have */
    int used;  /* of the last line */
    int lines;
};

/* How many bytes of `text` fill at most `width` columns: a character of UTF-8 counts as one. */
static size_t fit(const char *text, int width)
{
    size_t at = 0;
    for (; text[at]; at++)
        if (((unsigned char)text[at] & 0xc0) != 0x80 && width-- == 0)
            break;
    return at;
}

static int columns_of(const char *text)
{
    int count = 0;
    for (; *text; text++)
        count += ((unsigned char)*text & 0xc0) != 0x80;
    return count;
}

static void end_line(struct page *page)
{
    if (page->used > 0) {
        anole_text_printf(&page->text, "\n");
        page->lines++;
    }
    page->used = 0;
}

/* How much of a text that is wider than a line goes into it: up to its last blank, if any. */
static size_t first_part(const char *text, int width)
{
    const size_t most = fit(text, width);
    for (size_t at = most; at > 0; at--)
        if (text[at] == ' ')
            return at;
    return most;
}

/* Appends a piece: beside what is in the last line, if there is room, else in lines of its own. */
static void put_piece(struct page *page, struct anole_text *piece)
{
    const char *text = piece->data ? piece->data : "";
    if (page->used > 0 && page->used + (int)strlen(GAP) + columns_of(text) > page->width)
        end_line(page);
    for (; columns_of(text) > page->width; text += *text == ' ') {
        const size_t part = first_part(text, page->width);
        anole_text_printf(&page->text, "%.*s\n", (int)part, text);
        page->lines++;
        text += part;
    }
    if (*text) {
        const char *gap = page->used > 0 ? GAP : "";
        anole_text_printf(&page->text, "%s%s", gap, text);
        page->used += (int)strlen(gap) + columns_of(text);
    }
    anole_text_fini(piece);
}

/* "[#####---------------] 25 %" */
static void put_bar(struct anole_text *out, const struct anole_tune_state *state, int width)
{
    const int cells = width < 60 ? 10 : 20;
    const double share = anole_progress_share(state);
    const int full = (int)(share * cells);
    anole_text_printf(out, "[%.*s%.*s] %.0f %%", full, "####################", cells - full,
                      "--------------------", 100.0 * share);
}

static void lay_out(struct page *page, const struct anole_tune_state *state)
{
    const struct anole_tune_task *task = state->tasks[state->current];
    struct anole_text piece = {0};
    if (state->time_limit > 0.0 || state->trial_limit > 0)
        put_bar(&piece, state, page->width);
    put_piece(page, &piece);
    put_clock(&piece, state);
    put_piece(page, &piece);
    anole_text_printf(&piece, "%s", state->phase_text);
    put_piece(page, &piece);
    put_trials(&piece, state);
    put_piece(page, &piece);
    end_line(page);
    anole_text_printf(&piece, "task %zu/%zu", state->current + 1, state->task_count);
    put_piece(page, &piece);
    anole_text_printf(&piece, "%s", task->task->label);
    put_piece(page, &piece);
    put_task(&piece, task);
    put_piece(page, &piece);
    end_line(page);
    put_network(&piece, state);
    put_piece(page, &piece);
    put_failures(&piece, state);
    put_piece(page, &piece);
    put_crowding(&piece, state);
    put_piece(page, &piece);
    end_line(page);
}

static void paint(struct anole_progress *progress, const struct anole_tune_state *state)
{
    struct page page = {.width = columns() - 1};
    struct anole_text piece = {0};
    lay_out(&page, state);
    /* Where the time goes is worth a line, but not three. */
    if (page.width >= 79) {
        put_costs(&piece, state);
        put_piece(&page, &piece);
        end_line(&page);
    }
    wipe(progress);
    fputs(page.text.data ? page.text.data : "", stderr);
    progress->painted = page.text.data ? page.lines : 0;
    anole_text_fini(&page.text);
}

static void append(struct anole_text *line, const char *before, struct anole_text *piece)
{
    if (piece->data && piece->data[0])
        anole_text_printf(line, "%s%s", before, piece->data);
    anole_text_fini(piece);
}

static void plain(const struct anole_tune_state *state)
{
    const struct anole_tune_task *task = state->tasks[state->current];
    struct anole_text line = {0}, piece = {0};
    put_clock(&line, state);
    anole_text_printf(&line, "  %s  ", state->phase_text);
    put_trials(&line, state);
    anole_text_printf(&line, "  %s: ", task->task->label);
    put_task(&line, task);
    put_network(&piece, state);
    append(&line, "; ", &piece);
    put_failures(&piece, state);
    append(&line, "; ", &piece);
    put_crowding(&piece, state);
    append(&line, "; ", &piece);
    fprintf(stderr, "%s\n", line.data ? line.data : "");
    anole_text_fini(&line);
}

void anole_progress_show(void *context, enum anole_tune_event event,
                         const struct anole_tune_state *state)
{
    struct anole_progress *progress = context;
    if (progress->json) {
        anole_progress_events_show(event, state);
        return;
    }
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
