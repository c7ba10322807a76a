/* SPDX-License-Identifier: MIT
 *
 * The pure half, with a plugin that does what each test tells it to.
 */
#include "measure_fixture.h"
#include "plugin/generator.h"

#include <math.h>

/* What the plugin below does wrong. */
static struct {
    void (*space)(struct anole_space_builder *builder);
    int space_code;
    void (*kernel)(struct anole_kernel_builder *builder, struct anole_launch *launch);
    int kernel_code;
    bool no_launch;
    uint32_t features;
} script;

static const int64_t sizes[] = {1, 2, 4};

static struct anole_knob knob_of(const char *name)
{
    return (struct anole_knob){.size = sizeof(struct anole_knob),
                               .kind = ANOLE_KNOB_ORDINAL,
                               .name = name,
                               .values = sizes,
                               .count = 3};
}

static int supports(const struct anole_device *device, const struct anole_task *task)
{
    (void)device;
    return task->kind != ANOLE_TASK_DENSE;
}

static int space(const struct anole_device *device, const struct anole_task *task,
                 struct anole_space_builder *builder, struct anole_message *message)
{
    (void)device;
    (void)task;
    if (script.space) {
        script.space(builder);
    } else {
        struct anole_knob a = knob_of("a"), b = knob_of("b");
        builder->knob(builder, &a);
        builder->knob(builder, &b);
        builder->constraint(builder, "a * b <= 8", "tiles must fit");
    }
    if (script.space_code != ANOLE_OK)
        snprintf(message->text, sizeof message->text, "no space\ntoday");
    return script.space_code;
}

static uint32_t features(const struct anole_device *device, const struct anole_task *task,
                         const int64_t *values, uint32_t count, double *out)
{
    (void)device;
    (void)task;
    for (uint32_t i = 0; out && i < script.features; i++)
        out[i] = i == 0 ? NAN : (double)values[count - 1];
    return script.features;
}

static int generate(const struct anole_device *device, const struct anole_task *task,
                    const int64_t *values, uint32_t count, struct anole_kernel_builder *builder,
                    struct anole_message *message)
{
    (void)device;
    (void)task;
    (void)count;
    char source[64];
    int length = snprintf(source, sizeof source, "kernel %lld", (long long)values[0]);
    struct anole_launch launch = {.size = sizeof launch,
                                  .dimensions = 2,
                                  .kernel = "conv",
                                  .global = {8, 4},
                                  .local = {4, 2},
                                  .arg_count = 1,
                                  .args = {{.role = ANOLE_ROLE_OUTPUT}}};
    builder->source(builder, source, (size_t)length);
    builder->options(builder, "-DA");
    builder->options(builder, "-DB");
    if (script.kernel)
        script.kernel(builder, &launch);
    if (!script.no_launch)
        builder->launch(builder, &launch);
    if (script.kernel_code != ANOLE_OK)
        snprintf(message->text, sizeof message->text, "not this one");
    return script.kernel_code;
}

static struct anole_backend backend = {.plugin = {.name = "fake",
                                                  .version = "1",
                                                  .supports = supports,
                                                  .space = space,
                                                  .features = features,
                                                  .generate = generate}};

static const struct anole_device device = {.size = sizeof device,
                                           .name = "Nothing",
                                           .max_work_group = 64,
                                           .max_work_items = {64, 64, 4},
                                           .local_memory = 1024,
                                           .max_allocation = 1 << 20};

static int reset(void **state)
{
    (void)state;
    memset(&script, 0, sizeof script);
    backend.plugin.pack = NULL;
    return 0;
}

static struct anole_generator *make_generator(void)
{
    struct anole_task task = parse_task(SMALL_TASK);
    struct anole_generator *generator = NULL;
    struct anole_error error = {.status = ANOLE_DONE};
    assert_done(anole_generator_create(&generator, &backend, &device, &task, &error));
    return generator;
}

static void expect_no_space(void (*space_script)(struct anole_space_builder *), const char *words)
{
    struct anole_task task = parse_task(SMALL_TASK);
    struct anole_generator *generator = NULL;
    struct anole_error error = {.status = ANOLE_DONE};
    script.space = space_script;
    assert_int_equal(anole_generator_create(&generator, &backend, &device, &task, &error),
                     ANOLE_ERR_PLUGIN);
    assert_null(generator);
    assert_contains(error.text, "backend fake: the design space of ");
    assert_contains(error.text, words);
}

