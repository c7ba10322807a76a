/* SPDX-License-Identifier: MIT
 *
 * Jansson does not say on which line a value stands; messages about a layer
 * shall.
 */
#include "graph/network_parts.h"

#include <string.h>

struct scanner {
    const char *at, *end;
    int line;
    size_t depth;
    bool key_is_layers; /* the last text in the top-level object was "layers" */
};

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* From an opening quote to past the closing one. */
static void skip_text(struct scanner *s)
{
    static const char layers[] = "\"layers\"";
    const char *start = s->at++;
    while (s->at < s->end && *s->at != '"')
        s->at += *s->at == '\\' ? 2 : 1;
    s->at++;
    if (s->depth == 1)
        s->key_is_layers = (size_t)(s->at - start) == sizeof layers - 1 &&
                           memcmp(start, layers, sizeof layers - 1) == 0;
}

/* One step; true at the bracket that opens the array of layers. */
static bool step(struct scanner *s)
{
    bool opens = false;
    switch (*s->at) {
    case '"':
        skip_text(s);
        return false;
    case '[':
        opens = s->depth == 1 && s->key_is_layers;
        s->depth++;
        break;
    case '{':
        s->depth++;
        break;
    case ']':
    case '}':
        s->depth--;
        break;
    case '\n':
        s->line++;
        break;
    }
    s->at++;
    return opens;
}

void anole_network_lines(int *lines, size_t count, const char *text, size_t length)
{
    struct scanner s = {.at = text, .end = text + length, .line = 1};
    size_t found = 0;
    bool expecting = true; /* the next thing in the array is a new element */
    for (size_t i = 0; i < count; i++)
        lines[i] = 0;
    while (s.at < s.end && !step(&s))
        ;
    while (s.at < s.end && found < count && s.depth >= 2) {
        if (s.depth == 2 && *s.at == ',') {
            expecting = true;
        } else if (s.depth == 2 && expecting && !is_space(*s.at) && *s.at != ']') {
            lines[found++] = s.line;
            expecting = false;
        }
        step(&s);
    }
}
