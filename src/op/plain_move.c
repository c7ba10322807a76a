/* SPDX-License-Identifier: MIT */
#include "op/plain.h"

#include "kernels/op_map.cl.h"
#include "kernels/op_move.cl.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define TILE 8
#define INTERLEAVED 16
#define MOST_TABLES 4096 /* places that lie in tables, of all dimensions together */
#define MOST_PIECES 8    /* of a dimension that needs no table */
#define FEW_PIECES 3     /* which are better than a table: sources with tables are not merged */

/* ---------------------------------------------------------------- with strides */

static int64_t product(const int64_t *dims, uint32_t rank)
{
    int64_t product = 1;
    for (uint32_t i = 0; i < rank; i++)
        product *= dims[i];
    return product;
}

/* Operand 0 of the walk is the output, 1 the input.  The dimension around the rows that is dense
 * in the input; the walk's rank: there is none that is worth turning about. */
static uint32_t crossing(const struct anole_walk *walk)
{
    uint32_t d = 0;
    if (walk->step[0] != 1 || walk->step[1] == 1 || walk->step[1] == 0 || walk->length < TILE)
        return walk->rank;
    while (d < walk->rank && !(walk->strides[1][d] == 1 && walk->dims[d] >= TILE))
        d++;
    return d;
}

/* The dimension around rows of a few elements that is dense in the input, and in which the rows
 * follow one another in the output; the walk's rank: there is none that is worth it. */
static uint32_t interleaving(const struct anole_walk *walk)
{
    uint32_t d = 0;
    if (walk->step[0] != 1 || walk->step[1] <= 1 || walk->length < 2 || walk->length >= TILE)
        return walk->rank;
    while (d < walk->rank && !(walk->strides[1][d] == 1 && walk->strides[0][d] == walk->length &&
                               walk->dims[d] >= INTERLEAVED))
        d++;
    return d;
}

/* A walk without one of the dimensions around the rows. */
static struct anole_walk without(const struct anole_walk *walk, uint32_t column)
{
    struct anole_walk planes = *walk;
    planes.rank--;
    for (uint32_t d = column; d < planes.rank; d++) {
        planes.dims[d] = walk->dims[d + 1];
        for (uint32_t k = 0; k < 2; k++)
            planes.strides[k][d] = walk->strides[k][d + 1];
    }
    return planes;
}

static int64_t define_interleaved(struct anole_plain_source *source, const struct anole_walk *walk,
                                  uint32_t column)
{
    const struct anole_walk planes = without(walk, column);
    const int64_t columns = walk->dims[column], chunks = (columns + INTERLEAVED - 1) / INTERLEAVED;
    const int64_t items = product(planes.dims, planes.rank) * chunks;
    anole_plain_define_int(source, "INTERLEAVED", INTERLEAVED);
    anole_plain_define_int(source, "LENGTH", walk->length);
    anole_plain_define_int(source, "COLUMNS", columns);
    anole_plain_define_int(source, "CHUNKS", chunks);
    anole_plain_define_int(source, "ITEMS", items);
    anole_plain_define_place(source, "AT_OUT", &planes, 0);
    anole_plain_define_place(source, "AT_IN", &planes, 1);
    return items;
}

static int64_t define_tiles(struct anole_plain_source *source, const struct anole_walk *walk,
                            uint32_t column)
{
    const struct anole_walk planes = without(walk, column);
    const int64_t columns = walk->dims[column];
    const int64_t down = (walk->length + TILE - 1) / TILE, across = (columns + TILE - 1) / TILE;
    const int64_t items = product(planes.dims, planes.rank) * down * across;
    anole_plain_define_int(source, "TILE", TILE);
    anole_plain_define_int(source, "LENGTH", walk->length);
    anole_plain_define_int(source, "COLUMNS", columns);
    anole_plain_define_int(source, "COLUMN_OUT", walk->strides[0][column]);
    anole_plain_define_int(source, "TILES_DOWN", down);
    anole_plain_define_int(source, "TILES_ACROSS", across);
    anole_plain_define_int(source, "ITEMS", items);
    anole_plain_define_place(source, "AT_OUT", &planes, 0);
    anole_plain_define_place(source, "AT_IN", &planes, 1);
    return items;
}

