/* SPDX-License-Identifier: MIT */
#include "cli/size_list.h"

#include "base/text.h"

#include <stdlib.h>
#include <string.h>

/* ------------------------------------------------------------------- batches */

static enum anole_status add_batch(int64_t *batches, size_t *count, const char *text,
                                   struct anole_error *error)
{
    uint64_t batch;
    enum anole_status status = anole_text_parse_u64(&batch, text, "--batch", 1, INT32_MAX, error);
    for (size_t i = 0; i < *count && status == ANOLE_DONE; i++)
        if (batches[i] == (int64_t)batch)
            status = anole_fail(error, ANOLE_ERR_USAGE,
                                "--batch: expected different sizes, found %s twice", text);
    if (status == ANOLE_DONE && *count == ANOLE_MOST_SIZES)
        status =
            anole_fail(error, ANOLE_ERR_USAGE,
                       "--batch: expected at most %d sizes to be tuned together", ANOLE_MOST_SIZES);
    if (status == ANOLE_DONE)
        batches[(*count)++] = (int64_t)batch;
    return status;
}

static enum anole_status parse_batches(int64_t *batches, size_t *count, const char *text,
                                       struct anole_error *error)
{
    enum anole_status status = ANOLE_DONE;
    *count = 0;
    for (const char *at = text; at && status == ANOLE_DONE;) {
        const size_t length = strcspn(at, ",");
        char *item = strndup(at, length);
        status = item ? add_batch(batches, count, item, error) : anole_fail_memory(error);
        free(item);
        at = at[length] == ',' ? at + length + 1 : NULL;
    }
    if (*count == 0)
        batches[(*count)++] = 0;
    return status;
}

/* -------------------------------------------------------------------- shapes */

/* One size, or a list of them, at `at`: its items' count, and where it ends. */
static size_t count_items(const char *at, const char **end)
{
    size_t items = 1;
    while (*at && *at != 'x')
        items += *at++ == ',';
    *end = at;
    return items;
}

/* "{224,320}" as "224,320": *from and *to without the braces; false: there is but one of them. */
static bool strip_braces(const char **from, const char **to)
{
    const bool open = *from < *to && **from == '{';
    const bool closed = *from < *to && (*to)[-1] == '}';
    *from += open;
    *to -= closed && open;
    return open == closed;
}

static enum anole_status fail_shape(const char *shape, const char *what, struct anole_error *error)
{
    char safe[200];
    return anole_fail(
        error, ANOLE_ERR_USAGE,
        "--shape \"%s\": %s; expected NAME=SIZES, with lists of equal length where it "
        "is to have several: images=1x3x224,320x224,320",
        anole_text_printable(safe, sizeof safe, shape), what);
}

/* Where the sizes of a shape begin; what stands in brackets are the elements of an input, of which
 * there is one list. */
static const char *find_sizes(const char *shape)
{
    const char *equals = strrchr(shape, '=');
    return !equals || equals[1] == '[' ? shape + strlen(shape) : equals + 1;
}

/* How many variants a shape has: *count stays 1 where there is no list. */
static enum anole_status count_variants(size_t *count, const char *shape, struct anole_error *error)
{
    for (const char *at = find_sizes(shape); *at;) {
        const char *end;
        const size_t items = count_items(at, &end);
        if (items > 1 && *count > 1 && items != *count)
            return fail_shape(shape, "its lists are of different lengths, or other than before",
                              error);
        *count = items > *count ? items : *count;
        at = *end ? end + 1 : end;
    }
    return ANOLE_DONE;
}

/* The item of that number of one size, which is the only one where it has no list. */
static enum anole_status put_item(struct anole_text *out, const char *shape, const char *from,
                                  const char *to, size_t number, struct anole_error *error)
{
    if (!strip_braces(&from, &to))
        return fail_shape(shape, "a brace is missing", error);
    const bool list = memchr(from, ',', (size_t)(to - from)) != NULL;
    for (size_t i = 0; i < number && list; i++)
        from = (const char *)memchr(from, ',', (size_t)(to - from)) + 1;
    const char *comma = memchr(from, ',', (size_t)(to - from));
    anole_text_append(out, from, (size_t)((comma ? comma : to) - from));
    return ANOLE_DONE;
}

static enum anole_status make_variant(char **variant, const char *shape, size_t number,
                                      struct anole_error *error)
{
    struct anole_text out = {0};
    const char *at = find_sizes(shape);
    enum anole_status status = ANOLE_DONE;
    anole_text_append(&out, shape, (size_t)(at - shape));
    while (*at && status == ANOLE_DONE) {
        const char *end;
        count_items(at, &end);
        status = put_item(&out, shape, at, end, number, error);
        if (*end)
            anole_text_append(&out, "x", 1);
        at = *end ? end + 1 : end;
    }
    if (status == ANOLE_DONE) {
        *variant = out.failed ? NULL : strdup(out.data ? out.data : "");
        status = *variant ? ANOLE_DONE : anole_fail_memory(error);
    }
    anole_text_fini(&out);
    return status;
}

/* --------------------------------------------------------------------- both */

static enum anole_status make_texts(struct anole_size_list *list, const char *const *shapes,
                                    size_t shape_count, size_t variants, struct anole_error *error)
{
    enum anole_status status = ANOLE_DONE;
    list->texts = calloc(variants * shape_count + 1, sizeof *list->texts);
    if (!list->texts)
        return anole_fail_memory(error);
    for (size_t v = 0; v < variants; v++)
        for (size_t i = 0; i < shape_count && status == ANOLE_DONE; i++) {
            status = make_variant(&list->texts[list->text_count], shapes[i], v, error);
            list->text_count += status == ANOLE_DONE;
        }
    return status;
}

enum anole_status anole_size_list_init(struct anole_size_list *list, const char *batch,
                                       const char *const *shapes, size_t shape_count,
                                       struct anole_error *error)
{
    int64_t batches[ANOLE_MOST_SIZES];
    size_t batch_count, variants = 1;
    *list = (struct anole_size_list){.count = 0};
    enum anole_status status = parse_batches(batches, &batch_count, batch, error);
    for (size_t i = 0; i < shape_count && status == ANOLE_DONE; i++)
        status = count_variants(&variants, shapes[i], error);
    if (status == ANOLE_DONE && variants * batch_count > ANOLE_MOST_SIZES)
        status = anole_fail(error, ANOLE_ERR_USAGE,
                            "--batch and --shape: %zu batches in %zu shapes; expected at most %d "
                            "sizes to be tuned together",
                            batch_count, variants, ANOLE_MOST_SIZES);
    if (status == ANOLE_DONE)
        status = make_texts(list, shapes, shape_count, variants, error);
    for (size_t v = 0; v < variants && status == ANOLE_DONE; v++)
        for (size_t b = 0; b < batch_count; b++)
            list->sizes[list->count++] = (struct anole_load_size){
                .batch = batches[b],
                .shapes = (const char *const *)list->texts + v * shape_count,
                .shape_count = shape_count};
    if (status != ANOLE_DONE)
        anole_size_list_fini(list);
    return status;
}

void anole_size_list_fini(struct anole_size_list *list)
{
    for (size_t i = 0; i < list->text_count; i++)
        free(list->texts[i]);
    free(list->texts);
    *list = (struct anole_size_list){.count = 0};
}
