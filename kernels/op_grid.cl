/* SPDX-License-Identifier: MIT
 *
 * The input, channels last, at places that a grid says, of up to three dimensions.
 *
 * A work-item makes WIDTH channels of one place of the output.  Before this text come:
 *   AXES, SIZE_a        spatial dimensions of the input
 *   TAPS                neighbours along an axis: 1 (the nearest), 2 (linear) or 4 (cubic)
 *   PADDING             what lies outside: 0: 0; 1: the outer element; 2: mirrored
 *   ALIGN_CORNERS       1: -1 and 1 are the centres of the outer elements; 0: their edges
 *   PLACES              of the output, of an image
 *   LENGTH (the channels), WIDTH, CHUNKS, ITEMS
 */

#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)
#define VECTOR JOIN(float, WIDTH)

/* Rounded at each step, so that the nearest is that of the reference. */
#pragma OPENCL FP_CONTRACT OFF

/* Where the element is that is seen at `at`; -1: nowhere. */
int grid_source(int at, int size)
{
#if PADDING == 0
    return at >= 0 && at < size ? at : -1;
#elif PADDING == 1
    return clamp(at, 0, size - 1);
#else
    const int period = ALIGN_CORNERS ? 2 * (size - 1) : 2 * size;
    if (period == 0)
        return 0;
    at = (at % period + period) % period;
    return at < size ? at : period - at - !ALIGN_CORNERS;
#endif
}

void grid_taps(int *from, float *weight, float number, int size)
{
    float x = ALIGN_CORNERS ? (number + 1.0f) / 2.0f * (float)(size - 1)
                            : ((number + 1.0f) * (float)size - 1.0f) / 2.0f;
    x = x > -1e9f ? min(x, 1e9f) : -1e9f; /* also what is not a number */
#if PADDING == 1 /* outside of the edges, and not of the centres */
    const float edge = ALIGN_CORNERS ? 0.0f : 0.5f, end = (float)(size - 1);
    x = x < -edge || x > end + edge ? clamp(x, 0.0f, end) : x;
#endif
#if TAPS == 1
    const float low = rint(x);
    weight[0] = 1.0f;
#else
    const float low = floor(x);
    const float rest = x - low;
#if TAPS == 2
    weight[0] = 1.0f - rest;
    weight[1] = rest;
#else
    const float a = -0.75f, b = rest + 1.0f, c = 1.0f - rest, d = 2.0f - rest;
    weight[0] = ((a * b - 5.0f * a) * b + 8.0f * a) * b - 4.0f * a;
    weight[1] = ((a + 2.0f) * rest - (a + 3.0f)) * rest * rest + 1.0f;
    weight[2] = ((a + 2.0f) * c - (a + 3.0f)) * c * c + 1.0f;
    weight[3] = ((a * d - 5.0f * a) * d + 8.0f * a) * d - 4.0f * a;
#endif
#endif
    for (int t = 0; t < TAPS; t++)
        from[t] = grid_source((int)low - (TAPS == 4) + t, size);
}

#if AXES > 1
#define EACH_1 for (int j = 0; j < TAPS; j++)
#else
#define EACH_1 const int j = 0;
#endif
#if AXES > 2
#define EACH_2 for (int k = 0; k < TAPS; k++)
#else
#define EACH_2 const int k = 0;
#endif

#define SAMPLE(T, READ, WRITE)                                                                     \
    {                                                                                              \
        T sum = (T)(0.0f);                                                                         \
        for (int i = 0; i < TAPS; i++) {                                                           \
            EACH_1 {                                                                               \
                EACH_2 {                                                                           \
                    if ((from[0][i] | from[1][j] | from[2][k]) >= 0) {                             \
                        global const float *at =                                                   \
                            in + ((from[0][i] * SIZE_1 + from[1][j]) * SIZE_2 + from[2][k]) *      \
                                     LENGTH;                                                       \
                        sum += (T)(weight[0][i] * weight[1][j] * weight[2][k]) * READ;             \
                    }                                                                              \
                }                                                                                  \
            }                                                                                      \
        }                                                                                          \
        WRITE;                                                                                     \
    }

kernel void grid_sample(global const float *in, global const float *grid, global float *out)
{
    const int item = (int)get_global_id(0), place = item / CHUNKS, first = item % CHUNKS * WIDTH;
    if (item >= ITEMS)
        return;
    int from[3][TAPS];
    float weight[3][TAPS];
    const int size[3] = {SIZE_0, SIZE_1, SIZE_2};
    from[1][0] = from[2][0] = 0; /* where there is no such axis */
    weight[1][0] = weight[2][0] = 1.0f;
    for (int a = 0; a < AXES; a++)
        grid_taps(from[a], weight[a], grid[place * AXES + AXES - 1 - a], size[a]);
    in += place / PLACES * (SIZE_0 * SIZE_1 * SIZE_2 * LENGTH) + first;
    out += place * LENGTH + first;
    if (first + WIDTH <= LENGTH)
        SAMPLE(VECTOR, JOIN(vload, WIDTH)(0, at), JOIN(vstore, WIDTH)(sum, 0, out))
#if LENGTH % WIDTH
    else
        for (int c = 0; c < LENGTH % WIDTH; c++)
            SAMPLE(float, at[c], out[c] = sum)
#endif
}
