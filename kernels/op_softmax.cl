/* SPDX-License-Identifier: MIT
 *
 * exp(x) over the sum of exp(x) along one dimension, or the logarithm of it.
 *
 * Before this text come:
 *   LOGARITHM           1: the logarithm
 *   AXIS                elements that are summed
 *   INNER               elements between two of them: 1: a work-item makes a row; else
 *                       WIDTH neighbours each along the dimension
 *   LENGTH (INNER, or of a row 1), WIDTH, CHUNKS, ITEMS
 */

#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)
#define VECTOR JOIN(float, WIDTH)
#define GREATER(a, b) ((((a) > (b)) | ((a) != (a))) ? (a) : (b))
#define BLOCK 32

#if LOGARITHM
#define NORMALISE(x, highest, sum) ((x) - (highest)-log_sum)
#else
#define NORMALISE(x, highest, sum) (exp((x) - (highest)) / (sum))
#endif

#if INNER == 1

kernel void softmax(global const float *in, global float *out)
{
    const int item = (int)get_global_id(0);
    if (item >= ITEMS)
        return;
    in += item * AXIS;
    out += item * AXIS;
    float highest = -INFINITY, sum = 0;
    float lanes[WIDTH];
#if AXIS >= WIDTH
    VECTOR most = (VECTOR)(-INFINITY);
    for (int i = 0; i + WIDTH <= AXIS; i += WIDTH) {
        const VECTOR x = JOIN(vload, WIDTH)(0, in + i);
        most = GREATER(x, most);
    }
    JOIN(vstore, WIDTH)(most, 0, lanes);
    for (int i = 0; i < WIDTH; i++)
        highest = GREATER(lanes[i], highest);
#endif
    for (int i = AXIS / WIDTH * WIDTH; i < AXIS; i++)
        highest = GREATER(in[i], highest);
#if AXIS >= WIDTH
    VECTOR sums = (VECTOR)(0.0f);
    for (int i = 0; i + WIDTH <= AXIS; i += WIDTH)
        sums += exp(JOIN(vload, WIDTH)(0, in + i) - (VECTOR)(highest));
    JOIN(vstore, WIDTH)(sums, 0, lanes);
    for (int i = 0; i < WIDTH; i++)
        sum += lanes[i];
#endif
    for (int i = AXIS / WIDTH * WIDTH; i < AXIS; i++)
        sum += exp(in[i] - highest);
#if LOGARITHM
    const float log_sum = log(sum);
#endif
#if AXIS >= WIDTH
    for (int i = 0; i + WIDTH <= AXIS; i += WIDTH) {
        const VECTOR x = JOIN(vload, WIDTH)(0, in + i);
        JOIN(vstore, WIDTH)(NORMALISE(x, highest, sum), 0, out + i);
    }
#endif
    for (int i = AXIS / WIDTH * WIDTH; i < AXIS; i++)
        out[i] = NORMALISE(in[i], highest, sum);
}

#else

#if LOGARITHM
#define LOG_SUM(T) const T log_sum = log(sum);
#else
#define LOG_SUM(T)
#endif

#define SOFTMAX(T, READ, WRITE)                                                                    \
    {                                                                                              \
        T highest = (T)(-INFINITY), sum = (T)(0.0f);                                               \
        for (int i = 0; i < AXIS; i++) {                                                           \
            const T x = READ(i);                                                                   \
            highest = GREATER(x, highest);                                                         \
        }                                                                                          \
        for (int first = 0; first < AXIS; first += BLOCK) {                                        \
            T part = (T)(0.0f);                                                                    \
            for (int i = first; i < min(first + BLOCK, AXIS); i++)                                 \
                part += exp(READ(i) - highest);                                                    \
            sum += part;                                                                           \
        }                                                                                          \
        LOG_SUM(T)                                                                                 \
        for (int i = 0; i < AXIS; i++) {                                                           \
            const T x = READ(i);                                                                   \
            WRITE(i, NORMALISE(x, highest, sum));                                                  \
        }                                                                                          \
    }
#define READ_VECTOR(i) JOIN(vload, WIDTH)(0, in + (i)*INNER)
#define WRITE_VECTOR(i, x) JOIN(vstore, WIDTH)(x, 0, out + (i)*INNER)
#define READ_ONE(i) in[(i)*INNER + c]
#define WRITE_ONE(i, x) out[(i)*INNER + c] = x

kernel void softmax(global const float *in, global float *out)
{
    const int item = (int)get_global_id(0), row = item / CHUNKS, at = item % CHUNKS * WIDTH;
    if (item >= ITEMS)
        return;
    in += row * AXIS * INNER + at;
    out += row * AXIS * INNER + at;
    if (at + WIDTH <= LENGTH)
        SOFTMAX(VECTOR, READ_VECTOR, WRITE_VECTOR)
#if LENGTH % WIDTH
    else
        for (int c = 0; c < LENGTH % WIDTH; c++)
            SOFTMAX(float, READ_ONE, WRITE_ONE)
#endif
}

#endif
