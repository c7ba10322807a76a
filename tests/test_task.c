/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/rng.h"
#include "op/op.h"
#include "op/task.h"
#include "op/task_kin.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static const char conv_key[] = "conv2d n1 56x56x64 k3x3 s1x1 p1,1,1,1 d1x1 g1 o64 f32 bias relu";

static struct anole_task task_of(const char *key)
{
    struct anole_task task = {0};
    struct anole_error error = {0};
    if (anole_task_parse_key(&task, key, &error))
        fail_msg("%s", error.text);
    return task;
}

/* ---------------------------------------------------------------- random tasks */

static uint32_t between(struct anole_rng *rng, uint32_t low, uint32_t high)
{
    return low + (uint32_t)anole_rng_below(rng, high - low + 1);
}

static void make_window(struct anole_task *task, struct anole_rng *rng)
{
    uint32_t multiple = between(rng, 1, 9);
    task->kind = between(rng, ANOLE_TASK_CONV2D, ANOLE_TASK_DEPTHWISE_CONV2D);
    task->groups = between(rng, 1, 5);
    task->in_c = task->groups * (task->kind == ANOLE_TASK_CONV2D ? between(rng, 1, 30) : 1);
    task->out_c = task->groups * multiple;
    task->in_h = between(rng, 1, 300);
    task->in_w = between(rng, 1, 300);
    task->kernel_h = between(rng, 1, 11);
    task->kernel_w = between(rng, 1, 11);
    task->stride_h = between(rng, 1, 4);
    task->stride_w = between(rng, 1, 4);
    task->dilation_h = between(rng, 1, 3);
    task->dilation_w = between(rng, 1, 3);
    task->pad_top = between(rng, 0, 5);
    task->pad_left = between(rng, 0, 5);
    task->pad_bottom = between(rng, 0, 5);
    task->pad_right = between(rng, 0, 5);
}

static void make_dense(struct anole_task *task, struct anole_rng *rng)
{
    task->kind = ANOLE_TASK_DENSE;
    task->in_c = between(rng, 1, 30000);
    task->out_c = between(rng, 1, 30000);
    task->in_h = task->in_w = task->kernel_h = task->kernel_w = 1;
    task->stride_h = task->stride_w = task->dilation_h = task->dilation_w = task->groups = 1;
}

static void make_custom(struct anole_task *task, struct anole_rng *rng)
{
    size_t length = between(rng, 1, sizeof task->name - 1);
    task->kind = ANOLE_TASK_CUSTOM;
    for (size_t i = 0; i < length; i++)
        task->name[i] = (char)between(rng, 1, 255);
}

/* A task that passes anole_task_check(). */
static struct anole_task random_task(struct anole_rng *rng)
{
    for (;;) {
        struct anole_task task = {.size = sizeof task};
        uint32_t choice = between(rng, 0, 5);
        task.dtype = between(rng, ANOLE_F32, ANOLE_TF32);
        if (choice == 0) {
            make_custom(&task, rng);
            return task;
        }
        task.batch = between(rng, 1, 4);
        task.activation = between(rng, ANOLE_ACT_NONE, ANOLE_ACT_RELU6);
        task.flags = between(rng, 0, ANOLE_TASK_BIAS | ANOLE_TASK_RESIDUAL);
        if (choice == 1)
            make_dense(&task, rng);
        else
            make_window(&task, rng);
        if (anole_task_infer_output(&task, NULL) == ANOLE_DONE)
            return task;
    }
}

/* ------------------------------------------------------------------------- keys */

