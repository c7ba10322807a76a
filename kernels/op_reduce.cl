/* SPDX-License-Identifier: MIT
 *
 * One number of all elements along some dimensions.
 *
 * Before this text come:
 *   TYPE, FUNCTION      one of those below: MEAN, SUM, ...; LOWEST, HIGHEST of the type
 *   COUNT               elements that are behind one of the output
 *   ROWS_ALONG          1: the last dimension goes.  A work-item reduces INNER elements that are
 *                       neighbours, OUTER times, and makes one element.
 *                       0: the last dimension stays.  A work-item reduces OUTER elements each,
 *                       and makes WIDTH neighbours.
 *   AT_KEPT(i)          where what row i of the output is made of begins
 *   AT_REDUCED(i)       how far behind that the i-th of OUTER lies
 *   LENGTH, WIDTH, CHUNKS, ITEMS
 * Sums are made of sums of BLOCK elements, so that they lose little.
 */

#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)
#define VECTOR JOIN(TYPE, WIDTH)
#define BLOCK 32

#define MEAN 0
#define SUM 1
#define MAX 2
#define MIN 3
#define PROD 4
#define L1 5
#define L2 6
#define LOG_SUM 7
#define SUM_SQUARE 9

#if FUNCTION == MAX
#define START LOWEST
#define COMBINE(all, x) ((((all) > (x)) | ((all) != (all))) ? (all) : (x))
#elif FUNCTION == MIN
#define START HIGHEST
#define COMBINE(all, x) ((((all) < (x)) | ((all) != (all))) ? (all) : (x))
#elif FUNCTION == PROD
#define START 1
#define COMBINE(all, x) ((all) * (x))
#else
#define START 0
#define COMBINE(all, x) ((all) + (x))
#endif

#if FUNCTION == L1
#define EACH(x) fabs(x)
#elif FUNCTION == L2 || FUNCTION == SUM_SQUARE
#define EACH(x) ((x) * (x))
#else
#define EACH(x) (x)
#endif

#if FUNCTION == MEAN
#define FINISH(all) ((all) / (TYPE)(COUNT))
#elif FUNCTION == L2
#define FINISH(all) sqrt(all)
#elif FUNCTION == LOG_SUM
#define FINISH(all) log(all)
#else
#define FINISH(all) (all)
#endif

#define LOADV(from) JOIN(vload, WIDTH)(0, from)

#if ROWS_ALONG

kernel void reduce(global const TYPE *in, global TYPE *out)
{
    const int item = (int)get_global_id(0);
    if (item >= ITEMS)
        return;
    in += AT_KEPT(item);
    TYPE all = (TYPE)(START);
    for (int o = 0; o < OUTER; o++) {
        global const TYPE *row = in + AT_REDUCED(o);
#if INNER >= WIDTH
        VECTOR sums = (VECTOR)((TYPE)(START));
        for (int first = 0; first + WIDTH <= INNER; first += BLOCK * WIDTH) {
            VECTOR part = (VECTOR)((TYPE)(START));
            const int end = min(first + BLOCK * WIDTH, INNER / WIDTH * WIDTH);
            for (int i = first; i < end; i += WIDTH) {
                const VECTOR x = LOADV(row + i);
                part = COMBINE(part, EACH(x));
            }
            sums = COMBINE(sums, part);
        }
        TYPE lanes[WIDTH];
        JOIN(vstore, WIDTH)(sums, 0, lanes);
        for (int left = WIDTH / 2; left > 0; left /= 2)
            for (int i = 0; i < left; i++)
                lanes[i] = COMBINE(lanes[i], lanes[i + left]);
        all = COMBINE(all, lanes[0]);
#endif
        for (int i = INNER / WIDTH * WIDTH; i < INNER; i++) {
            const TYPE x = row[i];
            all = COMBINE(all, EACH(x));
        }
    }
    out[item] = FINISH(all);
}

#else

#define REDUCE(T, READ, WRITE)                                                                     \
    {                                                                                              \
        T all = (T)((TYPE)(START));                                                                \
        for (int first = 0; first < OUTER; first += BLOCK) {                                       \
            T part = (T)((TYPE)(START));                                                           \
            const int end = min(first + BLOCK, OUTER);                                             \
            for (int o = first; o < end; o++) {                                                    \
                global const TYPE *from = in + AT_REDUCED(o);                                      \
                const T x = READ;                                                                  \
                part = COMBINE(part, EACH(x));                                                     \
            }                                                                                      \
            all = COMBINE(all, part);                                                              \
        }                                                                                          \
        WRITE;                                                                                     \
    }

kernel void reduce(global const TYPE *in, global TYPE *out)
{
    const int item = (int)get_global_id(0), row = item / CHUNKS, at = item % CHUNKS * WIDTH;
    if (item >= ITEMS)
        return;
    in += AT_KEPT(row) + at;
    out += row * LENGTH + at;
    if (at + WIDTH <= LENGTH)
        REDUCE(VECTOR, LOADV(from), JOIN(vstore, WIDTH)(FINISH(all), 0, out))
#if LENGTH % WIDTH
    else
        for (int c = 0; c < LENGTH % WIDTH; c++)
            REDUCE(TYPE, from[c], out[c] = FINISH(all))
#endif
}

#endif
