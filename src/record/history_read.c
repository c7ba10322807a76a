/* SPDX-License-Identifier: MIT
 *
 * Lines of a history: reading them.
 */
#include "record/history_line.h"

#include "base/hash.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define CRC_LENGTH (sizeof ANOLE_HISTORY_CRC_START - 1 + 8 + 2) /* ,"crc":"xxxxxxxx"} */

/* Each reader moves `at` past what it expects, or sets `bad` and leaves it. */
struct cursor {
    const char *at, *end;
    bool bad;
};

static struct cursor cursor_of(struct anole_history_slice slice)
{
    return (struct cursor){.at = slice.data, .end = slice.data + slice.length};
}

/* True if the text comes next. */
static bool accept(struct cursor *c, const char *text)
{
    size_t length = strlen(text);
    if (c->bad || (size_t)(c->end - c->at) < length || memcmp(c->at, text, length) != 0)
        return false;
    c->at += length;
    return true;
}

static void expect(struct cursor *c, const char *text)
{
    if (!accept(c, text))
        c->bad = true;
}

/* A decimal number up to `limit`. */
static uint64_t read_u64(struct cursor *c, uint64_t limit)
{
    uint64_t value = 0;
    const char *start = c->at;
    while (!c->bad && c->at < c->end && *c->at >= '0' && *c->at <= '9') {
        uint64_t digit = (uint64_t)(*c->at - '0');
        if (value > (limit - digit) / 10 || digit > limit)
            c->bad = true;
        value = value * 10 + digit;
        c->at++;
    }
    if (c->at == start)
        c->bad = true;
    return c->bad ? 0 : value;
}

static int64_t read_i64(struct cursor *c)
{
    bool negative = accept(c, "-");
    uint64_t size = read_u64(c, (uint64_t)INT64_MAX + negative);
    return (int64_t)(negative ? -size : size);
}

static double read_real(struct cursor *c)
{
    if (accept(c, "null"))
        return NAN;
    if (accept(c, "\"inf\""))
        return INFINITY;
    if (accept(c, "\"-inf\""))
        return -INFINITY;
    const char *p = c->at;
    while (p < c->end && *p && strchr("0123456789+-.e", *p))
        p++;
    char *end = NULL;
    double value = c->bad || p == c->at ? 0.0 : strtod(c->at, &end);
    if (end != p) {
        c->bad = true;
        return 0.0;
    }
    c->at = p;
    return value;
}

static bool read_bool(struct cursor *c)
{
    bool value = accept(c, "true");
    if (!value)
        expect(c, "false");
    return value;
}

/* Up to the closing quote, which is passed over. */
static struct anole_history_slice read_slice(struct cursor *c)
{
    const char *p = c->at;
    while (!c->bad && p < c->end && *p != '"')
        p += *p == '\\' ? 2 : 1;
    if (c->bad || p >= c->end) {
        c->bad = true;
        return (struct anole_history_slice){NULL, 0};
    }
    struct anole_history_slice slice = {c->at, (size_t)(p - c->at)};
    c->at = p + 1;
    return slice;
}

static int hex_value(const char *p, size_t digits)
{
    int value = 0;
    for (size_t i = 0; i < digits; i++) {
        const char *digit = p[i] ? strchr("0123456789abcdef", p[i]) : NULL;
        if (!digit)
            return -1;
        value = value * 16 + (int)(digit - "0123456789abcdef");
    }
    return value;
}

/* Decodes a slice into out[size]. */
static void decode(struct cursor *c, char *out, size_t size, struct anole_history_slice slice)
{
    size_t length = 0;
    for (size_t i = 0; i < slice.length && !c->bad; i++) {
        char byte = slice.data[i];
        int code = 0;
        if (byte == '\\' && i + 1 < slice.length) {
            byte = slice.data[++i];
            if (byte == 'u' && slice.length - i > 4) {
                code = hex_value(slice.data + i + 1, 4);
                c->bad = code <= 0 || code > 0xff;
                byte = (char)code;
                i += 4;
            }
        }
        if (length + 1 >= size)
            c->bad = true;
        else
            out[length++] = byte;
    }
    out[c->bad ? 0 : length] = '\0';
}

bool anole_history_line_decode(char *out, size_t size, struct anole_history_slice slice)
{
    struct cursor c = cursor_of(slice);
    decode(&c, out, size, slice);
    return !c.bad;
}

static struct anole_history_slice read_member(struct cursor *c, const char *start)
{
    expect(c, start);
    return read_slice(c);
}

static double read_real_member(struct cursor *c, const char *start)
{
    expect(c, start);
    return read_real(c);
}

static bool read_bool_member(struct cursor *c, const char *start)
{
    expect(c, start);
    return read_bool(c);
}

static void read_fields(struct cursor *c, struct anole_history_fields *fields)
{
    fields->task = read_member(c, "\"task\":\"");
    fields->backend = read_member(c, ",\"backend\":\"");
    fields->backend_version = read_member(c, ",\"backend_version\":\"");
    expect(c, ",\"generator\":");
    fields->generator = (uint32_t)read_u64(c, UINT32_MAX);
    fields->device = read_member(c, ",\"device\":\"");
    fields->driver = read_member(c, ",\"driver\":\"");
    fields->driver_version = read_member(c, ",\"driver_version\":\"");
    expect(c, ",\"threads\":");
    fields->threads = (uint32_t)read_u64(c, UINT32_MAX);
}

bool anole_history_line_fields(struct anole_history_fields *fields, struct anole_history_slice key)
{
    struct cursor c = cursor_of(key);
    read_fields(&c, fields);
    return !c.bad && c.at == c.end;
}

