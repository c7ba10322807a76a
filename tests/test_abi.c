/* SPDX-License-Identifier: MIT
 *
 * The plugin ABI, field by field, as ABI 1 has it on 64-bit machines.  A change
 * that moves anything which stands here breaks plugins that are built already:
 * raise ANOLE_PLUGIN_ABI.  A field that was added at the end of a struct is no
 * such change: add its offset here, and the new size.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <anole/plugin.h>

#define SIZE(name, bytes) assert_int_equal(sizeof(struct name), bytes)
#define OFFSET(name, field, bytes) assert_int_equal(offsetof(struct name, field), bytes)

static void test_keep_number_and_magic(void **state)
{
    (void)state;
    const uint64_t magic = ANOLE_PLUGIN_MAGIC;
    assert_int_equal(ANOLE_PLUGIN_ABI, 1);
    assert_true(magic == UINT64_C(0x474c50454c4f4e41));
}

static void test_keep_values_of_enums(void **state)
{
    (void)state;
    assert_int_equal(ANOLE_OK, 0);
    assert_int_equal(ANOLE_UNSUPPORTED, -1);
    assert_int_equal(ANOLE_BAD_REQUEST, -2);
    assert_int_equal(ANOLE_BUILD_FAILED, -3);
    assert_int_equal(ANOLE_LAUNCH_FAILED, -4);
    assert_int_equal(ANOLE_NO_MEMORY, -5);
    assert_int_equal(ANOLE_DEVICE_LOST, -6);
    assert_int_equal(ANOLE_WRONG_ANSWER, -8);
    assert_int_equal(ANOLE_TIMED_OUT, -9);
    assert_int_equal(ANOLE_NO_DEVICE, -7);
    assert_int_equal(ANOLE_LOG_ERROR, 0);
    assert_int_equal(ANOLE_LOG_WARNING, 1);
    assert_int_equal(ANOLE_LOG_INFO, 2);
    assert_int_equal(ANOLE_LOG_DEBUG, 3);
    assert_int_equal(ANOLE_DEVICE_CPU, 1);
    assert_int_equal(ANOLE_DEVICE_GPU, 2);
    assert_int_equal(ANOLE_DEVICE_ACCELERATOR, 3);
    assert_int_equal(ANOLE_DEVICE_SHARES_HOST, 1);
    assert_int_equal(ANOLE_DEVICE_SIMULATED, 2);
    assert_int_equal(ANOLE_DEVICE_EVENT_TIMER, 4);
    assert_int_equal(ANOLE_TASK_CONV2D, 1);
    assert_int_equal(ANOLE_TASK_DEPTHWISE_CONV2D, 2);
    assert_int_equal(ANOLE_TASK_DENSE, 3);
    assert_int_equal(ANOLE_TASK_CUSTOM, 4);
    assert_int_equal(ANOLE_TASK_CONV_TRANSPOSE2D, 5);
    assert_int_equal(ANOLE_TASK_MATMUL, 6);
    assert_int_equal(ANOLE_TASK_OPERATOR, 16);
    assert_int_equal(ANOLE_F32, 1);
    assert_int_equal(ANOLE_F16, 2);
    assert_int_equal(ANOLE_TF32, 3);
    assert_int_equal(ANOLE_ACT_NONE, 0);
    assert_int_equal(ANOLE_ACT_RELU, 1);
    assert_int_equal(ANOLE_ACT_RELU6, 2);
    assert_int_equal(ANOLE_ACT_LEAKY_RELU, 3);
    assert_int_equal(ANOLE_ACT_CLIP, 4);
    assert_int_equal(ANOLE_ACT_SIGMOID, 5);
    assert_int_equal(ANOLE_ACT_SILU, 6);
    assert_int_equal(ANOLE_ACT_TANH, 7);
    assert_int_equal(ANOLE_ACT_HARD_SIGMOID, 8);
    assert_int_equal(ANOLE_ACT_HARD_SWISH, 9);
    assert_int_equal(ANOLE_ACT_ELU, 10);
    assert_int_equal(ANOLE_ACT_GELU, 11);
    assert_int_equal(ANOLE_ACT_GELU_TANH, 12);
    assert_int_equal(ANOLE_TASK_BIAS, 1);
    assert_int_equal(ANOLE_TASK_RESIDUAL, 2);
    assert_int_equal(ANOLE_TASK_TRANSPOSE_A, 4);
    assert_int_equal(ANOLE_TASK_TRANSPOSE_B, 8);
    assert_int_equal(ANOLE_KNOB_ORDINAL, 1);
    assert_int_equal(ANOLE_KNOB_CATEGORICAL, 2);
    assert_int_equal(ANOLE_ROLE_INPUT, 0);
    assert_int_equal(ANOLE_ROLE_WEIGHTS, 1);
    assert_int_equal(ANOLE_ROLE_BIAS, 2);
    assert_int_equal(ANOLE_ROLE_RESIDUAL, 3);
    assert_int_equal(ANOLE_ROLE_OUTPUT, 4);
    assert_int_equal(ANOLE_ROLE_WORKSPACE, 5);
    assert_int_equal(ANOLE_ROLE_COUNT, 6);
    assert_int_equal(ANOLE_ROLE_INT, 16);
    assert_int_equal(ANOLE_ROLE_LOCAL, 17);
    assert_int_equal(ANOLE_VERDICT_FINE, 0);
    assert_int_equal(ANOLE_VERDICT_NOTE, 1);
    assert_int_equal(ANOLE_VERDICT_FAULT, 2);
    assert_int_equal(ANOLE_VERDICT_SKIPPED, 3);
    assert_int_equal(ANOLE_ROLE_VALUE, 18);
    assert_int_equal(ANOLE_ROLE_TENSOR, 19);
    assert_int_equal(ANOLE_OPENCL_C, 1);
    assert_int_equal(ANOLE_MAX_PROPERTIES, 32);
    assert_int_equal(ANOLE_MAX_ARGS, 16);
    assert_int_equal(ANOLE_MAX_LAUNCHES, 8);
}

static void test_keep_layout_of_message(void **state)
{
    (void)state;
    SIZE(anole_message, 4096);
    OFFSET(anole_message, size, 0);
    OFFSET(anole_message, text, 4);
}

static void test_keep_layout_of_topology(void **state)
{
    (void)state;
    SIZE(anole_topology, 232);
    OFFSET(anole_topology, size, 0);
    OFFSET(anole_topology, packages, 4);
    OFFSET(anole_topology, cores, 8);
    OFFSET(anole_topology, threads, 12);
    OFFSET(anole_topology, numa_nodes, 16);
    OFFSET(anole_topology, simd_bits, 20);
    OFFSET(anole_topology, simd_registers, 24);
    OFFSET(anole_topology, clock_mhz, 28);
    OFFSET(anole_topology, cache_l1d, 32);
    OFFSET(anole_topology, cache_l2, 40);
    OFFSET(anole_topology, cache_l3, 48);
    OFFSET(anole_topology, cache_line, 56);
    OFFSET(anole_topology, memory, 64);
    OFFSET(anole_topology, cpu_name, 72);
    OFFSET(anole_topology, architecture, 200);
}

static void test_keep_layout_of_host(void **state)
{
    (void)state;
    SIZE(anole_host, 40);
    OFFSET(anole_host, size, 0);
    OFFSET(anole_host, threads, 4);
    OFFSET(anole_host, topology, 8);
    OFFSET(anole_host, log, 16);
    OFFSET(anole_host, scratch, 24);
    OFFSET(anole_host, flags, 32);
}

static void test_keep_layout_of_property(void **state)
{
    (void)state;
    SIZE(anole_property, 40);
    OFFSET(anole_property, name, 0);
    OFFSET(anole_property, value, 32);
}

static void test_keep_layout_of_device(void **state)
{
    (void)state;
    SIZE(anole_device, 1800);
    OFFSET(anole_device, size, 0);
    OFFSET(anole_device, index, 4);
    OFFSET(anole_device, type, 8);
    OFFSET(anole_device, flags, 12);
    OFFSET(anole_device, name, 16);
    OFFSET(anole_device, vendor, 144);
    OFFSET(anole_device, driver, 208);
    OFFSET(anole_device, driver_version, 336);
    OFFSET(anole_device, compute_units, 400);
    OFFSET(anole_device, clock_mhz, 404);
    OFFSET(anole_device, simd_width, 408);
    OFFSET(anole_device, registers, 412);
    OFFSET(anole_device, cores, 416);
    OFFSET(anole_device, numa_nodes, 420);
    OFFSET(anole_device, max_work_group, 424);
    OFFSET(anole_device, max_work_items, 432);
    OFFSET(anole_device, local_memory, 456);
    OFFSET(anole_device, global_memory, 464);
    OFFSET(anole_device, max_allocation, 472);
    OFFSET(anole_device, cache_l1, 480);
    OFFSET(anole_device, cache_l2, 488);
    OFFSET(anole_device, cache_l3, 496);
    OFFSET(anole_device, cache_line, 504);
    OFFSET(anole_device, property_count, 512);
    OFFSET(anole_device, build_seconds, 516);
    OFFSET(anole_device, run_seconds, 518);
    OFFSET(anole_device, properties, 520);
}

static void test_keep_layout_of_driver_list(void **state)
{
    (void)state;
    SIZE(anole_driver_list, 24);
    OFFSET(anole_driver_list, size, 0);
    OFFSET(anole_driver_list, reserved, 4);
    OFFSET(anole_driver_list, host, 8);
    OFFSET(anole_driver_list, add, 16);
}

static void test_keep_layout_of_task(void **state)
{
    (void)state;
    SIZE(anole_task, 200);
    OFFSET(anole_task, size, 0);
    OFFSET(anole_task, kind, 4);
    OFFSET(anole_task, dtype, 8);
    OFFSET(anole_task, activation, 12);
    OFFSET(anole_task, flags, 16);
    OFFSET(anole_task, groups, 20);
    OFFSET(anole_task, batch, 24);
    OFFSET(anole_task, in_h, 28);
    OFFSET(anole_task, in_w, 32);
    OFFSET(anole_task, in_c, 36);
    OFFSET(anole_task, out_h, 40);
    OFFSET(anole_task, out_w, 44);
    OFFSET(anole_task, out_c, 48);
    OFFSET(anole_task, kernel_h, 52);
    OFFSET(anole_task, kernel_w, 56);
    OFFSET(anole_task, stride_h, 60);
    OFFSET(anole_task, stride_w, 64);
    OFFSET(anole_task, dilation_h, 68);
    OFFSET(anole_task, dilation_w, 72);
    OFFSET(anole_task, pad_top, 76);
    OFFSET(anole_task, pad_left, 80);
    OFFSET(anole_task, pad_bottom, 84);
    OFFSET(anole_task, pad_right, 88);
    OFFSET(anole_task, reserved, 92);
    OFFSET(anole_task, name, 96);
    OFFSET(anole_task, custom, 160);
    OFFSET(anole_task, output_pad_h, 168);
    OFFSET(anole_task, output_pad_w, 172);
    OFFSET(anole_task, alpha, 176);
    OFFSET(anole_task, beta, 180);
    OFFSET(anole_task, in_pitch, 184);
    OFFSET(anole_task, out_pitch, 188);
    OFFSET(anole_task, residual_pitch, 192);
    OFFSET(anole_task, reserved2, 196);
}

static void test_keep_layout_of_custom(void **state)
{
    (void)state;
    SIZE(anole_custom, 64);
    OFFSET(anole_custom, size, 0);
    OFFSET(anole_custom, language, 4);
    OFFSET(anole_custom, name, 8);
    OFFSET(anole_custom, digest, 16);
    OFFSET(anole_custom, input_bytes, 24);
    OFFSET(anole_custom, output_bytes, 32);
    OFFSET(anole_custom, operations, 40);
    OFFSET(anole_custom, tensor_count, 48);
    OFFSET(anole_custom, reserved, 52);
    OFFSET(anole_custom, tensor_bytes, 56);
}

static void test_keep_layout_of_knob(void **state)
{
    (void)state;
    SIZE(anole_knob, 40);
    OFFSET(anole_knob, size, 0);
    OFFSET(anole_knob, kind, 4);
    OFFSET(anole_knob, name, 8);
    OFFSET(anole_knob, values, 16);
    OFFSET(anole_knob, count, 24);
    OFFSET(anole_knob, default_index, 28);
    OFFSET(anole_knob, labels, 32);
}

static void test_keep_layout_of_space_builder(void **state)
{
    (void)state;
    SIZE(anole_space_builder, 32);
    OFFSET(anole_space_builder, size, 0);
    OFFSET(anole_space_builder, reserved, 4);
    OFFSET(anole_space_builder, host, 8);
    OFFSET(anole_space_builder, knob, 16);
    OFFSET(anole_space_builder, constraint, 24);
}

static void test_keep_layout_of_arg(void **state)
{
    (void)state;
    SIZE(anole_arg, 16);
    OFFSET(anole_arg, role, 0);
    OFFSET(anole_arg, bytes, 4);
    OFFSET(anole_arg, value, 8);
}

static void test_keep_layout_of_launch(void **state)
{
    (void)state;
    SIZE(anole_launch, 328);
    OFFSET(anole_launch, size, 0);
    OFFSET(anole_launch, dimensions, 4);
    OFFSET(anole_launch, kernel, 8);
    OFFSET(anole_launch, global, 16);
    OFFSET(anole_launch, local, 40);
    OFFSET(anole_launch, arg_count, 64);
    OFFSET(anole_launch, reserved, 68);
    OFFSET(anole_launch, args, 72);
}

static void test_keep_layout_of_kernel_builder(void **state)
{
    (void)state;
    SIZE(anole_kernel_builder, 56);
    OFFSET(anole_kernel_builder, size, 0);
    OFFSET(anole_kernel_builder, reserved, 4);
    OFFSET(anole_kernel_builder, host, 8);
    OFFSET(anole_kernel_builder, source, 16);
    OFFSET(anole_kernel_builder, options, 24);
    OFFSET(anole_kernel_builder, launch, 32);
    OFFSET(anole_kernel_builder, packed_weights, 40);
    OFFSET(anole_kernel_builder, workspace, 48);
}

static void test_keep_layout_of_kernel(void **state)
{
    (void)state;
    SIZE(anole_kernel, 80);
    OFFSET(anole_kernel, size, 0);
    OFFSET(anole_kernel, launch_count, 4);
    OFFSET(anole_kernel, source, 8);
    OFFSET(anole_kernel, source_length, 16);
    OFFSET(anole_kernel, options, 24);
    OFFSET(anole_kernel, launches, 32);
    OFFSET(anole_kernel, packed_weights, 40);
    OFFSET(anole_kernel, workspace, 48);
    OFFSET(anole_kernel, task, 56);
    OFFSET(anole_kernel, values, 64);
    OFFSET(anole_kernel, value_count, 72);
    OFFSET(anole_kernel, reserved, 76);
}

static void test_keep_layout_of_binding(void **state)
{
    (void)state;
    SIZE(anole_binding, 24);
    OFFSET(anole_binding, buffer, 0);
    OFFSET(anole_binding, offset, 8);
    OFFSET(anole_binding, bytes, 16);
}

static void test_keep_layout_of_sequence_step(void **state)
{
    (void)state;
    SIZE(anole_sequence_step, 24);
    OFFSET(anole_sequence_step, build, 0);
    OFFSET(anole_sequence_step, bindings, 8);
    OFFSET(anole_sequence_step, binding_count, 16);
    OFFSET(anole_sequence_step, reserved, 20);
}

static void test_keep_layout_of_diagnosis(void **state)
{
    (void)state;
    SIZE(anole_diagnosis, 24);
    OFFSET(anole_diagnosis, size, 0);
    OFFSET(anole_diagnosis, reserved, 4);
    OFFSET(anole_diagnosis, host, 8);
    OFFSET(anole_diagnosis, report, 16);
}

static void test_keep_layout_of_plugin(void **state)
{
    (void)state;
    SIZE(anole_plugin, 248);
    OFFSET(anole_plugin, magic, 0);
    OFFSET(anole_plugin, abi, 8);
    OFFSET(anole_plugin, size, 12);
    OFFSET(anole_plugin, name, 16);
    OFFSET(anole_plugin, version, 24);
    OFFSET(anole_plugin, generator, 32);
    OFFSET(anole_plugin, reserved, 36);
    OFFSET(anole_plugin, drivers, 40);
    OFFSET(anole_plugin, probe, 48);
    OFFSET(anole_plugin, supports, 56);
    OFFSET(anole_plugin, space, 64);
    OFFSET(anole_plugin, valid, 72);
    OFFSET(anole_plugin, features, 80);
    OFFSET(anole_plugin, feature_name, 88);
    OFFSET(anole_plugin, generate, 96);
    OFFSET(anole_plugin, pack, 104);
    OFFSET(anole_plugin, open, 112);
    OFFSET(anole_plugin, close, 120);
    OFFSET(anole_plugin, buffer_create, 128);
    OFFSET(anole_plugin, buffer_write, 136);
    OFFSET(anole_plugin, buffer_read, 144);
    OFFSET(anole_plugin, buffer_destroy, 152);
    OFFSET(anole_plugin, build, 160);
    OFFSET(anole_plugin, binary, 168);
    OFFSET(anole_plugin, release, 176);
    OFFSET(anole_plugin, run, 184);
    OFFSET(anole_plugin, diagnose, 192);
    OFFSET(anole_plugin, task_size, 200);
    OFFSET(anole_plugin, reserved2, 204);
    OFFSET(anole_plugin, sequence_create, 208);
    OFFSET(anole_plugin, sequence_run, 216);
    OFFSET(anole_plugin, sequence_destroy, 224);
    OFFSET(anole_plugin, buffer_map, 232);
    OFFSET(anole_plugin, buffer_unmap, 240);
}

/* The offsets are those of 64-bit machines; elsewhere there is nothing pinned. */
int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_keep_number_and_magic),
        cmocka_unit_test(test_keep_values_of_enums),
        cmocka_unit_test(test_keep_layout_of_message),
        cmocka_unit_test(test_keep_layout_of_topology),
        cmocka_unit_test(test_keep_layout_of_host),
        cmocka_unit_test(test_keep_layout_of_property),
        cmocka_unit_test(test_keep_layout_of_device),
        cmocka_unit_test(test_keep_layout_of_driver_list),
        cmocka_unit_test(test_keep_layout_of_task),
        cmocka_unit_test(test_keep_layout_of_custom),
        cmocka_unit_test(test_keep_layout_of_knob),
        cmocka_unit_test(test_keep_layout_of_space_builder),
        cmocka_unit_test(test_keep_layout_of_arg),
        cmocka_unit_test(test_keep_layout_of_launch),
        cmocka_unit_test(test_keep_layout_of_kernel_builder),
        cmocka_unit_test(test_keep_layout_of_kernel),
        cmocka_unit_test(test_keep_layout_of_binding),
        cmocka_unit_test(test_keep_layout_of_sequence_step),
        cmocka_unit_test(test_keep_layout_of_diagnosis),
        cmocka_unit_test(test_keep_layout_of_plugin),
    };
    if (sizeof(void *) != 8)
        return 77;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
