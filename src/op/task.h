/* SPDX-License-Identifier: MIT
 *
 * A task: one distinct layer shape to tune.  The plain struct that backends see
 * is in anole/plugin.h; this is what the core does with it.
 */
#ifndef ANOLE_TASK_H
#define ANOLE_TASK_H

#include "base/status.h"

#include <anole/plugin.h>

#define ANOLE_TASK_KEY 320

/* The most of each of kernel, stride, dilation and padding, in each direction. */
#define ANOLE_TASK_MAX_WINDOW 65535u

/* Checks every field against every other (sizes positive and bounded, output
 * shape = what input, kernel, stride, padding and dilation give, groups divide
 * channels, all tensors under 2^31 elements).  What a kind does not use has one
 * value: 1 for the heights, widths, kernel, stride, dilation and groups of
 * dense, and 0 for its padding; 0 for all but kind, dtype and name of custom;
 * `name` is empty for every other kind. */
enum anole_status anole_task_check(const struct anole_task *task, struct anole_error *error);

/* Sets out_h and out_w from the other fields (1 and 1 for dense); fails if they
 * would be empty. */
enum anole_status anole_task_infer_output(struct anole_task *task, struct anole_error *error);

/* Canonical text of a task, the key of histories and lock files:
 *   conv2d n1 56x56x64 k3x3 s1x1 p1,1,1,1 d1x1 g1 o64 f32 bias residual relu
 *   depthwise_conv2d n1 112x112x32 k3x3 s1x1 p1,1,1,1 d1x1 g32 o32 f32 bias relu6
 *   dense n1 i512 o1000 f32 bias
 *   matmul n12 m197 i64 o197 tb f32
 *   conv2d n1 56x56x64 k3x3 s1x1 p1,1,1,1 d1x1 g1 o64 f32 bias leaky_relu(0.25)
 *   custom NAME f32
 * (n batch; input height x width x channels; k kernel, s stride, d dilation:
 * vertical x horizontal; p padding: top, left, bottom, right; g groups; i input and o output
 * channels; e output padding; m rows; ta, tb: the first or second operand is transposed.  Pitches
 * that are not 0 come last: pitchIN,OUT,RESIDUAL). Printable ASCII.  Two tasks that pass
 * anole_task_check() are equal if and only if their keys are.  key[ANOLE_TASK_KEY]. */
void anole_task_key(char *key, const struct anole_task *task);

/* Reads a key back, and checks it; only what anole_task_key() writes is taken. */
enum anole_status anole_task_parse_key(struct anole_task *task, const char *key,
                                       struct anole_error *error);

/* Short name for tables: "conv 3x3/1 64>64 @56x56 +add relu" (kernel, stride,
 * channels, input; then what there is of dilation "d2x2", groups "g2", batch
 * "n8", "f16", residual "+add", activation).  Safe to print.  Returns out. */
const char *anole_task_label(char *out, size_t size, const struct anole_task *task);

/* A literal: the operator's name, or "custom". */
const char *anole_task_kind_text(uint32_t kind);

/* What people call a data type, in options and files: "fp32", "fp16", "tf32" (a literal;
 * else "unknown"), and the way back: 0 if it is none. */
const char *anole_precision_text(uint32_t dtype);
uint32_t anole_precision_parse(const char *text);

/* Takes out what was fused into a layer, residual and activation; true if there was any. */
bool anole_task_strip(struct anole_task *task);

/* Floating-point operations of one run: 2 a multiply-add of the direct
 * algorithm, bias and activation not counted (the convention of the field,
 * whatever the kernel really does).  Of custom tasks what their description says, or 0. */
double anole_task_flops(const struct anole_task *task);

/* Bytes that must move at least once: input, weights, bias, residual, output. */
double anole_task_bytes(const struct anole_task *task);

/* Elements of each tensor; 0 where a tensor is absent.  Of a kernel that comes with
 * its task: the bytes of what it reads and of what it writes, by four. */
size_t anole_task_input_elements(const struct anole_task *task);
size_t anole_task_weight_elements(const struct anole_task *task);
size_t anole_task_bias_elements(const struct anole_task *task);
size_t anole_task_residual_elements(const struct anole_task *task);
size_t anole_task_output_elements(const struct anole_task *task);

/* Elements of weights and bias, where those are parameters of the layer. */
size_t anole_task_parameter_elements(const struct anole_task *task);

/* The shape of the weights (see enum anole_task_kind); returns its rank, 0: there are none. */
uint32_t anole_task_weights(uint32_t dims[4], const struct anole_task *task);

/* "[n][h][w][c]", the place of element `at` of the output, without the dimensions that the kind
 * does not have.  Returns out. */
const char *anole_task_element_text(char *out, size_t size, const struct anole_task *task,
                                    size_t at);

/* Bytes of an element of these: 2 of f16, else 4. */
size_t anole_task_element_bytes(const struct anole_task *task);

/* Multiply-adds behind one output element. */
size_t anole_task_reduction(const struct anole_task *task);

#endif
