/* SPDX-License-Identifier: MIT
 *
 * The part of the input that a work-group's tile of outputs sees, and how
 * work-items get at it.  Needs gpu.cl before it.
 *
 *   ITEMS_K, ITEMS_W, ITEMS_H  work-items of a work-group: channels, columns, rows
 *   WORK_W, WORK_H             outputs of a work-item: columns, rows
 *   PATCH_C                    channels of a patch
 *   VEC_C                      floats of a load
 *   STAGE                      1: the patch is copied to local memory first
 */
#define THREADS (ITEMS_K * ITEMS_W * ITEMS_H)
#define GROUP_W (ITEMS_W * WORK_W)
#define GROUP_H (ITEMS_H * WORK_H)
#define TILES_W ((Q + GROUP_W - 1) / GROUP_W)
#define TILES_H ((P + GROUP_H - 1) / GROUP_H)
/* Rows and columns of the input that so many of the output see. */
#define SEEN_H(h) (((h)-1) * STRIDE_H + (R - 1) * DILATION_H + 1)
#define SEEN_W(w) (((w)-1) * STRIDE_W + (S - 1) * DILATION_W + 1)
#define PATCH_H SEEN_H(GROUP_H)
#define PATCH_W SEEN_W(GROUP_W)
#define PATCH_FLOATS (STAGE ? PATCH_H * PATCH_W * PATCH_C : 1)

typedef VEC(VEC_C) vec_c;

/* Where a patch begins: row and column may be outside of the image, which then
 * reads as zeros. */
struct patch {
    source image; /* of one of the batch */
    __local const float *copy;
    int y, x, c;
};

/* Channels c, c + 1, ... of the input at (y, x); `end`: channels from there on do
 * not exist. */
INLINE vec_c input_at(source image, const int y, const int x, const int c, const int end)
{
    if (y < 0 || y >= H || x < 0 || x >= W || c >= end)
        return (vec_c)(0.0f);
    return LOAD(VEC_C, image + (y * W + x) * C + c);
}

/* All work-items of the work-group call this together, between barriers. */
INLINE void copy_patch(const struct patch *p, __local float *copy, const int end)
{
    const int columns = PATCH_C / VEC_C;
    for (int i = get_local_id(0); i < PATCH_H * PATCH_W * columns; i += THREADS) {
        const int c = i % columns * VEC_C, x = i / columns % PATCH_W, y = i / columns / PATCH_W;
        *(__local vec_c *)(copy + (y * PATCH_W + x) * PATCH_C + c) =
            input_at(p->image, p->y + y, p->x + x, p->c + c, end);
    }
}

/* Channels from c on of the patch, at its row y and column x. */
INLINE vec_c patch_at(const struct patch *p, const int y, const int x, const int c, const int end)
{
#if STAGE
    return *(__local const vec_c *)(p->copy + (y * PATCH_W + x) * PATCH_C + c);
#else
    return input_at(p->image, p->y + y, p->x + x, p->c + c, end);
#endif
}
