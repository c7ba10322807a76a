/* SPDX-License-Identifier: MIT */
#include "cli/gate_junit.h"

#include "cli/gate_rows.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* U+FFFE and U+FFFF are no characters of XML. */
static bool is_no_character(const unsigned char *at)
{
    return at[0] == 0xef && at[1] == 0xbf && (at[2] == 0xbe || at[2] == 0xbf);
}

static void escape_printable(struct anole_text *out, const char *text)
{
    static const struct {
        char of;
        const char *as;
    } entities[] = {{'&', "&amp;"}, {'<', "&lt;"}, {'>', "&gt;"}, {'"', "&quot;"}, {'\'', "&#39;"}};
    for (const char *p = text; *p; p++) {
        const char *as = NULL;
        for (size_t i = 0; i < sizeof entities / sizeof *entities && !as; i++)
            as = entities[i].of == *p ? entities[i].as : NULL;
        if (as) {
            anole_text_printf(out, "%s", as);
        } else if (is_no_character((const unsigned char *)p)) {
            anole_text_printf(out, "\\ufff%c", (unsigned char)p[2] == 0xbe ? 'e' : 'f');
            p += 2;
        } else {
            anole_text_append(out, p, 1);
        }
    }
}

void anole_junit_escape(struct anole_text *out, const char *text)
{
    struct anole_text printable = {0};
    anole_text_append_printable(&printable, text, strlen(text));
    if (printable.data)
        escape_printable(out, printable.data);
    out->failed |= printable.failed;
    anole_text_fini(&printable);
}

static void put_attribute(struct anole_text *out, const char *name, const char *value)
{
    anole_text_printf(out, " %s=\"", name);
    anole_junit_escape(out, value);
    anole_text_append(out, "\"", 1);
}

static void put_property(struct anole_text *out, const char *name, const char *value)
{
    anole_text_printf(out, "      <property");
    put_attribute(out, "name", name);
    put_attribute(out, "value", value);
    anole_text_printf(out, "/>\n");
}

static void put_failure(struct anole_text *out, const struct anole_gate_row *row)
{
    const char *verdict = anole_gate_verdict_text(row->verdict);
    const bool skipped = row->verdict == ANOLE_GATE_SKIPPED;
    anole_text_printf(out, "      <%s", skipped ? "skipped" : "failure");
    put_attribute(out, "message", row->reason);
    if (skipped) {
        anole_text_printf(out, "/>\n");
        return;
    }
    put_attribute(out, "type", verdict);
    anole_text_printf(out, ">%s: ", verdict);
    anole_junit_escape(out, row->reason);
    anole_text_printf(out, "</failure>\n");
}

static void put_case(struct anole_text *out, const struct anole_gate *gate,
                     const struct anole_gate_row *row)
{
    const struct anole_gate_info *info = anole_gate_info(gate);
    struct anole_text name = {0};
    anole_text_printf(&name, "%s%s%s", row->layer, row->layer[0] ? ": " : "", row->label);
    anole_text_printf(out, "    <testcase");
    put_attribute(out, "classname", info->network);
    put_attribute(out, "name", name.data ? name.data : "");
    anole_text_printf(out, " time=\"%.9f\"", isfinite(row->seconds) ? row->seconds : 0.0);
    anole_text_fini(&name);
    if (anole_gate_row_fails(row) || row->verdict == ANOLE_GATE_SKIPPED) {
        anole_text_printf(out, ">\n");
        put_failure(out, row);
        anole_text_printf(out, "    </testcase>\n");
    } else if (row->reason[0]) {
        anole_text_printf(out, ">\n      <system-out>%s: ", anole_gate_verdict_text(row->verdict));
        anole_junit_escape(out, row->reason);
        anole_text_printf(out, "</system-out>\n    </testcase>\n");
    } else {
        anole_text_printf(out, "/>\n");
    }
}

static void begin(struct anole_text *out, const char *suite, size_t tests, size_t failures,
                  size_t skipped, double seconds)
{
    anole_text_printf(out,
                      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                      "<testsuites name=\"anole check\" tests=\"%zu\" failures=\"%zu\" "
                      "errors=\"0\" time=\"%.9f\">\n  <testsuite",
                      tests, failures, seconds);
    put_attribute(out, "name", suite);
    anole_text_printf(out,
                      " tests=\"%zu\" failures=\"%zu\" errors=\"0\" skipped=\"%zu\" "
                      "time=\"%.9f\">\n",
                      tests, failures, skipped, seconds);
}

void anole_gate_junit(struct anole_text *out, const struct anole_gate *gate)
{
    const struct anole_gate_info *info = anole_gate_info(gate);
    const size_t count = anole_gate_rows(gate);
    size_t failures = 0, skipped = 0;
    double seconds = 0.0;
    struct anole_text suite = {0};
    for (size_t i = 0; i < count; i++) {
        const struct anole_gate_row *row = anole_gate_row_at(gate, i);
        failures += anole_gate_row_fails(row);
        skipped += row->verdict == ANOLE_GATE_SKIPPED;
        seconds += isfinite(row->seconds) ? row->seconds : 0.0;
    }
    anole_text_printf(&suite, "%s on %s", info->network, info->device);
    begin(out, suite.data ? suite.data : "", count, failures, skipped, seconds);
    anole_text_printf(out, "    <properties>\n");
    put_property(out, "baseline", info->baseline);
    put_property(out, "device", info->device);
    put_property(out, "driver", info->driver);
    put_property(out, "driver of the baseline", info->driver_then);
    put_property(out, "precision", info->precision);
    anole_text_printf(out, "    </properties>\n");
    for (size_t i = 0; i < count; i++)
        put_case(out, gate, anole_gate_row_at(gate, i));
    anole_text_printf(out, "  </testsuite>\n</testsuites>\n");
    anole_text_fini(&suite);
}

void anole_gate_junit_error(struct anole_text *out, const char *network, const char *why)
{
    begin(out, network, 1, 1, 0, 0.0);
    anole_text_printf(out, "    <testcase");
    put_attribute(out, "classname", network);
    anole_text_printf(out, " name=\"anole check\" time=\"0.0\">\n      <failure");
    put_attribute(out, "message", why);
    put_attribute(out, "type", "no verdict");
    anole_text_printf(out, ">no verdict: ");
    anole_junit_escape(out, why);
    anole_text_printf(out, "</failure>\n    </testcase>\n  </testsuite>\n</testsuites>\n");
}
