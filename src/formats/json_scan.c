/* SPDX-License-Identifier: MIT */
#include "formats/json_scan.h"

#include "base/text.h"

#include <stdio.h>
#include <string.h>

#define MOST_LEVELS 64

static size_t line_of(const struct anole_json_scan *scan, size_t at)
{
    size_t line = 1;
    for (const char *p = scan->text, *end = scan->text + at;
         (p = memchr(p, '\n', (size_t)(end - p))) != NULL; p++)
        line++;
    return line;
}

size_t anole_json_scan_line(const struct anole_json_scan *scan)
{
    return line_of(scan, scan->at);
}

char anole_json_scan_peek(struct anole_json_scan *scan)
{
    while (scan->at < scan->length && memchr(" \t\r\n", scan->text[scan->at], 4))
        scan->at++;
    return scan->at < scan->length ? scan->text[scan->at] : '\0';
}

/* "FILE:LINE: expected EXPECTED, found ...". */
static enum anole_status fail_here(struct anole_json_scan *scan, const char *expected)
{
    char found[32], shown[96];
    anole_json_scan_peek(scan);
    size_t rest = scan->length - scan->at;
    snprintf(found, sizeof found, "%.*s", rest < 24 ? (int)rest : 24, scan->text + scan->at);
    if (rest == 0)
        return anole_fail(scan->error, ANOLE_ERR_INPUT,
                          "%s:%zu: the file ends here; expected %s: was it cut?", scan->file,
                          anole_json_scan_line(scan), expected);
    return anole_fail(scan->error, ANOLE_ERR_INPUT, "%s:%zu: expected %s, found \"%s\"", scan->file,
                      anole_json_scan_line(scan), expected,
                      anole_text_printable(shown, sizeof shown, found));
}

enum anole_status anole_json_scan_open(struct anole_json_scan *scan, char bracket)
{
    if (anole_json_scan_peek(scan) != bracket)
        return fail_here(scan, bracket == '{' ? "an object, { ... }" : "an array, [ ... ]");
    scan->at++;
    scan->fresh = true;
    return ANOLE_DONE;
}

/* Over a comma or the closing bracket; *more tells which. */
static enum anole_status step(struct anole_json_scan *scan, char close, bool *more)
{
    char next = anole_json_scan_peek(scan);
    *more = false;
    if (next == '\0' && scan->may_end) {
        scan->ended = true;
        return ANOLE_DONE;
    }
    if (next == close) {
        scan->at++;
        scan->fresh = false;
        return ANOLE_DONE;
    }
    if (!scan->fresh) {
        if (next != ',')
            return fail_here(scan, close == '}' ? "',' or '}'" : "',' or ']'");
        scan->at++;
        next = anole_json_scan_peek(scan);
        if (next == '\0' && scan->may_end) {
            scan->ended = true;
            return ANOLE_DONE;
        }
        if (next == close)
            return fail_here(scan, "a value behind the comma");
    }
    scan->fresh = false;
    *more = true;
    return ANOLE_DONE;
}

/* Over a text in double quotes. */
static enum anole_status skip_text(struct anole_json_scan *scan)
{
    size_t at = scan->at + 1;
    while (at < scan->length && scan->text[at] != '"' && scan->text[at] != '\n')
        at += scan->text[at] == '\\' && at + 1 < scan->length ? 2 : 1;
    scan->at = at < scan->length ? at : scan->length;
    if (scan->at == scan->length || scan->text[scan->at] != '"')
        return fail_here(scan, "the end of a text, '\"'");
    scan->at++;
    return ANOLE_DONE;
}

enum anole_status anole_json_scan_member(struct anole_json_scan *scan, bool *more, char *key,
                                         size_t size)
{
    enum anole_status status = step(scan, '}', more);
    if (status != ANOLE_DONE || !*more)
        return status;
    if (anole_json_scan_peek(scan) != '"')
        return fail_here(scan, "a key in double quotes");
    size_t start = scan->at + 1;
    status = skip_text(scan);
    if (status != ANOLE_DONE)
        return status;
    size_t length = scan->at - 1 - start;
    snprintf(key, size, "%.*s", (int)(length < size ? length : size), scan->text + start);
    if (anole_json_scan_peek(scan) != ':')
        return fail_here(scan, "':'");
    scan->at++;
    return ANOLE_DONE;
}

enum anole_status anole_json_scan_element(struct anole_json_scan *scan, bool *more)
{
    return step(scan, ']', more);
}

