/* SPDX-License-Identifier: MIT */
#include "record/history_line.h"

#include "base/hash.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CRC_LENGTH (sizeof ANOLE_HISTORY_CRC_START - 1 + 8 + 2) /* ,"crc":"xxxxxxxx"} */

/* --------------------------------------------------------- what a line holds */

enum member_type {
    MEMBER_TEXT,    /* a slice: the text with its escapes, without its quotes */
    MEMBER_MESSAGE, /* char[MESSAGE_ROOM]: decoded, and cut off where it is longer */
    MEMBER_U32,
    MEMBER_U64,
    MEMBER_REAL,
    MEMBER_BOOL,
    MEMBER_WORD,  /* uint32_t: the place of a text in a list */
    MEMBER_KNOBS, /* a slice: the object with its braces */
    MEMBER_OBJECT,
};

struct member {
    const char *name;
    enum member_type type;
    uint8_t since;                /* the first version of lines that must have it; 0: none must */
    bool of_trial;                /* lines that only announce a trial, or take that back, lack it */
    bool sparse;                  /* left out where it is 0: a WORD, a U32 or a REAL */
    size_t offset;                /* in struct anole_history_line, where it goes */
    const char *const *words;     /* of a WORD; NULL at the end */
    const struct member *members; /* of an OBJECT; their offsets are in the line, too */
    size_t member_count;
};

#define MESSAGE_ROOM sizeof(((struct anole_result *)NULL)->message)
#define IN_LINE(member) offsetof(struct anole_history_line, member)
/* Rows: of every line, and of lines of trials alone. */
#define EVERY(name_, type_, since_, place)                                                         \
    .name = name_, .type = MEMBER_##type_, .since = since_, .offset = IN_LINE(place)
#define TRIAL(name_, type_, since_, place) EVERY(name_, type_, since_, place), .of_trial = true
#define COUNT(array) (sizeof(array) / sizeof *(array))

enum { WORD_BEGUN = ANOLE_OUTCOME_COUNT, WORD_WITHDRAWN };

static const char *const outcome_words[] = {
#define X(name, text, words) text,
    ANOLE_OUTCOME_MAP(X)
#undef X
        [WORD_BEGUN] = "begun",
    [WORD_WITHDRAWN] = "withdrawn",
    NULL,
};

/* The first is meant where a line has none. */
static const char *const metric_words[] = {
#define X(name, text, unit, less_is_better, member) text,
    ANOLE_METRIC_MAP(X)
#undef X
        NULL,
};

static const char *const warmth_words[] = {
#define X(name, text) text,
    ANOLE_WARMTH_MAP(X)
#undef X
        NULL,
};

static const char *const timer_words[] = {
#define X(name, text) text,
    ANOLE_TIMER_MAP(X)
#undef X
        NULL,
};

static const struct member cost_members[] = {
    {TRIAL("generate", REAL, 1, result.cost.generate)},
    {TRIAL("build", REAL, 1, result.cost.build)},
    {TRIAL("transfer", REAL, 1, result.cost.transfer)},
    {TRIAL("run", REAL, 1, result.cost.run)},
    {TRIAL("verify", REAL, 1, result.cost.verify)},
};

/* In the order in which they are written.  What clocks have measured comes last, so
 * that what stands before "cost" is the same in each run of a simulation. */
