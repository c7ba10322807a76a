/* SPDX-License-Identifier: MIT
 *
 * Resizing by weighted neighbours, along up to three dimensions at once.
 *
 * The output is rows of LENGTH elements, which stay neighbours.  Before this text come:
 *   AXES                1 to 3; for each axis a:
 *   TAPS                neighbours along an axis
 *   INDEX_a(row)        the place of the output along the axis
 *   from_a[]            places of the input, TAPS each of the output, times the stride there
 *   weight_a[]          what each of these weighs
 *   AT_IN(row)          what other dimensions add; LENGTH, WIDTH, CHUNKS, ITEMS
 */

#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)
#define VECTOR JOIN(float, WIDTH)

#if AXES > 2
#define EACH_2 for (int k = 0; k < TAPS; k++)
#define FROM_2 from_2[INDEX_2(row) * TAPS + k]
#define WEIGHT_2 weight_2[INDEX_2(row) * TAPS + k]
#else
#define EACH_2
#define FROM_2 0
#define WEIGHT_2 1.0f
#endif
#if AXES > 1
#define EACH_1 for (int j = 0; j < TAPS; j++)
#define FROM_1 from_1[INDEX_1(row) * TAPS + j]
#define WEIGHT_1 weight_1[INDEX_1(row) * TAPS + j]
#else
#define EACH_1
#define FROM_1 0
#define WEIGHT_1 1.0f
#endif

#define RESIZE(T, READ, WRITE)                                                                     \
    {                                                                                              \
        T sum = (T)(0.0f);                                                                         \
        for (int i = 0; i < TAPS; i++)                                                             \
            EACH_1 EACH_2                                                                          \
            {                                                                                      \
                global const float *from = in + from_0[INDEX_0(row) * TAPS + i] + FROM_1 + FROM_2; \
                sum += (T)(weight_0[INDEX_0(row) * TAPS + i] * WEIGHT_1 * WEIGHT_2) * READ;        \
            }                                                                                      \
        WRITE;                                                                                     \
    }

kernel void resize(global const float *in, global float *out)
{
    const int item = (int)get_global_id(0), row = item / CHUNKS, first = item % CHUNKS * WIDTH;
    if (item >= ITEMS)
        return;
    in += AT_IN(row) + first;
    out += row * LENGTH + first;
    if (first + WIDTH <= LENGTH)
        RESIZE(VECTOR, JOIN(vload, WIDTH)(0, from), JOIN(vstore, WIDTH)(sum, 0, out))
#if LENGTH % WIDTH
    else
        for (int c = 0; c < LENGTH % WIDTH; c++)
            RESIZE(float, from[c], out[c] = sum)
#endif
}
