/* SPDX-License-Identifier: MIT
 *
 * Text to tokens.
 */
#include "space/expression_token.h"

#include "base/text.h"

#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_SHOWN 60 /* bytes of the text, or of a token, in a message */

/* ------------------------------------------------------------------ failing */

bool anole_scanner_fail_memory(struct anole_scanner *s)
{
    s->status = anole_fail_memory(s->error);
    return false;
}

/* At most so many bytes of a text, printable. */
static const char *shorten(char *out, size_t size, const char *text, size_t length)
{
    char raw[MAX_SHOWN + 1];
    if (length > MAX_SHOWN)
        length = MAX_SHOWN;
    memcpy(raw, text, length);
    raw[length] = '\0';
    return anole_text_printable(out, size, raw);
}

/* Says where it went wrong: the column, and the text around it. */
static void fail_at(struct anole_scanner *s, const char *expected, const char *found,
                    const char *hint)
{
    char around[4 * MAX_SHOWN + 1];
    size_t from = s->start > MAX_SHOWN / 2 ? s->start - MAX_SHOWN / 2 : 0;
    size_t length = strlen(s->text + from);
    shorten(around, sizeof around, s->text + from, length);
    s->status =
        anole_fail(s->error, ANOLE_ERR_INPUT,
                   "expression \"%s%s%s\", column %zu: expected %s, found %s%s", from ? "..." : "",
                   around, length > MAX_SHOWN ? "..." : "", s->start + 1, expected, found, hint);
}

bool anole_scanner_fail(struct anole_scanner *s, const char *expected)
{
    char token[4 * MAX_SHOWN + 1], found[sizeof token + 2];
    const char *hint = "";
    if (s->token == TOKEN_OTHER && s->text[s->start] == '=')
        hint = " (write == to compare)";
    else if (s->token == TOKEN_OTHER && strchr("&|", s->text[s->start]))
        hint = " (there are no bitwise operators; write 'and', 'or', && or ||)";
    shorten(token, sizeof token, s->text + s->start, s->length);
    snprintf(found, sizeof found, "'%s'", token);
    fail_at(s, expected, s->token == TOKEN_END ? "the end" : found, hint);
    return false;
}

bool anole_scanner_fail_name(struct anole_scanner *s, const char *const *names, size_t name_count)
{
    char name[4 * MAX_SHOWN + 1], found[sizeof name + 2], hint[2 * MAX_SHOWN] = "";
    shorten(name, sizeof name, s->text + s->start, s->length);
    const char *near = anole_text_nearest(name, names, name_count);
    snprintf(found, sizeof found, "'%s'", name);
    if (near)
        snprintf(hint, sizeof hint, "; did you mean '%.*s'?", MAX_SHOWN, near);
    else if (name_count == 0)
        snprintf(hint, sizeof hint, "; there are no names yet");
    fail_at(s, "the name of a knob or a function", found, hint);
    return false;
}

bool anole_scanner_fail_depth(struct anole_scanner *s, int depth)
{
    char expected[64];
    snprintf(expected, sizeof expected, "at most %d levels of brackets and signs", depth);
    fail_at(s, expected, "more", "; split it into several");
    return false;
}

