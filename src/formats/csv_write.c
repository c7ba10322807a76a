/* SPDX-License-Identifier: MIT */
#include "formats/csv_write.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void separate(struct anole_text *out)
{
    if (out->length && out->data[out->length - 1] != '\n')
        anole_text_append(out, ",", 1);
}

/* Whether a spreadsheet would see more than a text in it.  Wide forms: U+FF0B, FF0D, FF1D, FF20. */
static bool is_formula(const char *text)
{
    static const char *const wide[] = {"\xef\xbc\x8b", "\xef\xbc\x8d", "\xef\xbc\x9d",
                                       "\xef\xbc\xa0"};
    for (size_t i = 0; i < sizeof wide / sizeof *wide; i++)
        if (strncmp(text, wide[i], 3) == 0)
            return true;
    return text[0] && strchr("=+-@\t\r\n", text[0]);
}

void anole_csv_text(struct anole_text *out, const char *text)
{
    struct anole_text safe = {0};
    separate(out);
    anole_text_append_printable(&safe, text, strlen(text));
    anole_text_append(out, "\"", 1);
    if (is_formula(text) || is_formula(text + strspn(text, " ")))
        anole_text_append(out, "'", 1);
    for (size_t i = 0; i < safe.length; i++)
        anole_text_append(out, safe.data[i] == '"' ? "\"\"" : &safe.data[i],
                          safe.data[i] == '"' ? 2 : 1);
    anole_text_append(out, "\"", 1);
    out->failed |= safe.failed;
    anole_text_fini(&safe);
}

void anole_csv_number(struct anole_text *out, double number)
{
    char text[40];
    separate(out);
    if (!isfinite(number)) {
        if (!out->length || out->data[out->length - 1] == '\n')
            anole_text_append(out, "\"\"", 2); /* or the next would be the first */
        return;
    }
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, number);
        if (strtod(text, NULL) == number)
            break;
    }
    anole_text_append(out, text, strlen(text));
}

void anole_csv_integer(struct anole_text *out, int64_t number)
{
    separate(out);
    anole_text_printf(out, "%" PRId64, number);
}

void anole_csv_end_row(struct anole_text *out)
{
    anole_text_append(out, "\r\n", 2);
}
