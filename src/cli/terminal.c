/* SPDX-License-Identifier: MIT */
#include "cli/terminal.h"

#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

/* What the environment says of characters, as setlocale() would look it up. */
static const char *locale_name(void)
{
    static const char *const variables[] = {"LC_ALL", "LC_CTYPE", "LANG"};
    for (size_t i = 0; i < sizeof variables / sizeof *variables; i++) {
        const char *value = getenv(variables[i]);
        if (value && *value)
            return value;
    }
    return "C";
}

/* A locale that is not installed has its name to go by. */
static bool is_utf8(void)
{
    const char *name = locale_name(), *charset = strchr(name, '.');
    if (charset)
        return strncasecmp(charset, ".utf-8", 6) == 0 || strncasecmp(charset, ".utf8", 5) == 0;
    locale_t locale = newlocale(LC_CTYPE_MASK, name, (locale_t)0);
    const bool found = locale && strcasecmp(nl_langinfo_l(CODESET, locale), "UTF-8") == 0;
    if (locale)
        freelocale(locale);
    return found;
}

static bool write_all(int file, const char *data, size_t length)
{
    while (length > 0) {
        ssize_t written = write(file, data, length);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return false;
        data += written;
        length -= (size_t)written;
    }
    return true;
}

/* Writes to the descriptor that the cookie points to.  0: it failed, as fopencookie() has it. */
static ssize_t write_ascii(void *cookie, const char *data, size_t length)
{
    char out[1024];
    size_t filled = 0;
    for (size_t i = 0; i < length; i++) {
        const unsigned char c = (unsigned char)data[i];
        if (c < 0x80)
            out[filled++] = (char)c;
        else
            filled += (size_t)snprintf(out + filled, sizeof out - filled, "\\x%02x", c);
        if (filled + 8 < sizeof out && i + 1 < length)
            continue;
        if (!write_all(*(const int *)cookie, out, filled))
            return 0;
        filled = 0;
    }
    return (ssize_t)length;
}

static void escape(FILE **stream, const int *file, int buffering)
{
    if (!isatty(*file))
        return;
    const cookie_io_functions_t functions = {.write = write_ascii};
    FILE *escaped = fopencookie((void *)file, "w", functions);
    if (!escaped) /* without memory, little will be printed */
        return;
    setvbuf(escaped, NULL, buffering, BUFSIZ);
    *stream = escaped;
}

void anole_terminal_prepare(void)
{
    static const int out = STDOUT_FILENO, err = STDERR_FILENO;
    if (is_utf8())
        return;
    escape(&stdout, &out, _IOLBF);
    escape(&stderr, &err, _IONBF);
}
