/* SPDX-License-Identifier: MIT */
#include "bench/tuned_configs.h"

#include "base/text.h"
#include "record/history.h"
#include "tune/tuner.h"
#include "program/tuned.h"

#include <errno.h>
#include <limits.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define MOST_LOCKS 32

extern char **environ;

struct bench_tuned_configs {
    const struct anole_registry *registry;
    const struct anole_registry_device *device;
    uint32_t threads;
    struct anole_history *history; /* or */
    struct anole_lockfile *locks[MOST_LOCKS];
    const struct anole_lock_device *locked[MOST_LOCKS];
    size_t lock_count;
};

static struct bench_tuned_configs *new_configs(const struct anole_registry *registry,
                                               const struct anole_registry_device *device,
                                               uint32_t threads, struct anole_error *error)
{
    struct bench_tuned_configs *new = calloc(1, sizeof *new);
    if (!new)
        anole_fail_memory(error);
    else
        *new = (struct bench_tuned_configs){
            .registry = registry, .device = device, .threads = threads};
    return new;
}

void bench_tuned_configs_destroy(struct bench_tuned_configs *configs)
{
    if (!configs)
        return;
    anole_history_close(configs->history);
    for (size_t i = 0; i < configs->lock_count; i++)
        anole_lockfile_destroy(configs->locks[i]);
    free(configs);
}

enum anole_status bench_tuned_configs_from_history(struct bench_tuned_configs **configs,
                                                   const char *path,
                                                   const struct anole_registry *registry,
                                                   const struct anole_registry_device *device,
                                                   uint32_t threads, struct anole_error *error)
{
    struct bench_tuned_configs *new = new_configs(registry, device, threads, error);
    if (!new)
        return ANOLE_ERR_MEMORY;
    enum anole_status status = anole_history_open(&new->history, path, ANOLE_HISTORY_READ, error);
    if (status == ANOLE_DONE)
        *configs = new;
    else
        bench_tuned_configs_destroy(new);
    return status;
}

static enum anole_status add_lock(struct bench_tuned_configs *configs, const char *path,
                                  struct anole_error *error)
{
    if (configs->lock_count == MOST_LOCKS)
        return anole_fail(error, ANOLE_ERR_USAGE, "--lock: more than %d files", MOST_LOCKS);
    size_t at = configs->lock_count;
    enum anole_status status = anole_lockfile_load(&configs->locks[at], path, error);
    if (status != ANOLE_DONE)
        return status;
    configs->lock_count++;
    status = anole_lockfile_find(&configs->locked[at], configs->locks[at], path, configs->registry,
                                 configs->device, ANOLE_F32, configs->threads, NULL, error);
    if (status == ANOLE_DONE && configs->locked[at]->threads != configs->threads)
        return anole_fail(error, ANOLE_ERR_INPUT,
                          "%s: expected kernels for --threads %u, found some for %u (0: all cores)",
                          path, configs->threads, configs->locked[at]->threads);
    return status;
}

enum anole_status bench_tuned_configs_from_lock(struct bench_tuned_configs **configs,
                                                const char *paths,
                                                const struct anole_registry *registry,
                                                const struct anole_registry_device *device,
                                                uint32_t threads, struct anole_error *error)
{
    struct bench_tuned_configs *new = new_configs(registry, device, threads, error);
    char *copy = strdup(paths), *rest = copy;
    enum anole_status status = new &&copy ? ANOLE_DONE : anole_fail_memory(error);
    for (char *path = strsep(&rest, ","); status == ANOLE_DONE && path; path = strsep(&rest, ","))
        if (*path)
            status = add_lock(new, path, error);
    free(copy);
    if (status == ANOLE_DONE)
        *configs = new;
    else
        bench_tuned_configs_destroy(new);
    return status;
}

