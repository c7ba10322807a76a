/* SPDX-License-Identifier: MIT
 *
 * The functions of OpenCL C that the CPU templates call, for a compiler that was told to leave
 * out its own header: that declares some 15,000 of them, and reading it takes longer than all
 * of a template.  Comes first.
 */
#define PURE __attribute__((overloadable, const))
size_t PURE get_global_id(uint);
size_t PURE get_global_offset(uint);
size_t PURE get_local_size(uint);
int PURE min(int, int);
int PURE max(int, int);
long PURE min(long, long);
long PURE max(long, long);
#define DECLARE_FLOATS(type)                                                                       \
    type PURE fma(type, type, type);                                                               \
    type PURE exp(type);                                                                           \
    type PURE expm1(type);                                                                         \
    type PURE tanh(type);
DECLARE_FLOATS(float)
DECLARE_FLOATS(float4)
DECLARE_FLOATS(float8)
DECLARE_FLOATS(float16)
void __attribute__((overloadable)) prefetch(const __global float *, size_t);