/* Over a number, true, null, or NaN; *foreign is set if it is none of JSON's. */
static enum anole_status skip_word(struct anole_json_scan *scan, bool *foreign)
{
    size_t length = 0;
    const char *word = scan->text + scan->at;
    while (scan->at + length < scan->length && !memchr(",]}[{:\" \t\r\n", word[length], 11))
        length++;
    if (length == 0)
        return fail_here(scan, "a value");
    *foreign |= word[0] == 'N' || word[0] == 'I' || (length > 1 && word[1] == 'I');
    scan->at += length;
    return ANOLE_DONE;
}

static enum anole_status skip_value(struct anole_json_scan *scan, bool *foreign)
{
    char closes[MOST_LEVELS];
    size_t depth = 0;
    enum anole_status status = ANOLE_DONE;
    do {
        char next = anole_json_scan_peek(scan);
        if (next == '{' || next == '[') {
            if (depth == MOST_LEVELS)
                return anole_fail(scan->error, ANOLE_ERR_INPUT,
                                  "%s:%zu: a value is nested more than %d levels deep; expected "
                                  "recorded results: is it the right file?",
                                  scan->file, anole_json_scan_line(scan), MOST_LEVELS);
            closes[depth++] = next == '{' ? '}' : ']';
            scan->at++;
        } else if (depth && next == closes[depth - 1]) {
            depth--;
            scan->at++;
        } else if (depth && (next == ',' || (next == ':' && closes[depth - 1] == '}'))) {
            scan->at++;
        } else if (next == '"') {
            status = skip_text(scan);
        } else {
            status = skip_word(scan, foreign);
        }
    } while (status == ANOLE_DONE && depth);
    return status;
}

enum anole_status anole_json_scan_skip(struct anole_json_scan *scan)
{
    bool foreign = false;
    return skip_value(scan, &foreign);
}

/* The length of one of Python's words at `at`, or 0. */
static size_t foreign_length(const char *at, const char *end)
{
    static const char *const words[] = {"NaN", "Infinity", "-Infinity"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        size_t length = strlen(words[i]);
        if ((size_t)(end - at) >= length && memcmp(at, words[i], length) == 0)
            return length;
    }
    return 0;
}

/* A copy of [at, end) with null for these words. */
static void replace_foreign(struct anole_text *out, const char *at, const char *end)
{
    bool quoted = false;
    while (at < end) {
        size_t length = quoted ? 0 : foreign_length(at, end);
        if (length) {
            anole_text_append(out, "null", 4);
        } else {
            length = quoted && *at == '\\' && at + 1 < end ? 2 : 1;
            quoted ^= *at == '"';
            anole_text_append(out, at, length);
        }
        at += length;
    }
}

enum anole_status anole_json_scan_value(struct anole_json_scan *scan, json_t **value, size_t limit)
{
    bool foreign = false;
    char most[32];
    struct anole_text copy = {0};
    anole_json_scan_peek(scan);
    size_t start = scan->at;
    enum anole_status status = skip_value(scan, &foreign);
    if (status != ANOLE_DONE)
        return status;
    if (scan->at - start > limit)
        return anole_fail(scan->error, ANOLE_ERR_INPUT,
                          "%s:%zu: an entry is larger than %s; expected recorded results: is it "
                          "the right file?",
                          scan->file, line_of(scan, start),
                          anole_text_bytes(most, sizeof most, limit));
    const char *text = scan->text + start;
    size_t length = scan->at - start;
    if (foreign) {
        replace_foreign(&copy, text, text + length);
        if (copy.failed) {
            anole_text_fini(&copy);
            return anole_fail_memory(scan->error);
        }
        text = copy.data;
        length = copy.length;
    }
    status = anole_json_parse_part(value, text, length, scan->file, 1, NULL);
    if (status == ANOLE_ERR_INPUT) /* lines are counted only where one is asked for */
        status = anole_json_parse_part(value, text, length, scan->file, line_of(scan, start),
                                       scan->error);
    else if (status != ANOLE_DONE)
        anole_fail_memory(scan->error);
    anole_text_fini(&copy);
    return status;
}

enum anole_status anole_json_scan_end(struct anole_json_scan *scan)
{
    if (anole_json_scan_peek(scan) != '\0' || scan->at < scan->length)
        return fail_here(scan, "nothing more");
    return ANOLE_DONE;
}