static enum anole_status find_trial(uint64_t *config, size_t *trials,
                                    const struct bench_tuned_configs *configs, const char *key,
                                    const struct anole_generator *generator,
                                    struct anole_error *error)
{
    struct anole_trials *all = NULL;
    struct anole_history_key full =
        anole_tuner_key(configs->registry, configs->device, key, configs->threads);
    enum anole_status status = anole_trials_create(&all, error);
    if (status != ANOLE_DONE)
        return status;
    /* Those timed as in a network, if there are any. */
    full.warmth = ANOLE_WARMTH_COLD;
    status = anole_history_collect(configs->history, &full, anole_generator_space(generator), all,
                                   NULL, NULL, error);
    full.warmth = ANOLE_WARMTH_HOT;
    if (status == ANOLE_DONE && anole_trials_count(all) == 0)
        status = anole_history_collect(configs->history, &full, anole_generator_space(generator),
                                       all, NULL, NULL, error);
    const struct anole_trial *best = anole_trials_best(all);
    if (status == ANOLE_DONE && best) {
        *config = best->config;
        *trials = anole_trials_count(all);
    } else if (status == ANOLE_DONE) {
        status = anole_fail(error, ANOLE_ERR_NOTHING_VALID,
                            "%s: the history has no right kernel for it on %s with --threads %u",
                            key, configs->device->id, configs->threads);
    }
    anole_trials_destroy(all);
    return status;
}

enum anole_status bench_tuned_configs_find(uint64_t *config, size_t *trials,
                                           const struct bench_tuned_configs *configs,
                                           const char *key, const struct anole_generator *generator,
                                           struct anole_error *error)
{
    if (configs->history)
        return find_trial(config, trials, configs, key, generator, error);
    for (size_t i = 0; i < configs->lock_count; i++) {
        const struct anole_lock_device *locked = configs->locked[i];
        for (size_t k = 0; k < locked->task_count; k++) {
            if (strcmp(locked->tasks[k].task, key) != 0)
                continue;
            *trials = locked->tasks[k].trials;
            return anole_lock_task_config(config, &locked->tasks[k],
                                          anole_generator_space(generator), error);
        }
    }
    return anole_fail(error, ANOLE_ERR_NOTHING_VALID, "%s: no lock file has a kernel for it", key);
}

/* ------------------------------------------------------------------- by hand */

/* "name=value" or "name=label". */
static enum anole_status set_knob(int64_t *values, const struct anole_space *space, char *text,
                                  struct anole_error *error)
{
    char safe[128];
    char *value = strchr(text, '=');
    if (value)
        *value++ = '\0';
    size_t at = value ? anole_space_find_knob(space, text) : SIZE_MAX;
    if (at == SIZE_MAX)
        return anole_fail(error, ANOLE_ERR_USAGE, "--set: no knob '%s' here; expected NAME=VALUE",
                          anole_text_printable(safe, sizeof safe, text));
    const struct anole_space_knob *knob = anole_space_knob(space, at);
    for (uint32_t i = 0; i < knob->count; i++) {
        char number[32];
        snprintf(number, sizeof number, "%lld", (long long)knob->values[i]);
        if (strcmp(knob->labels ? knob->labels[i] : number, value) == 0) {
            values[at] = knob->values[i];
            return ANOLE_DONE;
        }
    }
    return anole_fail(error, ANOLE_ERR_USAGE, "--set: knob %s has no value '%s'", knob->name,
                      anole_text_printable(safe, sizeof safe, value));
}

