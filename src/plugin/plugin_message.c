/* SPDX-License-Identifier: MIT */
#include "plugin/plugin_message.h"

#include "base/text.h"

#include <stdio.h>
#include <string.h>

const char *anole_code_text(int code)
{
    switch (code) {
    case ANOLE_OK:
        return "ok";
    case ANOLE_UNSUPPORTED:
        return "the backend or the device does not do that";
    case ANOLE_BAD_REQUEST:
        return "an argument is out of range";
    case ANOLE_BUILD_FAILED:
        return "the kernel does not compile";
    case ANOLE_LAUNCH_FAILED:
        return "the device refuses to run the kernel";
    case ANOLE_NO_MEMORY:
        return "host or device memory is used up";
    case ANOLE_DEVICE_LOST:
        return "the driver or the device stopped working";
    case ANOLE_NO_DEVICE:
        return "there is no such driver or device";
    case ANOLE_WRONG_ANSWER:
        return "the output was wrong";
    case ANOLE_TIMED_OUT:
        return "the run took too long";
    default:
        return "the backend gave a code that means nothing";
    }
}

/* Copies text with each run of white space as one blank. */
static size_t on_one_line(char *out, const char *text, size_t length)
{
    size_t written = 0;
    for (size_t i = 0; i < length; i++) {
        bool blank = text[i] == '\n' || text[i] == '\r' || text[i] == '\t' || text[i] == ' ';
        if (!blank)
            out[written++] = text[i];
        else if (written > 0 && out[written - 1] != ' ')
            out[written++] = ' ';
    }
    while (written > 0 && out[written - 1] == ' ')
        written--;
    out[written] = '\0';
    return written;
}

const char *anole_plugin_words(char *out, size_t size, int code,
                               const struct anole_message *message)
{
    char line[sizeof message->text + 1], cut[sizeof line + 8];
    size_t length = on_one_line(line, message->text, strnlen(message->text, sizeof message->text));
    if (length == 0)
        return anole_text_printable(out, size, anole_code_text(code));
    if (length < size)
        return anole_text_printable(out, size, line);
    /* What matters is where a compiler's log starts, and how it ends. */
    size_t tail = (size - 1) / 3, head = size - 1 - 5 - tail;
    snprintf(cut, sizeof cut, "%.*s ... %s", (int)head, line, line + length - tail);
    return anole_text_printable(out, size, cut);
}

enum anole_status anole_plugin_failure(struct anole_error *error, enum anole_status status,
                                       int code, const struct anole_message *message)
{
    char words[ANOLE_ERROR_TEXT - 64];
    return anole_fail(error, status, "%s", anole_plugin_words(words, sizeof words, code, message));
}
