/* SPDX-License-Identifier: MIT
 *
 * Finds all backends and their devices.  Whatever is asked of a plugin here is
 * asked in a worker process: first whether it is one, then, in a process each,
 * what devices its drivers have.
 */
#include "base/log.h"
#include "base/text.h"
#include "devices/registry.h"
#include "worker/asked.h"
#include "worker/oneshot.h"
#include "worker/message.h"
#include "plugin/paths.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LIMIT 30.0 /* seconds for one plugin or driver to answer */

/* One driver of one plugin. */
struct driver {
    size_t entry;
    char name[ANOLE_DRIVER];
};

/* A registry in the making. */
struct search {
    struct anole_registry *registry;
    uint32_t threads;
    struct driver *drivers;
    size_t driver_count;
};

/* -- Files -- */

static int is_plugin_file(const struct dirent *entry)
{
    size_t length = strlen(entry->d_name);
    return entry->d_name[0] != '.' && length > 3 && strcmp(entry->d_name + length - 3, ".so") == 0;
}

static bool same_file(const char *a, const char *b)
{
    struct stat of_a, of_b;
    return stat(a, &of_a) == 0 && stat(b, &of_b) == 0 && of_a.st_dev == of_b.st_dev &&
           of_a.st_ino == of_b.st_ino;
}

/* Takes `path` over. */
static enum anole_status add_file(struct anole_registry *registry, char *path,
                                  struct anole_error *error)
{
    for (size_t i = 0; path && i < registry->entry_count; i++) {
        if (same_file(registry->entries[i].path, path)) {
            free(path);
            return ANOLE_DONE;
        }
    }
    struct anole_registry_entry *grown =
        path ? realloc(registry->entries, (registry->entry_count + 1) * sizeof *grown) : NULL;
    if (!grown) {
        free(path);
        return anole_fail_memory(error);
    }
    registry->entries = grown;
    grown[registry->entry_count++] = (struct anole_registry_entry){.path = path};
    return ANOLE_DONE;
}

static enum anole_status add_folder(struct anole_registry *registry, const char *folder, bool named,
                                    struct anole_error *error)
{
    struct dirent **files;
    char printable[512];
    int count = scandir(folder, &files, is_plugin_file, alphasort);
    if (count < 0 && errno == ENOMEM)
        return anole_fail_memory(error);
    if (count < 0) {
        /* The installed folder need not exist; one that the user named should. */
        anole_text_printable(printable, sizeof printable, folder);
        if (named)
            anole_log_warning("the plugin path (ANOLE_PLUGIN_PATH): cannot read the folder %s: %s",
                              printable, strerror(errno));
        return ANOLE_DONE;
    }
    enum anole_status status = ANOLE_DONE;
    for (int i = 0; i < count; i++) {
        char *path = NULL;
        if (status == ANOLE_DONE) {
            if (asprintf(&path, "%s/%s", folder, files[i]->d_name) < 0)
                path = NULL;
            status = add_file(registry, path, error);
        }
        free(files[i]);
    }
    free(files);
    return status;
}

static enum anole_status add_folders(struct anole_registry *registry, struct anole_error *error)
{
    struct anole_folders folders;
    struct anole_text searched = {.data = NULL};
    enum anole_status status = anole_paths_plugins(&folders, error);
    if (status != ANOLE_DONE)
        return status;
    for (size_t i = 0; status == ANOLE_DONE && i < folders.count; i++) {
        anole_text_printf(&searched, "%s%s", i > 0 ? ", " : "", folders.paths[i]);
        status = add_folder(registry, folders.paths[i], i < folders.named, error);
    }
    anole_folders_fini(&folders);
    registry->searched = searched.data;
    return status;
}

/* -- Vetting -- */

static void refuse(struct anole_registry_entry *entry, enum anole_refusal refusal,
                   const char *format, ...) __attribute__((format(printf, 3, 4)));

