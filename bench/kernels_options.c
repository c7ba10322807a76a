/* SPDX-License-Identifier: MIT */
#include "bench/kernels_options.h"

#include "base/text.h"
#include "bench/comparison.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DEFAULT_ROUNDS 25
#define LEAST_ROUNDS 2

enum {
    NETWORK = 256,
    THREADS,
    DEVICE,
    HISTORY,
    LOCK,
    TIME,
    DEFAULT,
    AGAINST,
    ROUNDS,
    ONLY,
    OUTPUT,
    JSON,
    SET,
    IDLE_POLL,
    TIMING,
    TWICE,
    HELP
};

static const struct option longs[] = {{"network", required_argument, NULL, NETWORK},
                                      {"threads", required_argument, NULL, THREADS},
                                      {"device", required_argument, NULL, DEVICE},
                                      {"history", required_argument, NULL, HISTORY},
                                      {"lock", required_argument, NULL, LOCK},
                                      {"time", required_argument, NULL, TIME},
                                      {"default", no_argument, NULL, DEFAULT},
                                      {"against", required_argument, NULL, AGAINST},
                                      {"rounds", required_argument, NULL, ROUNDS},
                                      {"only", required_argument, NULL, ONLY},
                                      {"output", required_argument, NULL, OUTPUT},
                                      {"json", no_argument, NULL, JSON},
                                      {"set", required_argument, NULL, SET},
                                      {"idle-poll", no_argument, NULL, IDLE_POLL},
                                      {"timing", required_argument, NULL, TIMING},
                                      {"twice", no_argument, NULL, TWICE},
                                      {"help", no_argument, NULL, HELP},
                                      {0}};

static const char help_text[] =
    "Usage: anole-bench-kernels --network NETWORK[,NETWORK...] --threads N SOURCE [OPTION]...\n\n"
    "Times the kernels of each distinct convolution, depthwise convolution and dense layer of\n"
    "some networks on the CPU, in turn with another library's, on the same inputs.\n\n"
    "  --network FILE,...   networks/resnet18.json, or resnet18 for short\n"
    "  --threads N          threads and cores, of both\n"
    "Where the kernels come from, one of:\n"
    "  --time BUDGET        tune each network first, from an empty history: 90s, 3m\n"
    "  --history FILE       the fastest of a history, tuned with the same --threads\n"
    "  --lock FILE,...      what lock files name, tuned with the same --threads\n"
    "  --default            default configs; beside one of the others: compare with them\n"
    "  --set KNOB=VALUE,... default configs but for these knobs; with --default: compare\n"
    "Options:\n"
    "  --against onednn     run oneDNN in turn: the best of its algorithms, in its own layouts\n"
    "  --rounds R           turns of each implementation (default 25)\n"
    "  --only TEXT          only layers whose task has TEXT in its name\n"
    "  --idle-poll          keep the cores awake between launches, for all implementations\n"
    "  --timing hot|cold    whether kernels find their weights in the caches (default), or the\n"
    "                       rest of the network has put them out, of all implementations\n"
    "  --twice              the kernels twice, as if they were two: an A/A test\n"
    "  --device D           see `anole devices` (default cpu:0)\n"
    "  --json               print JSON to stdout instead of tables\n"
    "  --output FILE        write the JSON to FILE as well\n"
    "  --help               show this and exit\n";

/* A path, or a name: then networks/NAME.json, below $ANOLE_NETWORKS if that is
 * set. */
static char *network_path(const char *name)
{
    char *path = NULL;
    const char *folder = getenv("ANOLE_NETWORKS");
    if (strchr(name, '/') || access(name, R_OK) == 0)
        return strdup(name);
    if (asprintf(&path, "%s/%s.json", folder && *folder ? folder : "networks", name) < 0)
        return NULL;
    return path;
}

static enum anole_status add_networks(struct bench_options *options, const char *names,
                                      struct anole_error *error)
{
    char *copy = strdup(names), *rest = copy;
    enum anole_status status = copy ? ANOLE_DONE : anole_fail_memory(error);
    for (char *name = strsep(&rest, ","); status == ANOLE_DONE && name; name = strsep(&rest, ",")) {
        if (!*name)
            continue;
        char **grown =
            realloc(options->networks, (options->network_count + 1) * sizeof *options->networks);
        if (grown)
            options->networks = grown;
        char *path = grown ? network_path(name) : NULL;
        if (path)
            options->networks[options->network_count++] = path;
        else
            status = anole_fail_memory(error);
    }
    free(copy);
    return status;
}

