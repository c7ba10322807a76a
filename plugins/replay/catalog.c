/* SPDX-License-Identifier: MIT */
#include "catalog.h"

#include "base/hash.h"
#include "base/file.h"

#include <dirent.h>
#include <inttypes.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define DEEPEST_FOLDER 4
#define MOST_ENTRIES 1024
#define LARGEST_FILE ((size_t)256 << 20)

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct replay_entry *entries;
static size_t entry_count;
static bool listed;
static char *listed_from; /* what the variable was then; NULL: it was not set */

int replay_fail(struct anole_message *message, int code, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(message->text, sizeof message->text, format, args);
    va_end(args);
    return code;
}

static void forget(void)
{
    for (size_t i = 0; i < entry_count; i++) {
        anole_recording_destroy(entries[i].recording);
        anole_space_destroy(entries[i].space);
        anole_t1_destroy(entries[i].t1);
        free(entries[i].t1_path);
        free(entries[i].results_path);
    }
    free(entries);
    entries = NULL;
    entry_count = 0;
    listed = false;
    free(listed_from);
    listed_from = NULL;
}

__attribute__((destructor)) static void unload(void)
{
    forget();
}

/* ------------------------------------------------------------------- listing */

static int add(const char *t1, const char *results, struct anole_message *message)
{
    if (entry_count == MOST_ENTRIES)
        return replay_fail(message, ANOLE_BAD_REQUEST, "$ANOLE_REPLAY names more than %d spaces",
                           MOST_ENTRIES);
    struct replay_entry *grown = reallocarray(entries, entry_count + 1, sizeof *entries);
    if (!grown)
        return replay_fail(message, ANOLE_NO_MEMORY, "out of memory");
    entries = grown;
    grown[entry_count] =
        (struct replay_entry){.t1_path = strdup(t1), .results_path = strdup(results)};
    struct replay_entry *entry = &grown[entry_count++];
    if (!entry->t1_path || !entry->results_path)
        return replay_fail(message, ANOLE_NO_MEMORY, "out of memory");
    return ANOLE_OK;
}

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

static int add_folder(const char *path, int depth, struct anole_message *message)
{
    struct dirent **files;
    char t1[PATH_MAX], file[PATH_MAX];
    struct stat info;
    int code = ANOLE_OK, count = scandir(path, &files, NULL, alphasort);
    if (count < 0)
        return replay_fail(message, ANOLE_BAD_REQUEST, "$ANOLE_REPLAY: cannot read the folder %s",
                           path);
    bool described =
        snprintf(t1, sizeof t1, "%s/T1.json", path) < (int)sizeof t1 && stat(t1, &info) == 0;
    for (int i = 0; i < count; i++) {
        const char *name = files[i]->d_name;
        bool fits = snprintf(file, sizeof file, "%s/%s", path, name) < (int)sizeof file;
        if (code == ANOLE_OK && fits && name[0] != '.' && stat(file, &info) == 0) {
            if (S_ISDIR(info.st_mode) && depth < DEEPEST_FOLDER)
                code = add_folder(file, depth + 1, message);
            else if (S_ISREG(info.st_mode) && described && is_results(name))
                code = add(t1, file, message);
        }
        free(files[i]);
    }
    free(files);
    return code;
}

/* A folder, or a T1 file with the results that come next. */
static int add_item(char **rest, struct anole_message *message)
{
    struct stat info;
    const char *item = strsep(rest, ":");
    if (!item[0])
        return ANOLE_OK;
    if (stat(item, &info) == 0 && S_ISDIR(info.st_mode))
        return add_folder(item, 0, message);
    const char *results = *rest ? strsep(rest, ":") : NULL;
    if (!results || !results[0])
        return replay_fail(message, ANOLE_BAD_REQUEST,
                           "$ANOLE_REPLAY: %s is no folder, and no results follow it; expected "
                           "T1:T4[:T1:T4]... or folders",
                           item);
    return add(item, results, message);
}

