/* SPDX-License-Identifier: MIT */
#include "plugin/paths.h"

#include "base/environment.h"
#include "base/log.h"
#include "base/text.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#ifndef ANOLE_LIBEXECDIR
#define ANOLE_LIBEXECDIR "/usr/local/libexec/anole"
#endif
#ifndef ANOLE_PLUGINDIR
#define ANOLE_PLUGINDIR "/usr/local/lib/anole"
#endif
#define WORKER "anole-worker"

static char *join(const char *folder, const char *rest)
{
    char *path;
    return asprintf(&path, "%s/%s", folder, rest) < 0 ? NULL : path;
}

static bool is_program(const char *path)
{
    struct stat about;
    return stat(path, &about) == 0 && S_ISREG(about.st_mode) && access(path, X_OK) == 0;
}

static bool is_there(const char *folder, const char *rest)
{
    char *path = join(folder, rest);
    bool there = path && access(path, F_OK) == 0;
    free(path);
    return there;
}

/* Cuts the last part off.  False if there is nothing to cut. */
static bool cut(char *path)
{
    char *slash = strrchr(path, '/');
    if (!slash || slash == path)
        return false;
    *slash = '\0';
    return true;
}

static bool ends_in(const char *path, const char *last)
{
    size_t length = strlen(path), wanted = strlen(last);
    return length > wanted && path[length - wanted - 1] == '/' &&
           strcmp(path + length - wanted, last) == 0;
}

/* The root of our build tree, if the running program belongs to it: in its folder or above
 * (tests/, examples/tune/), where configure left its config.status, as it does for others
 * who use the library, and make our core.  libtool keeps the programs themselves in .libs/. */
static bool build_tree(char root[PATH_MAX])
{
    ssize_t length = readlink("/proc/self/exe", root, PATH_MAX - 1);
    if (length <= 0)
        return false;
    root[length] = '\0';
    if (!cut(root) || (ends_in(root, ".libs") && !cut(root)))
        return false;
    for (int up = 0; up < 3; up++) {
        if (is_there(root, "config.status") && is_there(root, "libanole-core.la"))
            return true;
        if (!cut(root))
            return false;
    }
    return false;
}

enum anole_status anole_paths_worker(char **path, struct anole_error *error)
{
    const struct anole_environment *environment = anole_environment();
    const char *own = environment ? environment->worker : NULL;
    const char *wanted = own ? own : getenv("ANOLE_WORKER");
    char root[PATH_MAX], *found = NULL;
    if (wanted && *wanted) {
        if (wanted[0] != '/')
            return anole_fail(error, ANOLE_ERR_USAGE, "%s must be an absolute path, found %s",
                              own ? "the path of the worker program" : "$ANOLE_WORKER", wanted);
        found = strdup(wanted);
    } else if (build_tree(root)) {
        /* Past libtool's wrapper script, if there is one: it costs time. */
        const char *inside = ".libs/" WORKER;
        found = join(root, is_there(root, inside) ? inside : WORKER);
    } else {
        found = strdup(ANOLE_LIBEXECDIR "/" WORKER);
    }
    if (!found)
        return anole_fail_memory(error);
    if (!is_program(found)) {
        enum anole_status status =
            anole_fail(error, ANOLE_ERR_SYSTEM,
                       "there is no program %s: devices are driven by it; install it there, or set "
                       "ANOLE_WORKER to where it is",
                       found);
        free(found);
        return status;
    }
    *path = found;
    return ANOLE_DONE;
}

/* Takes `path` over. */
static enum anole_status add(struct anole_folders *folders, char *path, struct anole_error *error)
{
    char **grown = path ? realloc(folders->paths, (folders->count + 1) * sizeof *grown) : NULL;
    if (!grown) {
        free(path);
        return anole_fail_memory(error);
    }
    folders->paths = grown;
    folders->paths[folders->count++] = path;
    return ANOLE_DONE;
}

static enum anole_status add_search_path(struct anole_folders *folders, const char *variable,
                                         const char *list, struct anole_error *error)
{
    enum anole_status status = ANOLE_DONE;
    while (status == ANOLE_DONE && *list) {
        size_t length = strcspn(list, ":");
        char *part = strndup(list, length);
        char printable[512];
        if (part && part[0] == '/') {
            status = add(folders, part, error);
        } else if (part) {
            anole_log_warning("%s: expected absolute folders, ignoring \"%s\"", variable,
                              anole_text_printable(printable, sizeof printable, part));
            free(part);
        } else {
            status = anole_fail_memory(error);
        }
        list += length;
        if (*list == ':') {
            list++;
            if (*list == '\0')
                anole_log_warning("%s: ignoring the empty part at its end", variable);
        }
    }
    return status;
}

/* The folder that is looked at without being asked for. */
static enum anole_status add_own(struct anole_folders *folders, struct anole_error *error)
{
    const char *instead = getenv("ANOLE_PLUGIN_DIR");
    char root[PATH_MAX];
    if (instead)
        return add_search_path(folders, "$ANOLE_PLUGIN_DIR", instead, error);
    return add(folders, build_tree(root) ? join(root, "plugins/.libs") : strdup(ANOLE_PLUGINDIR),
               error);
}

enum anole_status anole_paths_plugins(struct anole_folders *folders, struct anole_error *error)
{
    struct anole_folders new = {.count = 0};
    const struct anole_environment *environment = anole_environment();
    const char *own = environment ? environment->plugin_path : NULL;
    const char *list = own ? own : getenv("ANOLE_PLUGIN_PATH");
    enum anole_status status =
        list ? add_search_path(&new, own ? "the plugin path" : "$ANOLE_PLUGIN_PATH", list, error)
             : ANOLE_DONE;
    new.named = new.count;
    if (status == ANOLE_DONE)
        status = add_own(&new, error);
    if (status != ANOLE_DONE) {
        anole_folders_fini(&new);
        return status;
    }
    *folders = new;
    return ANOLE_DONE;
}

void anole_folders_fini(struct anole_folders *folders)
{
    for (size_t i = 0; i < folders->count; i++)
        free(folders->paths[i]);
    free(folders->paths);
    *folders = (struct anole_folders){.count = 0};
}
