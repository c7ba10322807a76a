/* SPDX-License-Identifier: MIT */
#include "record/history_merge.h"

#include "record/history_set.h"

#include <locale.h>
#include <string.h>
#include <unistd.h>

#define BLOCK ((size_t)1 << 20)

static const struct anole_history_io system_io = {
    .write = write,
    .sync = fdatasync,
    .truncate = ftruncate,
};

struct merge {
    struct anole_history_merged *merged;
    struct anole_history_file output;
    struct anole_history_set met;
    struct anole_text block;
    struct anole_history_trouble trouble;
    bool own; /* what is read is the output itself */
};

static enum anole_status flush(struct merge *merge, struct anole_error *error)
{
    enum anole_status status = ANOLE_DONE;
    if (merge->block.failed)
        return anole_fail_memory(error);
    if (merge->block.length)
        status = anole_history_file_append(&merge->output, merge->block.data, merge->block.length,
                                           error);
    anole_text_clear(&merge->block);
    return status;
}

static enum anole_status take_line(void *context, const struct anole_history_line *line,
                                   struct anole_error *error)
{
    struct merge *merge = context;
    bool known;
    if (line->kind == ANOLE_HISTORY_LINE_DAMAGED) {
        if (!merge->own)
            anole_history_trouble_note(&merge->trouble, line);
        return ANOLE_DONE;
    }
    enum anole_status status = anole_history_set_add(&merge->met, &known, line->whole, error);
    if (status != ANOLE_DONE || merge->own)
        return status;
    if (known) {
        merge->merged->repeated++;
        return ANOLE_DONE;
    }
    merge->merged->taken++;
    anole_text_append(&merge->block, line->whole.data, line->whole.length);
    anole_text_append(&merge->block, "\n", 1);
    return merge->block.failed || merge->block.length >= BLOCK ? flush(merge, error) : ANOLE_DONE;
}

/* What the output holds, and an end that can be written behind. */
static enum anole_status read_own(struct merge *merge, struct anole_error *error)
{
    struct anole_history_scan scan;
    merge->own = true;
    enum anole_status status =
        anole_history_file_scan(&merge->output, &scan, take_line, merge, error);
    merge->own = false;
    if (status != ANOLE_DONE)
        return status;
    if (scan.torn) {
        merge->trouble = (struct anole_history_trouble){.file = merge->output.name};
        anole_history_trouble_end(&merge->trouble, &scan);
        status = anole_history_file_cut(&merge->output, error);
    }
    if (status == ANOLE_DONE && scan.no_newline)
        anole_text_append(&merge->block, "\n", 1);
    if (status == ANOLE_DONE && merge->output.length == 0)
        anole_history_line_write_header(&merge->block);
    return status == ANOLE_DONE ? flush(merge, error) : status;
}

static enum anole_status read_other(struct merge *merge, const char *path,
                                    struct anole_error *error)
{
    struct anole_history_file file;
    struct anole_history_scan scan;
    enum anole_status status =
        anole_history_file_open(&file, path, ANOLE_HISTORY_READ, NULL, error);
    if (status != ANOLE_DONE)
        return status;
    merge->trouble = (struct anole_history_trouble){.file = file.name};
    status = anole_history_file_scan(&file, &scan, take_line, merge, error);
    if (status == ANOLE_DONE) {
        anole_history_trouble_end(&merge->trouble, &scan);
        merge->merged->damaged += scan.damaged + scan.torn;
    }
    anole_history_file_close(&file);
    return status;
}

/* As it was before, which a torn end is not part of. */
static void take_back(struct merge *merge, uint64_t length)
{
    if (merge->output.created) {
        anole_history_file_discard(&merge->output);
        return;
    }
    merge->output.length = length;
    (void)!anole_history_file_cut(&merge->output, NULL);
}

enum anole_status anole_history_merge(struct anole_history_merged *merged, const char *path,
                                      char *const *others, size_t count, struct anole_error *error)
{
    struct anole_history_merged sum = {0};
    struct merge merge = {.merged = &sum};
    enum anole_status status =
        anole_history_file_open(&merge.output, path, ANOLE_HISTORY_APPEND, &system_io, error);
    if (status != ANOLE_DONE)
        return status;
    anole_history_set_init(&merge.met);
    locale_t plain = newlocale(LC_NUMERIC_MASK, "C", (locale_t)0);
    locale_t before = plain ? uselocale(plain) : (locale_t)0;
    status = plain ? read_own(&merge, error) : anole_fail_memory(error);
    uint64_t length = merge.output.length;
    bool own = status == ANOLE_DONE;
    for (size_t i = 0; status == ANOLE_DONE && i < count; i++)
        status = read_other(&merge, others[i], error);
    if (status == ANOLE_DONE)
        status = flush(&merge, error);
    if (status == ANOLE_DONE && merge.output.created)
        anole_history_file_sync_folder(&merge.output);
    else if (status != ANOLE_DONE && (own || merge.output.created))
        take_back(&merge, length);
    if (status == ANOLE_DONE)
        *merged = sum;
    if (plain) {
        uselocale(before);
        freelocale(plain);
    }
    anole_text_fini(&merge.block);
    anole_history_set_fini(&merge.met);
    anole_history_file_close(&merge.output);
    return status;
}
