/* SPDX-License-Identifier: MIT */
#include "cli/options.h"

#include "base/text.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_OPTIONS 32

static size_t option_count(const struct anole_command *command)
{
    size_t count = 0;
    while (command->options[count].name)
        count++;
    return count;
}

static void print_option(const struct anole_option *option)
{
    char left[64];
    snprintf(left, sizeof left, "--%s%s%s", option->name, option->argument ? " " : "",
             option->argument ? option->argument : "");
    printf("  %-22s  %s\n", left, option->help);
}

static void print_help(const struct anole_command *command)
{
    printf("Usage: anole %s [OPTION]... %s\n\n%s.\n\nOptions:\n", command->name, command->arguments,
           command->summary);
    for (size_t i = 0; command->options[i].name; i++)
        print_option(&command->options[i]);
    print_option(&(struct anole_option){"help", NULL, "show this and exit"});
    if (command->details)
        command->details();
}

static enum anole_status unknown_option(const struct anole_command *command, const char *given,
                                        struct anole_error *error)
{
    const char *names[MAX_OPTIONS];
    size_t count = option_count(command);
    for (size_t i = 0; i < count; i++)
        names[i] = command->options[i].name;
    char bare[64], safe[128];
    snprintf(bare, sizeof bare, "%s", given + strspn(given, "-"));
    bare[strcspn(bare, "=")] = '\0';
    const char *nearest = anole_text_nearest(bare, names, count);
    return anole_fail(error, ANOLE_ERR_USAGE, "unknown option %s%s%s; see `anole %s --help`",
                      anole_text_printable(safe, sizeof safe, given),
                      nearest ? "; did you mean --" : "", nearest ? nearest : "", command->name);
}

static enum anole_status check_count(const struct anole_command *command, size_t count,
                                     const char *extra, struct anole_error *error)
{
    char safe[128];
    if (count < command->least)
        return anole_fail(error, ANOLE_ERR_USAGE,
                          "anole %s: expected %s, found %s; see `anole %s --help`", command->name,
                          command->arguments, count ? "fewer" : "nothing", command->name);
    if (count > command->most)
        return anole_fail(
            error, ANOLE_ERR_USAGE, "anole %s: unexpected argument '%s'; see `anole %s --help`",
            command->name, anole_text_printable(safe, sizeof safe, extra), command->name);
    return ANOLE_DONE;
}

enum anole_status anole_options_parse(const struct anole_command *command, int argc, char **argv,
                                      anole_option_sink *sink, void *context, char ***positional,
                                      size_t *count, bool *help, struct anole_error *error)
{
    struct option longs[MAX_OPTIONS + 2] = {{0}};
    size_t options = option_count(command);
    for (size_t i = 0; i < options; i++)
        longs[i] = (struct option){command->options[i].name,
                                   command->options[i].argument ? required_argument : no_argument,
                                   NULL, (int)i + 256};
    longs[options] = (struct option){"help", no_argument, NULL, 'h'};
    *help = false;
    opterr = 0;
    optind = 0; /* glibc: scan anew */
    for (;;) {
        int at = optind > 0 ? optind : 1;
        int code = getopt_long(argc, argv, ":h", longs, NULL);
        if (code == -1)
            break;
        if (code == 'h') {
            print_help(command);
            *help = true;
            return ANOLE_DONE;
        }
        const char *given =
            optind > 0 && optind <= argc && argv[optind - 1] ? argv[optind - 1] : argv[at];
        if (code == ':')
            return anole_fail(error, ANOLE_ERR_USAGE,
                              "option %s needs a value; see `anole %s --help`", given,
                              command->name);
        if (code == '?')
            return unknown_option(command, given, error);
        enum anole_status status = sink(context, (size_t)(code - 256), optarg, error);
        if (status != ANOLE_DONE)
            return status;
    }
    *positional = argv + optind;
    *count = (size_t)(argc - optind);
    return check_count(command, *count,
                       *count > command->most ? argv[optind + (int)command->most] : "", error);
}