static const struct member line_members[] = {
    {EVERY("task", TEXT, 1, fields.task)},
    {EVERY("backend", TEXT, 1, fields.backend)},
    {EVERY("backend_version", TEXT, 1, fields.backend_version)},
    {EVERY("generator", U32, 1, fields.generator)},
    {EVERY("device", TEXT, 1, fields.device)},
    {EVERY("driver", TEXT, 1, fields.driver)},
    {EVERY("driver_version", TEXT, 1, fields.driver_version)},
    {EVERY("threads", U32, 1, fields.threads)},
    {EVERY("metric", WORD, 2, metric), .words = metric_words},
    {EVERY("timing", WORD, 0, warmth), .words = warmth_words, .sparse = true},
    {EVERY("id", U64, 1, id)},
    {EVERY("knobs", KNOBS, 1, knobs)},
    {EVERY("outcome", WORD, 1, outcome), .words = outcome_words},
    {TRIAL("seconds", REAL, 1, result.seconds)},
    {TRIAL("low", REAL, 1, result.low)},
    {TRIAL("high", REAL, 1, result.high)},
    {TRIAL("samples", U32, 1, result.samples)},
    {TRIAL("error", REAL, 1, result.error)},
    {TRIAL("abandoned", BOOL, 1, result.abandoned)},
    {TRIAL("simulated", BOOL, 1, result.simulated)},
    {TRIAL("message", MESSAGE, 1, result.message)},
    {TRIAL("cost", OBJECT, 1, result.cost), .members = cost_members,
     .member_count = COUNT(cost_members)},
    {TRIAL("clock", WORD, 0, timer), .words = timer_words, .sparse = true},
    {TRIAL("disturbed_samples", U32, 0, result.disturbed), .sparse = true},
    {TRIAL("crowding", REAL, 0, result.crowding), .sparse = true},
    {EVERY("time", TEXT, 1, time)},
};

#define HOT_VERSION 2           /* of lines that older versions may take for what they know */
#define COLD_VERSION 3          /* of those that versions before would mix with hot ones, */
#define OWN_CLOCK_VERSION 4     /* and with what the host's clock told */
#define KEY_MEMBERS ((size_t)8) /* the first ones: what makes a key */

_Static_assert(COUNT(line_members) <= 64, "what was seen is kept in 64 bits");

/* ------------------------------------------------------------------- writing */

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
static void write_real(struct anole_text *out, double value)
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
    anole_text_append(out, text, strlen(text));
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

static void write_members(struct anole_text *out, const struct member *members, size_t count,
                          const struct anole_history_line *line, bool trial);

static void write_value(struct anole_text *out, const struct member *member,
                        const struct anole_history_line *line)
{
    const void *at = (const char *)line + member->offset;
    const struct anole_history_slice *slice = at;
    size_t word = 0;
    switch (member->type) {
    case MEMBER_TEXT:
        anole_text_append(out, "\"", 1);
        anole_text_append(out, slice->data, slice->length);
        anole_text_append(out, "\"", 1);
        break;
    case MEMBER_MESSAGE:
        write_member(out, "\"", at);
        break;
    case MEMBER_U32:
        anole_text_printf(out, "%" PRIu32, *(const uint32_t *)at);
        break;
    case MEMBER_U64:
        anole_text_printf(out, "%" PRIu64, *(const uint64_t *)at);
        break;
    case MEMBER_REAL:
        write_real(out, *(const double *)at);
        break;
    case MEMBER_BOOL:
        anole_text_printf(out, "%s", *(const bool *)at ? "true" : "false");
        break;
    case MEMBER_WORD:
        while (member->words[word] && word < *(const uint32_t *)at)
            word++;
        anole_text_printf(out, "\"%s\"", member->words[word] ? member->words[word] : "unknown");
        break;
    case MEMBER_KNOBS:
        anole_text_append(out, slice->data, slice->length);
        break;
    case MEMBER_OBJECT:
        anole_text_append(out, "{", 1);
        write_members(out, member->members, member->member_count, line, true);
        anole_text_append(out, "}", 1);
        break;
    }
}

static bool is_left_out(const struct member *member, const struct anole_history_line *line)
{
    const void *at = (const char *)line + member->offset;
    return member->sparse &&
           (member->type == MEMBER_REAL ? *(const double *)at == 0.0 : *(const uint32_t *)at == 0);
}

static void write_members(struct anole_text *out, const struct member *members, size_t count,
                          const struct anole_history_line *line, bool trial)
{
    const char *comma = "";
    for (size_t i = 0; i < count; i++) {
        if ((members[i].of_trial && !trial) || is_left_out(&members[i], line))
            continue;
        anole_text_printf(out, "%s\"%s\":", comma, members[i].name);
        write_value(out, &members[i], line);
        comma = ",";
    }
}

