/* SPDX-License-Identifier: MIT */
#include "record/lockfolder.h"

#include "base/log.h"
#include "base/text.h"

#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* ------------------------------------------------------------------- folders */

static bool has_ending(const char *name)
{
    const size_t length = strlen(name), ending = sizeof ANOLE_LOCKFOLDER_ENDING - 1;
    return length > ending && strcmp(name + length - ending, ANOLE_LOCKFOLDER_ENDING) == 0;
}

static int choose_name(const struct dirent *entry)
{
    return entry->d_name[0] != '.' && has_ending(entry->d_name);
}

static int compare_names(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

/* Behind the devices that are there; what is left of `from` can be destroyed. */
static enum anole_status append_devices(struct anole_lockfile *to, struct anole_lockfile *from,
                                        struct anole_error *error)
{
    const size_t count = to->device_count + from->device_count;
    struct anole_lock_device *devices =
        reallocarray(to->devices, count ? count : 1, sizeof *devices);
    if (!devices)
        return anole_fail_memory(error);
    to->devices = devices;
    if (from->device_count)
        memcpy(devices + to->device_count, from->devices, from->device_count * sizeof *devices);
    to->device_count = count;
    from->device_count = 0;
    return ANOLE_DONE;
}

/* The network of all, or none. */
static enum anole_status join_network(struct anole_lockfile *to, const struct anole_lockfile *from,
                                      struct anole_error *error)
{
    const bool same = strcmp(to->network, from->network) == 0;
    if (!same || strcmp(to->network_path, from->network_path) != 0)
        to->network_path[0] = '\0';
    if (same)
        return ANOLE_DONE;
    char *name = strdup("several networks");
    if (!name)
        return anole_fail_memory(error);
    free(to->network);
    to->network = name;
    return ANOLE_DONE;
}

static enum anole_status add_file(struct anole_lockfile **all, const char *path,
                                  struct anole_error *error)
{
    struct anole_lockfile *one = NULL;
    struct anole_error why = {.status = ANOLE_DONE};
    struct stat info;
    char shown[256];
    anole_text_printable(shown, sizeof shown, path);
    if (lstat(path, &info) != 0 || !S_ISREG(info.st_mode)) {
        anole_log_warning("%s: no regular file of this folder; left out", shown);
        return ANOLE_DONE;
    }
    enum anole_status status = anole_lockfile_load(&one, path, &why);
    if (status == ANOLE_ERR_MEMORY)
        return anole_fail_memory(error);
    if (status != ANOLE_DONE) {
        anole_log_warning("%s; left out", why.text);
        return ANOLE_DONE;
    }
    if (!*all) {
        *all = one;
        return ANOLE_DONE;
    }
    status = join_network(*all, one, error);
    if (status == ANOLE_DONE)
        status = append_devices(*all, one, error);
    anole_lockfile_destroy(one);
    return status;
}

static enum anole_status load_folder(struct anole_lockfile **lockfile, const char *path,
                                     struct anole_error *error)
{
    struct dirent **names = NULL;
    struct anole_lockfile *all = NULL;
    enum anole_status status = ANOLE_DONE;
    char shown[256];
    anole_text_printable(shown, sizeof shown, path);
    int count = scandir(path, &names, choose_name, compare_names);
    if (count < 0)
        return anole_fail_errno(error, "%s: the folder cannot be read", shown);
    if (count > ANOLE_LOCKFOLDER_FILES)
        status = anole_fail(error, ANOLE_ERR_INPUT, "%s: expected at most %d lock files, found %d",
                            shown, ANOLE_LOCKFOLDER_FILES, count);
    for (int i = 0; i < count; i++) {
        char *file = NULL;
        if (status == ANOLE_DONE && asprintf(&file, "%s/%s", path, names[i]->d_name) < 0) {
            file = NULL;
            status = anole_fail_memory(error);
        }
        if (status == ANOLE_DONE)
            status = add_file(&all, file, error);
        free(file);
        free(names[i]);
    }
    free(names);
    if (status == ANOLE_DONE && !all)
        status = anole_fail(error, ANOLE_ERR_INPUT,
                            "%s: expected a folder with lock files, whose names end in %s; found "
                            "none that can be read",
                            shown, ANOLE_LOCKFOLDER_ENDING);
    if (status == ANOLE_DONE)
        *lockfile = all;
    else
        anole_lockfile_destroy(all);
    return status;
}

enum anole_status anole_lockfolder_load(struct anole_lockfile **lockfile, const char *path,
                                        struct anole_error *error)
{
    struct stat info;
    if (stat(path, &info) == 0 && S_ISDIR(info.st_mode))
        return load_folder(lockfile, path, error);
    return anole_lockfile_load(lockfile, path, error);
}

/* ------------------------------------------------------------------ likeness */

unsigned anole_lock_differences(const struct anole_lock_device *device,
                                const struct anole_history_key *here)
{
    const struct {
        const char *a, *b;
        enum anole_lock_difference bit;
    } texts[] = {{device->device, here->device, ANOLE_DIFFERS_DEVICE},
                 {device->driver, here->driver, ANOLE_DIFFERS_DRIVER},
                 {device->driver_version, here->driver_version, ANOLE_DIFFERS_DRIVER_VERSION},
                 {device->backend_version, here->backend_version, ANOLE_DIFFERS_BACKEND_VERSION}};
    unsigned differences = 0;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (!anole_lock_same_text(texts[i].a, texts[i].b))
            differences |= texts[i].bit;
    if (device->generator != here->generator)
        differences |= ANOLE_DIFFERS_GENERATOR;
    if (device->threads != here->threads)
        differences |= ANOLE_DIFFERS_THREADS;
    return differences;
}

const char *anole_lock_differences_text(char *out, size_t size,
                                        const struct anole_lock_device *device,
                                        unsigned differences)
{
    struct anole_text text = {0};
    const char *comma = "";
    if (differences & ANOLE_DIFFERS_DEVICE) {
        anole_text_printf(&text, "device %s", device->device);
        comma = ", ";
    }
    if (differences & ANOLE_DIFFERS_GENERATOR) {
        anole_text_printf(&text, "%sgenerator %u", comma, device->generator);
        comma = ", ";
    }
    if (differences & (ANOLE_DIFFERS_DRIVER | ANOLE_DIFFERS_DRIVER_VERSION)) {
        anole_text_printf(&text, "%sdriver %s %s", comma, device->driver, device->driver_version);
        comma = ", ";
    }
    if (differences & ANOLE_DIFFERS_BACKEND_VERSION) {
        anole_text_printf(&text, "%sbackend version %s", comma, device->backend_version);
        comma = ", ";
    }
    if (differences & ANOLE_DIFFERS_THREADS && device->threads)
        anole_text_printf(&text, "%s%u threads", comma, device->threads);
    else if (differences & ANOLE_DIFFERS_THREADS)
        anole_text_printf(&text, "%sall threads", comma);
    anole_text_printable(out, size, text.data ? text.data : "all as here");
    anole_text_fini(&text);
    return out;
}

/* Bits in the order of their weight: a device that is another weighs more than all the rest. */
static unsigned weight(unsigned differences)
{
    unsigned weight = 0;
    for (unsigned bit = 1; bit <= ANOLE_DIFFERS_THREADS; bit <<= 1)
        weight = 2 * weight + ((differences & bit) != 0);
    return weight;
}

static bool same_config(const struct anole_lock_task *a, const struct anole_lock_task *b)
{
    if (a->knob_count != b->knob_count)
        return false;
    for (size_t i = 0; i < a->knob_count; i++) {
        bool found = false;
        for (size_t j = 0; j < b->knob_count && !found; j++)
            found = strcmp(a->knobs[i].name, b->knobs[j].name) == 0 &&
                    a->knobs[i].value == b->knobs[j].value;
        if (!found)
            return false;
    }
    return true;
}

static const struct anole_lock_task *task_of(const struct anole_lockfile *lockfile,
                                             const struct anole_lock_similar *similar)
{
    return &lockfile->devices[similar->device].tasks[similar->task];
}

static bool is_before(const struct anole_lockfile *lockfile, const struct anole_lock_similar *a,
                      const struct anole_lock_similar *b)
{
    const unsigned x = weight(a->differences), y = weight(b->differences);
    const enum anole_metric metric = lockfile->devices[a->device].metric;
    if (x != y)
        return x < y;
    return anole_metric_cost(metric, task_of(lockfile, a)->value) <
           anole_metric_cost(metric, task_of(lockfile, b)->value);
}

/* Into its place; the last falls off where there are too many. */
static void insert(struct anole_lock_similar *similar, size_t *count, size_t most,
                   const struct anole_lockfile *lockfile, struct anole_lock_similar next)
{
    size_t at = 0;
    while (at < *count && !is_before(lockfile, &next, &similar[at])) {
        if (same_config(task_of(lockfile, &next), task_of(lockfile, &similar[at])))
            return; /* a better entry has it */
        at++;
    }
    size_t end = at;
    while (end < *count && !same_config(task_of(lockfile, &next), task_of(lockfile, &similar[end])))
        end++;
    if (end == *count && *count == most) { /* nothing gives its place but the last */
        if (at == most)
            return;
        end--;
    } else if (end == *count) {
        ++*count;
    }
    memmove(similar + at + 1, similar + at, (end - at) * sizeof *similar);
    similar[at] = next;
}

size_t anole_lock_similar(struct anole_lock_similar *similar, size_t most,
                          const struct anole_lockfile *lockfile,
                          const struct anole_history_key *here, bool simulated)
{
    size_t count = 0;
    for (size_t d = 0; d < lockfile->device_count; d++) {
        const struct anole_lock_device *device = &lockfile->devices[d];
        if (!anole_lock_same_text(device->backend, here->backend) ||
            device->metric != here->metric || (device->simulated && !simulated))
            continue;
        const struct anole_lock_task *task = anole_lock_task_find(device, here->task);
        if (task)
            insert(
                similar, &count, most, lockfile,
                (struct anole_lock_similar){.device = d,
                                            .task = (size_t)(task - device->tasks),
                                            .differences = anole_lock_differences(device, here)});
    }
    return count;
}

enum anole_status anole_lock_task_config(uint64_t *config, const struct anole_lock_task *entry,
                                         const struct anole_space *space, struct anole_error *error)
{
    const char *names[ANOLE_MAX_KNOBS];
    int64_t values[ANOLE_MAX_KNOBS];
    uint64_t found;
    enum anole_status status = ANOLE_DONE;
    if (entry->knob_count > ANOLE_MAX_KNOBS)
        status = anole_fail(error, ANOLE_ERR_INPUT, "expected at most %d knobs, found %zu",
                            ANOLE_MAX_KNOBS, entry->knob_count);
    for (size_t i = 0; status == ANOLE_DONE && i < entry->knob_count; i++) {
        names[i] = entry->knobs[i].name;
        values[i] = entry->knobs[i].value;
    }
    if (status == ANOLE_DONE)
        status = anole_space_lookup(space, &found, names, values, entry->knob_count, error);
    if (status == ANOLE_DONE && !anole_space_valid(space, found))
        status = anole_fail(error, ANOLE_ERR_INPUT, "violates a constraint: %s",
                            anole_space_violation(space, found));
    if (status == ANOLE_DONE)
        *config = found;
    else
        anole_error_prefix(error, "task '%s'", entry->task);
    return status;
}
