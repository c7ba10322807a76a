/* SPDX-License-Identifier: MIT
 *
 * anole-bench-search: how soon each way of searching finds good kernels, in
 * recorded design spaces where every result is known.  No device is involved.
 */
#include "search_plot.h"
#include "search_report.h"
#include "search_run.h"

#include "base/log.h"
#include "base/text.h"

#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MOST_SPACES 256
#define MAX_STRATEGIES 32

static const char usage[] =
    "Usage: anole-bench-search --space T4 --t1 T1 [--space T4 --t1 T1]... [OPTION]...\n"
    "       anole-bench-search FOLDER... [OPTION]...\n"
    "\n"
    "Replays searches in recorded design spaces, and tells how good the best config is\n"
    "after so many trials.  FOLDER: files of results beside a T1.json, at any depth.\n"
    "\n"
    "      --space FILE       results: T4, or a cache file of Kernel Tuner; perhaps .gz\n"
    "      --t1 FILE          the space of the --space before it (one for all: give it once;\n"
    "                         default: T1.json beside the results)\n"
    "  -e, --explorer E[+SAMPLER][+transfer][:BATCH][,..]  (default: autotvm,rl)\n"
    "      --sampler P        for explorers without one of their own (default: each one's own)\n"
    "      --batch N          trials between two fits (default: each explorer's own)\n"
    "      --initial N        configs before the model is asked (default: 16)\n"
    "  -n, --trials N         (default: 400)\n"
    "  -r, --repeats N        (default: 20)\n"
    "      --seed N           of the first repeat; the others follow (default: 1)\n"
    "      --equal E          whose final result is to be equalled (default: autotvm if it is\n"
    "                         there, else the first explorer)\n"
    "      --transfer T4[,..] results to learn from, with a T1.json beside them or else the\n"
    "                         first --t1; `others`: the other spaces of this run; for those\n"
    "                         with +transfer, or else for all\n"
    "      --transfer-trials N  in a log to learn from: those of a search by the default\n"
    "                         explorer, or all where there are no more (default: 400)\n"
    "  -j, --jobs N           processes (default: one for each core)\n"
    "      --own-time         the explorer's processor time is simulated time, too\n"
    "      --json             print JSON\n"
    "      --figures FILE     write the JSON there, too\n"
    "      --svg FILE         write the curves there, too\n"
    "  -q, --quiet            no progress\n"
    "  -h, --help             this\n";

struct options {
    const char *spaces[MOST_SPACES], *t1s[MOST_SPACES];
    size_t space_count, t1_count;
    const char *explorers, *sampler, *equal, *transfer, *svg, *figures;
    bool json, help;
    struct bench_plan plan;
};

enum {
    OPT_SPACE = 256,
    OPT_T1,
    OPT_SAMPLER,
    OPT_BATCH,
    OPT_INITIAL,
    OPT_SEED,
    OPT_EQUAL,
    OPT_TRANSFER,
    OPT_TRANSFER_TRIALS,
    OPT_JSON,
    OPT_SVG,
    OPT_OWN_TIME,
    OPT_FIGURES
};

static const struct option long_options[] = {
    {"space", required_argument, NULL, OPT_SPACE},
    {"t1", required_argument, NULL, OPT_T1},
    {"explorer", required_argument, NULL, 'e'},
    {"sampler", required_argument, NULL, OPT_SAMPLER},
    {"batch", required_argument, NULL, OPT_BATCH},
    {"initial", required_argument, NULL, OPT_INITIAL},
    {"trials", required_argument, NULL, 'n'},
    {"repeats", required_argument, NULL, 'r'},
    {"seed", required_argument, NULL, OPT_SEED},
    {"equal", required_argument, NULL, OPT_EQUAL},
    {"transfer", required_argument, NULL, OPT_TRANSFER},
    {"transfer-trials", required_argument, NULL, OPT_TRANSFER_TRIALS},
    {"jobs", required_argument, NULL, 'j'},
    {"json", no_argument, NULL, OPT_JSON},
    {"svg", required_argument, NULL, OPT_SVG},
    {"own-time", no_argument, NULL, OPT_OWN_TIME},
    {"figures", required_argument, NULL, OPT_FIGURES},
    {"quiet", no_argument, NULL, 'q'},
    {"help", no_argument, NULL, 'h'},
    {0},
};

/* ------------------------------------------------------------------ options */

static enum anole_status fail_usage(struct anole_error *error, const char *what)
{
    return anole_fail(error, ANOLE_ERR_USAGE, "%s; anole-bench-search --help lists the options",
                      what);
}

