/* SPDX-License-Identifier: MIT
 *
 * What the tests of the measuring half share: the test plugins, small tasks, and
 * a folder for what they write.
 */
#ifndef ANOLE_MEASURE_FIXTURE_H
#define ANOLE_MEASURE_FIXTURE_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/log.h"
#include "devices/registry.h"
#include "plugin/host.h"
#include "plugin/scratch.h"
#include "op/task.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SMALL_TASK "conv2d n1 6x6x4 k3x3 s1x1 p1,1,1,1 d1x1 g1 o8 f32 bias residual relu"
#define OTHER_TASK "dense n2 i12 o5 f32 bias"

/* Fails the test with the error's text. */
#define assert_done(call)                                                                          \
    do {                                                                                           \
        enum anole_status status_ = (call);                                                        \
        if (status_ != ANOLE_DONE)                                                                 \
            fail_msg("%s: %s: %s", #call, anole_status_text(status_), error.text);                 \
    } while (0)

#define assert_contains(text, part)                                                                \
    do {                                                                                           \
        if (!strstr(text, part))                                                                   \
            fail_msg("\"%s\" is not in \"%s\"", part, text);                                       \
    } while (0)

/* The folder of the test plugins. */
static inline const char *plugin_folder(void)
{
    const char *folder = getenv("ANOLE_TEST_PLUGINS");
    return folder ? folder : "tests/plugins/.libs";
}

static inline const char *plugin_path(char *out, size_t size, const char *name)
{
    snprintf(out, size, "%s/%s.so", plugin_folder(), name);
    return out;
}

static inline struct anole_backend *load_backend(const char *name)
{
    char path[1024];
    struct anole_backend *backend;
    enum anole_refusal refusal;
    struct anole_error error = {.status = ANOLE_DONE};
    assert_done(
        anole_backend_load(&backend, &refusal, plugin_path(path, sizeof path, name), &error));
    return backend;
}

static inline struct anole_task parse_task(const char *key)
{
    struct anole_task task;
    struct anole_error error = {.status = ANOLE_DONE};
    assert_done(anole_task_parse_key(&task, key, &error));
    return task;
}

/* The device that a plugin without drivers describes. */
static inline struct anole_device probe_device(const struct anole_backend *backend)
{
    struct anole_device device = {.size = sizeof device};
    struct anole_message message = {.size = sizeof message};
    uint32_t count = 1;
    assert_int_equal(backend->plugin.probe(anole_host_get(0), "", &device, &count, &message),
                     ANOLE_OK);
    return device;
}

/* Folders that tests have made: what a failed test leaves goes at the end. */
static char *made_folders[256];

static inline void drop_folder(char *path)
{
    anole_scratch_remove(path);
    for (size_t i = 0; i < sizeof made_folders / sizeof *made_folders; i++)
        if (made_folders[i] == path)
            made_folders[i] = NULL;
    free(path);
}

static inline void drop_all_folders(void)
{
    for (size_t i = 0; i < sizeof made_folders / sizeof *made_folders; i++)
        if (made_folders[i])
            drop_folder(made_folders[i]);
}

/* A folder of one test's own; remove with drop_folder(). */
static inline char *make_folder(void)
{
    static size_t count;
    char *path;
    struct anole_error error = {.status = ANOLE_DONE};
    assert_done(anole_scratch_create(&path, &error));
    if (count == 0)
        atexit(drop_all_folders);
    assert_true(count < sizeof made_folders / sizeof *made_folders);
    made_folders[count++] = path;
    return path;
}

/* Puts links to test plugins into a folder: "good naughty". */
static inline void add_plugins(const char *folder, const char *names)
{
    char copy[256], from[1024], to[1024], *rest = copy, *name;
    snprintf(copy, sizeof copy, "%s", names);
    while ((name = strsep(&rest, " "))) {
        plugin_path(from, sizeof from, name);
        char *real = realpath(from, NULL);
        if (!real)
            fail_msg("there is no test plugin %s: set ANOLE_TEST_PLUGINS", from);
        snprintf(to, sizeof to, "%s/%s.so", folder, name);
        assert_int_equal(symlink(real, to), 0);
        free(real);
    }
}

/* The registry of a folder with these plugins alone. */
static inline struct anole_registry *registry_of(const char *folder)
{
    struct anole_registry *registry;
    struct anole_error error = {.status = ANOLE_DONE};
    setenv("ANOLE_PLUGIN_PATH", folder, 1);
    setenv("ANOLE_PLUGIN_DIR", "", 1);
    assert_done(anole_registry_create(&registry, 0, &error));
    return registry;
}

#endif
