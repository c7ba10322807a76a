/* SPDX-License-Identifier: MIT
 *
 * Elements that move: from one place with strides to another.
 *
 * This text comes once a copy, each time behind
 *   TYPE                    of an element: what is of its size
 *   COPY                    the kernel's name
 *   AT_IN(row), AT_OUT(row) where a row begins
 *   STEP_IN, STEP_OUT       between two elements of a row
 *   LENGTH, WIDTH, CHUNKS (of a row), ITEMS
 * or, where rows of the input cross those of the output,
 *   TILE                    rows and columns that a work-item turns about
 *   AT_IN(i), AT_OUT(i)     where plane i begins
 *   LENGTH, STEP_IN         of the output's rows, which are dense there
 *   COLUMNS, COLUMN_OUT     of the input's rows, which are dense there
 *   TILES_DOWN, TILES_ACROSS, ITEMS
 * or, where a few rows of the input become the neighbours of one (channels to the end),
 *   INTERLEAVED             columns that a work-item does
 *   AT_IN(i), AT_OUT(i)     where plane i begins
 *   LENGTH, STEP_IN         rows, and from one to the next
 *   COLUMNS, CHUNKS (of columns), ITEMS
 */

#ifndef JOIN
#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)
#endif

#ifdef TILE

kernel void COPY(global const TYPE *in, global TYPE *out)
{
    const int item = (int)get_global_id(0);
    if (item >= ITEMS)
        return;
    const int plane = item / (TILES_DOWN * TILES_ACROSS);
    const int i = item / TILES_ACROSS % TILES_DOWN * TILE, j = item % TILES_ACROSS * TILE;
    in += AT_IN(plane) + i * STEP_IN + j;
    out += AT_OUT(plane) + j * COLUMN_OUT + i;
    if (i + TILE <= LENGTH && j + TILE <= COLUMNS) {
        TYPE tile[TILE][TILE];
        for (int k = 0; k < TILE; k++)
            for (int l = 0; l < TILE; l++)
                tile[k][l] = in[k * STEP_IN + l];
        for (int l = 0; l < TILE; l++)
            for (int k = 0; k < TILE; k++)
                out[l * COLUMN_OUT + k] = tile[k][l];
    } else {
        const int rows = min(TILE, LENGTH - i), columns = min(TILE, COLUMNS - j);
        for (int l = 0; l < columns; l++)
            for (int k = 0; k < rows; k++)
                out[l * COLUMN_OUT + k] = in[k * STEP_IN + l];
    }
}

#elif defined INTERLEAVED

kernel void COPY(global const TYPE *in, global TYPE *out)
{
    const int item = (int)get_global_id(0), plane = item / CHUNKS;
    const int first = item % CHUNKS * INTERLEAVED;
    if (item >= ITEMS)
        return;
    in += AT_IN(plane) + first;
    out += AT_OUT(plane) + first * LENGTH;
#if LENGTH == 3 /* an image of three colours */
    if (first + INTERLEAVED <= COLUMNS) {
        const JOIN(TYPE, 16) a = vload16(0, in), b = vload16(0, in + STEP_IN);
        const JOIN(TYPE, 16) c = vload16(0, in + 2 * STEP_IN);
        vstore16((JOIN(TYPE, 16))(a.s0, b.s0, c.s0, a.s1, b.s1, c.s1, a.s2, b.s2, c.s2, a.s3, b.s3,
                                  c.s3, a.s4, b.s4, c.s4, a.s5), 0, out);
        vstore16((JOIN(TYPE, 16))(b.s5, c.s5, a.s6, b.s6, c.s6, a.s7, b.s7, c.s7, a.s8, b.s8, c.s8,
                                  a.s9, b.s9, c.s9, a.sa, b.sa), 1, out);
        vstore16((JOIN(TYPE, 16))(c.sa, a.sb, b.sb, c.sb, a.sc, b.sc, c.sc, a.sd, b.sd, c.sd, a.se,
                                  b.se, c.se, a.sf, b.sf, c.sf), 2, out);
        return;
    }
#else
    if (first + INTERLEAVED <= COLUMNS) {
        TYPE rows[LENGTH][INTERLEAVED];
        for (int i = 0; i < LENGTH; i++)
            JOIN(vstore, INTERLEAVED)(JOIN(vload, INTERLEAVED)(0, in + i * STEP_IN), 0, rows[i]);
        for (int i = 0; i < LENGTH * INTERLEAVED; i++)
            out[i] = rows[i % LENGTH][i / LENGTH];
        return;
    }
#endif
    for (int j = 0; j < COLUMNS - first; j++)
        for (int i = 0; i < LENGTH; i++)
            out[j * LENGTH + i] = in[i * STEP_IN + j];
}

#else

kernel void COPY(global const TYPE *in, global TYPE *out)
{
    const int item = (int)get_global_id(0), row = item / CHUNKS, first = item % CHUNKS * WIDTH;
    if (item >= ITEMS)
        return;
    in += AT_IN(row) + first * STEP_IN;
    out += AT_OUT(row) + first * STEP_OUT;
#if STEP_IN == 1 && STEP_OUT == 1
    if (first + WIDTH <= LENGTH) {
        JOIN(vstore, WIDTH)(JOIN(vload, WIDTH)(0, in), 0, out);
        return;
    }
#endif
    const int count = min(WIDTH, LENGTH - first);
    for (int i = 0; i < count; i++)
        out[i * STEP_OUT] = in[i * STEP_IN];
}

#endif

#undef TYPE
#undef COPY
#undef TILE
#undef INTERLEAVED
#undef AT_IN
#undef AT_OUT
#undef STEP_IN
#undef STEP_OUT
#undef LENGTH
#undef WIDTH
#undef CHUNKS
#undef ITEMS
#undef COLUMNS
#undef COLUMN_OUT
#undef TILES_DOWN
#undef TILES_ACROSS
