/* SPDX-License-Identifier: MIT
 *
 * Lines of a history: writing them.
 */
#include "record/history_line.h"

#include "base/hash.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Length of the valid UTF-8 character that `p` begins with, or 0. */
static size_t utf8_length(const unsigned char *p)
{
    static const struct {
        unsigned char first, last, low, high; /* ranges of the first and second byte */
        size_t length;
    } forms[] = {{0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3},
                 {0xe1, 0xec, 0x80, 0xbf, 3}, {0xed, 0xed, 0x80, 0x9f, 3},
                 {0xee, 0xef, 0x80, 0xbf, 3}, {0xf0, 0xf0, 0x90, 0xbf, 4},
                 {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4}};
    if (p[0] < 0x80)
        return 1;
    for (size_t f = 0; f < sizeof forms / sizeof *forms; f++) {
        if (p[0] < forms[f].first || p[0] > forms[f].last)
            continue;
        if (p[1] < forms[f].low || p[1] > forms[f].high)
            return 0;
        for (size_t i = 2; i < forms[f].length; i++)
            if (p[i] < 0x80 || p[i] > 0xbf)
                return 0;
        return forms[f].length;
    }
    return 0;
}

/* Bytes that are no UTF-8 are written as \u0080 to \u00ff, which are written for
 * nothing else: so they come back as they were. */
void anole_history_line_write_text(struct anole_text *out, const char *text)
{
    const unsigned char *p = (const unsigned char *)(text ? text : "");
    while (*p) {
        size_t length = utf8_length(p);
        if (*p == '"' || *p == '\\')
            anole_text_printf(out, "\\%c", *p);
        else if (*p < 0x20 || *p == 0x7f || length == 0)
            anole_text_printf(out, "\\u%04x", *p);
        else
            anole_text_append(out, (const char *)p, length);
        p += length ? length : 1;
    }
}

static void write_member(struct anole_text *out, const char *start, const char *text)
{
    anole_text_append(out, start, strlen(start));
    anole_history_line_write_text(out, text);
    anole_text_append(out, "\"", 1);
}

/* The shortest decimal that reads back as the same number.  JSON has no words
 * for what is no number. */
static void write_real(struct anole_text *out, const char *start, double value)
{
    char text[40];
    if (isnan(value))
        snprintf(text, sizeof text, "null");
    else if (isinf(value))
        snprintf(text, sizeof text, value > 0 ? "\"inf\"" : "\"-inf\"");
    else
        for (int digits = 15; digits <= 17; digits++) {
            snprintf(text, sizeof text, "%.*g", digits, value);
            if (strtod(text, NULL) == value)
                break;
        }
    anole_text_printf(out, "%s%s", start, text);
}

/* The checksum over the line so far, and the end of the line. */
static void write_end(struct anole_text *out, size_t start)
{
    if (out->failed)
        return;
    anole_text_printf(out, ANOLE_HISTORY_CRC_START "%08" PRIx32 "\"}\n",
                      anole_crc32(out->data + start, out->length - start));
}

void anole_history_line_write_header(struct anole_text *out)
{
    size_t start = out->length;
    anole_text_printf(out, ANOLE_HISTORY_HEADER_START "%d", ANOLE_HISTORY_VERSION);
    write_end(out, start);
}

void anole_history_line_write_key(struct anole_text *out, const struct anole_history_key *key)
{
    write_member(out, "\"task\":\"", key->task);
    write_member(out, ",\"backend\":\"", key->backend);
    write_member(out, ",\"backend_version\":\"", key->backend_version);
    anole_text_printf(out, ",\"generator\":%" PRIu32, key->generator);
    write_member(out, ",\"device\":\"", key->device);
    write_member(out, ",\"driver\":\"", key->driver);
    write_member(out, ",\"driver_version\":\"", key->driver_version);
    anole_text_printf(out, ",\"threads\":%" PRIu32, key->threads);
}

void anole_history_line_write_knobs(struct anole_text *out, const struct anole_space *space,
                                    uint64_t config)
{
    int64_t values[ANOLE_MAX_KNOBS];
    size_t count = anole_space_knob_count(space);
    anole_space_values(space, config, values);
    anole_text_append(out, "{", 1);
    for (size_t i = 0; i < count; i++) {
        write_member(out, i ? ",\"" : "\"", anole_space_knob(space, i)->name);
        anole_text_printf(out, ":%" PRId64, values[i]);
    }
    anole_text_append(out, "}", 1);
}

/* What clocks have measured comes last, so that what stands before "cost" is the
 * same in each run of a simulation. */
static void write_result(struct anole_text *out, const struct anole_result *result)
{
    anole_text_printf(out, ",\"outcome\":\"%s\"", anole_outcome_text(result->outcome));
    write_real(out, ",\"seconds\":", result->seconds);
    write_real(out, ",\"low\":", result->low);
    write_real(out, ",\"high\":", result->high);
    anole_text_printf(out, ",\"samples\":%" PRIu32, result->samples);
    write_real(out, ",\"error\":", result->error);
    anole_text_printf(out, ",\"abandoned\":%s,\"simulated\":%s",
                      result->abandoned ? "true" : "false", result->simulated ? "true" : "false");
    write_member(out, ",\"message\":\"", result->message);
    write_real(out, ",\"cost\":{\"generate\":", result->cost.generate);
    write_real(out, ",\"build\":", result->cost.build);
    write_real(out, ",\"transfer\":", result->cost.transfer);
    write_real(out, ",\"run\":", result->cost.run);
    write_real(out, ",\"verify\":", result->cost.verify);
    anole_text_append(out, "}", 1);
}

void anole_history_line_write(struct anole_text *out, struct anole_history_slice key, uint64_t id,
                              struct anole_history_slice knobs, enum anole_history_line_kind kind,
                              const struct anole_result *result, time_t now)
{
    size_t start = out->length;
    char when[40];
    struct tm utc;
    if (!gmtime_r(&now, &utc) || !strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%SZ", &utc))
        snprintf(when, sizeof when, "?");
    anole_text_printf(out, "{\"v\":%d,", ANOLE_HISTORY_VERSION);
    anole_text_append(out, key.data, key.length);
    anole_text_printf(out, ",\"id\":%" PRIu64 ",\"knobs\":", id);
    anole_text_append(out, knobs.data, knobs.length);
    if (result)
        write_result(out, result);
    else
        anole_text_printf(out, ",\"outcome\":\"%s\"",
                          kind == ANOLE_HISTORY_LINE_BEGUN ? "begun" : "withdrawn");
    write_member(out, ",\"time\":\"", when);
    write_end(out, start);
}
