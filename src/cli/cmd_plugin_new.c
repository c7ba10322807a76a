/* SPDX-License-Identifier: MIT */
#include "base/file.h"
#include "base/text.h"
#include "cli/cmd_plugin.h"
#include "cli/plugin_template.h"
#include "plugin/backend.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define OLD_NAME "newt" /* the example's: what becomes the new name */

/* The files of examples/plugin, as they were when this program was built. */
static const struct {
    const char *name, *text;
} files[] = {
    {OLD_NAME ".c", template_newt_c},
    {OLD_NAME "_kernels.c", template_newt_kernels_c},
    {OLD_NAME "_kernels.h", template_newt_kernels_h},
    {"Makefile", template_makefile},
    {"README.md", template_readme_md},
};
#define FILE_COUNT (sizeof files / sizeof *files)

struct arguments {
    const char *directory;
};

static const struct anole_option options[] = {
    {"directory", "DIR", "the folder to make (default: NAME)"},
    {0},
};

static enum anole_status take(void *context, size_t index, const char *value,
                              struct anole_error *error)
{
    (void)index;
    (void)error;
    ((struct arguments *)context)->directory = value;
    return ANOLE_DONE;
}

static void append_renamed(struct anole_text *out, const char *text, const char *name)
{
    const char *found;
    while ((found = strstr(text, OLD_NAME))) {
        anole_text_append(out, text, (size_t)(found - text));
        anole_text_printf(out, "%s", name);
        text = found + strlen(OLD_NAME);
    }
    anole_text_printf(out, "%s", text);
}

static enum anole_status write_file(size_t at, const char *folder, const char *name,
                                    struct anole_error *error)
{
    struct anole_text path = {.data = NULL}, text = {.data = NULL};
    anole_text_printf(&path, "%s/", folder);
    append_renamed(&path, files[at].name, name);
    append_renamed(&text, files[at].text, name);
    enum anole_status status = path.failed || text.failed
                                   ? anole_fail_memory(error)
                                   : anole_file_replace(path.data, text.data, text.length, error);
    anole_text_fini(&path);
    anole_text_fini(&text);
    return status;
}

/* Takes back what was written before something failed. */
static void remove_files(const char *folder, const char *name)
{
    for (size_t i = 0; i < FILE_COUNT; i++) {
        struct anole_text path = {.data = NULL};
        anole_text_printf(&path, "%s/", folder);
        append_renamed(&path, files[i].name, name);
        if (!path.failed)
            unlink(path.data);
        anole_text_fini(&path);
    }
    rmdir(folder);
}

static enum anole_status check_name(const char *name, struct anole_error *error)
{
    char safe[256];
    if (anole_backend_is_name(name) && name[0] != '-')
        return ANOLE_DONE;
    return anole_fail(error, ANOLE_ERR_USAGE,
                      "\"%s\" is no name for a backend: expected 1 to %d of a-z, 0-9, _ and -, "
                      "and no - in front",
                      anole_text_printable(safe, sizeof safe, name), ANOLE_BACKEND_NAME);
}

static enum anole_status make(const char *folder, const char *name, struct anole_error *error)
{
    char safe[512];
    anole_text_printable(safe, sizeof safe, folder);
    if (mkdir(folder, 0777) != 0) {
        if (errno == EEXIST)
            return anole_fail(error, ANOLE_ERR_INPUT,
                              "%s exists already: name another folder with --directory", safe);
        return anole_fail_errno(error, "cannot make the folder %s", safe);
    }
    enum anole_status status = ANOLE_DONE;
    for (size_t i = 0; i < FILE_COUNT && status == ANOLE_DONE; i++)
        status = write_file(i, folder, name, error);
    if (status != ANOLE_DONE)
        remove_files(folder, name);
    return status;
}

static void print_next(const char *folder, const char *name)
{
    char safe[512];
    printf("%s holds the backend %s.  Next:\n"
           "    make -C %s\n"
           "    anole plugin check %s/%s.so\n",
           anole_text_printable(safe, sizeof safe, folder), name, safe, safe, name);
}

static enum anole_status run(int argc, char **argv, struct anole_error *error)
{
    struct arguments arguments = {.directory = NULL};
    char **positional;
    size_t count;
    bool help;
    enum anole_status status = anole_options_parse(&anole_cmd_plugin_new, argc, argv, take,
                                                   &arguments, &positional, &count, &help, error);
    if (status != ANOLE_DONE || help)
        return status;
    const char *name = positional[0];
    const char *folder = arguments.directory ? arguments.directory : name;
    status = check_name(name, error);
    if (status == ANOLE_DONE)
        status = make(folder, name, error);
    if (status == ANOLE_DONE)
        print_next(folder, name);
    return status;
}

static void print_details(void)
{
    printf("\nWhat it writes is complete: it builds, and tunes at once, on the host's own cores\n"
           "and without OpenCL.  Replace its parts by your device's.  NAME: a-z, 0-9, _ and -.\n");
}

const struct anole_command anole_cmd_plugin_new = {
    .name = "plugin new",
    .arguments = "NAME",
    .summary = "Begin a new backend: a folder with one that works, to be changed",
    .details = print_details,
    .options = options,
    .least = 1,
    .most = 1,
    .run = run,
};