static void test_key_round_trip(void **state)
{
    (void)state;
    struct anole_rng rng;
    anole_rng_init(&rng, 1);
    for (int i = 0; i < 20000; i++) {
        char key[ANOLE_TASK_KEY], again[ANOLE_TASK_KEY];
        struct anole_task task = random_task(&rng), back = {0};
        struct anole_error error = {0};
        if (anole_task_check(&task, &error))
            fail_msg("%s", error.text);
        anole_task_key(key, &task);
        for (const char *s = key; *s; s++)
            assert_true(*s >= ' ' && *s <= '~');
        if (anole_task_parse_key(&back, key, &error))
            fail_msg("%s", error.text);
        assert_memory_equal(&back, &task, sizeof task);
        anole_task_key(again, &back);
        assert_string_equal(again, key);
    }
}

static void test_keys_differ_where_tasks_do(void **state)
{
    (void)state;
    struct anole_rng rng;
    anole_rng_init(&rng, 2);
    const size_t first = offsetof(struct anole_task, kind) / sizeof(uint32_t);
    const size_t last = offsetof(struct anole_task, pad_right) / sizeof(uint32_t);
    for (int i = 0; i < 2000; i++) {
        struct anole_task task = random_task(&rng);
        char key[ANOLE_TASK_KEY], other[ANOLE_TASK_KEY];
        anole_task_key(key, &task);
        for (size_t field = first; field <= last; field++) {
            struct anole_task changed = task;
            ((uint32_t *)&changed)[field] ^= 1u << anole_rng_below(&rng, 3);
            if (changed.kind == ANOLE_TASK_CUSTOM || anole_task_infer_output(&changed, NULL) ||
                anole_task_check(&changed, NULL) || memcmp(&changed, &task, sizeof task) == 0)
                continue;
            anole_task_key(other, &changed);
            assert_string_not_equal(key, other);
        }
    }
}

static void test_key_of_each_kind(void **state)
{
    (void)state;
    static const char *const keys[] = {
        conv_key,
        "depthwise_conv2d n1 112x112x32 k3x3 s2x1 p0,1,2,3 d1x2 g32 o64 f16 bias residual relu6",
        "dense n8 i512 o1000 f32",
        "conv_transpose2d n1 14x14x64 k3x3 s2x2 p1,1,1,1 d1x1 g2 o32 e1x0 f16 bias silu(1)",
        "conv2d n1 56x56x64 k3x3 s1x1 p1,1,1,1 d1x1 g1 o64 f32 bias leaky_relu(0.100000001)",
        "conv2d n1 56x56x64 k3x3 s1x1 p1,1,1,1 d1x1 g1 o64 f32 hard_sigmoid(0.200000003,0.5)",
        "conv2d n1 56x56x64 k3x3 s1x1 p1,1,1,1 d1x1 g1 o64 f32 clip(-1,1) pitch128,0,0",
        "dense n8 i512 o1000 f32 gelu",
        "matmul n12 m197 i64 o197 tb f32",
        "matmul n1 m3 i4 o5 ta tb f16 bias residual relu",
        "custom attention%20%25%0A f32",
        "custom a f16",
    };
    for (size_t i = 0; i < COUNT(keys); i++) {
        char key[ANOLE_TASK_KEY];
        struct anole_task task = task_of(keys[i]);
        anole_task_key(key, &task);
        assert_string_equal(key, keys[i]);
    }
    assert_string_equal(task_of("custom attention%20%25%0A f32").name, "attention %\n");
    struct anole_task task = task_of(keys[1]);
    assert_int_equal(task.out_h, 56);
    assert_int_equal(task.out_w, 112);
    assert_int_equal(task.pad_left, 1);
    assert_int_equal(task.pad_bottom, 2);
}

static void test_key_fits_whatever_the_numbers(void **state)
{
    (void)state;
    struct anole_task task;
    char guarded[ANOLE_TASK_KEY + 1];
    memset(&task, 0xff, sizeof task);
    const uint32_t kinds[] = {ANOLE_TASK_CONV2D, ANOLE_TASK_DEPTHWISE_CONV2D, ANOLE_TASK_DENSE,
                              ANOLE_TASK_CUSTOM, UINT32_MAX};
    for (size_t i = 0; i < COUNT(kinds); i++) {
        task.kind = kinds[i];
        guarded[ANOLE_TASK_KEY] = 0x55;
        anole_task_key(guarded, &task);
        assert_true(strlen(guarded) < ANOLE_TASK_KEY - 1);
        assert_int_equal(guarded[ANOLE_TASK_KEY], 0x55);
        char label[64];
        anole_task_label(label, sizeof label, &task);
        assert_true(strlen(label) < sizeof label);
    }
}

