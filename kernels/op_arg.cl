/* SPDX-License-Identifier: MIT
 *
 * The place of the greatest element along a dimension, or of the least.
 *
 * Before this text come:
 *   TYPE; BEFORE        the operator by which what is looked for stands to others: > or <
 *   LAST                1: the last of those that are equal
 *   AXIS, INNER         elements along the dimension, and between two of them; ITEMS
 * A NaN is found first.
 */

kernel void arg(global const TYPE *in, global long *out)
{
    const int item = (int)get_global_id(0);
    if (item >= ITEMS)
        return;
    in += item / INNER * (AXIS * INNER) + item % INNER;
    TYPE best = in[0];
    int found = 0;
    for (int i = 1; i < AXIS; i++) {
        const TYPE x = in[i * INNER];
#if LAST
        const int after = (best != best && x == x) || best BEFORE x;
        if (!after) {
#else
        if ((x != x && best == best) || x BEFORE best) {
#endif
            best = x;
            found = i;
        }
    }
    out[item] = found;
}