static void refuse(struct anole_registry_entry *entry, enum anole_refusal refusal,
                   const char *format, ...)
{
    char path[PATH_MAX], reason[sizeof entry->reason];
    va_list args;
    va_start(args, format);
    vsnprintf(reason, sizeof reason, format, args);
    va_end(args);
    entry->refusal = refusal;
    anole_text_printable(path, sizeof path, entry->path);
    /* The path may be long: what is wrong must still fit. */
    size_t room = sizeof entry->reason - 3 - strnlen(reason, sizeof entry->reason / 2);
    snprintf(entry->reason, sizeof entry->reason, "%.*s: %.*s", (int)room, path,
             (int)sizeof entry->reason / 2, reason);
}

static enum anole_status add_driver(struct search *search, size_t entry, const char *name,
                                    struct anole_error *error)
{
    struct driver *grown =
        realloc(search->drivers, (search->driver_count + 1) * sizeof *search->drivers);
    if (!grown)
        return anole_fail_memory(error);
    search->drivers = grown;
    struct driver *driver = &grown[search->driver_count++];
    driver->entry = entry;
    snprintf(driver->name, sizeof driver->name, "%s", name);
    return ANOLE_DONE;
}

/* The entry of an earlier file with this name, or NULL. */
static const struct anole_registry_entry *name_taken(const struct anole_registry *registry,
                                                     size_t before, const char *name)
{
    for (size_t i = 0; i < before; i++)
        if (registry->entries[i].refusal == ANOLE_REFUSAL_NONE &&
            strcmp(registry->entries[i].name, name) == 0)
            return &registry->entries[i];
    return NULL;
}

/* It is a plugin, and has been loaded elsewhere without harm: now here. */
static enum anole_status accept(struct search *search, size_t at,
                                const struct anole_vet_reply *reply, struct anole_error *error)
{
    struct anole_registry_entry *entry = &search->registry->entries[at];
    snprintf(entry->name, sizeof entry->name, "%s", reply->name);
    snprintf(entry->version, sizeof entry->version, "%s", reply->version);
    entry->generator_version = reply->generator;
    snprintf(entry->probe_problem, sizeof entry->probe_problem, "%s", reply->problem);
    const struct anole_registry_entry *taken = name_taken(search->registry, at, entry->name);
    if (taken) {
        refuse(entry, ANOLE_REFUSAL_DUPLICATE,
               "its name \"%s\" is taken by %s, which was found first; remove or rename one",
               entry->name, taken->path);
        return ANOLE_DONE;
    }
    struct anole_error reason = {.status = ANOLE_DONE};
    enum anole_status status =
        anole_backend_load(&entry->backend, &entry->refusal, entry->path, &reason);
    if (status == ANOLE_ERR_MEMORY)
        return anole_fail_memory(error);
    if (status != ANOLE_DONE) { /* the file has changed in between? */
        snprintf(entry->reason, sizeof entry->reason, "%s", reason.text);
        return ANOLE_DONE;
    }
    status = anole_asked_install(entry->backend, error);
    for (uint32_t i = 0; status == ANOLE_DONE && i < reply->driver_count; i++)
        status = add_driver(search, at, reply->drivers[i], error);
    return status;
}

static enum anole_status judge(struct search *search, size_t at,
                               const struct anole_oneshot *oneshot, struct anole_error *error)
{
    struct anole_registry_entry *entry = &search->registry->entries[at];
    struct anole_vet_reply reply;
    struct anole_wire wire;
    if (!oneshot->started)
        return anole_fail(error, ANOLE_ERR_WORKER, "anole-worker does not come up: it %s",
                          oneshot->problem);
    if (oneshot->answer) {
        anole_wire_reader_init(&wire, oneshot->answer, oneshot->answer_length);
        anole_wire_vet_reply(&wire, &reply);
    }
    if (!oneshot->answer || !anole_wire_complete(&wire)) {
        refuse(entry, ANOLE_REFUSAL_VETTING_FAILED,
               "the process that tried to load it %s; remove the file, or fix the plugin",
               oneshot->answer ? "answered with nonsense" : oneshot->problem);
        return ANOLE_DONE;
    }
    if (reply.refusal != ANOLE_REFUSAL_NONE) {
        entry->refusal = (enum anole_refusal)reply.refusal;
        snprintf(entry->reason, sizeof entry->reason, "%s", reply.reason);
        return ANOLE_DONE;
    }
    return accept(search, at, &reply, error);
}