static const char *const bad_keys[] = {
    "",
    " ",
    "conv2d",
    "conv2d ",
    "conv3d n1 56x56x64 k3x3 s1x1 p1,1,1,1 d1x1 g1 o64 f32",
    " conv2d n1 56x56x64 k3x3 s1x1 p1,1,1,1 d1x1 g1 o64 f32",
    "conv2d n1 56x56x64 k3x3 s1x1 p1,1,1,1 d1x1 g1 o64 f32 ",
    "conv2d n1  56x56x64 k3x3 s1x1 p1,1,1,1 d1x1 g1 o64 f32",
    "conv2d n1 56x56x64 k3x3 s1x1 p1,1,1,1 d1x1 g1 o64",
    "conv2d n1 56x56x64 k3x3 s1x1 p1,1,1,1 d1x1 g1 o64 f64",
    "conv2d n1 56x56x64 k3x3 s1x1 p1,1,1,1 d1x1 g1 o64 f32 none",
    "conv2d n1 56x56x64 k3x3 s1x1 p1,1,1,1 d1x1 g1 o64 f32 relu bias",
    "conv2d n1 56x56x64 k3x3 s1x1 p1,1,1,1 d1x1 g1 o64 f32 biasrelu",
    "conv2d n1 56x56x64 k3x3 s1x1 p1,1,1,1 d1x1 g1 o64 f32 bias bias",
    "conv2d n1 56x56x64 k3x3 s1x1 p1,1,1,1 d1x1 g1 o64 f32 relu7",
    "conv2d n1 56x56x64 k3x3 s1x1 p1,1,1,1 d1x1 g1 o64 f32 leaky_relu",
    "conv2d n1 56x56x64 k3x3 s1x1 p1,1,1,1 d1x1 g1 o64 f32 leaky_relu()",
    "conv2d n1 56x56x64 k3x3 s1x1 p1,1,1,1 d1x1 g1 o64 f32 leaky_relu(0.10)",
    "conv2d n1 56x56x64 k3x3 s1x1 p1,1,1,1 d1x1 g1 o64 f32 leaky_relu(nan)",
    "conv2d n1 56x56x64 k3x3 s1x1 p1,1,1,1 d1x1 g1 o64 f32 clip(6)",
    "conv2d n1 56x56x64 k3x3 s1x1 p1,1,1,1 d1x1 g1 o64 f32 clip(6,0)",
    "conv2d n1 56x56x64 k3x3 s1x1 p1,1,1,1 d1x1 g1 o64 f32 clip(-0,6)",
    "conv2d n1 56x56x64 k3x3 s1x1 p1,1,1,1 d1x1 g1 o64 f32 pitch64,0,0",
    "conv2d n1 56x56x64 k3x3 s1x1 p1,1,1,1 d1x1 g1 o64 f32 pitch0,0,0",
    "conv_transpose2d n1 14x14x64 k3x3 s2x2 p1,1,1,1 d1x1 g1 o32 e2x0 f32",
    "conv_transpose2d n1 14x14x64 k3x3 s2x2 p1,1,1,1 d1x1 g1 o32 f32",
    "conv_transpose2d n1 1x1x64 k1x1 s1x1 p1,1,1,1 d1x1 g1 o32 e0x0 f32",
    "matmul n1 m0 i4 o5 f32",
    "matmul n1 m3 i4 o5 tb ta f32",
    "conv2d n1 56x56x64 k3x3 s1x1 p1,1,1 d1x1 g1 o64 f32",
    "conv2d n01 56x56x64 k3x3 s1x1 p1,1,1,1 d1x1 g1 o64 f32",
    "conv2d n+1 56x56x64 k3x3 s1x1 p1,1,1,1 d1x1 g1 o64 f32",
    "conv2d n-1 56x56x64 k3x3 s1x1 p1,1,1,1 d1x1 g1 o64 f32",
    "conv2d n 56x56x64 k3x3 s1x1 p1,1,1,1 d1x1 g1 o64 f32",
    "conv2d n0 56x56x64 k3x3 s1x1 p1,1,1,1 d1x1 g1 o64 f32",
    "conv2d n1 0x56x64 k3x3 s1x1 p1,1,1,1 d1x1 g1 o64 f32",
    "conv2d n1 56x56x64 k0x3 s1x1 p1,1,1,1 d1x1 g1 o64 f32",
    "conv2d n1 56x56x64 k3x3 s0x1 p1,1,1,1 d1x1 g1 o64 f32",
    "conv2d n1 56x56x64 k3x3 s1x1 p1,1,1,1 d1x0 g1 o64 f32",
    "conv2d n1 56x56x64 k3x3 s1x1 p1,1,1,1 d1x1 g0 o64 f32",
    "conv2d n1 56x56x64 k3x3 s1x1 p1,1,1,1 d1x1 g3 o64 f32",
    "conv2d n1 56x56x64 k3x3 s1x1 p1,1,1,1 d1x1 g1 o0 f32",
    "conv2d n1 2x2x64 k3x3 s1x1 p0,0,0,0 d1x1 g1 o64 f32",
    "conv2d n4294967296 56x56x64 k3x3 s1x1 p1,1,1,1 d1x1 g1 o64 f32",
    "conv2d n4294967295 4294967295x4294967295x4294967295 k1x1 s1x1 p0,0,0,0 d1x1 g1 o1 f32",
    "conv2d n99999999999999999999999999999999999 56x56x64 k3x3 s1x1 p1,1,1,1 d1x1 g1 o64 f32",
    "conv2d n2 32768x32768x1 k1x1 s1x1 p0,0,0,0 d1x1 g1 o1 f32",
    "conv2d n1 1x1x65536 k1x1 s1x1 p0,0,0,0 d1x1 g1 o32768 f32",
    "conv2d n1 1x1x1 k65536x1 s1x1 p65535,0,1,0 d1x1 g1 o1 f32",
    "conv2d n1 1x1x1 k1x1 s1x1 p4294967295,4294967295,4294967295,4294967295 d1x1 g1 o1 f32",
    "depthwise_conv2d n1 56x56x64 k3x3 s1x1 p1,1,1,1 d1x1 g1 o64 f32",
    "depthwise_conv2d n1 56x56x64 k3x3 s1x1 p1,1,1,1 d1x1 g64 o65 f32",
    "dense n1 i512 o1000",
    "dense n1 o1000 i512 f32",
    "dense n1 i0 o1000 f32",
    "dense n1 i65536 o65536 f32",
    "dense n1 i512 o1000 f32\nconv2d",
    "custom",
    "custom f32",
    "custom  f32",
    "custom a",
    "custom a f32 bias",
    "custom a b f32",
    "custom a%2 f32",
    "custom a%2g f32",
    "custom a%41 f32",
    "custom a%00 f32",
    "custom a%0a f32",
    "custom a\x1b f32",
    "custom %",
    "custom 0123456789012345678901234567890123456789012345678901234567890123 f32",
};

