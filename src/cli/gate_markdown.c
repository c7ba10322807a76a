/* SPDX-License-Identifier: MIT */
#include "cli/gate_markdown.h"

#include "cli/gate_rows.h"

#include <ctype.h>
#include <math.h>
#include <string.h>

/* Punctuation that means nothing in Markdown wherever it stands but at a line's beginning, where
 * no text from outside does. */
#define HARMLESS " ,;()/+-%=\"'?"

void anole_markdown_escape(struct anole_text *out, const char *text)
{
    struct anole_text printable = {0};
    anole_text_append_printable(&printable, text, strlen(text));
    for (const char *p = printable.data ? printable.data : ""; *p; p++) {
        const unsigned char c = (unsigned char)*p;
        /* Between digits a point makes no link. */
        const bool plain = c >= 0x80 || (c < 0x80 && isalnum(c)) || strchr(HARMLESS, c) ||
                           (c == '.' && isdigit((unsigned char)p[1]));
        if (plain)
            anole_text_append(out, p, 1);
        else
            anole_text_printf(out, "&#%u;", c);
    }
    out->failed |= printable.failed;
    anole_text_fini(&printable);
}

static void put_cell(struct anole_text *out, const char *text)
{
    anole_markdown_escape(out, text);
    anole_text_printf(out, " | ");
}

static void put_seconds(struct anole_text *out, double seconds)
{
    char text[32];
    anole_text_printf(out, "%s | ", anole_text_seconds(text, sizeof text, seconds));
}

static void put_row(struct anole_text *out, const struct anole_gate_row *row)
{
    anole_text_printf(out, "| ");
    put_cell(out, row->layer);
    put_cell(out, row->label);
    if (row->multiplicity > 0)
        anole_text_printf(out, "%u", row->multiplicity);
    anole_text_printf(out, anole_gate_row_fails(row) ? " | **%s** | " : " | %s | ",
                      anole_gate_verdict_text(row->verdict));
    put_seconds(out, row->then_seconds);
    put_seconds(out, row->seconds);
    if (isnan(row->speedup))
        anole_text_printf(out, "- | ");
    else
        anole_text_printf(out, "%.2fx | ", row->speedup);
    if (anole_gate_row_is_default(row))
        anole_text_printf(out, "(default kept) |\n");
    else if (isnan(row->change))
        anole_text_printf(out, "- |\n");
    else
        anole_text_printf(out, "%+.1f %% (%+.1f to %+.1f) |\n", 100.0 * (row->change - 1.0),
                          100.0 * (row->change_low - 1.0), 100.0 * (row->change_high - 1.0));
}

static void put_reason(struct anole_text *out, const struct anole_gate_row *row)
{
    if (row->verdict == ANOLE_GATE_OK || !row->reason[0])
        return;
    anole_text_printf(out, "- %s: ", anole_gate_verdict_text(row->verdict));
    if (row->layer[0]) {
        anole_markdown_escape(out, row->layer);
        anole_text_printf(out, ", ");
    }
    anole_markdown_escape(out, row->label);
    anole_text_printf(out, ": ");
    anole_markdown_escape(out, row->reason);
    anole_text_printf(out, "\n");
}

void anole_gate_markdown(struct anole_text *out, const struct anole_gate *gate, const char *verdict)
{
    const struct anole_gate_info *info = anole_gate_info(gate);
    anole_text_printf(out, "### Anole: ");
    anole_markdown_escape(out, info->network);
    anole_text_printf(out, " on ");
    anole_markdown_escape(out, info->device);
    anole_text_printf(out, ": %s\n\nAgainst ", verdict);
    anole_markdown_escape(out, info->baseline);
    anole_text_printf(out, ", with a tolerance of %g %%.", 100.0 * info->tolerance);
    if (isfinite(info->drift))
        anole_text_printf(out,
                          "  Default kernels take %.2f times as long as they did: so much of a "
                          "change is the machine's, and does not count.",
                          info->drift);
    anole_text_printf(out, "\n\n| Layer | Task | Times | Verdict | Then | Now | Over the default | "
                           "Change of that (95 %%) |\n"
                           "| --- | --- | --: | --- | --: | --: | --: | --: |\n");
    for (size_t i = 0; i < anole_gate_rows(gate); i++)
        put_row(out, anole_gate_row_at(gate, i));
    anole_text_printf(out, "\n");
    for (size_t i = 0; i < anole_gate_rows(gate); i++)
        put_reason(out, anole_gate_row_at(gate, i));
}

void anole_gate_markdown_error(struct anole_text *out, const char *network, const char *why)
{
    anole_text_printf(out, "### Anole: ");
    anole_markdown_escape(out, network);
    anole_text_printf(out, ": no verdict\n\n");
    anole_markdown_escape(out, why);
    anole_text_printf(out, "\n");
}
