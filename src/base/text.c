/* SPDX-License-Identifier: MIT */
#include "base/text.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---------------------------------------------------------- growing string */

void anole_text_fini(struct anole_text *text)
{
    if (!text)
        return;
    free(text->data);
    *text = (struct anole_text){0};
}

void anole_text_clear(struct anole_text *text)
{
    text->length = 0;
    text->failed = false;
    if (text->data)
        text->data[0] = '\0';
}

/* Makes room for `more` bytes and the NUL after them. */
static bool reserve(struct anole_text *text, size_t more)
{
    if (text->failed)
        return false;
    if (more < text->capacity && text->length < text->capacity - more)
        return true;
    if (more > SIZE_MAX / 4 || text->length > SIZE_MAX / 4) {
        text->failed = true;
        return false;
    }
    size_t capacity = text->capacity ? text->capacity : 64;
    while (capacity <= text->length + more)
        capacity *= 2;
    char *data = realloc(text->data, capacity);
    if (!data) {
        text->failed = true;
        return false;
    }
    text->data = data;
    text->capacity = capacity;
    return true;
}

void anole_text_append(struct anole_text *text, const char *data, size_t length)
{
    if (!reserve(text, length))
        return;
    if (length)
        memcpy(text->data + text->length, data, length);
    text->length += length;
    text->data[text->length] = '\0';
}

void anole_text_vprintf(struct anole_text *text, const char *format, va_list args)
{
    va_list again;
    va_copy(again, args);
    int length = vsnprintf(NULL, 0, format, args);
    if (length < 0) {
        text->failed = true;
    } else if (reserve(text, (size_t)length)) {
        vsnprintf(text->data + text->length, (size_t)length + 1, format, again);
        text->length += (size_t)length;
    }
    va_end(again);
}

void anole_text_printf(struct anole_text *text, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    anole_text_vprintf(text, format, args);
    va_end(args);
}

/* ------------------------------------------------------------ printable text */

/* Length of the UTF-8 sequence at s (`left` >= 1 bytes), 0 if it is invalid;
 * *point is set for a valid one. */
static size_t decode_utf8(uint32_t *point, const unsigned char *s, size_t left)
{
    static const uint32_t lowest[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t length = s[0] < 0x80             ? 1
                    : (s[0] & 0xe0) == 0xc0 ? 2
                    : (s[0] & 0xf0) == 0xe0 ? 3
                    : (s[0] & 0xf8) == 0xf0 ? 4
                                            : 0;
    if (!length || length > left)
        return 0;
    uint32_t value = length == 1 ? s[0] : s[0] & (0x7fu >> length);
    for (size_t i = 1; i < length; i++) {
        if ((s[i] & 0xc0) != 0x80)
            return 0;
        value = value << 6 | (s[i] & 0x3fu);
    }
    if (value < lowest[length] || value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff))
        return 0;
    *point = value;
    return length;
}

/* What moves the cursor, changes the terminal's state, reorders or hides. */
static bool is_unprintable(uint32_t point)
{
    return point < 0x20 || (point >= 0x7f && point <= 0x9f) || point == 0xad || point == 0x61c ||
           (point >= 0x200b && point <= 0x200f) || (point >= 0x2028 && point <= 0x202e) ||
           (point >= 0x2060 && point <= 0x206f) || point == 0xfeff ||
           (point >= 0xfff9 && point <= 0xfffb) || (point >= 0xe0000 && point <= 0xe007f);
}

/* Writes one character, or its escape, to unit; *used: the bytes it took. */
static size_t printable_unit(char unit[17], size_t *used, const char *data, size_t left)
{
    const unsigned char *s = (const unsigned char *)data;
    uint32_t point = 0;
    size_t length = decode_utf8(&point, s, left);
    *used = length ? length : 1;
    if (length && !is_unprintable(point)) {
        memcpy(unit, s, length);
        return length;
    }
    for (size_t i = 0; i < *used; i++)
        snprintf(unit + 4 * i, 5, "\\x%02x", s[i]);
    return 4 * *used;
}

void anole_text_append_printable(struct anole_text *text, const char *data, size_t length)
{
    char unit[17];
    for (size_t i = 0, used; i < length; i += used) {
        size_t n = printable_unit(unit, &used, data + i, length - i);
        anole_text_append(text, unit, n);
    }
}

