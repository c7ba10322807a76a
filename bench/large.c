/* SPDX-License-Identifier: MIT
 *
 * Search strategies compared in design spaces of 10^6 to 10^9 points, which are
 * surrogates of real ones: see large.h.  No device is involved.
 *
 * anole-bench-large [--explorers E[:SAMPLER][+transfer],...] [--trials N] [--repeats R]
 *                   [--seed S] [--processes P] [--json] FILE...
 */
#include "large.h"

#include <getopt.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DEFAULT_CONTENDERS "rl,rl+transfer,rl-untrained,hillclimb,genetic,annealing,autotvm,random"

static const size_t marks[] = {20, 50, 100, 200, 400};
static const double times[] = {0.1, 0.25, 0.5, 1.0};
#define MARKS (sizeof marks / sizeof *marks)
#define TIMES (sizeof times / sizeof *times)

static _Noreturn void die(const struct anole_error *error)
{
    fprintf(stderr, "anole-bench-large: %s\n", error->text);
    exit(1);
}

/* -- What is said -- */

struct mean {
    double mean, half; /* of logarithms; half width of the 95 % interval */
};

/* Over repeats of the mean over worlds (`world` SIZE_MAX) or of one world. */
static struct mean mean_of(const double *logs, size_t count)
{
    double sum = 0.0, squares = 0.0;
    for (size_t i = 0; i < count; i++)
        sum += logs[i];
    double mean = sum / (double)count;
    for (size_t i = 0; i < count; i++)
        squares += (logs[i] - mean) * (logs[i] - mean);
    double deviation = count > 1 ? sqrt(squares / (double)(count - 1)) : NAN;
    return (struct mean){mean, 1.96 * deviation / sqrt((double)count)};
}

typedef double at_repeat(const struct large_runs *runs, size_t world, size_t contender,
                         size_t repeat, double where);

static double log_after_trials(const struct large_runs *runs, size_t world, size_t contender,
                               size_t repeat, double trials)
{
    size_t at = large_run_index(runs->plan, world, contender, repeat);
    return log((double)runs->ratio[at + (size_t)trials - 1]);
}

/* With so many seconds for searching. */
static double log_after_time(const struct large_runs *runs, size_t world, size_t contender,
                             size_t repeat, double seconds)
{
    size_t at = large_run_index(runs->plan, world, contender, repeat), last = 0;
    for (size_t i = 0; i < runs->plan->trials; i++)
        if ((double)runs->spent[at + i] <= seconds)
            last = i;
    return log((double)runs->ratio[at + last]);
}

static struct mean figure(const struct large_runs *runs, size_t world, size_t contender,
                          size_t other, at_repeat *log_at, double where)
{
    const struct large_plan *plan = runs->plan;
    double *logs = calloc(plan->repeats, sizeof *logs);
    if (!logs)
        abort();
    for (size_t r = 0; r < plan->repeats; r++) {
        size_t first = world == SIZE_MAX ? 0 : world;
        size_t end = world == SIZE_MAX ? plan->world_count : world + 1;
        for (size_t w = first; w < end; w++) {
            logs[r] += log_at(runs, w, contender, r, where) / (double)(end - first);
            if (other != SIZE_MAX)
                logs[r] -= log_at(runs, w, other, r, where) / (double)(end - first);
        }
    }
    struct mean result = mean_of(logs, plan->repeats);
    free(logs);
    return result;
}

static void print_figure(struct mean mean)
{
    printf(" %6.1f ± %-4.1f", 100.0 * expm1(mean.mean), 100.0 * exp(mean.mean) * mean.half);
}

