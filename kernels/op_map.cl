/* SPDX-License-Identifier: MIT
 *
 * Each element of the output is one of the input, or the filler: what padding, resizing to the
 * nearest and the like do.
 *
 * The output is ROWS rows of LENGTH elements, which are neighbours in the input as well.  Before
 * this text come:
 *   TYPE                of an element: what is of its size
 *   PLACES              ADD(place) for each dimension: where the row's index along it lies in
 *                       the input, times the stride there; far below 0: nowhere, filled
 *   FILLS               0: nothing is filled
 *   FILL                the filler (fill[0], where FILL_INPUT is defined)
 *   LENGTH, WIDTH, CHUNKS (of a row), ITEMS
 */

#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)

kernel void map(global const TYPE *in,
#ifdef FILL_INPUT
                global const TYPE *fill,
#endif
                global TYPE *out)
{
    const int item = (int)get_global_id(0), row = item / CHUNKS, first = item % CHUNKS * WIDTH;
    if (item >= ITEMS)
        return;
    const int count = min(WIDTH, LENGTH - first);
    int at = 0, filled = 0;
#if FILLS
#define ADD(place)                                                                                 \
    {                                                                                              \
        const int from = place;                                                                    \
        filled |= from;                                                                            \
        at += max(from, 0);                                                                        \
    }
#else
#define ADD(place) at += place;
#endif
    PLACES
    out += row * LENGTH + first;
    in += first;
    if (filled < 0) {
        const TYPE filler = FILL;
        for (int i = 0; i < count; i++)
            out[i] = filler;
    } else if (count == WIDTH) {
        JOIN(vstore, WIDTH)(JOIN(vload, WIDTH)(0, in + at), 0, out);
    } else {
        for (int i = 0; i < count; i++)
            out[i] = in[at + i];
    }
}