static void expect_no_kernel(void (*kernel_script)(struct anole_kernel_builder *,
                                                   struct anole_launch *),
                             enum anole_status status, const char *words)
{
    struct anole_generator *generator = make_generator();
    struct anole_generated *generated = NULL;
    struct anole_error error = {.status = ANOLE_DONE};
    script.kernel = kernel_script;
    assert_int_equal(anole_generator_kernel(&generated, generator, 0, &error), status);
    assert_null(generated);
    assert_contains(error.text, "backend fake: ");
    assert_contains(error.text, words);
    anole_generator_destroy(generator);
}

/* -- The space -- */

static void test_make_space_and_features(void **state)
{
    (void)state;
    script.features = 2;
    struct anole_generator *generator = make_generator();
    const struct anole_space *made = anole_generator_space(generator);
    const struct anole_features *columns = anole_generator_features(generator);
    bool exact;
    assert_int_equal(anole_space_knob_count(made), 2);
    assert_true(anole_space_count(made, 1000, &exact) == 8);
    assert_string_equal(anole_generator_device(generator)->name, "Nothing");
    assert_int_equal(anole_generator_task(generator)->out_c, 8);
    size_t count = anole_features_count(columns);
    float *row = calloc(count, sizeof *row);
    assert_non_null(row);
    anole_features_row(columns, anole_space_default(made), row);
    for (size_t i = 0; i < count; i++)
        assert_true(isfinite(row[i]));
    free(row);
    anole_generator_destroy(generator);
    anole_generator_destroy(NULL);
}

/* For kernels alone: the same space and kernels, and none of what a search needs. */
static void test_unwalked_generator_makes_the_same_kernels(void **state)
{
    (void)state;
    script.features = 2;
    struct anole_generator *full = make_generator(), *bare = NULL;
    struct anole_generated *a = NULL, *b = NULL;
    struct anole_task task = parse_task(SMALL_TASK);
    const uint64_t config = anole_space_default(anole_generator_space(full));
    assert_int_equal(anole_generator_create_unwalked(&bare, &backend, &device, &task, NULL),
                     ANOLE_DONE);
    assert_null(anole_generator_features(bare));
    assert_true(anole_space_default(anole_generator_space(bare)) == config);
    assert_true(anole_space_fingerprint(anole_generator_space(bare)) ==
                anole_space_fingerprint(anole_generator_space(full)));
    assert_int_equal(anole_generator_kernel(&a, full, config, NULL), ANOLE_DONE);
    assert_int_equal(anole_generator_kernel(&b, bare, config, NULL), ANOLE_DONE);
    assert_true(a->source_hash == b->source_hash);
    anole_generated_destroy(a);
    anole_generated_destroy(b);
    anole_generator_destroy(full);
    anole_generator_destroy(bare);
}

static void knob_null(struct anole_space_builder *b)
{
    b->knob(b, NULL);
}

static void knob_without_size(struct anole_space_builder *b)
{
    struct anole_knob knob = knob_of("a");
    knob.size = 0;
    b->knob(b, &knob);
}

static void knob_without_values(struct anole_space_builder *b)
{
    struct anole_knob knob = knob_of("a");
    knob.values = NULL;
    b->knob(b, &knob);
}

static void knob_without_name(struct anole_space_builder *b)
{
    struct anole_knob knob = knob_of(NULL);
    b->knob(b, &knob);
}

static void knob_of_no_kind(struct anole_space_builder *b)
{
    struct anole_knob knob = knob_of("a");
    knob.kind = 7;
    b->knob(b, &knob);
}

static void knob_in_disorder(struct anole_space_builder *b)
{
    static const int64_t values[] = {1, 4, 2};
    struct anole_knob knob = knob_of("a");
    knob.values = values;
    b->knob(b, &knob);
}

static void knob_twice(struct anole_space_builder *b)
{
    struct anole_knob knob = knob_of("twin");
    b->knob(b, &knob);
    b->knob(b, &knob);
}

static void knob_empty(struct anole_space_builder *b)
{
    struct anole_knob knob = knob_of("a");
    knob.count = 0;
    b->knob(b, &knob);
}

static void knob_bad_default(struct anole_space_builder *b)
{
    struct anole_knob knob = knob_of("a");
    knob.default_index = 3;
    b->knob(b, &knob);
}

static void no_knob(struct anole_space_builder *b)
{
    (void)b;
}

static void constraint_null(struct anole_space_builder *b)
{
    struct anole_knob knob = knob_of("a");
    b->knob(b, &knob);
    b->constraint(b, NULL, NULL);
}

