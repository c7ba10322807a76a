/* SPDX-License-Identifier: MIT
 *
 * Slices of LENGTH neighbours, or single elements, by index.
 *
 * Before this text come:
 *   TYPE                of an element: what is of its size; INDEX, the type of an index
 *   FIRST(i)            where the numbers begin that make the index of slice i
 *   NUMBERS             ADD(t, size, stride) for each of them: what it is below, and worth
 *   AT_IN(i)            what is added, of slice i
 *   LENGTH, WIDTH, CHUNKS (of a slice), ITEMS
 * Negative numbers count from the end.  Numbers out of range, which nobody can be told of here,
 * are taken for the nearest within.
 */

#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)
#define ADD(t, size, stride)                                                                       \
    {                                                                                              \
        INDEX number = index[t];                                                                   \
        number = number < 0 ? number + (size) : number;                                            \
        in += (int)clamp(number, (INDEX)0, (INDEX)((size)-1)) * (stride);                          \
    }

kernel void gather(global const TYPE *in, global const INDEX *index, global TYPE *out)
{
    const int item = (int)get_global_id(0), slice = item / CHUNKS, first = item % CHUNKS * WIDTH;
    if (item >= ITEMS)
        return;
    in += AT_IN(slice) + first;
    out += slice * LENGTH + first;
    index += FIRST(slice);
    NUMBERS
    if (first + WIDTH <= LENGTH) {
        JOIN(vstore, WIDTH)(JOIN(vload, WIDTH)(0, in), 0, out);
        return;
    }
    for (int i = 0; i < LENGTH - first; i++)
        out[i] = in[i];
}
