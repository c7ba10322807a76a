/* SPDX-License-Identifier: MIT
 *
 * A verdict as Markdown: for the summary of a CI job.
 */
#ifndef ANOLE_GATE_MARKDOWN_H
#define ANOLE_GATE_MARKDOWN_H

#include <anole/anole.h>

#include "base/text.h"

/* Appends a text that stays one: no markup, no cell's end, no link and no mention comes of it. */
void anole_markdown_escape(struct anole_text *out, const char *text);

/* `verdict`: of the whole check, in words. */
void anole_gate_markdown(struct anole_text *out, const struct anole_gate *gate,
                         const char *verdict);

/* Where there is no verdict. */
void anole_gate_markdown_error(struct anole_text *out, const char *network, const char *why);

#endif