void anole_plain_add_copy(struct anole_plain_source *source, const char *type, uint32_t index,
                          const struct anole_strided *copy)
{
    int64_t strides[2][ANOLE_MAX_RANK];
    struct anole_walk walk;
    char name[16];
    int64_t items;
    memcpy(strides[0], copy->out_strides, sizeof strides[0]);
    memcpy(strides[1], copy->in_strides, sizeof strides[1]);
    if (!anole_walk_begin(&walk, copy->rank, copy->dims, 2, strides))
        return; /* nothing to copy */
    if (walk.length == 1)
        walk.step[0] = walk.step[1] = 1;
    walk.at[0] = copy->first_out;
    walk.at[1] = copy->first_in;
    snprintf(name, sizeof name, "copy_%u", index);
    anole_plain_define(source, "TYPE", "%s", type);
    anole_plain_define(source, "COPY", "%s", name);
    anole_plain_define_int(source, "STEP_IN", walk.step[1]);
    anole_plain_define_int(source, "STEP_OUT", walk.step[0]);
    uint32_t crosses = crossing(&walk), interleaves = interleaving(&walk);
    if (crosses < walk.rank) {
        items = define_tiles(source, &walk, crosses);
    } else if (interleaves < walk.rank) {
        items = define_interleaved(source, &walk, interleaves);
    } else {
        items = anole_plain_define_rows(source, product(walk.dims, walk.rank), walk.length);
        anole_plain_define_place(source, "AT_OUT", &walk, 0);
        anole_plain_define_place(source, "AT_IN", &walk, 1);
    }
    anole_plain_text(source, kernel_op_move);
    const struct anole_arg args[] = {ANOLE_PLAIN_INPUT(copy->input),
                                     ANOLE_PLAIN_OUTPUT(copy->output)};
    anole_plain_launch(source, name, items, args, 2);
}

enum anole_status anole_plain_strided(struct anole_kernel_builder *builder, uint32_t dtype,
                                      const struct anole_strided *copies, size_t count,
                                      struct anole_error *error)
{
    struct anole_plain_source source = {.builder = builder};
    const char *type = anole_plain_move_type(dtype);
    uint32_t launches = 0;
    if (!type)
        return anole_plain_none("this type", error);
    for (size_t i = 0; i < count; i++)
        launches += product(copies[i].dims, copies[i].rank) > 0;
    if (launches == 0 || launches > ANOLE_MAX_LAUNCHES)
        return anole_plain_none("so many tensors", error);
    for (size_t i = 0; i < count; i++)
        anole_plain_add_copy(&source, type, (uint32_t)i, &copies[i]);
    return anole_plain_finish(&source, error);
}

/* -------------------------------------------------------------------- by index */

/* Whether a map is a run of neighbours within low..high-1, and negative around it. */
static bool is_run(const int64_t *map, int64_t size, int64_t *low, int64_t *high)
{
    for (*low = 0; *low < size && map[*low] < 0;)
        ++*low;
    for (*high = *low; *high < size && map[*high] >= 0; ++*high)
        if (map[*high] != map[*low] + *high - *low)
            return false;
    for (int64_t i = *high; i < size; i++)
        if (map[i] >= 0)
            return false;
    return *high > *low;
}

static bool is_identity(const int64_t *map, int64_t size, int64_t from)
{
    for (int64_t i = 0; i < size; i++)
        if (map[i] != i)
            return false;
    return size == from;
}

/* Where the piece of a map that begins at `from` ends: its places are a fixed step apart, or
 * negative all of them.  *step: that. */
static int64_t piece_end(const int64_t *map, int64_t size, int64_t from, int64_t *step)
{
    int64_t end = from + 1;
    *step = 0;
    if (map[from] < 0) {
        while (end < size && map[end] < 0)
            end++;
        return end;
    }
    if (end < size && map[end] >= 0)
        *step = map[end] - map[from];
    while (end < size && map[end] >= 0 && map[end] - map[end - 1] == *step)
        end++;
    return end;
}

/* MAP_d as a few pieces: what is mirrored, or begins anew.  False: there are more than `most`. */
static bool define_pieces(struct anole_plain_source *source, uint32_t d, const int64_t *map,
                          int64_t size, int64_t stride, int64_t most)
{
    int64_t step, count = 0;
    for (int64_t from = 0; from < size; from = piece_end(map, size, from, &step))
        if (++count > most)
            return false;
    anole_text_printf(&source->text, "#define MAP_%u(i) (", d);
    for (int64_t from = 0, end; from < size; from = end) {
        end = piece_end(map, size, from, &step);
        if (end < size)
            anole_text_printf(&source->text, "(i) < %" PRId64 " ? ", end);
        if (map[from] < 0)
            anole_text_printf(&source->text, "-(1 << 30)");
        else
            anole_text_printf(&source->text, "%" PRId64 " + ((i) - %" PRId64 ") * %" PRId64,
                              map[from] * stride, from, step * stride);
        anole_text_printf(&source->text, end < size ? " : " : ")\n");
    }
    return true;
}

/* MAP_d where each place comes a few times, one after another, as when an image is made larger;
 * false: it is another map. */