void anole_history_line_write_fields(struct anole_text *out,
                                     const struct anole_history_fields *fields)
{
    struct anole_history_line line = {.fields = *fields};
    write_members(out, line_members, KEY_MEMBERS, &line, false);
}

void anole_history_line_write(struct anole_text *out, struct anole_history_slice key,
                              enum anole_metric metric, enum anole_warmth warmth, uint64_t id,
                              struct anole_history_slice knobs, enum anole_history_line_kind kind,
                              const struct anole_result *result, time_t now)
{
    size_t start = out->length;
    char when[40];
    struct tm utc;
    if (!gmtime_r(&now, &utc) || !strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%SZ", &utc))
        snprintf(when, sizeof when, "?");
    struct anole_history_line line = {.id = id,
                                      .knobs = knobs,
                                      .time = {when, strlen(when)},
                                      .metric = (uint32_t)metric,
                                      .warmth = (uint32_t)warmth};
    line.outcome = kind == ANOLE_HISTORY_LINE_BEGUN ? WORD_BEGUN : WORD_WITHDRAWN;
    int version = warmth == ANOLE_WARMTH_HOT ? HOT_VERSION : COLD_VERSION;
    if (result) {
        line.result = *result;
        line.timer = (uint32_t)result->timer;
        if (result->timer == ANOLE_TIMER_OWN)
            version = OWN_CLOCK_VERSION;
        line.outcome =
            result->outcome < ANOLE_OUTCOME_COUNT ? (uint32_t)result->outcome : UINT32_MAX;
    }
    anole_text_printf(out, "{\"v\":%d,", version);
    anole_text_append(out, key.data, key.length);
    anole_text_append(out, ",", 1);
    write_members(out, line_members + KEY_MEMBERS, COUNT(line_members) - KEY_MEMBERS, &line,
                  result);
    write_end(out, start);
}

/* ------------------------------------------------------------------- reading */

/* Each reader moves `at` past what it expects, or sets `bad` and leaves it. */
struct cursor {
    const char *at, *end;
    bool bad;
    bool newer; /* a word that is in no list of ours */
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
    const char *p = c->at, *const last = c->end;
    while (p < last &&
           ((*p >= '0' && *p <= '9') || *p == '.' || *p == '-' || *p == '+' || *p == 'e'))
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

/* Where a string ends; `end` or behind: nowhere.  Nearly all have no escape, and searching twice is
 * faster than looking at byte after byte. */
static const char *find_quote(const char *p, const char *end)
{
    const char *quote = p < end ? memchr(p, '"', (size_t)(end - p)) : NULL;
    if (!quote)
        return end;
    if (!memchr(p, '\\', (size_t)(quote - p)))
        return quote;
    while (p < end && *p != '"')
        p += *p == '\\' ? 2 : 1;
    return p;
}

/* Up to the closing quote, which is passed over. */
static struct anole_history_slice read_slice(struct cursor *c)
{
    const char *const end = c->end, *const p = find_quote(c->at, end);
    if (c->bad || p >= end) {
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

/* Decodes a slice into out[size].  What does not fit is cut off, or else is a fault. */
static void decode(struct cursor *c, char *out, size_t size, struct anole_history_slice slice,
                   bool cut)
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
        if (length + 1 < size)
            out[length++] = byte;
        else if (!cut)
            c->bad = true;
    }
    out[c->bad ? 0 : length] = '\0';
}

bool anole_history_line_decode(char *out, size_t size, struct anole_history_slice slice)
{
    struct cursor c = cursor_of(slice);
    decode(&c, out, size, slice, false);
    return !c.bad;
}

/* What numbers and words are made of. */
static bool is_plain(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '+' ||
           c == '-' || c == '.';
}

/* Passes over a value of any kind, as long as it is whole. */
static void skip_value(struct cursor *c)
{
    size_t depth = 0;
    do {
        const char *start = c->at;
        if (accept(c, "{") || accept(c, "["))
            depth++;
        else if (depth && (accept(c, "}") || accept(c, "]")))
            depth--;
        else if (accept(c, "\""))
            read_slice(c);
        else if (!depth || (!accept(c, ",") && !accept(c, ":")))
            while (c->at < c->end && is_plain(*c->at))
                c->at++;
        if (c->at == start)
            c->bad = true;
    } while (!c->bad && depth);
}

static uint32_t read_word(struct cursor *c, const char *const *words)
{
    expect(c, "\"");
    struct anole_history_slice slice = read_slice(c);
    for (uint32_t i = 0; !c->bad && words[i]; i++)
        if (strlen(words[i]) == slice.length && memcmp(words[i], slice.data, slice.length) == 0)
            return i;
    c->newer = true;
    return 0;
}

/* The object with its braces; what is in there is looked at when it is asked for. */
static struct anole_history_slice read_object(struct cursor *c)
{
    const char *start = c->at;
    if (c->at >= c->end || *start != '{')
        c->bad = true;
    else
        skip_value(c);
    return (struct anole_history_slice){start, c->bad ? 0 : (size_t)(c->at - start)};
}

static uint64_t read_members(struct cursor *c, const struct member *members, size_t count,
                             struct anole_history_line *line);

/* Whether everything is there that a line of this version must have. */
static bool has_all(const struct member *members, size_t count, uint64_t seen, uint64_t version,
                    bool trial)
{
    for (size_t i = 0; i < count; i++)
        if (members[i].since && members[i].since <= version && (trial || !members[i].of_trial) &&
            !(seen >> i & 1))
            return false;
    return true;
}

static void read_value(struct cursor *c, const struct member *member,
                       struct anole_history_line *line)
{
    void *at = (char *)line + member->offset;
    switch (member->type) {
    case MEMBER_TEXT:
        expect(c, "\"");
        *(struct anole_history_slice *)at = read_slice(c);
        break;
    case MEMBER_MESSAGE:
        expect(c, "\"");
        decode(c, at, MESSAGE_ROOM, read_slice(c), true);
        break;
    case MEMBER_U32:
        *(uint32_t *)at = (uint32_t)read_u64(c, UINT32_MAX);
        break;
    case MEMBER_U64:
        *(uint64_t *)at = read_u64(c, UINT64_MAX);
        break;
    case MEMBER_REAL:
        *(double *)at = read_real(c);
        break;
    case MEMBER_BOOL:
        *(bool *)at = read_bool(c);
        break;
    case MEMBER_WORD:
        *(uint32_t *)at = read_word(c, member->words);
        break;
    case MEMBER_KNOBS:
        *(struct anole_history_slice *)at = read_object(c);
        break;
    case MEMBER_OBJECT:
        expect(c, "{");
        uint64_t seen = read_members(c, member->members, member->member_count, line);
        expect(c, "}");
        c->bad |= !has_all(member->members, member->member_count, seen, line->version, true);
        break;
    }
}

/* The row of a member; `guess` is looked at first.  `count`: there is none. */
static size_t find_member(const struct member *members, size_t count, size_t guess,
                          struct anole_history_slice name)
{
    for (size_t n = 0; n < count; n++) {
        size_t i = guess + n < count ? guess + n : guess + n - count;
        if (strlen(members[i].name) == name.length &&
            memcmp(members[i].name, name.data, name.length) == 0)
            return i;
    }
    return count;
}

/* Members up to a closing brace or the end, with commas between them.  Returns a bit
 * for each row that was there.  Sets line->key if the first members are those of a
 * key, in the order of the table. */
static uint64_t read_members(struct cursor *c, const struct member *members, size_t count,
                             struct anole_history_line *line)
{
    uint64_t seen = 0;
    const char *start = c->at;
    size_t in_order = 0;
    for (size_t n = 0, next = 0; !c->bad && (n == 0 || accept(c, ",")); n++) {
        expect(c, "\"");
        struct anole_history_slice name = read_slice(c);
        expect(c, ":");
        size_t row = c->bad ? count : find_member(members, count, next, name);
        if (row == count) {
            skip_value(c);
            continue;
        }
        if (seen >> row & 1)
            c->bad = true; /* twice */
        else
            read_value(c, &members[row], line);
        seen |= UINT64_C(1) << row;
        next = row + 1 < count ? row + 1 : 0;
        in_order += row == n && in_order == n;
        if (members == line_members && n + 1 == KEY_MEMBERS && in_order == KEY_MEMBERS)
            line->key = (struct anole_history_slice){start, (size_t)(c->at - start)};
    }
    return seen;
}

bool anole_history_line_fields(struct anole_history_fields *fields, struct anole_history_slice key)
{
    struct cursor c = cursor_of(key);
    struct anole_history_line line = {.version = 1};
    uint64_t seen = read_members(&c, line_members, KEY_MEMBERS, &line);
    if (c.bad || c.at != c.end || !has_all(line_members, KEY_MEMBERS, seen, 1, false))
        return false;
    *fields = line.fields;
    return true;
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
        expect(&c, n ? ",\"" : "\"");
        decode(&c, names[n], ANOLE_KNOB_NAME, read_slice(&c), false);
        expect(&c, ":");
        values[n++] = read_i64(&c);
    }
    if (c.bad || c.at != c.end)
        return false;
    *count = n;
    return true;
}

/* What the members of a line mean together. */
static void settle(struct cursor *c, struct anole_history_line *line, uint64_t seen)
{
    bool trial = line->outcome < ANOLE_OUTCOME_COUNT;
    line->kind = trial                         ? ANOLE_HISTORY_LINE_TRIAL
                 : line->outcome == WORD_BEGUN ? ANOLE_HISTORY_LINE_BEGUN
                                               : ANOLE_HISTORY_LINE_WITHDRAWN;
    if (!trial)
        line->result = (struct anole_result){.outcome = ANOLE_OUTCOME_OK};
    else
        line->result.outcome = (enum anole_outcome)line->outcome;
    line->result.metric = (enum anole_metric)line->metric;
    line->result.timer = trial ? (enum anole_timer)line->timer : ANOLE_TIMER_UNSAID;
    double value = anole_result_value(&line->result);
    if (!has_all(line_members, COUNT(line_members), seen, line->version, trial) ||
        (trial && line->outcome == ANOLE_OUTCOME_OK && !(isfinite(value) && value >= 0.0)))
        c->bad = true; /* whoever wrote it */
}

static void read_line(struct cursor *c, struct anole_history_line *line)
{
    line->version = read_u64(c, UINT64_MAX);
    expect(c, ",");
    if (c->bad || line->version == 0) {
        c->bad = true;
        return;
    }
    uint64_t seen = read_members(c, line_members, COUNT(line_members), line);
    if (line->version > ANOLE_HISTORY_LINE_VERSION || (c->newer && !c->bad && c->at == c->end)) {
        uint64_t id = line->id;
        *line = (struct anole_history_line){
            .kind = ANOLE_HISTORY_LINE_NEWER, .version = line->version, .crc = line->crc, .id = id};
        *c = (struct cursor){.at = c->end, .end = c->end};
        return;
    }
    settle(c, line, seen);
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
        line->kind = ANOLE_HISTORY_LINE_HEADER;
        line->version = read_u64(&c, UINT64_MAX);
        if (line->version > ANOLE_HISTORY_VERSION)
            return; /* whatever else it says */
        if (line->version == 0)
            c.bad = true;
        if (accept(&c, ","))
            read_members(&c, NULL, 0, line);
    } else if (accept(&c, "{\"v\":")) {
        read_line(&c, line);
    }
    if (c.bad || c.at != c.end)
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
