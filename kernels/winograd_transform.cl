/* SPDX-License-Identifier: MIT
 *
 * The transforms of Winograd's F(tile, 3), in one dimension and in place, on the
 * elements 0, s, 2 s, ... of an array.  Plain arithmetic on `vec`, so that it is
 * C as well, and can be tested as such.
 *
 *   TILE  outputs in a row: 2, 4, 5 or 6
 *
 * Of polynomials f of degree 2 (the filter) and g of degree TILE - 1, the product
 * is found from its values at TILE + 1 points and at infinity; the transpose of
 * that computes TILE outputs of a filter (Lavin and Gray, "Fast algorithms for
 * convolutional neural networks", CVPR 2016; Blahut, "Fast algorithms for signal
 * processing", 2010).  The points:
 *
 *   F(1, 3)  0, 1              F(5, 3)  0, +-1, +-2, 1/2
 *   F(2, 3)  0, +-1            F(6, 3)  0, +-1, +-2, +-1/2
 *   F(4, 3)  0, +-1, +-2
 *
 * The input's transform at a point a is prod (x - b) over the other points b, with
 * d[i] in place of x^i, and prod (x - b) over all of them at infinity.  The
 * output's is [a^i].  Points a and -a share the halves of even and of odd powers.
 * Factors are chosen so that few multiplications remain; plugins/gen_winograd.c has
 * the filter's transform that goes with them.
 *
 * The points of a smaller tile are among those of a larger one, so a smaller tile
 * can do with the larger one's filters, at fewer points: rest_scale().
 */
#define ALPHA (TILE + 2) /* elements of an input tile, and products, in a row */

/* ------------------------------------------------------------ size by size */

INLINE void transform_input_1(vec *d, const int s)
{
    d[0] = d[0] - d[1 * s];
    d[2 * s] = d[2 * s] - d[1 * s];
}

INLINE void transform_output_1(vec *m, const int s)
{
    m[0] = m[0] + m[1 * s] + m[2 * s];
}

INLINE void transform_input_2(vec *d, const int s)
{
    const vec at_0 = d[0] - d[2 * s];
    const vec at_1 = d[2 * s] + d[1 * s];
    d[3 * s] = d[3 * s] - d[1 * s];
    d[2 * s] = d[2 * s] - d[1 * s];
    d[1 * s] = at_1;
    d[0] = at_0;
}

INLINE void transform_output_2(vec *m, const int s)
{
    const vec even = m[1 * s] + m[2 * s], odd = m[1 * s] - m[2 * s];
    m[0] = m[0] + even;
    m[1 * s] = m[3 * s] + odd;
}

/* At 0, +-1 and +-2. */
INLINE void transform_five(vec *d, const int s)
{
    const vec even_1 = d[4 * s] - 4.0f * d[2 * s], odd_1 = d[3 * s] - 4.0f * d[1 * s];
    const vec even_2 = d[4 * s] - d[2 * s], odd_2 = 2.0f * (d[3 * s] - d[1 * s]);
    d[0] = 4.0f * d[0] + (d[4 * s] - 5.0f * d[2 * s]);
    d[1 * s] = even_1 + odd_1;
    d[2 * s] = even_1 - odd_1;
    d[3 * s] = even_2 + odd_2;
    d[4 * s] = even_2 - odd_2;
}

INLINE void transform_input_4(vec *d, const int s)
{
    d[5 * s] = d[5 * s] + (4.0f * d[1 * s] - 5.0f * d[3 * s]);
    transform_five(d, s);
}

INLINE void transform_output_4(vec *m, const int s)
{
    const vec even_1 = m[1 * s] + m[2 * s], odd_1 = m[1 * s] - m[2 * s];
    const vec even_2 = m[3 * s] + m[4 * s], odd_2 = m[3 * s] - m[4 * s];
    m[0] = m[0] + even_1 + even_2;
    m[1 * s] = odd_1 + 2.0f * odd_2;
    m[2 * s] = even_1 + 4.0f * even_2;
    m[3 * s] = odd_1 + 8.0f * odd_2 + m[5 * s];
}

INLINE void transform_input_5(vec *d, const int s)
{
    const vec all_five = d[5 * s] + (4.0f * d[1 * s] - 5.0f * d[3 * s]);
    /* All but the row of 1/2 have one more factor: x - 1/2. */
    d[6 * s] = d[6 * s] + (4.0f * d[2 * s] - 5.0f * d[4 * s]) - 0.5f * all_five;
    d[0] = d[1 * s] - 0.5f * d[0];
    d[1 * s] = d[2 * s] - 0.5f * d[1 * s];
    d[2 * s] = d[3 * s] - 0.5f * d[2 * s];
    d[3 * s] = d[4 * s] - 0.5f * d[3 * s];
    d[4 * s] = d[5 * s] - 0.5f * d[4 * s];
    d[5 * s] = all_five;
    transform_five(d, s);
}