static bool define_repeated(struct anole_plain_source *source, uint32_t d, const int64_t *map,
                            int64_t size, int64_t stride)
{
    int64_t times = 0;
    while (times < size && map[times] == 0)
        times++;
    for (int64_t i = 0; i < size; i++)
        if (times == 0 || map[i] != i / times)
            return false;
    anole_text_printf(&source->text, "#define MAP_%u(i) ((i) / %" PRId64 " * %" PRId64 ")\n", d,
                      times, stride);
    return true;
}

static bool has_fill(const int64_t *map, int64_t size)
{
    for (int64_t i = 0; i < size; i++)
        if (map[i] < 0)
            return true;
    return false;
}

/* MAP_d, and the table that it reads; false: it would be too large. */
static bool define_map(struct anole_plain_source *source, uint32_t d, const int64_t *map,
                       int64_t size, int64_t stride, int64_t *tables)
{
    int64_t low, high;
    if (is_run(map, size, &low, &high)) {
        anole_text_printf(&source->text,
                          "#define MAP_%u(i) ((i) < %" PRId64 " || (i) >= %" PRId64
                          " ? -(1 << 30) : ((i) + %" PRId64 ") * %" PRId64 ")\n",
                          d, low, high, map[low] - low, stride);
        return true;
    }
    if (define_repeated(source, d, map, size, stride) ||
        define_pieces(source, d, map, size, stride, FEW_PIECES))
        return true;
    if (*tables + size > MOST_TABLES)
        return define_pieces(source, d, map, size, stride, MOST_PIECES);
    *tables += size;
    anole_text_printf(&source->text, "constant int map_%u[] = {", d);
    for (int64_t i = 0; i < size; i++)
        anole_text_printf(&source->text, "%s%" PRId64,
                          i == 0   ? ""
                          : i % 16 ? ", "
                                   : ",\n",
                          map[i] < 0 ? -((int64_t)1 << 30) : map[i] * stride);
    anole_text_printf(&source->text, "};\n#define MAP_%u(i) map_%u[i]\n", d, d);
    return true;
}

enum anole_status anole_plain_mapped(const struct anole_call *call, const int64_t *const *maps,
                                     uint64_t fill, uint32_t fill_input,
                                     struct anole_kernel_builder *builder,
                                     struct anole_error *error)
{
    const struct anole_operand *in = call->inputs[0], *out = &call->outputs[0];
    struct anole_plain_source source = {.builder = builder};
    const char *type = anole_plain_move_type(out->dtype);
    int64_t strides[ANOLE_MAX_RANK], tables = 0, length = 1, divisor = 1;
    struct anole_arg args[3] = {ANOLE_PLAIN_INPUT(0)};
    uint32_t rank = out->rank, count = 1;
    bool fills = false;
    if (!type || anole_operand_elements(out) == 0 || anole_operand_elements(in) == 0 ||
        anole_operand_elements(in) >= (size_t)1 << 27)
        return anole_plain_none("this type or size", error);
    anole_dense_strides(strides, in);
    for (; rank > 0 && is_identity(maps[rank - 1], out->dims[rank - 1], in->dims[rank - 1]); rank--)
        length *= out->dims[rank - 1];
    for (uint32_t d = 0; d < rank; d++) {
        fills = fills || has_fill(maps[d], out->dims[d]);
        if (!define_map(&source, d, maps[d], out->dims[d], strides[d], &tables)) {
            anole_text_fini(&source.text);
            return anole_plain_none("so many places", error);
        }
    }
    anole_plain_define(&source, "TYPE", "%s", type);
    anole_plain_define_int(&source, "FILLS", fills);
    if (fill_input > 0) {
        anole_plain_define(&source, "FILL_INPUT", "1");
        anole_plain_define(&source, "FILL", "fill[0]");
        args[count++] = ANOLE_PLAIN_INPUT(fill_input);
    } else {
        anole_plain_define(&source, "FILL", "((TYPE)0x%" PRIx64 "ul)", fill);
    }
    args[count++] = ANOLE_PLAIN_OUTPUT(0);
    int64_t items = anole_plain_define_rows(&source, product(out->dims, rank), length);
    anole_text_append(&source.text, "#define PLACES", 14);
    for (uint32_t d = rank; d-- > 0; divisor *= out->dims[d])
        anole_text_printf(&source.text, " ADD(MAP_%u(row / %" PRId64 " %% %" PRId64 "))", d,
                          divisor, out->dims[d]);
    anole_text_append(&source.text, "\n", 1);
    anole_plain_text(&source, kernel_op_map);
    anole_plain_launch(&source, "map", items, args, count);
    return anole_plain_finish(&source, error);
}