static enum anole_status take_number(struct bench_options *options, int code, const char *value,
                                     struct anole_error *error)
{
    uint64_t number = 0;
    enum anole_status status =
        code == THREADS ? anole_text_parse_u64(&number, value, "--threads", 1, 1024, error)
                        : anole_text_parse_u64(&number, value, "--rounds", LEAST_ROUNDS,
                                               BENCH_MAX_ROUNDS, error);
    if (status != ANOLE_DONE)
        return status;
    if (code == THREADS)
        options->threads = (uint32_t)number;
    else
        options->rounds = (size_t)number;
    return ANOLE_DONE;
}

static enum anole_status take(struct bench_options *options, int code, const char *value,
                              struct anole_error *error)
{
    const char **texts[] = {
        [DEVICE - NETWORK] = &options->device, [HISTORY - NETWORK] = &options->history,
        [LOCK - NETWORK] = &options->lock,     [TIME - NETWORK] = &options->time,
        [ONLY - NETWORK] = &options->only,     [OUTPUT - NETWORK] = &options->output,
        [SET - NETWORK] = &options->set};
    double seconds;
    char safe[128];
    switch (code) {
    case NETWORK:
        return add_networks(options, value, error);
    case THREADS:
    case ROUNDS:
        return take_number(options, code, value, error);
    case DEFAULT:
        options->fallback = true;
        return ANOLE_DONE;
    case JSON:
        options->json = true;
        return ANOLE_DONE;
    case IDLE_POLL:
        options->idle_poll = true;
        return ANOLE_DONE;
    case TWICE:
        options->twice = true;
        return ANOLE_DONE;
    case TIMING:
        options->cold = strcmp(value, "cold") == 0;
        return options->cold || strcmp(value, "hot") == 0
                   ? ANOLE_DONE
                   : anole_fail(error, ANOLE_ERR_USAGE, "--timing: expected hot or cold, found %s",
                                anole_text_printable(safe, sizeof safe, value));
    case AGAINST:
        options->against = true;
        return strcmp(value, "onednn") == 0
                   ? ANOLE_DONE
                   : anole_fail(error, ANOLE_ERR_USAGE, "--against: expected onednn, found %s",
                                anole_text_printable(safe, sizeof safe, value));
    default:
        *texts[code - NETWORK] = value;
        return code == TIME ? anole_text_parse_duration(&seconds, value, error) : ANOLE_DONE;
    }
}

static enum anole_status check(struct bench_options *options, struct anole_error *error)
{
    int sources = !!options->history + !!options->lock + !!options->time + !!options->set;
    if (options->network_count == 0)
        return anole_fail(error, ANOLE_ERR_USAGE, "expected --network, found none; see --help");
    if (options->threads == 0)
        return anole_fail(error, ANOLE_ERR_USAGE, "expected --threads, found none; see --help");
    if (sources > 1)
        return anole_fail(error, ANOLE_ERR_USAGE,
                          "expected one of --time, --history, --lock and --set, found %d", sources);
    if (sources == 0 && !options->fallback)
        return anole_fail(error, ANOLE_ERR_USAGE,
                          "nothing says which kernels: expected --time, --history, --lock or "
                          "--default; see --help");
    return ANOLE_DONE;
}

enum anole_status bench_options_parse(struct bench_options *options, int argc, char **argv,
                                      bool *help, struct anole_error *error)
{
    enum anole_status status = ANOLE_DONE;
    char safe[128];
    int code;
    *options = (struct bench_options){.device = "cpu:0", .rounds = DEFAULT_ROUNDS};
    opterr = 0;
    optind = 0; /* glibc: scan anew */
    while (status == ANOLE_DONE && (code = getopt_long(argc, argv, ":", longs, NULL)) != -1) {
        if (code == HELP) {
            fputs(help_text, stdout);
            *help = true;
            return ANOLE_DONE;
        }
        if (code == '?' || code == ':')
            return anole_fail(error, ANOLE_ERR_USAGE, "%s %s; see --help",
                              anole_text_printable(safe, sizeof safe, argv[optind - 1]),
                              code == ':' ? "needs a value" : "is no option");
        status = take(options, code, optarg, error);
    }
    if (status == ANOLE_DONE && optind < argc)
        return anole_fail(error, ANOLE_ERR_USAGE, "unexpected argument '%s'; see --help",
                          anole_text_printable(safe, sizeof safe, argv[optind]));
    return status == ANOLE_DONE ? check(options, error) : status;
}

void bench_options_fini(struct bench_options *options)
{
    for (size_t i = 0; i < options->network_count; i++)
        free(options->networks[i]);
    free(options->networks);
}
