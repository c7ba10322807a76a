/* SPDX-License-Identifier: MIT
 *
 * What NVIDIA's OpenCL has built in and Clang's back end for PTX leaves to a library:
 * put before a kernel by tests/test_gpu_tensor.
 */
#define OVERLOADED __attribute__((overloadable, always_inline))

OVERLOADED size_t get_local_id(uint d)
{
    return d == 0 ? __nvvm_read_ptx_sreg_tid_x() : 0;
}

OVERLOADED size_t get_group_id(uint d)
{
    return d == 0   ? __nvvm_read_ptx_sreg_ctaid_x()
           : d == 1 ? __nvvm_read_ptx_sreg_ctaid_y()
                    : __nvvm_read_ptx_sreg_ctaid_z();
}

OVERLOADED size_t get_global_id(uint d)
{
    return d == 0 ? __nvvm_read_ptx_sreg_ctaid_x() * __nvvm_read_ptx_sreg_ntid_x() +
                        __nvvm_read_ptx_sreg_tid_x()
                  : get_group_id(d);
}

OVERLOADED int min(int a, int b)
{
    return a < b ? a : b;
}

OVERLOADED void barrier(cl_mem_fence_flags flags)
{
    __syncthreads();
}

OVERLOADED float vload_half(size_t i, const __private half *p)
{
    return __builtin_load_halff(p + i);
}

OVERLOADED void vstore_half_rte(float x, size_t i, __private half *p)
{
    __builtin_store_halff(x, p + i);
}