static void print_table(const struct large_runs *runs, size_t world, size_t other,
                        at_repeat *log_at)
{
    const struct large_plan *plan = runs->plan;
    bool by_time = log_at == log_after_time;
    printf("%-24s", "");
    for (size_t m = 0; m < (by_time ? TIMES : MARKS); m++)
        by_time ? printf("      %6.2f s ", times[m]) : printf("   n = %-7zu", marks[m]);
    printf("\n");
    for (size_t c = 0; c < plan->contender_count; c++) {
        if (c == other)
            continue;
        printf("%-24s", plan->contenders[c].label);
        for (size_t m = 0; m < (by_time ? TIMES : MARKS); m++) {
            if (!by_time && marks[m] > plan->trials)
                break;
            print_figure(
                figure(runs, world, c, other, log_at, by_time ? times[m] : (double)marks[m]));
        }
        printf("\n");
    }
}

/* The first number of trials at which a contender's mean is no worse than what
 * another ends with; trials + 1 where there is none. */
static size_t trials_to_equal(const struct large_runs *runs, size_t contender, size_t other)
{
    size_t trials = runs->plan->trials;
    double goal = figure(runs, SIZE_MAX, other, SIZE_MAX, log_after_trials, (double)trials).mean;
    for (size_t t = 1; t <= trials; t++)
        if (figure(runs, SIZE_MAX, contender, SIZE_MAX, log_after_trials, (double)t).mean <= goal)
            return t;
    return trials + 1;
}

static double milliseconds_a_trial(const struct large_runs *runs, size_t contender)
{
    const struct large_plan *plan = runs->plan;
    double sum = 0.0;
    for (size_t w = 0; w < plan->world_count; w++)
        for (size_t r = 0; r < plan->repeats; r++)
            sum += (double)runs->spent[large_run_index(plan, w, contender, r) + plan->trials - 1];
    return 1e3 * sum / (double)(plan->world_count * plan->repeats * plan->trials);
}

static void print_text(const struct large_runs *runs)
{
    const struct large_plan *plan = runs->plan;
    for (size_t w = 0; w < plan->world_count; w++) {
        const struct large_world *world = &plan->worlds[w];
        printf("%s: %.2g valid configs; surrogate of %zu trials, rank correlation %.2f; noise "
               "%.1f %%; excess in %%\n",
               world->task, world->configs, anole_trials_count(world->real), world->fit,
               100.0 * world->noise);
        print_table(runs, w, SIZE_MAX, log_after_trials);
    }
    printf("\nall, excess in %% (geometric mean, 95 %% interval over %zu repeats)\n",
           plan->repeats);
    print_table(runs, SIZE_MAX, SIZE_MAX, log_after_trials);
    printf("\nagainst %s, same seeds, %%\n", plan->contenders[0].label);
    print_table(runs, SIZE_MAX, 0, log_after_trials);
    printf("\nwith equal processor time for searching, excess in %%\n");
    print_table(runs, SIZE_MAX, SIZE_MAX, log_after_time);
    for (size_t c = 0; c < plan->contender_count; c++) {
        printf("\n%-24s %.2f ms of searching a trial", plan->contenders[c].label,
               milliseconds_a_trial(runs, c));
        for (size_t o = 0; o < plan->contender_count; o++)
            if (o != c && strcmp(plan->contenders[o].label, "autotvm") == 0)
                printf("; equals autotvm's last after %zu", trials_to_equal(runs, c, o));
    }
    printf("\n");
}

static void print_json(const struct large_runs *runs)
{
    const struct large_plan *plan = runs->plan;
    printf("{\"trials\": %zu, \"repeats\": %zu, \"worlds\": [", plan->trials, plan->repeats);
    for (size_t w = 0; w < plan->world_count; w++) {
        const struct large_world *world = &plan->worlds[w];
        printf("%s\n {\"task\": \"%s\", \"configs\": %.6g, \"rank_correlation\": %.4f, "
               "\"noise\": %.4f, \"contenders\": [",
               w ? "," : "", world->task, world->configs, world->fit, world->noise);
        for (size_t c = 0; c < plan->contender_count; c++) {
            printf("%s\n  {\"name\": \"%s\", \"excess\": {", c ? "," : "",
                   plan->contenders[c].label);
            for (size_t m = 0; m < MARKS && marks[m] <= plan->trials; m++) {
                struct mean mean = figure(runs, w, c, SIZE_MAX, log_after_trials, (double)marks[m]);
                printf("%s\"%zu\": [%.5f, %.5f]", m ? ", " : "", marks[m], expm1(mean.mean),
                       exp(mean.mean) * (isnan(mean.half) ? 0.0 : mean.half));
            }
            printf("}, \"milliseconds_a_trial\": %.3f}", milliseconds_a_trial(runs, c));
        }
        printf("]}");
    }
    printf("]}\n");
}

