/* SPDX-License-Identifier: MIT
 *
 * Command lines: getopt_long behind a table that also makes the help.
 */
#ifndef ANOLE_OPTIONS_H
#define ANOLE_OPTIONS_H

#include "base/status.h"

#include <stddef.h>

struct anole_option {
    const char *name;     /* without the dashes */
    const char *argument; /* placeholder in the help; NULL: a flag */
    const char *help;
};

/* One verb of the program. */
struct anole_command {
    const char *name;
    const char *arguments; /* of the usage line: "NETWORK" */
    const char *summary;   /* one line */
    void (*details)(void); /* prints what --help shows below the options; may be NULL */
    const struct anole_option *options; /* ends with a NULL name */
    size_t least, most;                 /* positional arguments */
    enum anole_status (*run)(int argc, char **argv, struct anole_error *error);
};

/* Called for each option, in order; `index` into the table, value NULL for a
 * flag. */
typedef enum anole_status anole_option_sink(void *context, size_t index, const char *value,
                                            struct anole_error *error);

/* Parses argv[1..].  Positional arguments come out in *positional (borrowed from
 * argv; *count of them).  With --help, prints it to stdout and sets *help: the
 * caller is then done.  Unknown options get the nearest name. */
enum anole_status anole_options_parse(const struct anole_command *command, int argc, char **argv,
                                      anole_option_sink *sink, void *context, char ***positional,
                                      size_t *count, bool *help, struct anole_error *error);

#endif
