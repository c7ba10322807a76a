/* SPDX-License-Identifier: MIT
 *
 * Search strategies compared in design spaces of 10^6 to 10^9 points, which are
 * surrogates of real ones: see surrogate.h.  No device is involved.
 *
 * anole-bench-large [--explorers E[:SAMPLER][+transfer],...] [--trials N] [--repeats R]
 *                   [--seed S] [--processes P] [--json] FILE...
 */
#include "surrogate.h"

#include "base/hash.h"
#include "search/search.h"

#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MAX_SURROGATES 16
#define MAX_STRATEGIES 12
#define MAX_BATCH 128

#define DEFAULT_STRATEGIES "rl,rl+transfer,rl-untrained,hillclimb,genetic,annealing,autotvm,random"

static const size_t marks[] = {20, 50, 100, 200, 400};
static const double times[] = {0.1, 0.25, 0.5, 1.0};
#define MARKS (sizeof marks / sizeof *marks)
#define TIMES (sizeof times / sizeof *times)

static _Noreturn void die(const struct anole_error *error)
{
    fprintf(stderr, "anole-bench-large: %s\n", error->text);
    exit(1);
}

struct strategy {
    char label[64];
    const struct anole_explorer_ops *explorer;
    const struct anole_sampler_ops *sampler; /* NULL: the explorer's own */
    bool transfer;                           /* is told the real trials of the other tasks */
};

struct plan {
    struct bench_surrogate *surrogates;
    size_t surrogate_count;
    struct strategy strategies[MAX_STRATEGIES];
    size_t strategy_count;
    size_t trials, repeats, processes;
    uint64_t seed;
};

/* Both are [surrogates][strategies][repeats][trials]: the true time of the best so far,
 * as the search sees it, over the optimum; and the processor seconds that the search
 * itself had taken by then. */
struct runs {
    const struct plan *plan;
    void *memory;
    size_t bytes;
    float *ratio, *spent;
};

static size_t run_index(const struct plan *plan, size_t surrogate, size_t strategy, size_t repeat)
{
    return ((surrogate * plan->strategy_count + strategy) * plan->repeats + repeat) * plan->trials;
}

/* -- Many seeded searches, on all cores -- */

