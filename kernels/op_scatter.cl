/* SPDX-License-Identifier: MIT
 *
 * Slices of LENGTH neighbours written to where tuples of indices say, one after another: the
 * last of those to one place stays.  A work-item writes WIDTH neighbours of every slice.
 *
 * Before this text come:
 *   TYPE                of an element: what is of its size; INDEX, the type of an index
 *   TUPLES, TUPLE       how many tuples, and numbers in each
 *   NUMBERS             ADD(t, size, stride) for each of these: what it is below, and worth
 *   LENGTH, WIDTH, CHUNKS (of a slice), ITEMS
 * Numbers are taken as in op_gather.cl.
 */

#ifndef JOIN
#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)
#endif
#define ADD(t, size, stride)                                                                       \
    {                                                                                              \
        INDEX number = index[i * TUPLE + t];                                                       \
        number = number < 0 ? number + (size) : number;                                            \
        to += (int)clamp(number, (INDEX)0, (INDEX)((size)-1)) * (stride);                          \
    }

kernel void scatter(global const INDEX *index, global const TYPE *updates, global TYPE *out)
{
    const int item = (int)get_global_id(0), first = item * WIDTH;
    if (item >= ITEMS)
        return;
    for (int i = 0; i < TUPLES; i++) {
        int to = first;
        NUMBERS
        if (first + WIDTH <= LENGTH)
            JOIN(vstore, WIDTH)(JOIN(vload, WIDTH)(0, updates + i * LENGTH + first), 0, out + to);
        else
            for (int k = 0; k < LENGTH - first; k++)
                out[to + k] = updates[i * LENGTH + first + k];
    }
}