static enum anole_status vet(struct search *search, struct anole_error *error)
{
    struct anole_registry *registry = search->registry;
    size_t count = registry->entry_count;
    struct anole_oneshot *oneshots = calloc(count + 1, sizeof *oneshots);
    struct anole_vet_request request = {.threads = search->threads};
    if (!oneshots)
        return anole_fail_memory(error);
    for (size_t i = 0; i < count; i++) {
        snprintf(request.path, sizeof request.path, "%s", registry->entries[i].path);
        oneshots[i].request = ANOLE_FRAME_VET;
        oneshots[i].expected = ANOLE_FRAME_VETTED;
        anole_wire_vet_request(&oneshots[i].payload, &request);
    }
    enum anole_status status = anole_oneshots_run(oneshots, count, LIMIT, error);
    for (size_t i = 0; i < count; i++) {
        if (status == ANOLE_DONE)
            status = judge(search, i, &oneshots[i], error);
        anole_oneshot_fini(&oneshots[i]);
    }
    free(oneshots);
    return status;
}

/* -- Probing -- */

/* Several drivers may have something to say. */
static void note_problem(struct anole_registry_entry *entry, const char *driver, const char *text)
{
    char name[ANOLE_DRIVER * 4];
    size_t length = strlen(entry->probe_problem);
    anole_text_printable(name, sizeof name, driver);
    snprintf(entry->probe_problem + length, sizeof entry->probe_problem - length, "%s%s%s%s",
             length > 0 ? "; " : "", name, name[0] ? ": " : "", text);
}

static enum anole_status add_devices(struct anole_registry *registry, const struct driver *driver,
                                     const struct anole_probe_reply *reply,
                                     struct anole_error *error)
{
    if (reply->device_count == 0)
        return ANOLE_DONE;
    struct anole_registry_device *grown =
        realloc(registry->devices, (registry->device_count + reply->device_count) * sizeof *grown);
    if (!grown)
        return anole_fail_memory(error);
    registry->devices = grown;
    unsigned number = 0; /* over all drivers of the backend, in order */
    for (size_t i = 0; i < registry->device_count; i++)
        number += grown[i].backend == driver->entry;
    for (uint32_t i = 0; i < reply->device_count; i++) {
        struct anole_registry_device *device = &grown[registry->device_count++];
        *device =
            (struct anole_registry_device){.backend = driver->entry, .device = reply->devices[i]};
        memcpy(device->driver, driver->name, sizeof device->driver);
        snprintf(device->id, sizeof device->id, "%s:%u", registry->entries[driver->entry].name,
                 number++);
    }
    return ANOLE_DONE;
}

/* Room for all is made before the first. */
static void add_probed(struct anole_registry *registry, const struct driver *driver,
                       uint32_t devices, const char *problem)
{
    struct anole_registry_driver *probed = &registry->drivers[registry->driver_count++];
    *probed = (struct anole_registry_driver){.backend = driver->entry, .devices = devices};
    memcpy(probed->name, driver->name, sizeof probed->name);
    snprintf(probed->problem, sizeof probed->problem, "%s", problem);
}

static enum anole_status take_answer(struct search *search, const struct driver *driver,
                                     const struct anole_oneshot *oneshot,
                                     struct anole_probe_reply *reply, struct anole_error *error)
{
    struct anole_registry_entry *entry = &search->registry->entries[driver->entry];
    struct anole_wire wire;
    char text[ANOLE_ERROR_TEXT];
    if (!oneshot->answer) {
        snprintf(text, sizeof text, "the process that asked for its devices %.900s",
                 oneshot->problem);
        note_problem(entry, driver->name, text);
        add_probed(search->registry, driver, 0, text);
        return ANOLE_DONE;
    }
    anole_wire_reader_init(&wire, oneshot->answer, oneshot->answer_length);
    anole_wire_probe_reply(&wire, reply);
    if (!anole_wire_complete(&wire)) {
        note_problem(entry, driver->name, "it answered with nonsense");
        add_probed(search->registry, driver, 0, "it answered with nonsense");
        return ANOLE_DONE;
    }
    add_probed(search->registry, driver, reply->device_count, reply->problem);
    search->registry->drivers[search->registry->driver_count - 1].answered = true;
    if (reply->problem[0])
        note_problem(entry, driver->name, reply->problem);
    return add_devices(search->registry, driver, reply, error);
}