enum anole_status bench_config_set(uint64_t *config, const char *knobs,
                                   const struct anole_generator *generator,
                                   struct anole_error *error)
{
    const struct anole_space *space = anole_generator_space(generator);
    const char *names[ANOLE_MAX_KNOBS];
    int64_t values[ANOLE_MAX_KNOBS];
    size_t count = anole_space_knob_count(space);
    char *copy = strdup(knobs), *rest = copy;
    enum anole_status status = copy ? ANOLE_DONE : anole_fail_memory(error);
    anole_space_values(space, anole_space_default(space), values);
    for (char *text = strsep(&rest, ","); status == ANOLE_DONE && text; text = strsep(&rest, ","))
        status = set_knob(values, space, text, error);
    free(copy);
    for (size_t i = 0; i < count; i++)
        names[i] = anole_space_knob(space, i)->name;
    if (status == ANOLE_DONE)
        status = anole_space_lookup(space, config, names, values, count, error);
    const char *broken = status == ANOLE_DONE ? anole_space_violation(space, *config) : NULL;
    if (broken)
        return anole_fail(error, ANOLE_ERR_USAGE, "--set breaks a constraint: %s", broken);
    return status;
}

/* ------------------------------------------------------------------ tuning */

/* "/.../bench/anole-bench-kernels" -> "/.../anole", if that is there. */
static void find_program(char *out, size_t size)
{
    char self[PATH_MAX];
    const char *named = getenv("ANOLE");
    snprintf(out, size, "%s", named && *named ? named : "anole");
    ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
    if ((named && *named) || length <= 0)
        return;
    self[length] = '\0';
    for (int up = 0; up < 2; up++) {
        char path[PATH_MAX + 8];
        char *slash = strrchr(self, '/');
        if (!slash)
            return;
        *slash = '\0';
        snprintf(path, sizeof path, "%s/anole", self);
        if (access(path, X_OK) == 0) {
            snprintf(out, size, "%s", path);
            return;
        }
    }
}

/* Its stdout is words here. */
static int spawn(pid_t *id, char *const *arguments)
{
    posix_spawn_file_actions_t actions;
    int problem = posix_spawn_file_actions_init(&actions);
    if (problem)
        return problem;
    problem = posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO, STDOUT_FILENO);
    if (!problem)
        problem = posix_spawnp(id, arguments[0], &actions, NULL, arguments, environ);
    posix_spawn_file_actions_destroy(&actions);
    return problem;
}

static enum anole_status run_program(char *const *arguments, struct anole_error *error)
{
    pid_t id;
    int state;
    int problem = spawn(&id, arguments);
    if (problem) {
        errno = problem;
        return anole_fail_errno(error, "starting %s", arguments[0]);
    }
    while (waitpid(id, &state, 0) < 0)
        if (errno != EINTR)
            return anole_fail_errno(error, "waiting for %s", arguments[0]);
    if (WIFEXITED(state) && WEXITSTATUS(state) == 0)
        return ANOLE_DONE;
    if (WIFEXITED(state) && WEXITSTATUS(state) == anole_status_exit_code(ANOLE_ERR_INTERRUPTED))
        return anole_fail(error, ANOLE_ERR_INTERRUPTED, "interrupted while tuning");
    return anole_fail(error, ANOLE_ERR_WORKER, "%s tune %s ended with %s %d", arguments[0],
                      arguments[2], WIFEXITED(state) ? "exit code" : "signal",
                      WIFEXITED(state) ? WEXITSTATUS(state) : WTERMSIG(state));
}

enum anole_status bench_tune(char *lock, size_t size, const char *network, const char *device,
                             uint32_t threads, const char *budget, const char *folder,
                             struct anole_error *error)
{
    char program[PATH_MAX + 8], history[PATH_MAX], count[16];
    find_program(program, sizeof program);
    if (snprintf(history, sizeof history, "%s/history", folder) >= (int)sizeof history ||
        snprintf(lock, size, "%s/lock.json", folder) >= (int)size)
        return anole_fail(error, ANOLE_ERR_INPUT, "%s: the path is too long", folder);
    snprintf(count, sizeof count, "%u", threads);
    const char *arguments[] = {program,     "tune",     network,  "--device", device,
                               "--threads", count,      "--time", budget,     "--history",
                               history,     "--output", lock,     NULL};
    return run_program((char *const *)arguments, error);
}