static enum anole_status read_count(size_t *count, const char *text, const char *what, size_t most,
                                    struct anole_error *error)
{
    uint64_t value;
    enum anole_status status = anole_text_parse_u64(&value, text, what, 1, most, error);
    if (status == ANOLE_DONE)
        *count = (size_t)value;
    return status;
}

/* Options with a number. */
static enum anole_status read_number(struct options *options, int option, struct anole_error *error)
{
    struct bench_plan *plan = &options->plan;
    switch (option) {
    case OPT_BATCH:
        return read_count(&plan->batch, optarg, "--batch", 1024, error);
    case OPT_INITIAL:
        return read_count(&plan->initial, optarg, "--initial", 100000, error);
    case 'n':
        return read_count(&plan->trials, optarg, "--trials", 100000, error);
    case 'r':
        return read_count(&plan->repeats, optarg, "--repeats", 100000, error);
    case 'j':
        return read_count(&plan->processes, optarg, "--jobs", 1024, error);
    case OPT_TRANSFER_TRIALS:
        return read_count(&plan->log_trials, optarg, "--transfer-trials", 100000, error);
    default:
        return anole_text_parse_u64(&plan->seed, optarg, "--seed", 0, INT64_MAX, error);
    }
}

static enum anole_status read_option(struct options *options, int option, struct anole_error *error)
{
    switch (option) {
    case OPT_SPACE:
    case 1: /* a word that is no option */
        if (options->space_count == MOST_SPACES)
            return fail_usage(error, "expected at most 256 spaces, found more");
        options->spaces[options->space_count++] = optarg;
        return ANOLE_DONE;
    case OPT_T1:
        if (options->t1_count == MOST_SPACES)
            return fail_usage(error, "expected at most 256 T1 files, found more");
        options->t1s[options->t1_count++] = optarg;
        return ANOLE_DONE;
    case 'e':
        options->explorers = optarg;
        return ANOLE_DONE;
    case OPT_SAMPLER:
        options->sampler = optarg;
        return ANOLE_DONE;
    case OPT_EQUAL:
        options->equal = optarg;
        return ANOLE_DONE;
    case OPT_TRANSFER:
        options->transfer = optarg;
        return ANOLE_DONE;
    case OPT_SVG:
        options->svg = optarg;
        return ANOLE_DONE;
    case OPT_FIGURES:
        options->figures = optarg;
        return ANOLE_DONE;
    case OPT_OWN_TIME:
        options->plan.own_time = true;
        return ANOLE_DONE;
    case OPT_JSON:
        options->json = true;
        return ANOLE_DONE;
    case 'q':
        options->plan.quiet = true;
        return ANOLE_DONE;
    case 'h':
        options->help = true;
        return ANOLE_DONE;
    case '?':
        return fail_usage(error, "unknown option, or one without its argument");
    default:
        return read_number(options, option, error);
    }
}

static enum anole_status read_options(struct options *options, int argc, char **argv,
                                      struct anole_error *error)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    options->plan = (struct bench_plan){.trials = 400,
                                        .repeats = 20,
                                        .seed = 1,
                                        .log_trials = 400,
                                        .processes = cores > 0 ? (size_t)cores : 1};
    options->explorers = "autotvm,rl";
    int option;
    opterr = 0;
    while ((option = getopt_long(argc, argv, "-e:n:r:j:qh", long_options, NULL)) != -1) {
        enum anole_status status = read_option(options, option, error);
        if (status != ANOLE_DONE)
            return status;
    }
    for (; optind < argc; optind++) { /* behind a "--" */
        optarg = argv[optind];
        enum anole_status status = read_option(options, OPT_SPACE, error);
        if (status != ANOLE_DONE)
            return status;
    }
    if (!options->space_count && !options->help)
        return fail_usage(error, "expected a space, found none");
    return ANOLE_DONE;
}

/* --------------------------------------------------------------- strategies */

/* What stands behind an explorer's name, one after the other: "+SAMPLER", "+transfer". */
static enum anole_status read_additions(struct bench_strategy *strategy, char *additions,
                                        struct anole_error *error)
{
    enum anole_status status = ANOLE_DONE;
    char *word;
    while (status == ANOLE_DONE && (word = strsep(&additions, "+")) != NULL) {
        if (strcmp(word, "transfer") == 0)
            strategy->transfers = true;
        else
            status = anole_sampler_find(&strategy->sampler, word, error);
    }
    return status;
}

