/* SPDX-License-Identifier: MIT */
#include "worker/output.h"

#include "base/text.h"

#include <string.h>
#include <unistd.h>

#define MOST_READS 64 /* in one call */

static void keep(struct anole_output *output, const char *chunk, size_t length)
{
    for (size_t i = output->bytes; i < sizeof output->head - 1 && i < output->bytes + length; i++) {
        char c = chunk[i - output->bytes];
        output->head[i] = c ? c : '?';
    }
    output->bytes += length;
    size_t fresh = length < sizeof output->tail ? length : sizeof output->tail;
    size_t kept = output->tail_length < sizeof output->tail - fresh ? output->tail_length
                                                                    : sizeof output->tail - fresh;
    memmove(output->tail, output->tail + output->tail_length - kept, kept);
    memcpy(output->tail + kept, chunk + length - fresh, fresh);
    output->tail_length = kept + fresh;
}

void anole_output_drain(struct anole_output *output, int *pipe)
{
    char chunk[4096];
    for (int i = 0; i < MOST_READS && *pipe >= 0; i++) {
        ssize_t got = read(*pipe, chunk, sizeof chunk);
        if (got == 0) {
            close(*pipe);
            *pipe = -1;
        }
        if (got <= 0)
            return;
        keep(output, chunk, (size_t)got);
    }
}

const char *anole_output_last_words(const struct anole_output *output, char *out, size_t size)
{
    char line[ANOLE_OUTPUT_TAIL + 1];
    size_t length = 0;
    for (size_t i = 0; i < output->tail_length; i++) {
        char c = output->tail[i];
        bool blank = c == '\n' || c == '\r' || c == '\t' || c == ' ' || c == '\0';
        if (!blank)
            line[length++] = c;
        else if (length > 0 && line[length - 1] != ' ')
            line[length++] = ' ';
    }
    while (length > 0 && line[length - 1] == ' ')
        length--;
    line[length] = '\0';
    size_t from = length >= size ? length - size + 4 : 0;
    if (from > 0)
        memcpy(line + from, "...", 3);
    return anole_text_printable(out, size, line + from);
}