static enum anole_status probe(struct search *search, struct anole_error *error)
{
    size_t count = search->driver_count;
    struct anole_oneshot *oneshots = calloc(count + 1, sizeof *oneshots);
    struct anole_probe_reply *reply = calloc(1, sizeof *reply);
    struct anole_probe_request request = {.threads = search->threads};
    enum anole_status status = ANOLE_DONE;
    search->registry->drivers = calloc(count + 1, sizeof *search->registry->drivers);
    if (!oneshots || !reply || !search->registry->drivers) {
        status = anole_fail_memory(error);
        goto free_reply;
    }
    for (size_t i = 0; i < count; i++) {
        const struct driver *driver = &search->drivers[i];
        snprintf(request.path, sizeof request.path, "%s",
                 search->registry->entries[driver->entry].path);
        memcpy(request.driver, driver->name, sizeof request.driver);
        oneshots[i].request = ANOLE_FRAME_PROBE;
        oneshots[i].expected = ANOLE_FRAME_PROBED;
        anole_wire_probe_request(&oneshots[i].payload, &request);
    }
    status = anole_oneshots_run(oneshots, count, LIMIT, error);
    for (size_t i = 0; i < count; i++) {
        if (status == ANOLE_DONE)
            status = take_answer(search, &search->drivers[i], &oneshots[i], reply, error);
        anole_oneshot_fini(&oneshots[i]);
    }
free_reply:
    free(reply);
    free(oneshots);
    return status;
}

/* -- The whole -- */

/* `path` NULL: the files of all folders. */
static enum anole_status create(struct anole_registry **registry, char *path, uint32_t threads,
                                struct anole_error *error)
{
    struct search search = {.registry = calloc(1, sizeof *search.registry), .threads = threads};
    if (!search.registry) {
        free(path);
        return anole_fail_memory(error);
    }
    enum anole_status status =
        path ? add_file(search.registry, path, error) : add_folders(search.registry, error);
    if (status == ANOLE_DONE)
        status = vet(&search, error);
    if (status == ANOLE_DONE)
        status = probe(&search, error);
    free(search.drivers);
    if (status != ANOLE_DONE) {
        anole_registry_destroy(search.registry);
        return status;
    }
    *registry = search.registry;
    return ANOLE_DONE;
}

enum anole_status anole_registry_create(struct anole_registry **registry, uint32_t threads,
                                        struct anole_error *error)
{
    return create(registry, NULL, threads, error);
}

enum anole_status anole_registry_create_file(struct anole_registry **registry, const char *path,
                                             uint32_t threads, struct anole_error *error)
{
    /* Not its real path: a process has a name of its own, which is the plugin's. */
    char *folder = path[0] == '/' ? strdup("") : getcwd(NULL, 0), *whole = NULL;
    if (!folder)
        return anole_fail_errno(error, "cannot find out the current folder");
    if (asprintf(&whole, "%s%s%s", folder, folder[0] ? "/" : "", path) < 0)
        whole = NULL;
    free(folder);
    return whole ? create(registry, whole, threads, error) : anole_fail_memory(error);
}

void anole_registry_destroy(struct anole_registry *registry)
{
    if (!registry)
        return;
    for (size_t i = 0; i < registry->entry_count; i++) {
        anole_backend_destroy(registry->entries[i].backend);
        free(registry->entries[i].path);
    }
    free(registry->entries);
    free(registry->devices);
    free(registry->drivers);
    free(registry->searched);
    free(registry);
}