/* -- What is asked -- */

static void add_contender(struct large_plan *plan, char *text)
{
    struct anole_error error = {0};
    if (plan->contender_count == LARGE_MAX_CONTENDERS) {
        anole_fail(&error, ANOLE_ERR_USAGE, "expected at most %d explorers", LARGE_MAX_CONTENDERS);
        die(&error);
    }
    struct large_contender *contender = &plan->contenders[plan->contender_count++];
    snprintf(contender->label, sizeof contender->label, "%s", text);
    char *plus = strchr(text, '+');
    if (plus) {
        *plus++ = '\0';
        contender->transfer = strcmp(plus, "transfer") == 0;
    }
    char *colon = strchr(text, ':');
    if (colon)
        *colon++ = '\0';
    if (anole_explorer_find(&contender->explorer, text, &error) != ANOLE_DONE ||
        (colon && anole_sampler_find(&contender->sampler, colon, &error) != ANOLE_DONE))
        die(&error);
}

static size_t number(const char *text, const char *option)
{
    char *end;
    unsigned long value = strtoul(text, &end, 10);
    if (*end || end == text || value == 0 || value > 1000000) {
        fprintf(stderr, "anole-bench-large: %s: expected a number from 1 on, found '%s'\n", option,
                text);
        exit(2);
    }
    return value;
}

static void parse(struct large_plan *plan, bool *json, int argc, char **argv)
{
    static const struct option options[] = {
        {"explorers", required_argument, NULL, 'e'},
        {"trials", required_argument, NULL, 't'},
        {"repeats", required_argument, NULL, 'r'},
        {"seed", required_argument, NULL, 's'},
        {"processes", required_argument, NULL, 'p'},
        {"json", no_argument, NULL, 'j'},
        {0},
    };
    char standard[] = DEFAULT_CONTENDERS, *contenders = standard;
    for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (c == 'e')
            contenders = optarg;
        else if (c == 't')
            plan->trials = number(optarg, "--trials");
        else if (c == 'r')
            plan->repeats = number(optarg, "--repeats");
        else if (c == 's')
            plan->seed = number(optarg, "--seed");
        else if (c == 'p')
            plan->processes = number(optarg, "--processes");
        else if (c == 'j')
            *json = true;
        else
            exit(2);
    }
    for (char *word = strtok(contenders, ","); word; word = strtok(NULL, ","))
        add_contender(plan, word);
}

int main(int argc, char **argv)
{
    static struct large_world worlds[LARGE_MAX_WORLDS];
    struct large_plan plan = {.worlds = worlds,
                              .trials = 400,
                              .repeats = 20,
                              .seed = 1,
                              .processes = (size_t)sysconf(_SC_NPROCESSORS_ONLN)};
    struct large_runs runs;
    struct anole_error error = {0};
    bool json = false;
    parse(&plan, &json, argc, argv);
    if (optind == argc || argc - optind > LARGE_MAX_WORLDS) {
        fprintf(stderr,
                "anole-bench-large: expected 1 to %d files of trials, such as "
                "bench/large/*.trials\n",
                LARGE_MAX_WORLDS);
        return 2;
    }
    for (int i = optind; i < argc; i++)
        if (large_world_load(&worlds[plan.world_count++], argv[i], &error) != ANOLE_DONE)
            die(&error);
    if (large_run_all(&runs, &plan, &error) != ANOLE_DONE)
        die(&error);
    if (json)
        print_json(&runs);
    else
        print_text(&runs);
    large_runs_fini(&runs);
    for (size_t w = 0; w < plan.world_count; w++)
        large_world_fini(&worlds[w]);
    return 0;
}
