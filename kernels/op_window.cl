/* SPDX-License-Identifier: MIT
 *
 * The largest element, or the mean, of a window that moves over up to three dimensions,
 * channels last.
 *
 * A work-item makes WIDTH channels of one place of the output.  Before this text come:
 *   TYPE; AVERAGE (1: the mean; COUNT_PADDING: over padding as well), or LOWEST of the type
 *   INDICES             of the largest as well: 0: no; 1: the last dimension is dense; 2: the first
 *   INSIDE              1: no window reaches over an end of the input
 *   for d of 0 to 2: IN_d, OUT_d, KERNEL_d, STRIDE_d, DILATION_d, PAD_d, PAD_END_d
 *   LENGTH (the channels), WIDTH, CHUNKS, ITEMS
 */

#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)
#define VECTOR JOIN(TYPE, WIDTH)

/* The first tap at or behind `place`, where the window begins at `begin`. */
#define TAP(begin, dilation, place)                                                                \
    ((begin) >= (place) ? 0 : ((place) - (begin) + (dilation)-1) / (dilation))

#define BEGIN(d, at) const int begin_##d = (at)*STRIDE_##d - PAD_##d;

/* Whether all of a window lies in the input, as most do: its loops then have constant bounds. */
#define WHOLE(d) ((begin_##d >= 0) & (begin_##d + DILATION_##d * (KERNEL_##d - 1) < IN_##d))

#define AXIS(d)                                                                                    \
    const int first_##d = TAP(begin_##d, DILATION_##d, 0);                                         \
    const int end_##d = min(KERNEL_##d, TAP(begin_##d, DILATION_##d, IN_##d));                     \
    const int counted_##d = min(KERNEL_##d, TAP(begin_##d, DILATION_##d, IN_##d + PAD_END_##d)) -  \
                            TAP(begin_##d, DILATION_##d, -PAD_##d);

#if AVERAGE
#define START 0
#define COMBINE(sum, x) sum += x
#define PART(T) (T)(0)
#define ALL(part) all += part
#else
#define START LOWEST
#define COMBINE(best, x) best = ((x > best) | (x != x)) ? x : best
#define PART(T) all
#define ALL(part) all = part
#endif

/* The rows of a window are summed by themselves, so that many elements lose nothing. */
#define WINDOW(T, READ, WRITE, FIRST, END)                                                         \
    {                                                                                              \
        T all = (T)(START);                                                                        \
        for (int i = FIRST(0); i < END(0); i++)                                                    \
            for (int j = FIRST(1); j < END(1); j++) {                                              \
                T part = PART(T);                                                                  \
                for (int k = FIRST(2); k < END(2); k++) {                                          \
                    global const TYPE *from =                                                      \
                        in + (((begin_0 + i * DILATION_0) * IN_1 + begin_1 + j * DILATION_1) *     \
                                  IN_2 +                                                           \
                              begin_2 + k * DILATION_2) *                                          \
                                 LENGTH;                                                           \
                    const T x = READ;                                                              \
                    COMBINE(part, x);                                                              \
                }                                                                                  \
                ALL(part);                                                                         \
            }                                                                                      \
        WRITE;                                                                                     \
    }

/* The channels of an item. */
#if LENGTH % WIDTH
#define REST(FIRST, END)                                                                           \
    else                                                                                           \
        for (int c = 0; c < LENGTH % WIDTH; c++)                                                   \
            WINDOW(TYPE, from[c], out[c] = RESULT, FIRST, END)
#else
#define REST(FIRST, END)
#endif
#define CHANNELS(FIRST, END)                                                                       \
    {                                                                                              \
        if (first + WIDTH <= LENGTH)                                                               \
            WINDOW(VECTOR, JOIN(vload, WIDTH)(0, from), JOIN(vstore, WIDTH)(RESULT, 0, out),       \
                   FIRST, END)                                                                     \
        REST(FIRST, END)                                                                           \
    }

#define NONE(d) 0
#define KERNEL(d) KERNEL_##d
#define FIRST(d) first_##d
#define END(d) end_##d

#if AVERAGE
#define RESULT (all * factor)
#else
#define RESULT all
#endif

#if INDICES
/* The first of the largest of one channel; one that is not a number is. */
#define FIND(c)                                                                                    \
    {                                                                                              \
        TYPE best = LOWEST;                                                                        \
        long found = -1;                                                                           \
        for (int i = first_0; i < end_0; i++)                                                      \
            for (int j = first_1; j < end_1; j++)                                                  \
                for (int k = first_2; k < end_2; k++) {                                            \
                    const int x = begin_0 + i * DILATION_0, y = begin_1 + j * DILATION_1;          \
                    const int z = begin_2 + k * DILATION_2;                                        \
                    const TYPE value = in[((x * IN_1 + y) * IN_2 + z) * LENGTH + c];               \
                    if (found < 0 || value > best || (value != value && best == best)) {           \
                        best = value;                                                              \
                        found = INDICES == 2 ? x + IN_0 * (y + IN_1 * z)                           \
                                             : (x * IN_1 + y) * IN_2 + z;                          \
                    }                                                                              \
                }                                                                                  \
        indices[c] = plane + (long)c * (IN_0 * IN_1 * IN_2) + found;                               \
    }
#endif

kernel void pool(global const TYPE *in, global TYPE *out
#if INDICES
                 ,
                 global long *indices
#endif
)
{
    const int item = (int)get_global_id(0), place = item / CHUNKS, first = item % CHUNKS * WIDTH;
    if (item >= ITEMS)
        return;
    BEGIN(0, place / (OUT_1 * OUT_2) % OUT_0)
    BEGIN(1, place / OUT_2 % OUT_1)
    BEGIN(2, place % OUT_2)
    in += place / (OUT_0 * OUT_1 * OUT_2) * (IN_0 * IN_1 * IN_2 * LENGTH) + first;
    out += place * LENGTH + first;
#if !INSIDE || INDICES
    AXIS(0)
    AXIS(1)
    AXIS(2)
#endif
#if INDICES
    const long plane = (long)(place / (OUT_0 * OUT_1 * OUT_2) * LENGTH + first) *
                       (IN_0 * IN_1 * IN_2);
    indices += place * LENGTH + first;
    for (int c = 0; c < min(WIDTH, LENGTH - first); c++)
        FIND(c)
#endif
#if !INSIDE
    if (!(WHOLE(0) & WHOLE(1) & WHOLE(2))) {
#if AVERAGE
#if COUNT_PADDING
        const int count = counted_0 * counted_1 * counted_2;
#else
        const int count =
            max(end_0 - first_0, 0) * max(end_1 - first_1, 0) * max(end_2 - first_2, 0);
#endif
        const TYPE factor = count > 0 ? (TYPE)1 / (TYPE)count : (TYPE)1;
#endif
        CHANNELS(FIRST, END)
        return;
    }
#endif
#if AVERAGE
    const TYPE factor = (TYPE)1 / (TYPE)(KERNEL_0 * KERNEL_1 * KERNEL_2);
#endif
    CHANNELS(NONE, KERNEL)
}
