/* SPDX-License-Identifier: MIT */
#include "base/status.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const char *anole_status_text(enum anole_status status)
{
    switch (status) {
#define X(name, value, text, exit_code)                                                            \
    case ANOLE_##name:                                                                             \
        return text;
        ANOLE_STATUS_MAP(X)
#undef X
    }
    return "unknown status";
}

int anole_status_exit_code(enum anole_status status)
{
    switch (status) {
#define X(name, value, text, exit_code)                                                            \
    case ANOLE_##name:                                                                             \
        return exit_code;
        ANOLE_STATUS_MAP(X)
#undef X
    }
    return 1;
}

/* True if the message shall be written: there is a place, and it is free. */
static bool claim(struct anole_error *error, enum anole_status status)
{
    if (!error || error->status != ANOLE_DONE)
        return false;
    error->status = status;
    return true;
}

enum anole_status anole_fail(struct anole_error *error, enum anole_status status,
                             const char *format, ...)
{
    if (claim(error, status)) {
        va_list args;
        va_start(args, format);
        vsnprintf(error->text, sizeof error->text, format, args);
        va_end(args);
    }
    return status;
}

enum anole_status anole_fail_errno(struct anole_error *error, const char *format, ...)
{
    int saved = errno;
    if (claim(error, ANOLE_ERR_SYSTEM)) {
        va_list args;
        va_start(args, format);
        int n = vsnprintf(error->text, sizeof error->text, format, args);
        va_end(args);
        if (n >= 0 && (size_t)n < sizeof error->text)
            snprintf(error->text + n, sizeof error->text - (size_t)n, ": %s", strerror(saved));
    }
    errno = saved;
    return ANOLE_ERR_SYSTEM;
}

enum anole_status anole_fail_memory(struct anole_error *error)
{
    return anole_fail(error, ANOLE_ERR_MEMORY, "out of memory");
}

void anole_error_prefix(struct anole_error *error, const char *format, ...)
{
    if (!error || error->status == ANOLE_DONE)
        return;
    char text[ANOLE_ERROR_TEXT];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (n < 0 || (size_t)n + 2 >= sizeof text)
        return;
    snprintf(text + n, sizeof text - (size_t)n, ": %.*s", (int)(sizeof text - (size_t)n - 3),
             error->text);
    memcpy(error->text, text, sizeof text);
}

void anole_error_clear(struct anole_error *error)
{
    if (!error)
        return;
    error->status = ANOLE_DONE;
    error->text[0] = '\0';
}
