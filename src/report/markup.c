/* SPDX-License-Identifier: MIT */
#include "report/markup.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* ------------------------------------------------------------------ escaping */

static const char *entity_of(char byte)
{
    switch (byte) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#39;";
    default:
        return NULL;
    }
}

/* U+FFFE and U+FFFF, as U+1FFFE and so on, are in no XML: printable text may hold them. */
static bool is_no_character(const char *text)
{
    const unsigned char *s = (const unsigned char *)text;
    if (s[0] == 0xef)
        return s[1] == 0xbf && (s[2] == 0xbe || s[2] == 0xbf);
    return (s[0] & 0xf8) == 0xf0 && (s[1] & 0x0f) == 0x0f && s[2] == 0xbf &&
           (s[3] == 0xbe || s[3] == 0xbf);
}

void anole_markup_escape(struct anole_text *out, const char *text)
{
    struct anole_text safe = {0};
    anole_text_append_printable(&safe, text, strlen(text));
    for (size_t i = 0; i < safe.length; i++) {
        const char *at = safe.data + i, *entity = entity_of(*at);
        if (entity) {
            anole_text_append(out, entity, strlen(entity));
        } else if (is_no_character(at)) {
            for (size_t left = (unsigned char)*at == 0xef ? 3 : 4; left > 0; left--)
                anole_text_printf(out, "\\x%02x", (unsigned char)safe.data[i++]);
            i--;
        } else {
            anole_text_append(out, at, 1);
        }
    }
    out->failed |= safe.failed;
    anole_text_fini(&safe);
}

void anole_markup_code(struct anole_text *out, const char *text)
{
    struct anole_text safe = {0};
    anole_text_append_printable(&safe, text, strlen(text));
    anole_text_append(out, "`", 1);
    for (size_t i = 0; i < safe.length; i++)
        if (safe.data[i] == '`' || safe.data[i] == '|')
            anole_text_printf(out, "\\x%02x", (unsigned char)safe.data[i]);
        else
            anole_text_append(out, safe.data + i, 1);
    /* Nothing between two ticks would be no code, but two ticks. */
    anole_text_append(out, safe.length ? "`" : "-`", safe.length ? 1 : 2);
    out->failed |= safe.failed;
    anole_text_fini(&safe);
}

void anole_markup(struct anole_text *out, const char *pattern, ...)
{
    va_list texts;
    va_start(texts, pattern);
    const char *text = va_arg(texts, const char *);
    for (const char *mark; (mark = strchr(pattern, '$')) && text; pattern = mark + 1) {
        anole_text_append(out, pattern, (size_t)(mark - pattern));
        anole_markup_escape(out, text);
        text = va_arg(texts, const char *);
    }
    anole_text_append(out, pattern, strlen(pattern));
    va_end(texts);
}

/* --------------------------------------------------------------------- words */

struct anole_word anole_word_seconds(double seconds)
{
    struct anole_word word;
    anole_text_seconds(word.text, sizeof word.text, seconds);
    return word;
}

struct anole_word anole_word_interval(double middle, double low, double high)
{
    struct anole_word word = {""}, ends[2] = {anole_word_seconds(low), anole_word_seconds(high)};
    if (!isfinite(middle) || !isfinite(low) || !isfinite(high))
        return word;
    char *units[2] = {strchr(ends[0].text, ' '), strchr(ends[1].text, ' ')};
    if (units[0] && units[1] && strcmp(units[0], units[1]) == 0)
        *units[0] = '\0';
    snprintf(word.text, sizeof word.text, "[%.24s, %.24s]", ends[0].text, ends[1].text);
    return word;
}

struct anole_word anole_word_count(size_t count)
{
    struct anole_word word;
    anole_text_count(word.text, sizeof word.text, count);
    return word;
}

struct anole_word anole_word_number(double value, int digits)
{
    struct anole_word word = {"-"};
    if (isfinite(value))
        snprintf(word.text, sizeof word.text, fabs(value) < 1e15 ? "%.*f" : "%.*e", digits, value);
    return word;
}

struct anole_word anole_word_percent(double share)
{
    struct anole_word word = {"-"};
    if (isfinite(share))
        snprintf(word.text, sizeof word.text, "%.1f %%", 100.0 * share);
    return word;
}

/* Digits behind the point so that three are significant. */
static int digits_of(double value)
{
    return value < 9.995 ? 2 : value < 99.95 ? 1 : 0;
}

struct anole_word anole_word_times(double ratio)
{
    struct anole_word word = {"-"};
    if (isfinite(ratio))
        snprintf(word.text, sizeof word.text, ratio < 1e9 ? "%.*fx" : "%.*ex", digits_of(ratio),
                 ratio);
    return word;
}

struct anole_word anole_word_ratio_interval(double low, double high)
{
    struct anole_word word = {""};
    if (isfinite(low) && isfinite(high))
        snprintf(word.text, sizeof word.text,
                 low < 1e9 && high < 1e9 ? "[%.2f, %.2f]" : "[%.2e, %.2e]", low, high);
    return word;
}

struct anole_word anole_word_short(double value)
{
    struct anole_word word = {"-"};
    if (!isfinite(value))
        return word;
    if (fabs(value) >= 100.0 && fabs(value) < 1e6)
        snprintf(word.text, sizeof word.text, "%.0f", value);
    else
        snprintf(word.text, sizeof word.text, "%.3g", value);
    return word;
}
