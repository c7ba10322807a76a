/* SPDX-License-Identifier: MIT
 *
 * Products of matrices, [ROWS][DEPTH] times [DEPTH][COLUMNS], BATCH of them.  TRANSPOSED: the
 * second are [COLUMNS][DEPTH].
 *
 * A work-item makes WIDTH columns of TALL rows.  Before this text come:
 *   TYPE, ROWS, DEPTH, COLUMNS
 *   AT_A(i), AT_B(i)    where the matrices of product i begin
 *   WIDTH, CHUNKS (of a row), TALL, DOWN (strips of TALL rows), PRODUCTS (work-items)
 * Sums are made of sums of BLOCK products, so that they lose little.
 */

#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)
#define VECTOR JOIN(TYPE, WIDTH)
#define BLOCK 128
#if TRANSPOSED
#define ACROSS DEPTH
#define DOWNWARDS 1
#else
#define ACROSS 1
#define DOWNWARDS COLUMNS
#endif

/* The elements of row l of the second matrix from the one on that b points to. */
VECTOR right(global const TYPE *b, const int l)
{
#if TRANSPOSED
    TYPE lanes[WIDTH];
    for (int i = 0; i < WIDTH; i++)
        lanes[i] = b[i * DEPTH + l];
    return JOIN(vload, WIDTH)(0, lanes);
#else
    return JOIN(vload, WIDTH)(0, b + l * COLUMNS);
#endif
}

#if COLUMNS == 1

kernel void matmul(global const TYPE *a, global const TYPE *b, global TYPE *out)
{
    const int item = (int)get_global_id(0);
    if (item >= PRODUCTS)
        return;
    a += AT_A(item / ROWS) + item % ROWS * DEPTH;
    b += AT_B(item / ROWS);
    TYPE sum = 0;
#if DEPTH >= 8
    JOIN(TYPE, 8) sums = (JOIN(TYPE, 8))((TYPE)0);
    for (int l = 0; l + 8 <= DEPTH; l += 8)
        sums += vload8(0, a + l) * vload8(0, b + l);
    TYPE lanes[8];
    vstore8(sums, 0, lanes);
    for (int i = 0; i < 8; i++)
        sum += lanes[i];
#endif
    for (int l = DEPTH / 8 * 8; l < DEPTH; l++)
        sum += a[l] * b[l];
    out[item] = sum;
}

#else

kernel void matmul(global const TYPE *a, global const TYPE *b, global TYPE *out)
{
    const int item = (int)get_global_id(0), strip = item / CHUNKS, j = item % CHUNKS * WIDTH;
    if (item >= PRODUCTS)
        return;
    const int product = strip / DOWN, row = strip % DOWN * TALL;
    a += AT_A(product);
    b += AT_B(product) + j * ACROSS;
    out += (product * ROWS + row) * COLUMNS + j;
    /* Of rows below the last the last is taken again, and not stored. */
    int rows[TALL];
    for (int i = 0; i < TALL; i++)
        rows[i] = min(row + i, ROWS - 1) * DEPTH;
    if (j + WIDTH <= COLUMNS) {
        VECTOR sums[TALL];
#pragma unroll
        for (int i = 0; i < TALL; i++)
            sums[i] = (VECTOR)((TYPE)0);
        for (int first = 0; first < DEPTH; first += BLOCK) {
            VECTOR part[TALL];
#pragma unroll
            for (int i = 0; i < TALL; i++)
                part[i] = (VECTOR)((TYPE)0);
            const int end = min(first + BLOCK, DEPTH);
            for (int l = first; l < end; l++) {
                const VECTOR y = right(b, l);
#pragma unroll
                for (int i = 0; i < TALL; i++)
                    part[i] += (VECTOR)(a[rows[i] + l]) * y;
            }
#pragma unroll
            for (int i = 0; i < TALL; i++)
                sums[i] += part[i];
        }
#pragma unroll
        for (int i = 0; i < TALL; i++)
            if (row + i < ROWS)
                JOIN(vstore, WIDTH)(sums[i], 0, out + i * COLUMNS);
    } else {
        for (int i = 0; i < min(TALL, ROWS - row); i++)
            for (int c = 0; c < COLUMNS - j; c++) {
                TYPE sum = 0;
                for (int l = 0; l < DEPTH; l++)
                    sum += a[rows[i] + l] * b[l * DOWNWARDS + c * ACROSS];
                out[i * COLUMNS + c] = sum;
            }
    }
}

#endif
