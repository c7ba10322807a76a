/* SPDX-License-Identifier: MIT
 *
 * anole VERB ...: finds the verb, runs it, turns its status into words and an
 * exit code.
 */
#include "base/file.h"
#include "base/log.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/interrupt.h"
#include "cli/terminal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifndef PACKAGE_VERSION
#define PACKAGE_VERSION "unknown"
#endif

static const struct anole_command *const commands[] = {
    &anole_cmd_devices, &anole_cmd_tasks,  &anole_cmd_tune,   &anole_cmd_best,    &anole_cmd_pack,
    &anole_cmd_verify,  &anole_cmd_check,  &anole_cmd_doctor, &anole_cmd_replay,  &anole_cmd_plugin,
    &anole_cmd_compare, &anole_cmd_export, &anole_cmd_run,    &anole_cmd_history, &anole_cmd_report,
};

#define COMMAND_COUNT (sizeof commands / sizeof commands[0])

static void print_usage(FILE *out)
{
    fprintf(out, "Usage: anole VERB [OPTION]... [ARGUMENT]...\n\n"
                 "Finds, for each layer of a neural network, the OpenCL kernel that runs fastest\n"
                 "on the device at hand, and proves it right.\n\nVerbs:\n");
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        fprintf(out, "  %-12s  %s\n", commands[i]->name, commands[i]->summary);
    fprintf(out,
            "\n`anole VERB --help` tells the rest.  Environment: ANOLE_PLUGIN_PATH, more folders\n"
            "with backends; ANOLE_LOG=debug, more words.\n\n"
            "Exit codes: 0 done, 1 internal error, 2 usage or bad input, 3 no such device or\n"
            "backend, 4 nothing valid found, 5 a wrong result, 6 slower than a baseline,\n"
            "130 interrupted and resumable.\n");
}

static const struct anole_command *find(const char *name)
{
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        if (strcmp(commands[i]->name, name) == 0)
            return commands[i];
    }
    return NULL;
}

static int unknown_verb(const char *name)
{
    const char *names[COMMAND_COUNT];
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        names[i] = commands[i]->name;
    char safe[128];
    const char *nearest = anole_text_nearest(name, names, COMMAND_COUNT);
    anole_log_error("unknown verb '%s'%s%s%s; see `anole --help`",
                    anole_text_printable(safe, sizeof safe, name),
                    nearest ? "; did you mean '" : "", nearest ? nearest : "", nearest ? "'" : "");
    return anole_status_exit_code(ANOLE_ERR_USAGE);
}

static void set_log_level(void)
{
    const char *level = getenv("ANOLE_LOG");
    if (level && strcmp(level, "debug") == 0)
        anole_log_set_level(ANOLE_LEVEL_DEBUG);
    else if (level && strcmp(level, "error") == 0)
        anole_log_set_level(ANOLE_LEVEL_ERROR);
}

/* What was printed must have arrived: a full disk is no success. */
static enum anole_status flush_output(struct anole_error *error)
{
    if (fflush(stdout) != 0 || ferror(stdout))
        return anole_fail_errno(error, "cannot write to stdout");
    return ANOLE_DONE;
}

static int conclude(enum anole_status status, const struct anole_error *error)
{
    if (status != ANOLE_DONE)
        anole_log_error("%s", error->text[0] ? error->text : anole_status_text(status));
    return anole_status_exit_code(status);
}

int main(int argc, char **argv)
{
    anole_file_hold_standard();
    anole_terminal_prepare();
    struct anole_error error = {0};
    if (argc < 2) {
        print_usage(stderr);
        return anole_status_exit_code(ANOLE_ERR_USAGE);
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
        strcmp(argv[1], "help") == 0) {
        print_usage(stdout);
        return conclude(flush_output(&error), &error);
    }
    if (strcmp(argv[1], "--version") == 0) {
        puts("anole " PACKAGE_VERSION);
        return conclude(flush_output(&error), &error);
    }
    const struct anole_command *command = find(argv[1]);
    if (!command)
        return unknown_verb(argv[1]);
    set_log_level();
    anole_interrupt_install();
    enum anole_status status = command->run(argc - 1, argv + 1, &error);
    if (status == ANOLE_DONE)
        status = flush_output(&error);
    return conclude(status, &error);
}
