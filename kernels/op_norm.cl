/* SPDX-License-Identifier: MIT
 *
 * Normalisations.  One of these is defined before this text:
 *   BATCH_NORM   by mean and variance of each channel that come along
 *   LAYER_NORM   by those of AXIS neighbours; a work-item makes all of them
 *   GROUP_NORM   by those of the channels of a group at all PLACES of an image; a work-item
 *                makes all of them
 *   LRN          by the squares of the channels around
 * as well as EPSILON, LENGTH (the channels, which are last), WIDTH, CHUNKS, ITEMS.
 */

#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)
#define VECTOR JOIN(float, WIDTH)
#define LOAD(from) JOIN(vload, WIDTH)(0, from)
#define STORE(x, to) JOIN(vstore, WIDTH)(x, 0, to)

#ifdef BATCH_NORM

kernel void norm(global const float *in, global const float *scale, global const float *bias,
                 global const float *mean, global const float *variance, global float *out)
{
    const int item = (int)get_global_id(0), row = item / CHUNKS, c = item % CHUNKS * WIDTH;
    if (item >= ITEMS)
        return;
    in += row * LENGTH;
    out += row * LENGTH;
    if (c + WIDTH <= LENGTH) {
        const VECTOR factor = LOAD(scale + c) / sqrt(LOAD(variance + c) + (VECTOR)(EPSILON));
        STORE((LOAD(in + c) - LOAD(mean + c)) * factor + LOAD(bias + c), out + c);
    } else {
        for (int i = c; i < LENGTH; i++)
            out[i] = (in[i] - mean[i]) * (scale[i] / sqrt(variance[i] + EPSILON)) + bias[i];
    }
}

#endif

#ifdef LAYER_NORM

/* The sum of FUNCTION of x over a row; blocks of lanes lose little. */
#define SUM(result, FUNCTION)                                                                      \
    {                                                                                              \
        VECTOR sums = (VECTOR)(0.0f);                                                              \
        for (int i = 0; i + WIDTH <= AXIS; i += WIDTH) {                                           \
            const VECTOR x = LOAD(in + i);                                                         \
            sums += FUNCTION;                                                                      \
        }                                                                                          \
        float lanes[WIDTH];                                                                        \
        STORE(sums, lanes);                                                                        \
        for (int i = 0; i < WIDTH; i++)                                                            \
            result += lanes[i];                                                                    \
        for (int i = AXIS / WIDTH * WIDTH; i < AXIS; i++) {                                        \
            const float x = in[i];                                                                 \
            result += FUNCTION;                                                                    \
        }                                                                                          \
    }

kernel void norm(global const float *in, global const float *scale,
#ifdef BIAS
                 global const float *bias,
#endif
                 global float *out)
{
    const int item = (int)get_global_id(0);
    if (item >= ITEMS)
        return;
    in += item * AXIS;
    out += item * AXIS;
    float sum = 0, squares = 0;
    SUM(sum, x)
    const float mean = sum / AXIS;
    SUM(squares, (x - mean) * (x - mean))
    const float factor = 1 / sqrt(squares / AXIS + EPSILON);
#ifdef BIAS
#define SHIFT(read) read
#else
#define SHIFT(read) 0.0f
#endif
    for (int i = 0; i + WIDTH <= AXIS; i += WIDTH)
        STORE((LOAD(in + i) - mean) * factor * LOAD(scale + i) + SHIFT(LOAD(bias + i)), out + i);
    for (int i = AXIS / WIDTH * WIDTH; i < AXIS; i++)
        out[i] = (in[i] - mean) * factor * scale[i] + SHIFT(bias[i]);
}

#endif

#ifdef GROUP_NORM

/* Over the SPAN channels of a group at all places, WIDTH lanes at a time. */
#define SUM(result, FUNCTION)                                                                      \
    for (int p = 0; p < PLACES; p++) {                                                             \
        global const float *from = in + p * LENGTH;                                                \
        float part = 0;                                                                            \
        for (int i = 0; i < SPAN; i++) {                                                           \
            const float x = from[i];                                                               \
            part += FUNCTION;                                                                      \
        }                                                                                          \
        block += part;                                                                             \
        if (p % 64 == 63 || p == PLACES - 1) {                                                     \
            result += block;                                                                       \
            block = 0;                                                                             \
        }                                                                                          \
    }