/* A process that sets the variable anew gets other devices. */
static int list_all(struct anole_message *message)
{
    int code = ANOLE_OK;
    const char *variable = getenv("ANOLE_REPLAY");
    if (listed && strcmp(variable ? variable : "", listed_from ? listed_from : "") == 0)
        return ANOLE_OK;
    forget();
    listed_from = variable ? strdup(variable) : NULL;
    char *copy = variable ? strdup(variable) : NULL, *rest = copy;
    if (variable && (!copy || !listed_from)) {
        free(copy);
        forget();
        return replay_fail(message, ANOLE_NO_MEMORY, "out of memory");
    }
    while (rest && code == ANOLE_OK)
        code = add_item(&rest, message);
    free(copy);
    if (code == ANOLE_OK)
        listed = true;
    else
        forget();
    return code;
}

/* ------------------------------------------------------------------- reading */

static int fail_error(struct anole_message *message, const struct anole_error *error)
{
    int code = error->status == ANOLE_ERR_MEMORY ? ANOLE_NO_MEMORY : ANOLE_BAD_REQUEST;
    return replay_fail(message, code, "%s", error->text);
}

/* Other files, other results: the digest is part of the device. */
static enum anole_status make_digest(char *digest, size_t size, const struct replay_entry *entry,
                                     struct anole_error *error)
{
    const char *const paths[] = {entry->t1_path, entry->results_path};
    uint64_t hash = 0;
    for (size_t i = 0; i < 2; i++) {
        char *text;
        size_t length;
        enum anole_status status = anole_file_read(&text, &length, paths[i], LARGEST_FILE, error);
        if (status != ANOLE_DONE)
            return status;
        hash = anole_hash_combine(hash, anole_hash_bytes(text, length));
        free(text);
    }
    snprintf(digest, size, "%016" PRIx64, hash);
    return ANOLE_DONE;
}

static int read_entry(struct replay_entry *entry, struct anole_message *message)
{
    struct anole_error error = {0};
    struct replay_entry made = {0};
    if (entry->recording)
        return ANOLE_OK;
    enum anole_status status = make_digest(made.digest, sizeof made.digest, entry, &error);
    if (status == ANOLE_DONE)
        status = anole_t1_load(&made.t1, entry->t1_path, &error);
    if (status == ANOLE_DONE)
        status = anole_t1_space(&made.space, made.t1, &error);
    if (status == ANOLE_DONE)
        status =
            anole_recording_load(&made.recording, made.t1, made.space, entry->results_path, &error);
    if (status != ANOLE_DONE) {
        anole_space_destroy(made.space);
        anole_t1_destroy(made.t1);
        return fail_error(message, &error);
    }
    made.t1_path = entry->t1_path;
    made.results_path = entry->results_path;
    *entry = made;
    return ANOLE_OK;
}

int replay_count(size_t *count, struct anole_message *message)
{
    pthread_mutex_lock(&lock);
    int code = list_all(message);
    *count = entry_count;
    pthread_mutex_unlock(&lock);
    return code;
}

int replay_get(const struct replay_entry **entry, size_t index, struct anole_message *message)
{
    pthread_mutex_lock(&lock);
    int code = list_all(message);
    if (code == ANOLE_OK && index >= entry_count)
        code = replay_fail(message, ANOLE_NO_DEVICE, "$ANOLE_REPLAY names %zu spaces, found no %zu",
                           entry_count, index);
    if (code == ANOLE_OK)
        code = read_entry(&entries[index], message);
    if (code == ANOLE_OK)
        *entry = &entries[index];
    pthread_mutex_unlock(&lock);
    return code;
}

const struct replay_entry *replay_find(const struct anole_device *device)
{
    struct anole_message message = {.size = sizeof message};
    const struct replay_entry *entry;
    size_t count;
    if (replay_count(&count, &message) != ANOLE_OK)
        return NULL;
    for (size_t i = 0; i < count; i++)
        if (replay_get(&entry, i, &message) == ANOLE_OK &&
            strcmp(entry->digest, device->driver_version) == 0)
            return entry;
    return NULL;
}