static void constraint_on_nothing(struct anole_space_builder *b)
{
    struct anole_knob knob = knob_of("a");
    b->knob(b, &knob);
    b->constraint(b, "nonsense > 3", "why not");
}

static void test_refuse_ill_formed_space(void **state)
{
    (void)state;
    expect_no_space(knob_null, "a knob is NULL");
    expect_no_space(knob_without_size, "sizeof (struct anole_knob)");
    expect_no_space(knob_without_values, "no values");
    expect_no_space(knob_without_name, "no name");
    expect_no_space(knob_of_no_kind, "unknown kind 7");
    expect_no_space(knob_in_disorder, "2 follows 4");
    expect_no_space(knob_twice, "twin");
    expect_no_space(knob_empty, "a");
    expect_no_space(knob_bad_default, "a");
    expect_no_space(constraint_null, "a constraint is NULL");
    expect_no_space(constraint_on_nothing, "nonsense");
}

static void test_pass_on_what_plugin_says_of_space(void **state)
{
    (void)state;
    script.space_code = ANOLE_UNSUPPORTED;
    expect_no_space(NULL, "no space today");
}

static void test_refuse_too_many_features(void **state)
{
    (void)state;
    struct anole_task task = parse_task(SMALL_TASK);
    struct anole_generator *generator = NULL;
    struct anole_error error = {.status = ANOLE_DONE};
    script.features = 100000;
    assert_int_equal(anole_generator_create(&generator, &backend, &device, &task, &error),
                     ANOLE_ERR_PLUGIN);
    assert_contains(error.text, "100000 features");
}

static void test_refuse_unsupported_task(void **state)
{
    (void)state;
    struct anole_generator *generator = NULL;
    struct anole_error error = {.status = ANOLE_DONE};
    struct anole_task task = parse_task(OTHER_TASK);
    assert_int_equal(anole_generator_create(&generator, &backend, &device, &task, &error),
                     ANOLE_ERR_INPUT);
    assert_contains(error.text, "no kernel generator");
    task = parse_task("custom anything f32");
    assert_false(anole_backend_supports(&backend, &device, &task)); /* no reference */
    struct anole_device record = device;
    record.flags = ANOLE_DEVICE_SIMULATED;
    assert_true(anole_backend_supports(&backend, &record, &task));
    anole_error_clear(&error);
    task = parse_task(SMALL_TASK);
    task.out_w++;
    assert_int_equal(anole_generator_create(&generator, &backend, &device, &task, &error),
                     ANOLE_ERR_INPUT);
}

/* -- The kernel -- */

static void test_generate_kernel(void **state)
{
    (void)state;
    struct anole_generator *generator = make_generator();
    struct anole_generated *one, *same, *other;
    struct anole_error error = {.status = ANOLE_DONE};
    assert_done(anole_generator_kernel(&one, generator, 0, &error));
    assert_done(anole_generator_kernel(&same, generator, 0, &error));
    assert_done(anole_generator_kernel(&other, generator, 8, &error));
    assert_string_equal(one->kernel.source, "kernel 1");
    assert_int_equal(one->kernel.source_length, 8);
    assert_string_equal(one->kernel.options, "-DA -DB");
    assert_int_equal(one->kernel.launch_count, 1);
    assert_string_equal(one->kernel.launches[0].kernel, "conv");
    assert_int_equal(one->kernel.launches[0].global[2], 1);
    assert_int_equal(one->kernel.launches[0].local[2], 1);
    assert_int_equal(one->kernel.value_count, 2);
    assert_int_equal(one->kernel.values[0], 1);
    assert_int_equal(one->kernel.task->out_c, 8);
    assert_true(one->source_hash == same->source_hash);
    assert_true(one->source_hash != other->source_hash);
    anole_generated_destroy(one);
    anole_generated_destroy(same);
    anole_generated_destroy(other);
    anole_generated_destroy(NULL);
    anole_generator_destroy(generator);
}

/* Each changes the launch that is about to be added. */
#define MISTAKE(name, ...)                                                                         \
    static void name(struct anole_kernel_builder *b, struct anole_launch *launch)                  \
    {                                                                                              \
        (void)b;                                                                                   \
        (void)launch;                                                                              \
        __VA_ARGS__                                                                                \
    }
