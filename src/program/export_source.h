/* SPDX-License-Identifier: MIT
 *
 * A program as C code of its own: tables of what is launched, and the code that does it
 * (standalone.c.in), which is the same for all.
 */
#ifndef ANOLE_EXPORT_SOURCE_H
#define ANOLE_EXPORT_SOURCE_H

#include "base/text.h"
#include "program/program.h"

struct anole_export_layout {
    const struct anole_program *program; /* without steps of the host's */
    const size_t *kernels;               /* of each kernel: its number; ANOLE_NONE: unused */
    const char *const *files;            /* of each kernel: where its source is */
    const char *weights;                 /* the file of weights */
    const size_t *outputs; /* of each output that is a constant: where it is in that file */
};

/* Appends network.c, network.h and the Makefile.  ERR_NO_MEMORY. */
enum anole_status anole_export_source(struct anole_text *source, struct anole_text *header,
                                      struct anole_text *makefile,
                                      const struct anole_export_layout *layout,
                                      struct anole_error *error)
    __attribute__((warn_unused_result));

#endif
