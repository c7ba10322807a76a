/* SPDX-License-Identifier: MIT */
#include "base/log.h"

#include "base/environment.h"
#include "base/text.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Of a program of ours, where no environment says otherwise. */
static int threshold = ANOLE_LEVEL_INFO;
static void (*hook)(void *context);
static void *hook_context;
static anole_log_sink *sink; /* NULL: stderr */
static void *sink_context;

void anole_log_set_level(int level)
{
    threshold = level;
}

void anole_log_set_hook(void (*before)(void *context), void *context)
{
    hook = before;
    hook_context = context;
}

void anole_log_set_sink(anole_log_sink *write, void *context)
{
    sink = write;
    sink_context = context;
}

/* One call of fprintf a message, so that those of several threads or processes
 * do not mix. */
void anole_log_print(void *unused, enum anole_level level, const char *text)
{
    static const char *const prefixes[] = {
        [ANOLE_LEVEL_ERROR] = "",
        [ANOLE_LEVEL_WARNING] = "warning: ",
        [ANOLE_LEVEL_INFO] = "",
        [ANOLE_LEVEL_DEBUG] = "debug: ",
    };
    (void)unused;
    if ((int)level > threshold)
        return;
    if (sink) {
        sink(sink_context, level, text);
        return;
    }
    if (hook)
        hook(hook_context);
    fprintf(stderr, "anole: %s%s\n", prefixes[level], text);
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
        anole_text_printf(out, "%s", start ? "\n    " : "");
        anole_text_append_printable(out, message + start, end - start);
        start = end + 1;
    }
}

static bool wanted(const struct anole_environment *environment, enum anole_level level)
{
    return (int)level <= (environment ? environment->level : threshold);
}

static void __attribute__((format(printf, 2, 0)))
write_message(enum anole_level level, const char *format, va_list args)
{
    const struct anole_environment *environment = anole_environment();
    if (!wanted(environment, level))
        return;
    int saved = errno;
    struct anole_text message = {0}, out = {0};
    errno = saved; /* for %m */
    anole_text_vprintf(&message, format, args);
    if (message.data)
        append_lines(&out, message.data, message.length);
    const char *text = message.failed || out.failed ? "out of memory while writing a message"
                       : out.data                   ? out.data
                                                    : "";
    if (environment)
        environment->write(environment->write_context, level, text);
    else
        anole_log_print(NULL, level, text);
    anole_text_fini(&out);
    anole_text_fini(&message);
    errno = saved;
}

#define DEFINE_LOG(name, level)                                                                    \
    void anole_log_##name(const char *format, ...)                                                 \
    {                                                                                              \
        va_list args;                                                                              \
        va_start(args, format);                                                                    \
        write_message(level, format, args);                                                        \
        va_end(args);                                                                              \
    }

DEFINE_LOG(error, ANOLE_LEVEL_ERROR)
DEFINE_LOG(warning, ANOLE_LEVEL_WARNING)
DEFINE_LOG(info, ANOLE_LEVEL_INFO)
DEFINE_LOG(debug, ANOLE_LEVEL_DEBUG)
