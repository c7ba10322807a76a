/* SPDX-License-Identifier: MIT */
#include "base/log.h"
#include "base/text.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static int threshold = ANOLE_LEVEL_INFO;
static void (*hook)(void *context);
static void *hook_context;

void anole_log_set_level(int level)
{
    threshold = level;
}

void anole_log_set_hook(void (*before)(void *context), void *context)
{
    hook = before;
    hook_context = context;
}

/* Appends the message: lines after the first are indented, so that no text from
 * outside can pass for a line of ours. */
static void append_lines(struct anole_text *out, char *message, size_t length)
{
    while (length && message[length - 1] == '\n')
        length--;
    for (size_t start = 0; start <= length;) {
        size_t end = start;
        for (; end < length && message[end] != '\n'; end++)
            if (message[end] == '\t')
                message[end] = ' ';
        anole_text_printf(out, "%s", start ? "    " : "");
        anole_text_append_printable(out, message + start, end - start);
        anole_text_append(out, "\n", 1);
        start = end + 1;
    }
}

/* One call of fprintf a message, so that those of several threads or processes
 * do not mix. */
static void __attribute__((format(printf, 3, 0)))
write_line(int level, const char *prefix, const char *format, va_list args)
{
    if (level > threshold)
        return;
    int saved = errno;
    struct anole_text message = {0}, out = {0};
    errno = saved; /* for %m */
    anole_text_vprintf(&message, format, args);
    anole_text_printf(&out, "%s", prefix);
    if (message.data)
        append_lines(&out, message.data, message.length);
    if (hook)
        hook(hook_context);
    if (message.failed || out.failed)
        fprintf(stderr, "%sout of memory while writing a message\n", prefix);
    else
        fprintf(stderr, "%s", out.data);
    anole_text_fini(&out);
    anole_text_fini(&message);
    errno = saved;
}

#define DEFINE_LOG(name, level, prefix)                                                            \
    void anole_log_##name(const char *format, ...)                                                 \
    {                                                                                              \
        va_list args;                                                                              \
        va_start(args, format);                                                                    \
        write_line(level, prefix, format, args);                                                   \
        va_end(args);                                                                              \
    }

DEFINE_LOG(error, ANOLE_LEVEL_ERROR, "anole: ")
DEFINE_LOG(warning, ANOLE_LEVEL_WARNING, "anole: warning: ")
DEFINE_LOG(info, ANOLE_LEVEL_INFO, "anole: ")
DEFINE_LOG(debug, ANOLE_LEVEL_DEBUG, "anole: debug: ")
