/* SPDX-License-Identifier: MIT */
#include "cli/table.h"

#include "base/text.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define CELL 192
#define NAME 32 /* bytes of a name of a layer */

struct anole_table {
    const char *const *titles;
    size_t columns;
    char **cells;
    size_t count, capacity;
    bool failed;
};

enum anole_status anole_table_create(struct anole_table **table, const char *const *titles,
                                     struct anole_error *error)
{
    struct anole_table *new = calloc(1, sizeof *new);
    if (!new)
        return anole_fail_memory(error);
    new->titles = titles;
    while (titles[new->columns])
        new->columns++;
    *table = new;
    return ANOLE_DONE;
}

void anole_table_destroy(struct anole_table *table)
{
    if (!table)
        return;
    for (size_t i = 0; i < table->count; i++)
        free(table->cells[i]);
    free(table->cells);
    free(table);
}

static bool reserve(struct anole_table *table)
{
    if (table->count < table->capacity)
        return true;
    size_t capacity = table->capacity ? 2 * table->capacity : 64;
    char **cells = realloc(table->cells, capacity * sizeof *cells);
    if (!cells)
        return false;
    table->cells = cells;
    table->capacity = capacity;
    return true;
}

void anole_table_cell(struct anole_table *table, const char *format, ...)
{
    char raw[CELL], safe[CELL];
    va_list args;
    va_start(args, format);
    vsnprintf(raw, sizeof raw, format, args);
    va_end(args);
    char *copy = strdup(anole_text_printable(safe, sizeof safe, raw));
    if (!copy || !reserve(table)) {
        free(copy);
        table->failed = true;
        return;
    }
    table->cells[table->count++] = copy;
}

/* Names of ONNX files say where a layer lies: the end tells it from its neighbours. */
void anole_table_name(struct anole_table *table, const char *name)
{
    char safe[4096];
    anole_text_printable(safe, sizeof safe, name);
    const size_t length = strlen(safe);
    if (length <= NAME) {
        anole_table_cell(table, "%s", safe);
        return;
    }
    size_t head = (NAME - 3) / 2, tail = length - (NAME - 3 - head);
    /* Not within a character. */
    while (head > 0 && ((unsigned char)safe[head] & 0xc0) == 0x80)
        head--;
    while (((unsigned char)safe[tail] & 0xc0) == 0x80)
        tail++;
    anole_table_cell(table, "%.*s...%s", (int)head, safe, safe + tail);
}

static const char *title(const struct anole_table *table, size_t column)
{
    const char *text = table->titles[column];
    return text[0] == '>' ? text + 1 : text;
}

/* A character of UTF-8 takes one column. */
static size_t columns_of(const char *text)
{
    size_t count = 0;
    for (; *text; text++)
        count += ((unsigned char)*text & 0xc0) != 0x80;
    return count;
}

static size_t width(const struct anole_table *table, size_t column)
{
    size_t widest = columns_of(title(table, column));
    for (size_t i = column; i < table->count; i += table->columns) {
        size_t length = columns_of(table->cells[i]);
        widest = length > widest ? length : widest;
    }
    return widest;
}

static void put(FILE *out, const struct anole_table *table, size_t column, const char *text,
                size_t wide)
{
    const char *gap = column == 0 ? "" : "  ";
    wide += strlen(text) - columns_of(text); /* printf() counts bytes */
    if (table->titles[column][0] == '>')
        fprintf(out, "%s%*s", gap, (int)wide, text);
    else if (column + 1 == table->columns)
        fprintf(out, "%s%s", gap, text); /* no blanks at the line's end */
    else
        fprintf(out, "%s%-*s", gap, (int)wide, text);
}

void anole_table_gflops(struct anole_table *table, double flops, double seconds)
{
    if (flops > 0.0)
        anole_table_cell(table, "%.1f", flops / seconds * 1e-9);
    else
        anole_table_cell(table, "-");
}

enum anole_status anole_table_print(const struct anole_table *table, FILE *out,
                                    struct anole_error *error)
{
    size_t *wide = calloc(table->columns, sizeof *wide);
    if (!wide || table->failed) {
        free(wide);
        return anole_fail_memory(error);
    }
    for (size_t c = 0; c < table->columns; c++) {
        wide[c] = width(table, c);
        put(out, table, c, title(table, c), wide[c]);
    }
    fputc('\n', out);
    for (size_t i = 0; i < table->count; i++) {
        size_t c = i % table->columns;
        put(out, table, c, table->cells[i], wide[c]);
        if (c + 1 == table->columns)
            fputc('\n', out);
    }
    free(wide);
    return ANOLE_DONE;
}
