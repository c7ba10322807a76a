/* SPDX-License-Identifier: MIT
 *
 * The filter's transform that goes with kernels/winograd_transform.cl.
 */
#ifndef ANOLE_GEN_WINOGRAD_H
#define ANOLE_GEN_WINOGRAD_H

#include <stdint.h>

#define GEN_WINOGRAD_ALPHA 8 /* most elements of an input tile in a row */

/* G of F(tile, 3): g[tile + 2][3] for tile 1, 2, 4, 5 or 6. */
void gen_winograd_filter(int64_t tile, double g[GEN_WINOGRAD_ALPHA][3]);
/* u[alpha][alpha] = G w G^T, alpha = tile + 2; element (r, s) of the 3 x 3 filter is
 * w[(r * 3 + s) * step]. */
void gen_winograd_weights(int64_t alpha, const double g[GEN_WINOGRAD_ALPHA][3], const float *w,
                          int64_t step, double *u);

#endif