MISTAKE(no_size, launch->size = 0;)
MISTAKE(no_dimension, launch->dimensions = 0;)
MISTAKE(four_dimensions, launch->dimensions = 4;)
MISTAKE(not_a_multiple, launch->global[1] = 5;)
MISTAKE(zero_local, launch->local[0] = 0;)
MISTAKE(zero_global, launch->global[0] = 0;)
MISTAKE(large_group, launch->global[0] = 64; launch->local[0] = 64;)
MISTAKE(large_side, launch->dimensions = 3; launch->global[2] = 8; launch->local[2] = 8;)
MISTAKE(unnamed, launch->kernel = NULL;)
MISTAKE(empty_name, launch->kernel = "";)
MISTAKE(many_arguments, launch->arg_count = ANOLE_MAX_ARGS + 1;)
MISTAKE(unknown_role, launch->args[0].role = 9;)
MISTAKE(no_output, launch->args[0].role = ANOLE_ROLE_INPUT;)
MISTAKE(no_workspace, launch->arg_count = 2; launch->args[1].role = ANOLE_ROLE_WORKSPACE;)
MISTAKE(offset_outside, launch->args[0].value = 1 << 20;)
MISTAKE(offset_negative, launch->args[0].value = -4;)
MISTAKE(large_int, launch->arg_count = 2; launch->args[1].role = ANOLE_ROLE_INT;
        launch->args[1].value = INT64_C(1) << 31;)
MISTAKE(no_local, launch->arg_count = 2; launch->args[1].role = ANOLE_ROLE_LOCAL;)
MISTAKE(large_local, launch->arg_count = 2; launch->args[1].role = ANOLE_ROLE_LOCAL;
        launch->args[1].value = 1025;)
MISTAKE(null_source, b->source(b, NULL, 3);)
MISTAKE(nul_in_source, b->source(b, "a\0b", 3);)
MISTAKE(null_options, b->options(b, NULL);)
MISTAKE(null_launch, b->launch(b, NULL);)
MISTAKE(many_launches, for (int i = 0; i < ANOLE_MAX_LAUNCHES; i++) b->launch(b, launch);)
MISTAKE(packed_without_pack, b->packed_weights(b, 4096);)
MISTAKE(large_workspace, b->workspace(b, 1 << 21);)
MISTAKE(nothing_wrong, )

static void test_refuse_ill_formed_kernel(void **state)
{
    (void)state;
    expect_no_kernel(no_size, ANOLE_ERR_PLUGIN, "sizeof (struct anole_launch)");
    expect_no_kernel(no_dimension, ANOLE_ERR_PLUGIN, "0 dimensions, expected 1 to 3");
    expect_no_kernel(four_dimensions, ANOLE_ERR_PLUGIN, "4 dimensions, expected 1 to 3");
    expect_no_kernel(not_a_multiple, ANOLE_ERR_PLUGIN,
                     "launch 0, dimension 1: a global size of 5 is no multiple of a local size of "
                     "2");
    expect_no_kernel(zero_local, ANOLE_ERR_PLUGIN, "both at least 1");
    expect_no_kernel(zero_global, ANOLE_ERR_PLUGIN, "both at least 1");
    expect_no_kernel(unnamed, ANOLE_ERR_PLUGIN, "name is missing");
    expect_no_kernel(empty_name, ANOLE_ERR_PLUGIN, "name is missing");
    expect_no_kernel(many_arguments, ANOLE_ERR_PLUGIN, "17 arguments, expected at most 16");
    expect_no_kernel(unknown_role, ANOLE_ERR_PLUGIN, "unknown role 9");
    expect_no_kernel(no_output, ANOLE_ERR_PLUGIN, "bound to the output");
    expect_no_kernel(no_workspace, ANOLE_ERR_PLUGIN, "bound to the workspace, which");
    expect_no_kernel(offset_outside, ANOLE_ERR_PLUGIN, "lies outside the output");
    expect_no_kernel(offset_negative, ANOLE_ERR_PLUGIN, "offset -4");
    expect_no_kernel(large_int, ANOLE_ERR_PLUGIN, "2147483648 does not fit an int32");
    expect_no_kernel(no_local, ANOLE_ERR_PLUGIN, "0 bytes of local memory");
    expect_no_kernel(null_source, ANOLE_ERR_PLUGIN, "source is NULL");
    expect_no_kernel(nul_in_source, ANOLE_ERR_PLUGIN, "source has a NUL");
    expect_no_kernel(null_options, ANOLE_ERR_PLUGIN, "option text is NULL");
    expect_no_kernel(null_launch, ANOLE_ERR_PLUGIN, "launch 0: its size is 0");
    expect_no_kernel(many_launches, ANOLE_ERR_PLUGIN, "more than 8 launches");
    expect_no_kernel(packed_without_pack, ANOLE_ERR_PLUGIN, "no op pack");
}