static void test_parse_key_refuses(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(bad_keys); i++) {
        struct anole_task task, untouched;
        struct anole_error error = {0};
        memset(&task, 0x5a, sizeof task);
        memset(&untouched, 0x5a, sizeof untouched);
        if (anole_task_parse_key(&task, bad_keys[i], &error) != ANOLE_ERR_INPUT)
            fail_msg("taken: %s", bad_keys[i]);
        assert_memory_equal(&task, &untouched, sizeof task);
        assert_non_null(strstr(error.text, "expected"));
        assert_null(strpbrk(error.text, "\x1b\n"));
    }
}

static void test_parse_key_survives_mutations(void **state)
{
    (void)state;
    struct anole_rng rng;
    anole_rng_init(&rng, 3);
    for (int i = 0; i < 100000; i++) {
        char key[ANOLE_TASK_KEY], again[ANOLE_TASK_KEY];
        struct anole_task task = random_task(&rng), back;
        anole_task_key(key, &task);
        size_t length = strlen(key);
        for (uint64_t edits = 1 + anole_rng_below(&rng, 3); edits; edits--)
            key[anole_rng_below(&rng, length)] = (char)anole_rng_below(&rng, 256);
        if (anole_task_parse_key(&back, key, NULL))
            continue;
        anole_task_key(again, &back);
        assert_string_equal(again, key);
    }
}