/* "E[+SAMPLER][+transfer][:BATCH]". */
static enum anole_status read_strategy(struct bench_strategy *strategy, const char *text,
                                       const char *sampler, struct anole_error *error)
{
    char copy[64];
    if (snprintf(copy, sizeof copy, "%s", text) >= (int)sizeof copy)
        return fail_usage(error, "--explorer: a name is too long");
    snprintf(strategy->label, sizeof strategy->label, "%s", text);
    char *batch = strchr(copy, ':');
    if (batch) {
        *batch++ = '\0';
        enum anole_status status =
            read_count(&strategy->batch, batch, "--explorer: batch", 1024, error);
        if (status != ANOLE_DONE)
            return status;
    }
    char *additions = strchr(copy, '+');
    if (additions)
        *additions++ = '\0';
    enum anole_status status = anole_explorer_find(&strategy->explorer, copy, error);
    if (status == ANOLE_DONE && sampler)
        status = anole_sampler_find(&strategy->sampler, sampler, error);
    if (status == ANOLE_DONE && additions)
        status = read_additions(strategy, additions, error);
    return status;
}

/* If none of them is said to learn from others, all do that can. */
static enum anole_status settle_transfer(struct options *options, struct anole_error *error)
{
    struct bench_plan *plan = &options->plan;
    size_t named = 0;
    for (size_t c = 0; c < plan->strategy_count; c++)
        named += plan->strategies[c].transfers;
    if (named && !options->transfer)
        return fail_usage(error, "+transfer: expected --transfer to say from what, found none");
    for (size_t c = 0; c < plan->strategy_count && !named; c++)
        plan->strategies[c].transfers = options->transfer != NULL;
    return ANOLE_DONE;
}

static enum anole_status read_strategies(struct options *options, struct anole_error *error)
{
    struct bench_plan *plan = &options->plan;
    char *list = strdup(options->explorers), *rest = list, *name;
    plan->strategies = calloc(MAX_STRATEGIES, sizeof *plan->strategies);
    enum anole_status status = list && plan->strategies ? ANOLE_DONE : anole_fail_memory(error);
    while (status == ANOLE_DONE && (name = strsep(&rest, ",")) != NULL) {
        if (!name[0])
            continue;
        if (plan->strategy_count == MAX_STRATEGIES) {
            status = fail_usage(error, "--explorer: expected at most 32 explorers, found more");
            break;
        }
        status =
            read_strategy(&plan->strategies[plan->strategy_count++], name, options->sampler, error);
    }
    free(list);
    if (status == ANOLE_DONE && !plan->strategy_count)
        status = fail_usage(error, "--explorer: expected a name, found none");
    return status == ANOLE_DONE ? settle_transfer(options, error) : status;
}

static enum anole_status find_equal(size_t *equal, const struct options *options,
                                    struct anole_error *error)
{
    const struct bench_plan *plan = &options->plan;
    const char *wanted = options->equal ? options->equal : "autotvm";
    for (size_t c = 0; c < plan->strategy_count; c++) {
        if (strcmp(plan->strategies[c].label, wanted) == 0) {
            *equal = c;
            return ANOLE_DONE;
        }
    }
    *equal = 0;
    return options->equal
               ? fail_usage(error, "--equal: expected one of the explorers as --explorer has it")
               : ANOLE_DONE;
}

/* ------------------------------------------------------------------- spaces */

