/* SPDX-License-Identifier: MIT */
#include "base/text.h"
#include "cli/cmd_plugin.h"
#include "cli/table.h"
#include "devices/registry.h"

#include <stdio.h>
#include <string.h>

static const struct anole_option options[] = {
    {"json", NULL, "print JSON to stdout instead of a table"},
    {0},
};

static enum anole_status take(void *context, size_t index, const char *value,
                              struct anole_error *error)
{
    (void)index;
    (void)value;
    (void)error;
    *(bool *)context = true;
    return ANOLE_DONE;
}

static size_t count_devices(const struct anole_registry *registry, size_t entry)
{
    size_t count = 0;
    for (size_t i = 0; i < registry->device_count; i++)
        count += registry->devices[i].backend == entry;
    return count;
}

static bool is_loaded(const struct anole_registry_entry *entry)
{
    return entry->refusal == ANOLE_REFUSAL_NONE;
}

/* Of a file that was refused, the name is not known. */
static const char *name_of(const struct anole_registry_entry *entry)
{
    const char *slash = strrchr(entry->path, '/');
    return entry->name[0] ? entry->name : slash ? slash + 1 : entry->path;
}

/* ------------------------------------------------------------------ words */

static void add_row(struct anole_table *table, const struct anole_registry *registry, size_t at)
{
    const struct anole_registry_entry *entry = &registry->entries[at];
    anole_table_cell(table, "%s", name_of(entry));
    anole_table_cell(table, "%s", is_loaded(entry) ? entry->version : "-");
    anole_table_cell(table, "%s", is_loaded(entry) ? "loaded" : "refused");
    if (is_loaded(entry))
        anole_table_cell(table, "%zu", count_devices(registry, at));
    else
        anole_table_cell(table, "-");
    anole_table_cell(table, "%s", entry->path);
}

/* Why, below the table: sentences are longer than columns. */
static void print_reasons(const struct anole_registry *registry)
{
    char safe[1200];
    for (size_t i = 0; i < registry->entry_count; i++) {
        const struct anole_registry_entry *entry = &registry->entries[i];
        if (!is_loaded(entry)) /* its reason begins with the path */
            printf("\n%s\n", anole_text_printable(safe, sizeof safe, entry->reason));
        else if (entry->probe_problem[0])
            printf("\n%s has trouble: %s\n", entry->name,
                   anole_text_printable(safe, sizeof safe, entry->probe_problem));
    }
}

static enum anole_status print_table(const struct anole_registry *registry,
                                     struct anole_error *error)
{
    static const char *const titles[] = {"name", "version", "state", ">devices", "file", NULL};
    struct anole_table *table = NULL;
    enum anole_status status = anole_table_create(&table, titles, error);
    if (status != ANOLE_DONE)
        return status;
    for (size_t i = 0; i < registry->entry_count; i++)
        add_row(table, registry, i);
    status = anole_table_print(table, stdout, error);
    anole_table_destroy(table);
    if (status == ANOLE_DONE)
        print_reasons(registry);
    return status;
}

/* ------------------------------------------------------------------- JSON */

static json_t *devices_json(const struct anole_registry *registry, size_t entry)
{
    json_t *ids = json_array();
    for (size_t i = 0; i < registry->device_count; i++)
        if (registry->devices[i].backend == entry)
            json_array_append_new(ids, json_string(registry->devices[i].id));
    return ids;
}

static json_t *entry_json(const struct anole_registry *registry, size_t at)
{
    const struct anole_registry_entry *entry = &registry->entries[at];
    bool loaded = is_loaded(entry);
    char path[4 * 1024], reason[4 * sizeof entry->reason];
    anole_text_printable(path, sizeof path, entry->path);
    anole_text_printable(reason, sizeof reason, loaded ? entry->probe_problem : entry->reason);
    return json_pack("{s:s, s:s, s:s, s:I, s:b, s:s, s:s, s:o}", "path", path, "name", entry->name,
                     "version", entry->version, "generator", (json_int_t)entry->generator_version,
                     "loaded", loaded, "verdict", anole_refusal_text(entry->refusal), "reason",
                     reason, "devices", devices_json(registry, at));
}

static json_t *list_json(const struct anole_registry *registry)
{
    json_t *plugins = json_array();
    for (size_t i = 0; i < registry->entry_count; i++)
        json_array_append_new(plugins, entry_json(registry, i));
    return json_pack("{s:s, s:o}", "searched", registry->searched ? registry->searched : "",
                     "plugins", plugins);
}

/* -------------------------------------------------------------------- run */

static enum anole_status check_any(const struct anole_registry *registry, struct anole_error *error)
{
    for (size_t i = 0; i < registry->entry_count; i++)
        if (is_loaded(&registry->entries[i]))
            return ANOLE_DONE;
    return anole_fail(error, ANOLE_ERR_NO_BACKEND,
                      "no backend could be loaded: found %zu files; looked in %s; set "
                      "ANOLE_PLUGIN_PATH to the folder of another",
                      registry->entry_count, registry->searched ? registry->searched : "no folder");
}

static enum anole_status run(int argc, char **argv, struct anole_error *error)
{
    bool json = false, help;
    char **positional;
    size_t count;
    enum anole_status status = anole_options_parse(&anole_cmd_plugin_list, argc, argv, take, &json,
                                                   &positional, &count, &help, error);
    if (status != ANOLE_DONE || help)
        return status;
    struct anole_registry *registry = NULL;
    status = anole_registry_create(&registry, 0, error);
    if (status != ANOLE_DONE)
        return status;
    if (json)
        status = anole_command_print_json(list_json(registry), error);
    else if (registry->entry_count > 0)
        status = print_table(registry, error);
    if (status == ANOLE_DONE)
        status = check_any(registry, error);
    anole_registry_destroy(registry);
    return status;
}

static void print_details(void)
{
    printf("\nLooks into the folders of ANOLE_PLUGIN_PATH, then into the installed one; of two\n"
           "files with one name the first counts.\n");
}

const struct anole_command anole_cmd_plugin_list = {
    .name = "plugin list",
    .arguments = "",
    .summary = "List the backends that were found, loaded or refused, and why",
    .details = print_details,
    .options = options,
    .run = run,
};