/* ------------------------------------------------------------------ reading */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_name_start(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_hex_digit(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static size_t skip_digits(const char *s, size_t i)
{
    while (is_digit(s[i]))
        i++;
    return i;
}

/* Length of the decimal or hexadecimal number at s; 0 if it is malformed, or
 * would be read differently in Python and in C (010). */
static size_t number_length(const char *s)
{
    size_t i = 0;
    if (s[0] == '0' && (s[1] == 'x' || s[1] == 'X')) {
        for (i = 2; is_hex_digit(s[i]); i++)
            ;
        return i > 2 && !is_name_start(s[i]) && s[i] != '.' ? i : 0;
    }
    i = skip_digits(s, 0);
    bool leading_zero = s[0] == '0' && i > 1;
    bool whole = true;
    if (s[i] == '.') {
        i = skip_digits(s, i + 1);
        whole = false;
    }
    if (s[i] == 'e' || s[i] == 'E') {
        size_t j = i + 1;
        if (s[j] == '+' || s[j] == '-')
            j++;
        if (!is_digit(s[j]))
            return 0;
        i = skip_digits(s, j);
        whole = false;
    }
    if (is_name_start(s[i]) || s[i] == '.' || (whole && leading_zero))
        return 0;
    return i;
}

static bool read_number(struct anole_scanner *s)
{
    const char *text = s->text + s->start;
    s->token = TOKEN_NUMBER;
    s->length = number_length(text);
    if (s->length == 0) {
        s->length = 1;
        while (is_hex_digit(text[s->length]) || is_name_start(text[s->length]) ||
               text[s->length] == '.')
            s->length++;
        return anole_scanner_fail(s, "a number such as 64, 0x40, 0.5 or 1e-3");
    }
    /* In the C locale, whatever the program's is: the point is a point. */
    locale_t c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    if (!c_locale)
        return anole_scanner_fail_memory(s);
    char *end;
    s->number = strtod_l(text, &end, c_locale);
    freelocale(c_locale);
    if (end != text + s->length || !isfinite(s->number))
        return anole_scanner_fail(s, "a number in the range of a double");
    return true;
}

static void read_name(struct anole_scanner *s)
{
    static const struct {
        const char *word;
        enum anole_token token;
    } words[] = {{"and", TOKEN_AND}, {"or", TOKEN_OR}, {"not", TOKEN_NOT}, {"in", TOKEN_IN}};
    const char *text = s->text + s->start;
    s->length = 1;
    while (is_name_start(text[s->length]) || is_digit(text[s->length]))
        s->length++;
    s->token = TOKEN_NAME;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strlen(words[i].word) == s->length && memcmp(text, words[i].word, s->length) == 0)
            s->token = words[i].token;
    }
}

static void read_operator(struct anole_scanner *s)
{
    /* Longer ones before their beginnings. */
    static const struct {
        char text[3];
        enum anole_token token;
    } operators[] = {
        {"&&", TOKEN_AND_C},     {"||", TOKEN_OR_C},
        {"==", TOKEN_EQ},        {"!=", TOKEN_NE},
        {"<=", TOKEN_LE},        {">=", TOKEN_GE},
        {"**", TOKEN_POWER},     {"//", TOKEN_FLOOR_DIVIDE},
        {"!", TOKEN_NOT_C},      {"<", TOKEN_LT},
        {">", TOKEN_GT},         {"+", TOKEN_PLUS},
        {"-", TOKEN_MINUS},      {"*", TOKEN_TIMES},
        {"/", TOKEN_DIVIDE},     {"%", TOKEN_MODULO},
        {",", TOKEN_COMMA},      {"(", TOKEN_OPEN},
        {")", TOKEN_CLOSE},      {"[", TOKEN_OPEN_LIST},
        {"]", TOKEN_CLOSE_LIST},
    };
    const char *text = s->text + s->start;
    s->token = TOKEN_OTHER;
    s->length = 1;
    for (size_t i = 0; i < sizeof operators / sizeof operators[0]; i++) {
        size_t n = strlen(operators[i].text);
        if (strncmp(text, operators[i].text, n) == 0) {
            s->token = operators[i].token;
            s->length = n;
            return;
        }
    }
    /* A character of several bytes is shown whole. */
    while (((unsigned char)text[s->length] & 0xc0) == 0x80)
        s->length++;
}

/* Goes on to the next token. */
bool anole_scanner_advance(struct anole_scanner *s)
{
    s->start += s->length;
    while (s->text[s->start] && strchr(" \t\r\n", s->text[s->start]))
        s->start++;
    const char *text = s->text + s->start;
    s->length = 0;
    if (*text == '\0') {
        s->token = TOKEN_END;
        return true;
    }
    if (is_digit(*text) || (*text == '.' && is_digit(text[1])))
        return read_number(s);
    if (is_name_start(*text))
        read_name(s);
    else
        read_operator(s);
    return true;
}

bool anole_scanner_expect(struct anole_scanner *s, enum anole_token token, const char *expected)
{
    if (s->token != token)
        return anole_scanner_fail(s, expected);
    return anole_scanner_advance(s);
}