static void test_parse_key_refuses_a_long_text(void **state)
{
    (void)state;
    size_t length = 1 << 20;
    char *key = malloc(length + 1);
    struct anole_task task;
    assert_non_null(key);
    memset(key, '1', length);
    key[length] = '\0';
    memcpy(key, "conv2d n", 8);
    assert_int_equal(anole_task_parse_key(&task, key, NULL), ANOLE_ERR_INPUT);
    free(key);
}

/* ---------------------------------------------------------------------- checking */

static void test_check_refuses_each_bad_field(void **state)
{
    (void)state;
    const struct {
        size_t field; /* its offset */
        uint32_t value;
        const char *message;
    } cases[] = {
        {offsetof(struct anole_task, size), 4, "size"},
        {offsetof(struct anole_task, kind), 0, "kind"},
        {offsetof(struct anole_task, kind), 99, "kind"},
        {offsetof(struct anole_task, dtype), 0, "data type"},
        {offsetof(struct anole_task, dtype), 4, "data type"},
        {offsetof(struct anole_task, activation), 99, "activation"},
        {offsetof(struct anole_task, output_pad_h), 1, "output padding"},
        {offsetof(struct anole_task, alpha), 1, "parameters"},
        {offsetof(struct anole_task, in_pitch), 64, "pitch of the input"},
        {offsetof(struct anole_task, residual_pitch), 100, "pitch of the residual"},
        {offsetof(struct anole_task, flags), 4, "flags"},
        {offsetof(struct anole_task, reserved), 1, "flags"},
        {offsetof(struct anole_task, name), 'a', "name"},
        {offsetof(struct anole_task, groups), 0, "groups"},
        {offsetof(struct anole_task, groups), 5, "groups"},
        {offsetof(struct anole_task, batch), 0, "batch"},
        {offsetof(struct anole_task, batch), UINT32_MAX, "batch"},
        {offsetof(struct anole_task, in_h), 0, "height"},
        {offsetof(struct anole_task, in_c), 0, "input channels"},
        {offsetof(struct anole_task, out_c), 0, "output channels"},
        {offsetof(struct anole_task, out_c), UINT32_MAX, "output channels"},
        {offsetof(struct anole_task, out_h), 55, "the output is 55x56; expected 56x56"},
        {offsetof(struct anole_task, out_w), 0, "the output is 56x0"},
        {offsetof(struct anole_task, kernel_h), 0, "kernel height"},
        {offsetof(struct anole_task, kernel_w), 70000, "kernel width"},
        {offsetof(struct anole_task, kernel_w), 60, "does not fit"},
        {offsetof(struct anole_task, stride_h), 0, "vertical stride"},
        {offsetof(struct anole_task, stride_w), 65536, "horizontal stride"},
        {offsetof(struct anole_task, dilation_h), 0, "vertical dilation"},
        {offsetof(struct anole_task, dilation_w), 65535, "does not fit"},
        {offsetof(struct anole_task, pad_top), 65536, "padding at the top"},
        {offsetof(struct anole_task, pad_right), UINT32_MAX, "padding at the right"},
        {offsetof(struct anole_task, batch), 20000, "the input of 20000x56x56x64"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct anole_task task = task_of(conv_key);
        struct anole_error error = {0};
        memcpy((char *)&task + cases[i].field, &cases[i].value, sizeof(uint32_t));
        assert_int_equal(anole_task_check(&task, &error), ANOLE_ERR_INPUT);
        if (!strstr(error.text, cases[i].message))
            fail_msg("expected \"%s\" in: %s", cases[i].message, error.text);
    }
}

static void test_check_refuses_dense_and_custom_with_more(void **state)
{
    (void)state;
    struct anole_task task = task_of("dense n1 i512 o1000 f32 bias");
    task.in_h = 2;
    assert_int_equal(anole_task_check(&task, NULL), ANOLE_ERR_INPUT);
    task = task_of("dense n1 i512 o1000 f32 bias");
    task.pad_left = 1;
    assert_int_equal(anole_task_check(&task, NULL), ANOLE_ERR_INPUT);
    task = task_of("custom a f32");
    task.batch = 1;
    assert_int_equal(anole_task_check(&task, NULL), ANOLE_ERR_INPUT);
    task = task_of("custom a f32");
    task.name[2] = 'x'; /* behind the end */
    assert_int_equal(anole_task_check(&task, NULL), ANOLE_ERR_INPUT);
    memset(task.name, 'x', sizeof task.name);
    assert_int_equal(anole_task_check(&task, NULL), ANOLE_ERR_INPUT);
}

static void test_infer_output(void **state)
{
    (void)state;
    struct anole_task task = task_of(conv_key);
    task.stride_h = 2;
    task.dilation_w = 3;
    task.pad_bottom = 0;
    assert_int_equal(anole_task_infer_output(&task, NULL), ANOLE_DONE);
    assert_int_equal(task.out_h, 28); /* (56 + 1 - 3) / 2 + 1 */
    assert_int_equal(task.out_w, 52); /* 56 + 2 - 7 + 1 */
    struct anole_task before = task;
    task.in_h = before.in_h = 1;
    assert_int_equal(anole_task_infer_output(&task, NULL), ANOLE_ERR_INPUT);
    assert_memory_equal(&task, &before, sizeof task);
    task = task_of("custom a f32");
    assert_int_equal(anole_task_infer_output(&task, NULL), ANOLE_ERR_INPUT);
    memset(&task, 0xff, sizeof task); /* nothing overflows */
    task.kind = ANOLE_TASK_CONV2D;
    assert_int_equal(anole_task_infer_output(&task, NULL), ANOLE_ERR_INPUT);
}

/* ----------------------------------------------------------------------- numbers */

static void test_numbers_of_a_convolution(void **state)
{
    (void)state;
    struct anole_task task =
        task_of("conv2d n2 10x8x6 k3x5 s1x1 p1,2,1,2 d1x1 g2 o4 f16 bias residual");
    assert_int_equal(anole_task_input_elements(&task), 2 * 10 * 8 * 6);
    assert_int_equal(anole_task_output_elements(&task), 2 * 10 * 8 * 4);
    assert_int_equal(anole_task_residual_elements(&task), 2 * 10 * 8 * 4);
    assert_int_equal(anole_task_weight_elements(&task), 4 * 3 * 5 * 3);
    assert_int_equal(anole_task_bias_elements(&task), 4);
    assert_int_equal(anole_task_reduction(&task), 3 * 5 * 3);
    assert_true(anole_task_flops(&task) == 2.0 * (2 * 10 * 8 * 4) * (3 * 5 * 3));
    assert_true(anole_task_bytes(&task) == 2.0 * (960 + 640 + 640 + 180 + 4));
    assert_int_equal(anole_task_element_bytes(&task), 2);
}

static void test_numbers_of_other_kinds(void **state)
{
    (void)state;
    struct anole_task task = task_of("depthwise_conv2d n1 8x8x4 k3x3 s1x1 p1,1,1,1 d1x1 g4 o8 f32");
    assert_int_equal(anole_task_weight_elements(&task), 3 * 3 * 8);
    assert_int_equal(anole_task_reduction(&task), 9);
    assert_int_equal(anole_task_bias_elements(&task), 0);
    assert_int_equal(anole_task_residual_elements(&task), 0);
    assert_true(anole_task_flops(&task) == 2.0 * 8 * 8 * 8 * 9);
    assert_true(anole_task_bytes(&task) == 4.0 * (256 + 512 + 72));
    task = task_of("dense n3 i100 o10 f32 bias");
    assert_true(anole_task_flops(&task) == 2.0 * 3 * 100 * 10);
    assert_true(anole_task_bytes(&task) == 4.0 * (300 + 1000 + 10 + 30));
    assert_int_equal(anole_task_element_bytes(&task), 4);
    task = task_of("custom a f32");
    assert_true(anole_task_flops(&task) == 0);
    assert_true(anole_task_bytes(&task) == 0);
}

/* Histories and lock files of the first release are full of these. */
static void test_keys_in_fp32_are_what_they_were(void **state)
{
    (void)state;
    static const char *const keys[] = {
        "conv2d n1 56x56x64 k3x3 s1x1 p1,1,1,1 d1x1 g1 o64 f32 bias residual relu",
        "depthwise_conv2d n1 112x112x32 k3x3 s1x1 p1,1,1,1 d1x1 g32 o32 f32 bias relu6",
        "dense n1 i512 o1000 f32 bias", "custom NAME f32"};
    for (size_t i = 0; i < COUNT(keys); i++) {
        char key[ANOLE_TASK_KEY], *type;
        struct anole_task task = task_of(keys[i]);
        assert_int_equal(task.dtype, ANOLE_F32);
        anole_task_key(key, &task);
        assert_string_equal(key, keys[i]);
        task.dtype = ANOLE_F16;
        anole_task_key(key, &task);
        type = strstr(key, " f16");
        assert_non_null(type);
        memcpy(type, " f32", 4);
        assert_string_equal(key, keys[i]);
    }
}

static void test_names_of_precisions(void **state)
{
    (void)state;
    assert_string_equal(anole_precision_text(ANOLE_F32), "fp32");
    assert_string_equal(anole_precision_text(ANOLE_F16), "fp16");
    assert_string_equal(anole_precision_text(ANOLE_TF32), "tf32");
    assert_string_equal(anole_precision_text(0), "unknown");
    assert_string_equal(anole_precision_text(4), "unknown");
    assert_string_equal(anole_dtype_text(ANOLE_TF32), "tf32");
    assert_int_equal(anole_precision_parse("tf32"), ANOLE_TF32);
    assert_int_equal(anole_precision_parse("fp32"), ANOLE_F32);
    assert_int_equal(anole_precision_parse("fp16"), ANOLE_F16);
    assert_int_equal(anole_precision_parse("f16"), 0);
    assert_int_equal(anole_precision_parse(""), 0);
}

static void test_labels(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {conv_key, "conv 3x3/1 64>64 @56x56 relu"},
        {"conv2d n8 7x9x64 k3x1 s2x1 p1,1,1,1 d2x1 g2 o64 f16 bias residual",
         "conv 3x1/2x1 64>64 @7x9 d2x1 g2 n8 f16 +add"},
        {"depthwise_conv2d n1 8x8x4 k3x3 s1x1 p1,1,1,1 d1x1 g4 o8 f32 relu6",
         "depthwise 3x3/1 4>8 @8x8 relu6"},
        {"dense n1 i512 o1000 f32 bias", "dense 512>1000"},
        {"custom a%1B%5Bb f32", "custom a\\x1b[b"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        char label[96], short_label[8];
        struct anole_task task = task_of(cases[i][0]);
        assert_ptr_equal(anole_task_label(label, sizeof label, &task), label);
        assert_string_equal(label, cases[i][1]);
        anole_task_label(short_label, sizeof short_label, &task);
        assert_memory_equal(short_label, label, sizeof short_label - 1);
    }
}

static double distance_of(const char *a, const char *b)
{
    const struct anole_task x = task_of(a), y = task_of(b);
    const double distance = anole_task_distance(&x, &y);
    assert_true(distance == anole_task_distance(&y, &x));
    assert_true(anole_task_is_kin(&x, &y) == isfinite(distance));
    return distance;
}

static void test_kin_differ_by_their_sizes(void **state)
{
    (void)state;
    const char *one = conv_key;
    assert_true(distance_of(one, one) == 0);
    assert_true(
        distance_of(one, "conv2d n4 56x56x64 k3x3 s1x1 p1,1,1,1 d1x1 g1 o64 f32 bias relu") == 2);
    /* Four times the pixels; what pads them may be otherwise, too. */
    assert_true(distance_of(one, "conv2d n1 112x112x64 k3x3 s1x1 p0,0,2,2 d1x1 g1 o64 f32 bias "
                                 "relu") == 2);
    const char *const others[] = {
        "conv2d n1 56x56x32 k3x3 s1x1 p1,1,1,1 d1x1 g1 o64 f32 bias relu",
        "conv2d n1 56x56x64 k3x3 s1x1 p1,1,1,1 d1x1 g1 o64 f32 bias",
        "conv2d n1 56x56x64 k3x3 s1x1 p1,1,1,1 d1x1 g1 o64 f16 bias relu",
        "conv2d n1 56x56x64 k3x3 s2x2 p1,1,1,1 d1x1 g1 o64 f32 bias relu",
        "dense n1 i512 o1000 f32 bias",
        "custom NAME f32",
    };
    for (size_t i = 0; i < COUNT(others); i++)
        assert_true(isinf(distance_of(one, others[i])));
    assert_true(distance_of("dense n1 i512 o1000 f32 bias", "dense n8 i512 o1000 f32 bias") == 3);
    /* Of a product of two matrices all sizes may follow from those of the network. */
    assert_true(distance_of("matmul n12 m197 i64 o197 tb f32", "matmul n24 m197 i64 o197 tb f32") ==
                1);
    assert_true(
        isfinite(distance_of("matmul n12 m197 i64 o197 tb f32", "matmul n12 m50 i64 o50 tb f32")));
    /* What a kernel of the user's own does in another size nobody can tell. */
    assert_true(isinf(distance_of("custom NAME f32", "custom NAME f32")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kin_differ_by_their_sizes),
        cmocka_unit_test(test_key_round_trip),
        cmocka_unit_test(test_keys_differ_where_tasks_do),
        cmocka_unit_test(test_key_of_each_kind),
        cmocka_unit_test(test_key_fits_whatever_the_numbers),
        cmocka_unit_test(test_parse_key_refuses),
        cmocka_unit_test(test_parse_key_survives_mutations),
        cmocka_unit_test(test_parse_key_refuses_a_long_text),
        cmocka_unit_test(test_check_refuses_each_bad_field),
        cmocka_unit_test(test_check_refuses_dense_and_custom_with_more),
        cmocka_unit_test(test_infer_output),
        cmocka_unit_test(test_numbers_of_a_convolution),
        cmocka_unit_test(test_numbers_of_other_kinds),
        cmocka_unit_test(test_keys_in_fp32_are_what_they_were),
        cmocka_unit_test(test_names_of_precisions),
        cmocka_unit_test(test_labels),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