/* The kernel that a config has where the plugin hands over no launch. */
static struct anole_generated *generate_bare(uint64_t config)
{
    struct anole_generator *generator = make_generator();
    struct anole_generated *generated = NULL;
    struct anole_error error = {.status = ANOLE_DONE};
    script.kernel = nothing_wrong;
    script.no_launch = true;
    assert_done(anole_generator_kernel(&generated, generator, config, &error));
    anole_generator_destroy(generator);
    return generated;
}

/* A library is behind the backend: configs whose text is the same are kernels of their own. */
static void test_take_a_kernel_without_launches(void **state)
{
    (void)state;
    struct anole_generated *first = generate_bare(0), *same = generate_bare(0),
                           *other = generate_bare(1);
    assert_int_equal(first->kernel.launch_count, 0);
    assert_true(first->source_hash == same->source_hash && first->executable == same->executable);
    assert_true(first->source_hash != other->source_hash && first->executable != other->executable);
    anole_generated_destroy(first);
    anole_generated_destroy(same);
    anole_generated_destroy(other);
}

static void test_take_a_space_of_one_point(void **state)
{
    (void)state;
    script.space = no_knob;
    struct anole_generator *generator = make_generator();
    const struct anole_space *space = anole_generator_space(generator);
    assert_int_equal(anole_space_knob_count(space), 0);
    assert_true(anole_space_size(space) == 1 && anole_space_default(space) == 0);
    anole_generator_destroy(generator);
}

static void test_refuse_what_device_cannot_do(void **state)
{
    (void)state;
    expect_no_kernel(large_group, ANOLE_ERR_INPUT,
                     "128 work-items in a group, the device takes 64");
    expect_no_kernel(large_side, ANOLE_ERR_INPUT, "dimension 2: 8 work-items");
    expect_no_kernel(large_local, ANOLE_ERR_INPUT, "1025 bytes of local memory");
    expect_no_kernel(large_workspace, ANOLE_ERR_INPUT, "2097152 bytes of workspace");
    script.kernel_code = ANOLE_UNSUPPORTED;
    expect_no_kernel(nothing_wrong, ANOLE_ERR_INPUT, "not this one");
}

/* -- Packing -- */

static int pack(const struct anole_device *on, const struct anole_task *task, const int64_t *values,
                uint32_t count, const void *weights, size_t weights_bytes, void *packed,
                size_t packed_bytes, struct anole_message *message)
{
    (void)on;
    (void)task;
    (void)values;
    (void)count;
    if (packed_bytes < weights_bytes) {
        snprintf(message->text, sizeof message->text, "no room");
        return ANOLE_BAD_REQUEST;
    }
    memcpy(packed, weights, weights_bytes);
    return ANOLE_OK;
}

static void test_pack_weights(void **state)
{
    (void)state;
    struct anole_generator *generator = make_generator();
    struct anole_error error = {.status = ANOLE_DONE};
    char packed[8] = "";
    assert_int_equal(anole_generator_pack(generator, 0, "abc", 4, packed, 8, &error),
                     ANOLE_ERR_PLUGIN);
    anole_error_clear(&error);
    backend.plugin.pack = pack;
    assert_done(anole_generator_pack(generator, 0, "abc", 4, packed, 8, &error));
    assert_string_equal(packed, "abc");
    assert_int_equal(anole_generator_pack(generator, 0, "abc", 4, packed, 2, &error),
                     ANOLE_ERR_INPUT);
    assert_contains(error.text, "packing the weights: no room");
    anole_generator_destroy(generator);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_unwalked_generator_makes_the_same_kernels, reset),
        cmocka_unit_test_setup(test_make_space_and_features, reset),
        cmocka_unit_test_setup(test_refuse_ill_formed_space, reset),
        cmocka_unit_test_setup(test_pass_on_what_plugin_says_of_space, reset),
        cmocka_unit_test_setup(test_refuse_too_many_features, reset),
        cmocka_unit_test_setup(test_refuse_unsupported_task, reset),
        cmocka_unit_test_setup(test_generate_kernel, reset),
        cmocka_unit_test_setup(test_refuse_ill_formed_kernel, reset),
        cmocka_unit_test_setup(test_take_a_kernel_without_launches, reset),
        cmocka_unit_test_setup(test_take_a_space_of_one_point, reset),
        cmocka_unit_test_setup(test_refuse_what_device_cannot_do, reset),
        cmocka_unit_test_setup(test_pack_weights, reset),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