INLINE void transform_output_5(vec *m, const int s)
{
    const vec even_1 = m[1 * s] + m[2 * s], odd_1 = m[1 * s] - m[2 * s];
    const vec even_2 = m[3 * s] + m[4 * s], odd_2 = m[3 * s] - m[4 * s];
    const vec last = m[5 * s];
    m[0] = m[0] + even_1 + even_2 + last;
    m[1 * s] = odd_1 + 2.0f * odd_2 + 0.5f * last;
    m[2 * s] = even_1 + 4.0f * even_2 + 0.25f * last;
    m[3 * s] = odd_1 + 8.0f * odd_2 + 0.125f * last;
    m[4 * s] = m[6 * s] + (even_1 + 16.0f * even_2 + 0.0625f * last);
}

INLINE void transform_input_6(vec *d, const int s)
{
    const vec even_1 = d[2 * s] + d[6 * s] - 4.25f * d[4 * s];
    const vec odd_1 = d[1 * s] + d[5 * s] - 4.25f * d[3 * s];
    const vec even_2 = 0.25f * d[2 * s] - 1.25f * d[4 * s] + d[6 * s];
    const vec odd_2 = 0.5f * d[1 * s] - 2.5f * d[3 * s] + 2.0f * d[5 * s];
    const vec even_half = 4.0f * d[2 * s] - 5.0f * d[4 * s] + d[6 * s];
    const vec odd_half = 2.0f * d[1 * s] - 2.5f * d[3 * s] + 0.5f * d[5 * s];
    d[0] = d[0] - d[6 * s] + 5.25f * (d[4 * s] - d[2 * s]);
    d[7 * s] = d[7 * s] - d[1 * s] + 5.25f * (d[3 * s] - d[5 * s]);
    d[1 * s] = even_1 + odd_1;
    d[2 * s] = even_1 - odd_1;
    d[3 * s] = even_2 + odd_2;
    d[4 * s] = even_2 - odd_2;
    d[5 * s] = even_half + odd_half;
    d[6 * s] = even_half - odd_half;
}

INLINE void transform_output_6(vec *m, const int s)
{
    const vec even_1 = m[1 * s] + m[2 * s], odd_1 = m[1 * s] - m[2 * s];
    const vec even_2 = m[3 * s] + m[4 * s], odd_2 = m[3 * s] - m[4 * s];
    const vec even_half = m[5 * s] + m[6 * s], odd_half = m[5 * s] - m[6 * s];
    m[0] = (m[0] + even_1) + (even_2 + even_half);
    m[1 * s] = odd_1 + 2.0f * odd_2 + 0.5f * odd_half;
    m[2 * s] = even_1 + 4.0f * even_2 + 0.25f * even_half;
    m[3 * s] = odd_1 + 8.0f * odd_2 + 0.125f * odd_half;
    m[4 * s] = even_1 + 16.0f * even_2 + 0.0625f * even_half;
    m[5 * s] = m[7 * s] + (odd_1 + 32.0f * odd_2 + 0.03125f * odd_half);
}

/* -------------------------------------------------------------- of any size */

/* `tile` is a constant where these are called: one call is what remains. */
INLINE void transform_input_of(const int tile, vec *d, const int s)
{
    if (tile == 1)
        transform_input_1(d, s);
    else if (tile == 2)
        transform_input_2(d, s);
    else if (tile == 4)
        transform_input_4(d, s);
    else if (tile == 5)
        transform_input_5(d, s);
    else
        transform_input_6(d, s);
}

INLINE void transform_output_of(const int tile, vec *m, const int s)
{
    if (tile == 1)
        transform_output_1(m, s);
    else if (tile == 2)
        transform_output_2(m, s);
    else if (tile == 4)
        transform_output_4(m, s);
    else if (tile == 5)
        transform_output_5(m, s);
    else
        transform_output_6(m, s);
}

INLINE void transform_input(vec *d, const int s)
{
    transform_input_of(TILE, d, s);
}

INLINE void transform_output(vec *m, const int s)
{
    transform_output_of(TILE, m, s);
}

/* ------------------------------------------------------------ smaller tiles */

/* Point i of all sizes; 1 / 2 and - 1 / 2 come last. */
INLINE float point_of(const int i)
{
    return i == 0 ? 0.0f : (i % 2 ? 1.0f : -1.0f) * (i <= 2 ? 1.0f : i <= 4 ? 2.0f : 0.5f);
}

/*
 * What the input's transform of a tile of `rest` outputs is to be multiplied by at
 * point i, so that the filters of tiles of `tile` outputs, rest <= tile, go with
 * it.  A filter's value at a point is divided by the product of the distances to
 * all other points (Lagrange): the ones that only the larger tile has are what is
 * too much.  Where transform_input() has the opposite sign is told apart.
 */
INLINE float rest_scale(const int tile, const int rest, const int i)
{
    float scale = 1.0f;
    for (int j = 0; j <= 6; j++)
        if (j > rest && j <= tile)
            scale *= point_of(i) - point_of(j);
    const bool turned = tile == 1 || tile == 2 || tile == 6;
    const bool rest_turned = rest == 1 || rest == 2 || rest == 6;
    return i == 0 && turned != rest_turned ? -scale : scale;
}