/* Seconds of this process's processor: other processes do not count. */
static double cpu_clock(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* One measurement: the truth and its noise. */
static struct anole_result measure(const struct bench_surrogate *surrogate, uint64_t config,
                                   struct anole_rng *rng)
{
    double seconds = bench_surrogate_seconds(surrogate, config);
    struct anole_result result = {.outcome = ANOLE_OUTCOME_COMPILE, .seconds = NAN};
    double noise = exp(surrogate->noise * anole_rng_normal(rng));
    if (!isnan(seconds)) {
        result.outcome = ANOLE_OUTCOME_OK;
        result.seconds = result.low = result.high = seconds * noise;
    }
    return result;
}

/* The real trials of all the other tasks. */
static enum anole_status inform(struct anole_search *search, const struct plan *plan,
                                size_t surrogate, struct anole_error *error)
{
    struct anole_prior_source sources[MAX_SURROGATES];
    size_t count = 0;
    for (size_t w = 0; w < plan->surrogate_count; w++)
        if (w != surrogate)
            sources[count++] = (struct anole_prior_source){
                .features = plan->surrogates[w].features,
                .trials = plan->surrogates[w].real,
            };
    return anole_search_inform(search, sources, count, error);
}

struct progress {
    size_t done;
    double best; /* ratio */
    double spent;
    float *ratio, *spent_at;
};

static enum anole_status take_batch(struct progress *progress, const struct plan *plan,
                                    const struct bench_surrogate *surrogate,
                                    struct anole_search *search, struct anole_trials *trials,
                                    struct anole_rng *rng, struct anole_error *error)
{
    uint64_t configs[MAX_BATCH];
    size_t left = plan->trials - progress->done, count = 0;
    double began = cpu_clock();
    enum anole_status status =
        anole_search_next(search, 0, configs, left < MAX_BATCH ? left : MAX_BATCH, &count, error);
    progress->spent += cpu_clock() - began;
    if (status == ANOLE_DONE && !count)
        return anole_fail(error, ANOLE_ERR_INTERNAL, "%s: nothing left to try", surrogate->task);
    for (size_t i = 0; i < count && status == ANOLE_DONE; i++) {
        const struct anole_trial *best;
        struct anole_result result = measure(surrogate, configs[i], rng);
        status = anole_trials_add(trials, configs[i], &result, error);
        /* What it would end with: the best as measured, by its true time. */
        if (status == ANOLE_DONE && (best = anole_trials_best(trials)))
            progress->best = bench_surrogate_seconds(surrogate, best->config) / surrogate->optimum;
        progress->ratio[progress->done] = (float)progress->best;
        progress->spent_at[progress->done++] = (float)progress->spent;
    }
    return status;
}

static enum anole_status run_one(const struct runs *runs, size_t w, size_t c, size_t r,
                                 struct anole_error *error)
{
    const struct plan *plan = runs->plan;
    const struct bench_surrogate *surrogate = &plan->surrogates[w];
    const struct strategy *strategy = &plan->strategies[c];
    size_t at = run_index(plan, w, c, r);
    struct progress progress = {
        .best = 100.0, .ratio = runs->ratio + at, .spent_at = runs->spent + at};
    /* Paired: the same seed for all strategies. */
    struct anole_search_options options = {
        .explorer = strategy->explorer,
        .sampler = strategy->sampler,
        .seed = anole_hash_combine(plan->seed, r),
    };
    struct anole_rng rng;
    struct anole_trials *trials = NULL;
    struct anole_search *search = NULL;
    anole_rng_init(&rng, anole_hash_combine(options.seed, 1));
    enum anole_status status = anole_trials_create(&trials, error);
    if (status == ANOLE_DONE)
        status = anole_search_create(&search, surrogate->space, surrogate->features, trials,
                                     &options, error);
    double began = cpu_clock();
    if (status == ANOLE_DONE && strategy->transfer)
        status = inform(search, plan, w, error);
    progress.spent = cpu_clock() - began;
    while (status == ANOLE_DONE && progress.done < plan->trials)
        status = take_batch(&progress, plan, surrogate, search, trials, &rng, error);
    anole_search_destroy(search);
    anole_trials_destroy(trials);
    return status;
}

/* Every `processes`-th run, from `first` on. */
static int run_share(const struct runs *runs, size_t first)
{
    const struct plan *plan = runs->plan;
    size_t count = plan->surrogate_count * plan->strategy_count * plan->repeats;
    for (size_t i = first; i < count; i += plan->processes) {
        struct anole_error error = {0};
        size_t surrogate = i / plan->repeats / plan->strategy_count;
        size_t strategy = i / plan->repeats % plan->strategy_count;
        if (run_one(runs, surrogate, strategy, i % plan->repeats, &error) != ANOLE_DONE) {
            fprintf(stderr, "anole-bench-large: %s\n", error.text);
            return 1;
        }
    }
    return 0;
}

static enum anole_status wait_all(const pid_t *children, size_t count, struct anole_error *error)
{
    bool failed = false;
    for (size_t i = 0; i < count; i++) {
        int status;
        while (waitpid(children[i], &status, 0) < 0 && errno == EINTR)
            ;
        failed |= !WIFEXITED(status) || WEXITSTATUS(status) != 0;
    }
    return failed ? anole_fail(error, ANOLE_ERR_INTERNAL, "a process that searched failed")
                  : ANOLE_DONE;
}

static enum anole_status run_all(struct runs *runs, const struct plan *plan,
                                 struct anole_error *error)
{
    size_t numbers = plan->surrogate_count * plan->strategy_count * plan->repeats * plan->trials;
    pid_t children[64];
    size_t started = 0;
    *runs = (struct runs){.plan = plan, .bytes = 2 * numbers * sizeof(float)};
    runs->memory =
        mmap(NULL, runs->bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (runs->memory == MAP_FAILED) {
        runs->memory = NULL;
        return anole_fail_memory(error);
    }
    runs->ratio = runs->memory;
    runs->spent = runs->ratio + numbers;
    fflush(stdout);
    for (; started < plan->processes && started < 64; started++) {
        children[started] = fork();
        if (children[started] < 0)
            break;
        if (children[started] == 0)
            _exit(run_share(runs, started));
    }
    enum anole_status status = wait_all(children, started, error);
    if (status == ANOLE_DONE && started < plan->processes)
        status =
            anole_fail(error, ANOLE_ERR_INTERNAL, "cannot start a process: %s", strerror(errno));
    return status;
}

static void runs_fini(struct runs *runs)
{
    if (runs->memory)
        munmap(runs->memory, runs->bytes);
}

/* -- What is said -- */

struct mean {
    double mean, half; /* of logarithms; half width of the 95 % interval */
};

/* Over repeats of the mean over surrogates (`surrogate` SIZE_MAX) or of one surrogate. */
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

typedef double at_repeat(const struct runs *runs, size_t surrogate, size_t strategy, size_t repeat,
                         double where);

static double log_after_trials(const struct runs *runs, size_t surrogate, size_t strategy,
                               size_t repeat, double trials)
{
    size_t at = run_index(runs->plan, surrogate, strategy, repeat);
    return log((double)runs->ratio[at + (size_t)trials - 1]);
}

/* With so many seconds for searching. */
static double log_after_time(const struct runs *runs, size_t surrogate, size_t strategy,
                             size_t repeat, double seconds)
{
    size_t at = run_index(runs->plan, surrogate, strategy, repeat), last = 0;
    for (size_t i = 0; i < runs->plan->trials; i++)
        if ((double)runs->spent[at + i] <= seconds)
            last = i;
    return log((double)runs->ratio[at + last]);
}

static struct mean figure(const struct runs *runs, size_t surrogate, size_t strategy, size_t other,
                          at_repeat *log_at, double where)
{
    const struct plan *plan = runs->plan;
    double *logs = calloc(plan->repeats, sizeof *logs);
    if (!logs)
        abort();
    for (size_t r = 0; r < plan->repeats; r++) {
        size_t first = surrogate == SIZE_MAX ? 0 : surrogate;
        size_t end = surrogate == SIZE_MAX ? plan->surrogate_count : surrogate + 1;
        for (size_t w = first; w < end; w++) {
            logs[r] += log_at(runs, w, strategy, r, where) / (double)(end - first);
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

static void print_table(const struct runs *runs, size_t surrogate, size_t other, at_repeat *log_at)
{
    const struct plan *plan = runs->plan;
    bool by_time = log_at == log_after_time;
    printf("%-24s", "");
    for (size_t m = 0; m < (by_time ? TIMES : MARKS); m++)
        by_time ? printf("      %6.2f s ", times[m]) : printf("   n = %-7zu", marks[m]);
    printf("\n");
    for (size_t c = 0; c < plan->strategy_count; c++) {
        if (c == other)
            continue;
        printf("%-24s", plan->strategies[c].label);
        for (size_t m = 0; m < (by_time ? TIMES : MARKS); m++) {
            if (!by_time && marks[m] > plan->trials)
                break;
            print_figure(
                figure(runs, surrogate, c, other, log_at, by_time ? times[m] : (double)marks[m]));
        }
        printf("\n");
    }
}

/* The first number of trials at which a strategy's mean is no worse than what
 * another ends with; trials + 1 where there is none. */
static size_t trials_to_equal(const struct runs *runs, size_t strategy, size_t other)
{
    size_t trials = runs->plan->trials;
    double goal = figure(runs, SIZE_MAX, other, SIZE_MAX, log_after_trials, (double)trials).mean;
    for (size_t t = 1; t <= trials; t++)
        if (figure(runs, SIZE_MAX, strategy, SIZE_MAX, log_after_trials, (double)t).mean <= goal)
            return t;
    return trials + 1;
}

static double milliseconds_a_trial(const struct runs *runs, size_t strategy)
{
    const struct plan *plan = runs->plan;
    double sum = 0.0;
    for (size_t w = 0; w < plan->surrogate_count; w++)
        for (size_t r = 0; r < plan->repeats; r++)
            sum += (double)runs->spent[run_index(plan, w, strategy, r) + plan->trials - 1];
    return 1e3 * sum / (double)(plan->surrogate_count * plan->repeats * plan->trials);
}

static void print_text(const struct runs *runs)
{
    const struct plan *plan = runs->plan;
    for (size_t w = 0; w < plan->surrogate_count; w++) {
        const struct bench_surrogate *surrogate = &plan->surrogates[w];
        printf("%s: %.2g valid configs; surrogate of %zu trials, rank correlation %.2f; noise "
               "%.1f %%; excess in %%\n",
               surrogate->task, surrogate->configs, anole_trials_count(surrogate->real),
               surrogate->fit, 100.0 * surrogate->noise);
        print_table(runs, w, SIZE_MAX, log_after_trials);
    }
    printf("\nall, excess in %% (geometric mean, 95 %% interval over %zu repeats)\n",
           plan->repeats);
    print_table(runs, SIZE_MAX, SIZE_MAX, log_after_trials);
    printf("\nagainst %s, same seeds, %%\n", plan->strategies[0].label);
    print_table(runs, SIZE_MAX, 0, log_after_trials);
    printf("\nwith equal processor time for searching, excess in %%\n");
    print_table(runs, SIZE_MAX, SIZE_MAX, log_after_time);
    for (size_t c = 0; c < plan->strategy_count; c++) {
        printf("\n%-24s %.2f ms of searching a trial", plan->strategies[c].label,
               milliseconds_a_trial(runs, c));
        for (size_t o = 0; o < plan->strategy_count; o++)
            if (o != c && strcmp(plan->strategies[o].label, "autotvm") == 0)
                printf("; equals autotvm's last after %zu", trials_to_equal(runs, c, o));
    }
    printf("\n");
}

static void print_json(const struct runs *runs)
{
    const struct plan *plan = runs->plan;
    printf("{\"trials\": %zu, \"repeats\": %zu, \"surrogates\": [", plan->trials, plan->repeats);
    for (size_t w = 0; w < plan->surrogate_count; w++) {
        const struct bench_surrogate *surrogate = &plan->surrogates[w];
        printf("%s\n {\"task\": \"%s\", \"configs\": %.6g, \"rank_correlation\": %.4f, "
               "\"noise\": %.4f, \"strategies\": [",
               w ? "," : "", surrogate->task, surrogate->configs, surrogate->fit, surrogate->noise);
        for (size_t c = 0; c < plan->strategy_count; c++) {
            printf("%s\n  {\"name\": \"%s\", \"excess\": {", c ? "," : "",
                   plan->strategies[c].label);
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

static void add_strategy(struct plan *plan, char *text)
{
    struct anole_error error = {0};
    if (plan->strategy_count == MAX_STRATEGIES) {
        anole_fail(&error, ANOLE_ERR_USAGE, "expected at most %d explorers", MAX_STRATEGIES);
        die(&error);
    }
    struct strategy *strategy = &plan->strategies[plan->strategy_count++];
    snprintf(strategy->label, sizeof strategy->label, "%s", text);
    char *plus = strchr(text, '+');
    if (plus) {
        *plus++ = '\0';
        strategy->transfer = strcmp(plus, "transfer") == 0;
    }
    char *colon = strchr(text, ':');
    if (colon)
        *colon++ = '\0';
    if (anole_explorer_find(&strategy->explorer, text, &error) != ANOLE_DONE ||
        (colon && anole_sampler_find(&strategy->sampler, colon, &error) != ANOLE_DONE))
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

static void parse(struct plan *plan, bool *json, int argc, char **argv)
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
    char standard[] = DEFAULT_STRATEGIES, *strategies = standard;
    for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (c == 'e')
            strategies = optarg;
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
    for (char *word = strtok(strategies, ","); word; word = strtok(NULL, ","))
        add_strategy(plan, word);
}

int main(int argc, char **argv)
{
    static struct bench_surrogate surrogates[MAX_SURROGATES];
    struct plan plan = {.surrogates = surrogates,
                        .trials = 400,
                        .repeats = 20,
                        .seed = 1,
                        .processes = (size_t)sysconf(_SC_NPROCESSORS_ONLN)};
    struct runs runs;
    struct anole_error error = {0};
    bool json = false;
    parse(&plan, &json, argc, argv);
    if (optind == argc || argc - optind > MAX_SURROGATES) {
        fprintf(stderr,
                "anole-bench-large: expected 1 to %d files of trials, such as "
                "bench/large/*.trials\n",
                MAX_SURROGATES);
        return 2;
    }
    for (int i = optind; i < argc; i++)
        if (bench_surrogate_load(&surrogates[plan.surrogate_count++], argv[i], &error) !=
            ANOLE_DONE)
            die(&error);
    if (run_all(&runs, &plan, &error) != ANOLE_DONE)
        die(&error);
    if (json)
        print_json(&runs);
    else
        print_text(&runs);
    runs_fini(&runs);
    for (size_t w = 0; w < plan.surrogate_count; w++)
        bench_surrogate_fini(&surrogates[w]);
    return 0;
}