const char *anole_text_printable(char *out, size_t size, const char *source)
{
    char unit[17];
    if (!size)
        return out;
    size_t left = strnlen(source, size), length = 0, cut = 0;
    for (size_t used; left; source += used, left -= used) {
        /* `left` may end inside a character; only one that does not fit. */
        size_t seen = left + strnlen(source + left, 4);
        size_t n = printable_unit(unit, &used, source, seen);
        if (length + n >= size) {
            int dots = size > 3 ? 3 : (int)size - 1;
            snprintf(out + cut, size - cut, "%.*s", dots, "...");
            return out;
        }
        memcpy(out + length, unit, n);
        length += n;
        if (length + 3 < size)
            cut = length;
        if (used > left)
            used = left;
    }
    out[length] = '\0';
    return out;
}

/* -------------------------------------------------------------- near matches */

#define SHORT_TEXT 64

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

size_t anole_text_distance(const char *a, const char *b)
{
    size_t whole_a = strlen(a), whole_b = strlen(b);
    if (whole_a == whole_b && memcmp(a, b, whole_a) == 0)
        return 0;
    size_t n = least(whole_a, SHORT_TEXT), m = least(whole_b, SHORT_TEXT);
    size_t rest_a = whole_a - n, rest_b = whole_b - m;
    size_t rows[3][SHORT_TEXT + 1];
    size_t *before = rows[0], *above = rows[1], *row = rows[2];
    for (size_t j = 0; j <= m; j++)
        row[j] = j;
    for (size_t i = 1; i <= n; i++) {
        size_t *spare = before;
        before = above;
        above = row;
        row = spare;
        row[0] = i;
        for (size_t j = 1; j <= m; j++) {
            size_t best = above[j - 1] + (a[i - 1] != b[j - 1]);
            best = least(best, least(above[j], row[j - 1]) + 1);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                best = least(best, before[j - 2] + 1);
            row[j] = best;
        }
    }
    return row[m] + (rest_a > rest_b ? rest_a - rest_b : rest_b - rest_a);
}

static void fold(char out[SHORT_TEXT + 1], const char *source)
{
    size_t i = 0;
    for (; i < SHORT_TEXT && source[i]; i++)
        out[i] = source[i] == '-' ? '_' : (char)tolower((unsigned char)source[i]);
    out[i] = '\0';
}

const char *anole_text_nearest(const char *name, const char *const *names, size_t count)
{
    char folded[SHORT_TEXT + 1], candidate[SHORT_TEXT + 1];
    const char *nearest = NULL;
    size_t best = SIZE_MAX;
    fold(folded, name);
    for (size_t i = 0; i < count; i++) {
        fold(candidate, names[i]);
        size_t distance = anole_text_distance(folded, candidate);
        size_t a = strlen(folded), b = strlen(candidate), longer = a > b ? a : b;
        /* A third of the letters may differ, but never all of a short name. */
        if (distance < best && distance <= (longer + 1) / 3 && distance < longer) {
            best = distance;
            nearest = names[i];
        }
    }
    return nearest;
}

/* ------------------------------------------------------------------- reading */

#define LONGEST_DURATION (100.0 * 365.25 * 86400.0)

static const struct {
    const char *name;
    double seconds;
} units[] = {{"d", 86400}, {"h", 3600}, {"m", 60}, {"s", 1}, {"ms", 1e-3}};

#define UNIT_COUNT (sizeof units / sizeof units[0])

/* Digits, perhaps with a decimal point; no sign, exponent or locale. */
static bool scan_decimal(double *value, const char **cursor)
{
    const char *s = *cursor;
    double sum = 0, place = 1;
    if (!isdigit((unsigned char)*s))
        return false;
    for (; isdigit((unsigned char)*s); s++)
        sum = sum * 10 + (*s - '0');
    if (*s == '.') {
        if (!isdigit((unsigned char)s[1]))
            return false;
        for (s++; isdigit((unsigned char)*s); s++) {
            place *= 10;
            sum = sum * 10 + (*s - '0');
        }
    }
    *value = sum / place;
    *cursor = s;
    return true;
}

/* Numbers with units, from the largest unit down. */
static bool scan_duration(double *seconds, const char *s)
{
    double sum = 0, number;
    size_t next = 0;
    do {
        if (!scan_decimal(&number, &s))
            return false;
        if (!*s) {
            *seconds = number;
            return next == 0; /* a bare number stands alone */
        }
        size_t length = 0, unit = next;
        while (isalpha((unsigned char)s[length]))
            length++;
        while (unit < UNIT_COUNT &&
               (strlen(units[unit].name) != length || strncmp(s, units[unit].name, length) != 0))
            unit++;
        if (unit == UNIT_COUNT)
            return false;
        sum += number * units[unit].seconds;
        next = unit + 1;
        s += length;
    } while (*s);
    *seconds = sum;
    return true;
}

