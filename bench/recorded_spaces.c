/* SPDX-License-Identifier: MIT
 *
 * Recorded spaces, as the search benchmark tries them.
 */
#include "recorded_spaces.h"

#include "base/text.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define DEEPEST_FOLDER 4
#define MOST_COUNTED 100000000 /* nodes of the search tree, to count the valid configs */

static void space_fini(struct bench_space *space)
{
    anole_recording_destroy(space->recording);
    anole_features_destroy(space->features);
    anole_space_destroy(space->space);
    anole_t1_destroy(space->t1);
    free(space->path);
    free(space->t1_path);
}

void bench_spaces_fini(struct bench_spaces *spaces)
{
    for (size_t i = 0; i < spaces->count; i++)
        space_fini(&spaces->items[i]);
    free(spaces->items);
    *spaces = (struct bench_spaces){0};
}

/* What the recording says of the space as a whole. */
static enum anole_status sum_up(struct bench_space *space, struct anole_error *error)
{
    size_t count = anole_recording_count(space->recording);
    double cost = 0.0;
    bool exact;
    space->optimum = anole_recording_best(space->recording)->seconds;
    space->worst = space->optimum;
    for (size_t i = 0; i < count; i++) {
        const struct anole_recorded *item = anole_recording_get(space->recording, i);
        space->worst = fmax(space->worst, item->seconds); /* NaN: failed */
        cost += item->build + item->verify + item->run;
    }
    space->trial_seconds = cost / (double)count;
    double valid = anole_space_count(space->space, MOST_COUNTED, &exact);
    space->unrecorded = valid > (double)count ? (size_t)(valid - (double)count) : 0;
    if (valid > 2.0 * (double)count)
        return anole_fail(error, ANOLE_ERR_INPUT,
                          "%s: %zu of about %.3g valid configs are recorded; expected at least "
                          "half of them: no search can be judged on fewer",
                          space->path, count, valid);
    return ANOLE_DONE;
}

static enum anole_status load(struct bench_space *space, bool whole, struct anole_error *error)
{
    enum anole_status status = anole_t1_load(&space->t1, space->t1_path, error);
    if (status == ANOLE_DONE)
        status = anole_t1_space(&space->space, space->t1, error);
    if (status == ANOLE_DONE)
        status =
            anole_features_create(&space->features, space->space, NULL, 0, NULL, NULL, 0, error);
    if (status == ANOLE_DONE)
        status =
            anole_recording_load(&space->recording, space->t1, space->space, space->path, error);
    if (status != ANOLE_DONE)
        return status;
    snprintf(space->label, sizeof space->label, "%.60s %.80s", space->t1->name,
             anole_recording_device(space->recording));
    return whole ? sum_up(space, error) : ANOLE_DONE;
}

static enum anole_status resolve(char **resolved, const char *path, struct anole_error *error)
{
    char shown[256];
    *resolved = realpath(path, NULL);
    if (*resolved)
        return ANOLE_DONE;
    return anole_fail(error, ANOLE_ERR_INPUT, "%s: %s; expected a file: check the name",
                      anole_text_printable(shown, sizeof shown, path), strerror(errno));
}

static enum anole_status add(struct bench_spaces *spaces, const char *path, const char *t1_path,
                             bool whole, struct anole_error *error)
{
    struct bench_space *grown =
        reallocarray(spaces->items, spaces->count + 1, sizeof *spaces->items);
    if (!grown)
        return anole_fail_memory(error);
    spaces->items = grown;
    struct bench_space *space = &grown[spaces->count];
    *space = (struct bench_space){0};
    enum anole_status status = resolve(&space->path, path, error);
    if (status == ANOLE_DONE)
        status = resolve(&space->t1_path, t1_path, error);
    if (status == ANOLE_DONE)
        status = load(space, whole, error);
    if (status == ANOLE_DONE)
        spaces->count++;
    else
        space_fini(space);
    return status;
}

enum anole_status bench_spaces_add(struct bench_spaces *spaces, const char *path,
                                   const char *t1_path, struct anole_error *error)
{
    return add(spaces, path, t1_path, true, error);
}

enum anole_status bench_spaces_add_log(struct bench_spaces *spaces, const char *path,
                                       const char *t1_path, struct anole_error *error)
{
    return add(spaces, path, t1_path, false, error);
}

/* ------------------------------------------------------------------ folders */

static bool ends_with(const char *name, const char *end)
{
    size_t length = strlen(name), tail = strlen(end);
    return length >= tail && strcmp(name + length - tail, end) == 0;
}

static bool is_results(const char *name)
{
    return (strstr(name, "T4") || strstr(name, "cache")) &&
           (ends_with(name, ".json") || ends_with(name, ".json.gz"));
}

static enum anole_status add_folder(struct bench_spaces *spaces, const char *path, int depth,
                                    struct anole_error *error)
{
    struct dirent **entries;
    char t1[PATH_MAX], file[PATH_MAX], shown[256];
    struct stat info;
    int count = scandir(path, &entries, NULL, alphasort);
    if (count < 0)
        return anole_fail_errno(error, "%s: the folder cannot be read",
                                anole_text_printable(shown, sizeof shown, path));
    enum anole_status status = ANOLE_DONE;
    bool fits = snprintf(t1, sizeof t1, "%s/T1.json", path) < (int)sizeof t1;
    bool described = fits && stat(t1, &info) == 0;
    for (int i = 0; i < count; i++) {
        const char *name = entries[i]->d_name;
        fits = snprintf(file, sizeof file, "%s/%s", path, name) < (int)sizeof file;
        if (status == ANOLE_DONE && fits && name[0] != '.' && stat(file, &info) == 0) {
            if (S_ISDIR(info.st_mode) && depth < DEEPEST_FOLDER)
                status = add_folder(spaces, file, depth + 1, error);
            else if (S_ISREG(info.st_mode) && described && is_results(name))
                status = bench_spaces_add(spaces, file, t1, error);
        }
        free(entries[i]);
    }
    free(entries);
    return status;
}

enum anole_status bench_spaces_add_folder(struct bench_spaces *spaces, const char *path,
                                          struct anole_error *error)
{
    size_t before = spaces->count;
    char shown[256];
    enum anole_status status = add_folder(spaces, path, 0, error);
    if (status == ANOLE_DONE && spaces->count == before)
        return anole_fail(error, ANOLE_ERR_INPUT,
                          "%s: expected files of results (*T4*.json, *cache*.json, perhaps .gz) "
                          "beside a T1.json, found none",
                          anole_text_printable(shown, sizeof shown, path));
    return status;
}

/* -------------------------------------------------------------------- trials */

double bench_space_try(const struct bench_space *space, uint64_t config,
                       struct anole_result *result)
{
    const struct anole_recorded *recorded = anole_recording_find(space->recording, config);
    if (!recorded) {
        *result = (struct anole_result){
            .outcome = ANOLE_OUTCOME_INVALID, .simulated = true, .seconds = NAN, .error = NAN};
        return 0.0;
    }
    anole_recorded_result(recorded, result);
    return recorded->build + recorded->verify + recorded->run;
}
