/* SPDX-License-Identifier: MIT
 *
 * The table of operators: one line each, of the name under which its file defines it.
 */
#ifndef ANOLE_OP_TABLE_H
#define ANOLE_OP_TABLE_H

#define ANOLE_OP_MAP(X)                                                                            \
    /* one element at a time */                                                                    \
    X(binary)                                                                                      \
    X(cast)                                                                                        \
    X(unary)                                                                                       \
    X(where)                                                                                       \
    /* shapes and places */                                                                        \
    X(concat)                                                                                      \
    X(constant_of_shape)                                                                           \
    X(depth_to_space)                                                                              \
    X(expand)                                                                                      \
    X(gather)                                                                                      \
    X(gather_elements)                                                                             \
    X(gather_nd)                                                                                   \
    X(one_hot)                                                                                     \
    X(pad)                                                                                         \
    X(range)                                                                                       \
    X(reshape)                                                                                     \
    X(scatter_elements)                                                                            \
    X(scatter_nd)                                                                                  \
    X(shape)                                                                                       \
    X(slice)                                                                                       \
    X(space_to_depth)                                                                              \
    X(split)                                                                                       \
    X(tile)                                                                                        \
    X(transpose)                                                                                   \
    X(trilu)                                                                                       \
    /* along axes */                                                                               \
    X(arg_max)                                                                                     \
    X(arg_min)                                                                                     \
    X(cum_sum)                                                                                     \
    X(log_softmax)                                                                                 \
    X(matmul)                                                                                      \
    X(non_max_suppression)                                                                         \
    X(non_zero)                                                                                    \
    X(reduce)                                                                                      \
    X(softmax)                                                                                     \
    X(top_k)                                                                                       \
    X(top_k_found)                                                                                 \
    /* windows and normalisation */                                                                \
    X(average_pool)                                                                                \
    X(batch_norm)                                                                                  \
    X(grid_sample)                                                                                 \
    X(group_norm)                                                                                  \
    X(instance_norm)                                                                               \
    X(layer_norm)                                                                                  \
    X(lrn)                                                                                         \
    X(max_pool)                                                                                    \
    X(resize)                                                                                      \
    X(roi_align)                                                                                   \
    /* recurrent */                                                                                \
    X(gru)                                                                                         \
    X(lstm)                                                                                        \
    X(rnn)                                                                                         \
    /* products, which are tuned */                                                                \
    X(conv2d)                                                                                      \
    X(conv_transpose2d)                                                                            \
    X(dense)                                                                                       \
    X(depthwise_conv2d)

#endif