enum anole_status anole_text_parse_duration(double *seconds, const char *text,
                                            struct anole_error *error)
{
    char shown[80];
    double value;
    if (!scan_duration(&value, text))
        return anole_fail(error, ANOLE_ERR_USAGE,
                          "\"%s\" is no duration; write seconds (90), or numbers with units, "
                          "largest first: 90s, 3m, 1h30m, 2d, 500ms",
                          anole_text_printable(shown, sizeof shown, text));
    if (!(value > 0) || !(value <= LONGEST_DURATION))
        return anole_fail(error, ANOLE_ERR_USAGE,
                          "the duration \"%s\" is out of range; expected more than 0 and at most "
                          "100 years: try 90s, 3m or 1h30m",
                          anole_text_printable(shown, sizeof shown, text));
    *seconds = value;
    return ANOLE_DONE;
}

enum anole_status anole_text_parse_u64(uint64_t *value, const char *text, const char *what,
                                       uint64_t low, uint64_t high, struct anole_error *error)
{
    char shown[80];
    size_t digits = strspn(text, "0123456789");
    errno = 0;
    uint64_t number = digits ? strtoull(text, NULL, 10) : 0;
    if (!digits || text[digits] || errno || number < low || number > high)
        return anole_fail(error, ANOLE_ERR_USAGE,
                          "%s is \"%s\"; expected a whole number from %" PRIu64 " to %" PRIu64,
                          what, anole_text_printable(shown, sizeof shown, text), low, high);
    *value = number;
    return ANOLE_DONE;
}

/* ------------------------------------------------------------------- writing */

const char *anole_text_seconds(char *out, size_t size, double seconds)
{
    static const struct {
        double below, scale;
        const char *unit;
    } steps[] = {{999.5e-9, 1e9, "ns"},
                 {999.5e-6, 1e6, "us"},
                 {999.5e-3, 1e3, "ms"},
                 {9999.5, 1, "s"},
                 {9999.5 * 3600, 1 / 3600.0, "h"},
                 {INFINITY, 1 / 86400.0, "d"}};
    double magnitude = fabs(seconds);
    size_t i = 0;
    if (!isfinite(seconds)) {
        snprintf(out, size, "-");
    } else if (magnitude == 0) {
        snprintf(out, size, "0 s");
    } else {
        while (magnitude >= steps[i].below)
            i++;
        double scaled = magnitude * steps[i].scale;
        int places = scaled < 9.995 ? 2 : scaled < 99.95 ? 1 : 0;
        snprintf(out, size, "%s%.*f %s", seconds < 0 ? "-" : "", places, scaled, steps[i].unit);
    }
    return out;
}

const char *anole_text_bytes(char *out, size_t size, uint64_t bytes)
{
    static const char *const names[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    double value = (double)bytes;
    size_t i = 0;
    while (value >= 1023.5 && i + 1 < sizeof names / sizeof names[0]) {
        value /= 1024;
        i++;
    }
    snprintf(out, size, value < 999.5 ? "%.3g %s" : "%.0f %s", value, names[i]);
    return out;
}

const char *anole_text_count(char *out, size_t size, uint64_t count)
{
    char digits[24], grouped[32];
    int n = snprintf(digits, sizeof digits, "%" PRIu64, count), length = 0;
    for (int i = 0; i < n; i++) {
        if (i && (n - i) % 3 == 0)
            grouped[length++] = ',';
        grouped[length++] = digits[i];
    }
    grouped[length] = '\0';
    snprintf(out, size, "%s", grouped);
    return out;
}

void anole_text_pattern(char *out, size_t size, const char *message)
{
    size_t length = 0;
    for (const char *p = message; *p && length + 1 < size; p++) {
        /* Files that compilers make have names of their own each time. */
        if (*p == '/' && (p == message || strchr(" \t'\"(<=:", p[-1]))) {
            out[length++] = '/';
            p += strcspn(p, " \t'\")>:,;") - 1;
            continue;
        }
        if (*p == '-' && isdigit((unsigned char)p[1]))
            continue;
        bool number = isxdigit((unsigned char)*p) &&
                      (isdigit((unsigned char)*p) || (length > 0 && out[length - 1] == '#'));
        if (!number)
            out[length++] = *p;
        else if (length == 0 || out[length - 1] != '#')
            out[length++] = '#';
    }
    out[length] = '\0';
}