static bool is_folder(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

/* "FOLDER/T1.json" of a file, the caller's to free; NULL without memory. */
static char *t1_beside(const char *path)
{
    const char *slash = strrchr(path, '/');
    char *beside;
    int length = slash ? (int)(slash - path) : 1;
    return asprintf(&beside, "%.*s/T1.json", length, slash ? path : ".") < 0 ? NULL : beside;
}

/* The T1 file of results: beside them, else `otherwise`. */
static char *t1_of(const char *path, const char *otherwise)
{
    char *beside = t1_beside(path);
    if (beside && otherwise && access(beside, R_OK) != 0) {
        free(beside);
        return strdup(otherwise);
    }
    return beside;
}

static enum anole_status add_space(struct options *options, size_t i, size_t *file,
                                   struct anole_error *error)
{
    const char *path = options->spaces[i];
    if (is_folder(path))
        return bench_spaces_add_folder(&options->plan.spaces, path, error);
    size_t mine = (*file)++;
    if (options->t1_count > 1 && mine >= options->t1_count)
        return fail_usage(error, "expected a --t1 for each --space, one for all, or none");
    char *t1 = options->t1_count == 0 ? t1_beside(path)
                                      : strdup(options->t1s[options->t1_count == 1 ? 0 : mine]);
    if (!t1)
        return anole_fail_memory(error);
    enum anole_status status = bench_spaces_add(&options->plan.spaces, path, t1, error);
    free(t1);
    return status;
}

static enum anole_status add_source(struct options *options, const char *path,
                                    struct anole_error *error)
{
    const char *first = options->t1_count ? options->t1s[0] : options->plan.spaces.items[0].t1_path;
    char *t1 = t1_of(path, first);
    if (!t1)
        return anole_fail_memory(error);
    enum anole_status status = bench_spaces_add_log(&options->plan.sources, path, t1, error);
    free(t1);
    return status;
}

static enum anole_status read_sources(struct options *options, struct anole_error *error)
{
    enum anole_status status = ANOLE_DONE;
    if (!options->transfer)
        return ANOLE_DONE;
    if (strcmp(options->transfer, "others") == 0) {
        const struct bench_spaces *spaces = &options->plan.spaces;
        for (size_t i = 0; i < spaces->count && status == ANOLE_DONE; i++)
            status = bench_spaces_add_log(&options->plan.sources, spaces->items[i].path,
                                          spaces->items[i].t1_path, error);
        return status;
    }
    char *list = strdup(options->transfer), *rest = list, *path;
    if (!list)
        return anole_fail_memory(error);
    while (status == ANOLE_DONE && (path = strsep(&rest, ",")) != NULL) {
        if (path[0])
            status = add_source(options, path, error);
    }
    free(list);
    return status;
}

static enum anole_status read_spaces(struct options *options, struct anole_error *error)
{
    enum anole_status status = ANOLE_DONE;
    size_t file = 0;
    for (size_t i = 0; i < options->space_count && status == ANOLE_DONE; i++)
        status = add_space(options, i, &file, error);
    if (status == ANOLE_DONE)
        status = read_sources(options, error);
    const struct bench_spaces *spaces = &options->plan.spaces;
    for (size_t i = 0; i < spaces->count && status == ANOLE_DONE && !options->plan.quiet; i++) {
        char text[256];
        anole_log_info("%s: %s", spaces->items[i].label,
                       anole_recording_summary(spaces->items[i].recording, text, sizeof text));
    }
    return status;
}

/* --------------------------------------------------------------------- main */

static enum anole_status write_figures(const struct bench_runs *runs, size_t equal,
                                       const char *path, struct anole_error *error)
{
    char shown[256];
    FILE *file = fopen(path, "w");
    if (!file)
        return anole_fail_errno(error, "%s: the figures cannot be written",
                                anole_text_printable(shown, sizeof shown, path));
    enum anole_status status = bench_print_json(runs, equal, file, error);
    if (fclose(file) != 0 && status == ANOLE_DONE)
        status = anole_fail_errno(error, "%s: the figures cannot be written",
                                  anole_text_printable(shown, sizeof shown, path));
    return status;
}

static enum anole_status run(struct options *options, struct anole_error *error)
{
    struct bench_runs runs = {0};
    size_t equal = 0;
    enum anole_status status = read_strategies(options, error);
    if (status == ANOLE_DONE)
        status = find_equal(&equal, options, error);
    if (status == ANOLE_DONE)
        status = read_spaces(options, error);
    anole_log_set_level(ANOLE_LEVEL_WARNING); /* the searches' own words are not wanted */
    if (status == ANOLE_DONE)
        status = bench_run_all(&runs, &options->plan, error);
    if (status == ANOLE_DONE && options->svg)
        status = bench_plot(&runs, options->svg, error);
    if (status == ANOLE_DONE && options->figures)
        status = write_figures(&runs, equal, options->figures, error);
    if (status == ANOLE_DONE)
        status = options->json ? bench_print_json(&runs, equal, stdout, error)
                               : bench_print_tables(&runs, equal, stdout, error);
    if (status == ANOLE_DONE && fflush(stdout) != 0)
        status = anole_fail_errno(error, "the results could not be written");
    bench_runs_fini(&runs);
    bench_spaces_fini(&options->plan.spaces);
    bench_spaces_fini(&options->plan.sources);
    free(options->plan.strategies);
    return status;
}

int main(int argc, char **argv)
{
    static struct options options;
    struct anole_error error = {0};
    enum anole_status status = read_options(&options, argc, argv, &error);
    if (status == ANOLE_DONE && options.help)
        return fputs(usage, stdout) < 0;
    if (status == ANOLE_DONE)
        status = run(&options, &error);
    if (status != ANOLE_DONE)
        fprintf(stderr, "anole-bench-search: %s\n", error.text);
    return anole_status_exit_code(status);
}