/* The same where each channel is a group: WIDTH of them side by side. */
#define NORMALISE(T, READ, WRITE, SCALE, SHIFT)                                                    \
    {                                                                                              \
        T sum = (T)(0.0f), squares = (T)(0.0f);                                                    \
        for (int first = 0; first < PLACES; first += 64) {                                         \
            T part = (T)(0.0f);                                                                    \
            for (int p = first; p < min(first + 64, PLACES); p++)                                  \
                part += READ(p);                                                                   \
            sum += part;                                                                           \
        }                                                                                          \
        const T mean = sum / (T)(PLACES);                                                          \
        for (int first = 0; first < PLACES; first += 64) {                                         \
            T part = (T)(0.0f);                                                                    \
            for (int p = first; p < min(first + 64, PLACES); p++)                                  \
                part += (READ(p) - mean) * (READ(p) - mean);                                       \
            squares += part;                                                                       \
        }                                                                                          \
        const T factor = SCALE / sqrt(squares / (T)(PLACES) + (T)(EPSILON));                       \
        const T shift = SHIFT;                                                                     \
        for (int p = 0; p < PLACES; p++)                                                           \
            WRITE(p, (READ(p) - mean) * factor + shift);                                           \
    }
#define READ_VECTOR(p) LOAD(in + (p)*LENGTH)
#define WRITE_VECTOR(p, x) STORE(x, out + (p)*LENGTH)
#define READ_ONE(p) in[(p)*LENGTH + c]
#define WRITE_ONE(p, x) out[(p)*LENGTH + c] = x

kernel void norm(global const float *in, global const float *scale, global const float *bias,
                 global float *out)
{
    const int item = (int)get_global_id(0);
    if (item >= ITEMS)
        return;
#if SPAN == 1
    const int image = item / CHUNKS, first = item % CHUNKS * WIDTH;
    in += image * PLACES * LENGTH + first;
    out += image * PLACES * LENGTH + first;
    scale += first;
    bias += first;
    if (first + WIDTH <= LENGTH)
        NORMALISE(VECTOR, READ_VECTOR, WRITE_VECTOR, LOAD(scale), LOAD(bias))
#if LENGTH % WIDTH
    else
        for (int c = 0; c < LENGTH % WIDTH; c++)
            NORMALISE(float, READ_ONE, WRITE_ONE, scale[c], bias[c])
#endif
#else
    const int image = item / (LENGTH / SPAN), first = item % (LENGTH / SPAN) * SPAN;
    in += image * PLACES * LENGTH + first;
    out += image * PLACES * LENGTH + first;
    float sum = 0, squares = 0, block = 0;
    SUM(sum, x)
    const float mean = sum / ((float)PLACES * SPAN);
    SUM(squares, (x - mean) * (x - mean))
    const float factor = 1 / sqrt(squares / ((float)PLACES * SPAN) + EPSILON);
    for (int p = 0; p < PLACES; p++)
        for (int i = 0; i < SPAN; i++)
            out[p * LENGTH + i] =
                (in[p * LENGTH + i] - mean) * (factor * scale[first + i]) + bias[first + i];
#endif
}

#endif

#ifdef LRN

/* BEFORE and BEHIND: channels of the window; ALPHA: over its size; BETA, BIAS. */
kernel void norm(global const float *in, global float *out)
{
    const int item = (int)get_global_id(0), row = item / CHUNKS, c = item % CHUNKS * WIDTH;
    if (item >= ITEMS)
        return;
    in += row * LENGTH;
    out += row * LENGTH;
    for (int i = c; i < min(c + WIDTH, LENGTH); i++) {
        float sum = 0;
        for (int j = max(i - BEFORE, 0); j <= min(i + BEHIND, LENGTH - 1); j++)
            sum += in[j] * in[j];
        out[i] = in[i] / pow(BIAS + ALPHA * sum, BETA);
    }
}

#endif