bool anole_history_line_knobs(char names[][ANOLE_KNOB_NAME], int64_t *values, size_t *count,
                              struct anole_history_slice knobs)
{
    struct cursor c = cursor_of(knobs);
    size_t n = 0;
    expect(&c, "{");
    while (!c.bad && !accept(&c, "}")) {
        if (n == ANOLE_MAX_KNOBS)
            return false;
        decode(&c, names[n], ANOLE_KNOB_NAME, read_member(&c, n ? ",\"" : "\""));
        expect(&c, ":");
        values[n++] = read_i64(&c);
    }
    if (c.bad || c.at != c.end)
        return false;
    *count = n;
    return true;
}

/* Up to the closing brace; what is in there is looked at when it is asked for. */
static struct anole_history_slice read_knobs(struct cursor *c)
{
    expect(c, ",\"knobs\":{");
    const char *start = c->at - 1,
               *end = c->bad ? NULL : memchr(start, '}', (size_t)(c->end - start));
    if (!end) {
        c->bad = true;
        return (struct anole_history_slice){NULL, 0};
    }
    c->at = end + 1;
    return (struct anole_history_slice){start, (size_t)(c->at - start)};
}

static void read_result(struct cursor *c, struct anole_result *result)
{
    result->seconds = read_real_member(c, ",\"seconds\":");
    result->low = read_real_member(c, ",\"low\":");
    result->high = read_real_member(c, ",\"high\":");
    expect(c, ",\"samples\":");
    result->samples = (uint32_t)read_u64(c, UINT32_MAX);
    result->error = read_real_member(c, ",\"error\":");
    result->abandoned = read_bool_member(c, ",\"abandoned\":");
    result->simulated = read_bool_member(c, ",\"simulated\":");
    decode(c, result->message, sizeof result->message, read_member(c, ",\"message\":\""));
    result->cost.generate = read_real_member(c, ",\"cost\":{\"generate\":");
    result->cost.build = read_real_member(c, ",\"build\":");
    result->cost.transfer = read_real_member(c, ",\"transfer\":");
    result->cost.run = read_real_member(c, ",\"run\":");
    result->cost.verify = read_real_member(c, ",\"verify\":");
    expect(c, "}");
    if (result->outcome == ANOLE_OUTCOME_OK &&
        !(isfinite(result->seconds) && result->seconds >= 0.0))
        c->bad = true; /* whoever wrote it */
}

static void read_trial(struct cursor *c, struct anole_history_line *line)
{
    struct anole_history_fields fields;
    char outcome[24] = "";
    line->key.data = c->at;
    read_fields(c, &fields);
    line->key.length = (size_t)(c->at - line->key.data);
    expect(c, ",\"id\":");
    line->id = read_u64(c, UINT64_MAX);
    line->knobs = read_knobs(c);
    decode(c, outcome, sizeof outcome, read_member(c, ",\"outcome\":\""));
    line->kind = ANOLE_HISTORY_LINE_TRIAL;
    if (strcmp(outcome, "begun") == 0)
        line->kind = ANOLE_HISTORY_LINE_BEGUN;
    else if (strcmp(outcome, "withdrawn") == 0)
        line->kind = ANOLE_HISTORY_LINE_WITHDRAWN;
    else if (anole_outcome_parse(&line->result.outcome, outcome))
        read_result(c, &line->result);
    else
        c->bad = true;
    read_member(c, ",\"time\":\"");
}

/* True if the line ends in a checksum, and it is right. */
static bool check_crc(uint32_t *crc, const char *text, size_t length)
{
    if (length < CRC_LENGTH)
        return false;
    size_t covered = length - CRC_LENGTH;
    struct cursor c = {.at = text + covered, .end = text + length};
    expect(&c, ANOLE_HISTORY_CRC_START);
    int high = c.bad ? -1 : hex_value(c.at, 4), low = c.bad ? -1 : hex_value(c.at + 4, 4);
    if (high < 0 || low < 0 || memcmp(c.at + 8, "\"}", 2) != 0)
        return false;
    *crc = (uint32_t)high << 16 | (uint32_t)low;
    return *crc == anole_crc32(text, covered);
}

void anole_history_line_parse(struct anole_history_line *line, const char *text, size_t length)
{
    memset(line, 0, sizeof *line);
    if (!check_crc(&line->crc, text, length))
        return;
    struct cursor c = {.at = text, .end = text + length - CRC_LENGTH};
    if (accept(&c, ANOLE_HISTORY_HEADER_START)) {
        line->version = read_u64(&c, UINT64_MAX);
        line->kind = line->version == ANOLE_HISTORY_VERSION ? ANOLE_HISTORY_LINE_HEADER
                                                            : ANOLE_HISTORY_LINE_FOREIGN;
    } else if (accept(&c, "{\"v\":")) {
        line->version = read_u64(&c, UINT64_MAX);
        if (!c.bad && line->version != ANOLE_HISTORY_VERSION) {
            line->kind = ANOLE_HISTORY_LINE_FOREIGN;
            return;
        }
        expect(&c, ",");
        read_trial(&c, line);
    }
    if (c.bad || (c.at != c.end && line->kind != ANOLE_HISTORY_LINE_FOREIGN))
        line->kind = ANOLE_HISTORY_LINE_DAMAGED;
}

uint64_t anole_history_line_claim(const char *text, size_t length)
{
    struct cursor c = {.at = text, .end = text + length};
    expect(&c, ANOLE_HISTORY_HEADER_START);
    uint64_t version = read_u64(&c, UINT64_MAX);
    return c.bad ? 0 : version;
}

bool anole_history_slice_equal(struct anole_history_slice a, struct anole_history_slice b)
{
    return a.length == b.length && memcmp(a.data, b.data, a.length) == 0;
}
