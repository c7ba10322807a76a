/* SPDX-License-Identifier: MIT
 *
 * Winograd convolution, 3 x 3 with stride 1, in three launches: the input's
 * transform, a product of matrices for each of its points, the output's transform.
 * Needs gpu.cl, winograd_transform.cl and those of the product before it.
 *
 *   in        [N][H][W][C]
 *   weights   transformed, as gpu_gemm.cl has them: a matrix for each point
 *   space     first the transformed inputs [POINTS][ROWS][C], then, from PRODUCTS
 *             on, the products [POINTS][ROWS][K]; a row is a tile of TILE x TILE
 *             outputs
 *   out       [N][P][Q][K]
 *
 * Transformed weights, inputs and products are floats, of halves too: in half precision
 * the transforms would lose what the products are made of.
 *
 * A work-item of a transform has one tile, and VW channels, which divide C and K.
 */
#define POINTS (ALPHA * ALPHA)
#define TILES_H ((P + TILE - 1) / TILE)
#define TILES_W ((Q + TILE - 1) / TILE)

__kernel __attribute__((reqd_work_group_size(ITEMS, 1, 1))) void
winograd_input(source in, __global float *space)
{
    const int id = get_global_id(0);
    const int c = id % (C / VW) * VW, tile = id / (C / VW);
    if (tile >= ROWS)
        return;
    const int n = tile / (TILES_H * TILES_W);
    const int y0 = tile / TILES_W % TILES_H * TILE - PAD_H, x0 = tile % TILES_W * TILE - PAD_W;

    vec d[POINTS];
#pragma unroll
    for (int i = 0; i < POINTS; i++) {
        const int y = y0 + i / ALPHA, x = x0 + i % ALPHA;
        const bool inside = y >= 0 && y < H && x >= 0 && x < W;
        d[i] = inside ? LOAD(VW, in + ((n * H + y) * W + x) * C + c) : (vec)(0.0f);
    }
#pragma unroll
    for (int i = 0; i < ALPHA; i++)
        transform_input(d + i, ALPHA);
#pragma unroll
    for (int i = 0; i < ALPHA; i++)
        transform_input(d + i * ALPHA, 1);
#pragma unroll
    for (int i = 0; i < POINTS; i++)
        STORE_FLOATS(VW, space + (i * ROWS + tile) * C + c, d[i]);
}

__kernel __attribute__((reqd_work_group_size(THREADS, 1, 1))) void
winograd_product(floats weights, __global float *space)
{
    LOCAL_TILES;
    product(space, weights, space + PRODUCTS, as, bs);
}

__kernel __attribute__((reqd_work_group_size(ITEMS, 1, 1))) void
winograd_output(floats space, EXTRA_PARAMETERS sink out)
{
    const int id = get_global_id(0);
    const int k = id % (K / VW) * VW, tile = id / (K / VW);
    if (tile >= ROWS)
        return;
    const int n = tile / (TILES_H * TILES_W);
    const int y0 = tile / TILES_W % TILES_H * TILE, x0 = tile % TILES_W * TILE;

    vec m[POINTS];
#pragma unroll
    for (int i = 0; i < POINTS; i++)
        m[i] = LOAD_FLOATS(VW, space + PRODUCTS + (i * ROWS + tile) * K + k);
#pragma unroll
    for (int i = 0; i < ALPHA; i++)
        transform_output(m + i, ALPHA);
#pragma unroll
    for (int i = 0; i < TILE; i++)
        transform_output(m + i * ALPHA, 1);

#pragma unroll
    for (int h = 0; h < TILE; h++)
#pragma unroll
        for (int w = 0; w < TILE; w++) {
            const int at = ((n * P + y0 + h) * Q + x0 + w) * K + k;
            float result[VW];
            if (y0 + h >= P || x0 + w >= Q)
                continue;
#pragma unroll
            for (int j = 0; j < VW; j++)
                result[j] =
                    finish(GET(VW)(m[h * ALPHA + w], j), EXTRA_ARGUMENTS k + j, at + j);
            STORE(VW, out + at, MAKE(VW)(result));
        }
}
