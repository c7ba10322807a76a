/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "frontend/network.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

/* A path below the folder that the variable names; good until the next call. */
static const char *path_in(const char *variable, const char *otherwise, const char *name)
{
    static char path[1024];
    const char *value = getenv(variable);
    snprintf(path, sizeof path, "%s/%s", value && *value ? value : otherwise, name);
    return path;
}

#define TEST_DATA(name) path_in("ANOLE_TEST_DATA", "tests/data", name)
#define SHIPPED(name) path_in("ANOLE_NETWORKS", "networks", name)

static struct anole_graph *parse(const char *text)
{
    struct anole_graph *graph = NULL;
    struct anole_error error = {0};
    if (anole_network_parse(&graph, text, strlen(text), "test.json", &error))
        fail_msg("%s", error.text);
    return graph;
}

static struct anole_graph *parse_fused(const char *text)
{
    struct anole_graph *graph = parse(text);
    assert_int_equal(anole_graph_fuse(graph, NULL), ANOLE_DONE);
    return graph;
}

static const struct anole_node *node_at(const struct anole_graph *graph, size_t i, const char *name)
{
    assert_true(i < graph->node_count);
    assert_string_equal(graph->nodes[i].name, name);
    return &graph->nodes[i];
}

static const struct anole_operand *type_of(const struct anole_graph *graph, const char *name)
{
    size_t tensor = anole_graph_find(graph, name);
    assert_true(tensor != ANOLE_NONE);
    return &graph->tensors[tensor].type;
}

/* What every graph promises, whatever it was read from: nodes come after what they read, and
 * every tensor that is read has a type. */
static void check_promises(const struct anole_graph *graph)
{
    for (size_t i = 0; i < graph->node_count; i++) {
        const struct anole_node *node = &graph->nodes[i];
        assert_int_equal(graph->tensors[node->outputs[0]].producer, i);
        for (size_t j = 0; j <= node->input_count; j++) {
            size_t input = j < node->input_count ? node->inputs[j] : node->residual;
            if (input == ANOLE_NONE)
                continue;
            const struct anole_graph_tensor *tensor = &graph->tensors[input];
            assert_true(tensor->producer == ANOLE_NONE || tensor->producer < i);
            assert_true(tensor->type.dtype != 0 && anole_operand_elements(&tensor->type) > 0);
            assert_true(j == 0 || !tensor->parameter || node->op->parameter);
        }
    }
}

static void check_workload(const struct anole_workload *workload)
{
    assert_true(workload->task_count >= 1);
    for (size_t t = 0; t < workload->task_count; t++) {
        const struct anole_workload_task *task = &workload->tasks[t];
        assert_int_equal(anole_task_check(&task->task, NULL), ANOLE_DONE);
        assert_true(task->multiplicity >= 1 && task->layers[0][0]);
    }
}

/* ------------------------------------------------------------------ the folders */

static int is_json(const struct dirent *entry)
{
    size_t length = strlen(entry->d_name);
    return length > 5 && strcmp(entry->d_name + length - 5, ".json") == 0;
}

/* Calls `check` with the path of each NAME.json and the text of its NAME.expect;
 * returns how many there were. */
static int walk(const char *folder, void (*check)(const char *path, char *expected))
{
    struct dirent **entries;
    int count = scandir(folder, &entries, is_json, alphasort);
    if (count < 0)
        fail_msg("cannot read %s: set ANOLE_TEST_DATA and ANOLE_NETWORKS", folder);
    for (int i = 0; i < count; i++) {
        char path[1024], sidecar[1024];
        char *expected;
        size_t length;
        struct anole_error error = {0};
        int stem = (int)strlen(entries[i]->d_name) - 5;
        snprintf(path, sizeof path, "%s/%s", folder, entries[i]->d_name);
        snprintf(sidecar, sizeof sidecar, "%s/%.*s.expect", folder, stem, entries[i]->d_name);
        if (anole_file_read(&expected, &length, sidecar, 0, &error))
            fail_msg("%s", error.text);
        check(path, expected);
        free(expected);
        free(entries[i]);
    }
    free(entries);
    return count;
}

static void check_invalid(const char *path, char *expected)
{
    struct anole_workload *network = NULL;
    struct anole_error error = {0};
    if (anole_network_load_workload(&network, path, &error) != ANOLE_ERR_INPUT)
        fail_msg("%s was not refused as bad input", path);
    assert_null(network);
    char *rest = expected;
    for (char *line; (line = strtok_r(rest, "\n", &rest));)
        if (!strstr(error.text, line))
            fail_msg("%s\n  expected: %s\n  found:    %s", path, line, error.text);
    if (strncmp(error.text, path, strlen(path)) != 0)
        fail_msg("%s is not named first: %s", path, error.text);
    for (const unsigned char *s = (unsigned char *)error.text; *s; s++)
        assert_true(*s >= ' ' && *s != 0x7f);
    assert_non_null(strstr(error.text, ": "));
}

static void test_load_refuses_invalid_networks(void **state)
{
    (void)state;
    assert_true(walk(TEST_DATA("networks/invalid"), check_invalid) >= 100);
}

static void check_valid(const char *path, char *expected)
{
    struct anole_workload *network = NULL;
    struct anole_error error = {0};
    struct anole_text tasks = {0};
    if (anole_network_load_workload(&network, path, &error))
        fail_msg("%s", error.text);
    check_workload(network);
    for (size_t i = 0; i < network->task_count; i++) {
        char key[ANOLE_TASK_KEY];
        anole_task_key(key, &network->tasks[i].task);
        anole_text_printf(&tasks, "%u %s\n", network->tasks[i].multiplicity, key);
    }
    if (strcmp(tasks.data, expected) != 0)
        fail_msg("%s\nexpected:\n%sfound:\n%s", path, expected, tasks.data);
    anole_text_fini(&tasks);
    anole_workload_destroy(network);
}

static void test_load_collects_tasks_of_valid_networks(void **state)
{
    (void)state;
    assert_true(walk(TEST_DATA("networks/valid"), check_valid) >= 10);
}

/* ------------------------------------------------------- networks that ship */

/* Published numbers; see "source" in each file.  Those of parameters count two of
 * batch normalization for each channel where we have one of bias: `normalized`
 * is the channels that have it. */
static const struct shipped {
    const char *file;
    double multiply_adds;
    double published_multiply_adds; /* as published, in 1e9, rounded to a thousandth */
    double published_parameters;
    double normalized;
    size_t tuned;  /* layers */
    size_t shapes; /* distinct ones, whatever is fused into them */
    size_t tasks;
} shipped[] = {
    {"alexnet.json", 714188480, 0.714, 61100840, 0, 8, 8, 8},
    {"vgg16.json", 15470264320, 15.470, 138357544, 0, 16, 12, 12},
    {"resnet18.json", 1814073344, 1.814, 11689512, 4800, 21, 12, 16},
    {"resnet50.json", 4089184256, 4.089, 25557032, 26560, 54, 24, 25},
    {"mobilenet_v1.json", 568740352, 0.569, 4231976, 10944, 28, 20, 20},
    {"mobilenet_v2.json", 300774272, 0.301, 3504872, 17056, 53, 31, 31},
    {"squeezenet.json", 349151936, 0.349, 1235496, 0, 26, 18, 18},
};

/* Tasks that differ in more than what is fused into them. */
static size_t count_shapes(const struct anole_workload *network)
{
    size_t count = 0;
    for (size_t i = 0; i < network->task_count; i++) {
        bool found = false;
        for (size_t j = 0; j < i && !found; j++) {
            struct anole_task a = network->tasks[i].task, b = network->tasks[j].task;
            a.flags = b.flags = 0;
            a.activation = b.activation = ANOLE_ACT_NONE;
            found = memcmp(&a, &b, sizeof a) == 0;
        }
        count += !found;
    }
    return count;
}

static struct anole_workload *load_shipped(const char *file)
{
    struct anole_workload *network = NULL;
    struct anole_error error = {0};
    if (anole_network_load_workload(&network, SHIPPED(file), &error))
        fail_msg("%s", error.text);
    check_workload(network);
    return network;
}

static void test_shipped_networks_are_as_published(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(shipped); i++) {
        const struct shipped *expected = &shipped[i];
        struct anole_workload *network = load_shipped(expected->file);
        double multiply_adds = anole_workload_flops(network) / 2, tuned = 0;
        for (size_t t = 0; t < network->task_count; t++)
            tuned += network->tasks[t].multiplicity;
        print_message("%s: %.0f multiply-adds, %.0f parameters, %zu shapes, %zu tasks\n",
                      network->name, multiply_adds, anole_workload_parameters(network),
                      count_shapes(network), network->task_count);
        assert_true(multiply_adds == expected->multiply_adds);
        assert_true(multiply_adds > (expected->published_multiply_adds - 0.0005) * 1e9 &&
                    multiply_adds < (expected->published_multiply_adds + 0.0005) * 1e9);
        assert_true(anole_workload_parameters(network) ==
                    expected->published_parameters - expected->normalized);
        assert_true(tuned == (double)expected->tuned);
        assert_int_equal(count_shapes(network), expected->shapes);
        assert_int_equal(network->task_count, expected->tasks);
        anole_workload_destroy(network);
    }
}

static void test_shipped_tiny_is_tiny_and_has_each_kind(void **state)
{
    (void)state;
    struct anole_workload *network = load_shipped("tiny.json");
    bool kinds[ANOLE_TASK_CUSTOM] = {false}, residual = false;
    for (size_t i = 0; i < network->task_count; i++) {
        kinds[network->tasks[i].task.kind] = true;
        residual = residual || network->tasks[i].task.flags & ANOLE_TASK_RESIDUAL;
    }
    assert_true(kinds[ANOLE_TASK_CONV2D] && kinds[ANOLE_TASK_DEPTHWISE_CONV2D] &&
                kinds[ANOLE_TASK_DENSE] && residual);
    assert_true(anole_workload_flops(network) < 10e6);
    anole_workload_destroy(network);
}

static void test_shipped_folder_holds_nothing_unchecked(void **state)
{
    (void)state;
    struct dirent **entries;
    int count = scandir(SHIPPED("."), &entries, is_json, alphasort);
    assert_int_equal(count, (int)COUNT(shipped) + 1);
    for (int i = 0; i < count; i++)
        free(entries[i]);
    free(entries);
}

/* --------------------------------------------------------------- shapes, fusing */

#define DATA "{\"name\": \"data\", \"kind\": \"input\", \"shape\": [1, 8, 8, 4]}, "
#define CONV(name)                                                                                 \
    "{\"name\": \"" name "\", \"kind\": \"conv2d\", \"channels\": 4, "                             \
    "\"kernel\": 3, \"padding\": 1}"

static void test_infer_shapes_of_pooling(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        int64_t h, w;
    } expected[] = {
        {"floor", 3, 5}, {"ceil", 4, 5}, {"pad", 4, 5}, {"same", 4, 5}, {"global", 1, 1}};
    struct anole_graph *graph = NULL;
    assert_int_equal(anole_network_load(&graph, TEST_DATA("networks/valid/pools.json"), NULL),
                     ANOLE_DONE);
    check_promises(graph);
    for (size_t i = 0; i < COUNT(expected); i++) {
        const struct anole_operand *type = type_of(graph, expected[i].name);
        assert_int_equal(type->rank, 4);
        assert_int_equal(type->dims[0], 2);
        assert_int_equal(type->dims[1], expected[i].h);
        assert_int_equal(type->dims[2], expected[i].w);
    }
    assert_int_equal(type_of(graph, "both")->dims[3], 9);
    assert_int_equal(graph->output_count, 3); /* "floor", "fc" and "prob" */
    anole_graph_destroy(graph);
}

static void test_parse_makes_parameters_of_weights(void **state)
{
    (void)state;
    struct anole_graph *graph =
        parse("{\"name\": \"t\", \"precision\": \"fp16\", \"layers\": [" DATA CONV("a") "]}");
    const struct anole_operand *weights = type_of(graph, "a.weights"),
                               *bias = type_of(graph, "a.bias");
    assert_true(graph->tensors[anole_graph_find(graph, "a.weights")].parameter);
    assert_null(weights->data);
    assert_int_equal(weights->dtype, ANOLE_F16);
    assert_int_equal(weights->rank, 4);
    assert_int_equal(weights->dims[1], 3);
    assert_int_equal(bias->rank, 1);
    assert_int_equal(bias->dims[0], 4);
    /* Nothing is folded, whatever passes come. */
    assert_int_equal(anole_graph_infer(graph, 0, NULL), ANOLE_DONE);
    assert_int_equal(graph->node_count, 1);
    anole_graph_destroy(graph);
}

static void test_parse_reads_activations_with_parameters(void **state)
{
    (void)state;
    struct anole_graph *graph = parse_fused("{\"name\": \"t\", \"layers\": [" DATA CONV(
        "a") ", "
             "{\"name\": \"act\", \"kind\": \"activation\", \"activation\": \"leaky_relu\", "
             "\"alpha\": 0.25}, " CONV(
                 "b") ", "
                      "{\"name\": \"six\", \"kind\": \"activation\", \"activation\": \"relu6\"}]}");
    check_promises(graph);
    assert_int_equal(graph->node_count, 2);
    const struct anole_node *a = node_at(graph, 0, "a"), *b = node_at(graph, 1, "b");
    assert_int_equal(a->activation, ANOLE_ACT_LEAKY_RELU);
    assert_true(a->activation_alpha == 0.25f && a->activation_beta == 0);
    assert_int_equal(b->activation, ANOLE_ACT_RELU6);
    assert_true(b->activation_alpha == 0 && b->activation_beta == 0);
    anole_graph_destroy(graph);
}

static void test_parse_infers_transposed_convolutions(void **state)
{
    (void)state;
    struct anole_graph *graph = parse(
        "{\"name\": \"t\", \"layers\": [" DATA
        "{\"name\": \"up\", \"kind\": \"conv_transpose2d\", \"channels\": 6, \"kernel\": 3, "
        "\"stride\": 2, \"padding\": 1, \"output_padding\": [1, 0], \"groups\": 2}, "
        "{\"name\": \"same\", \"kind\": \"conv_transpose2d\", \"channels\": 2, \"kernel\": 4, "
        "\"stride\": 3, \"padding\": \"same\", \"inputs\": [\"data\"]}]}");
    const struct anole_operand *up = type_of(graph, "up"), *same = type_of(graph, "same");
    assert_int_equal(up->dims[1], 16);
    assert_int_equal(up->dims[2], 15);
    assert_int_equal(up->dims[3], 6);
    assert_int_equal(same->dims[1], 24);
    assert_int_equal(same->dims[2], 24);
    assert_int_equal(type_of(graph, "up.weights")->dims[3], 2);
    anole_graph_destroy(graph);
}

static void test_parse_infers_products(void **state)
{
    (void)state;
    struct anole_graph *graph =
        parse("{\"name\": \"t\", \"layers\": ["
              "{\"name\": \"q\", \"kind\": \"input\", \"shape\": [1, 3, 5, 4]}, "
              "{\"name\": \"k\", \"kind\": \"input\", \"shape\": [1, 3, 7, 4]}, "
              "{\"name\": \"qk\", \"kind\": \"matmul\", \"inputs\": [\"q\", \"k\"], "
              "\"transpose_b\": true}, "
              "{\"name\": \"y\", \"kind\": \"matmul\", \"inputs\": [\"qk\", \"k\"]}]}");
    struct anole_task task;
    char key[ANOLE_TASK_KEY];
    assert_int_equal(type_of(graph, "y")->dims[3], 4);
    assert_true(anole_graph_task(&task, graph, 0));
    anole_task_key(key, &task);
    assert_string_equal(key, "matmul n3 m5 i4 o7 tb f32");
    assert_true(anole_task_parameter_elements(&task) == 0);
    assert_true(anole_graph_task(&task, graph, 1));
    anole_task_key(key, &task);
    assert_string_equal(key, "matmul n3 m5 i7 o4 f32");
    anole_graph_destroy(graph);
}

static void test_fuse_takes_what_alone_reads(void **state)
{
    (void)state;
    struct anole_graph *graph = parse_fused("{\"name\": \"t\", \"layers\": [" DATA CONV(
        "a") ", "
             "{\"name\": \"sum\", \"kind\": \"add\", \"inputs\": [\"a\", \"data\"]}, "
             "{\"name\": \"relu\", \"kind\": \"activation\", \"activation\": \"relu\"}]}");
    check_promises(graph);
    assert_int_equal(graph->node_count, 1);
    const struct anole_node *conv = node_at(graph, 0, "a");
    assert_int_equal(conv->residual, graph->inputs[0]);
    assert_int_equal(conv->activation, ANOLE_ACT_RELU);
    assert_int_equal(conv->outputs[0], graph->outputs[0]);
    assert_string_equal(graph->tensors[conv->outputs[0]].name, "relu");
    anole_graph_destroy(graph);
}

static void test_fuse_leaves_what_others_read(void **state)
{
    (void)state;
    struct anole_graph *graph = parse_fused("{\"name\": \"t\", \"layers\": [" DATA CONV(
        "a") ", "
             "{\"name\": \"relu\", \"kind\": \"activation\", \"activation\": \"relu\"}, "
             "{\"name\": \"sum\", \"kind\": \"add\", \"inputs\": [\"a\", \"relu\"]}]}");
    check_promises(graph);
    assert_int_equal(graph->node_count, 3);
    anole_graph_destroy(graph);
}

static void test_fuse_moves_a_convolution_behind_its_residual(void **state)
{
    (void)state;
    struct anole_graph *graph =
        parse_fused("{\"name\": \"t\", \"layers\": [" DATA CONV("a") ", " CONV(
            "b") ", "
                 "{\"name\": \"shortcut\", \"kind\": \"conv2d\", \"channels\": 4, \"kernel\": 1, "
                 "\"inputs\": [\"data\"]}, "
                 "{\"name\": \"sum\", \"kind\": \"add\", \"inputs\": [\"shortcut\", \"b\"]}, "
                 "{\"name\": \"last\", \"kind\": \"activation\", \"activation\": \"relu6\"}]}");
    check_promises(graph);
    assert_int_equal(graph->node_count, 3);
    node_at(graph, 0, "a");
    const struct anole_node *shortcut = node_at(graph, 1, "shortcut"), *b = node_at(graph, 2, "b");
    assert_int_equal(b->residual, shortcut->outputs[0]);
    assert_int_equal(b->activation, ANOLE_ACT_RELU6);
    anole_graph_destroy(graph);
}

/* ---------------------------------------------------------------- generated ones */

/* `count` layers: an input, then convolutions of 1 to 1000 channels, so that there
 * are many tasks. */
static void make_long(struct anole_text *text, size_t count)
{
    anole_text_printf(text, "{\"name\": \"long\", \"layers\": [\n"
                            "{\"name\": \"data\", \"kind\": \"input\", \"shape\": [1, 1, 1, 1]}");
    for (size_t i = 1; i < count; i++)
        anole_text_printf(text,
                          ",\n{\"name\": \"c%zu\", \"kind\": \"conv2d\", \"kernel\": 1, "
                          "\"channels\": %zu}",
                          i, 1 + i * 7919 % 1000);
    anole_text_printf(text, "\n]}\n");
    assert_false(text->failed);
}

static void expect_refused(struct anole_text *text, const char *expected)
{
    struct anole_workload *network = NULL;
    struct anole_error error = {0};
    assert_false(text->failed);
    assert_int_equal(
        anole_network_parse_workload(&network, text->data, text->length, "test.json", &error),
        ANOLE_ERR_INPUT);
    if (!strstr(error.text, expected))
        fail_msg("expected \"%s\" in: %s", expected, error.text);
    assert_null(network);
    anole_text_fini(text);
}

static void test_parse_takes_a_hundred_thousand_layers(void **state)
{
    (void)state;
    struct anole_text text = {0};
    make_long(&text, ANOLE_NETWORK_MAX_LAYERS);
    struct anole_graph *graph = parse(text.data);
    struct anole_workload *workload = NULL;
    assert_int_equal(graph->layer_count, ANOLE_NETWORK_MAX_LAYERS);
    assert_int_equal(graph->node_count, ANOLE_NETWORK_MAX_LAYERS - 1);
    assert_int_equal(graph->nodes[graph->node_count - 1].line, ANOLE_NETWORK_MAX_LAYERS + 1);
    check_promises(graph);
    assert_int_equal(anole_graph_fuse(graph, NULL), ANOLE_DONE);
    assert_int_equal(anole_workload_of_graph(&workload, graph, NULL), ANOLE_DONE);
    assert_int_equal(workload->task_count, 1000);
    check_workload(workload);
    anole_workload_destroy(workload);
    anole_graph_destroy(graph);
    anole_text_fini(&text);
}

static void test_parse_refuses_more_layers(void **state)
{
    (void)state;
    struct anole_text text = {0};
    make_long(&text, ANOLE_NETWORK_MAX_LAYERS + 1);
    expect_refused(&text, "\"layers\" has 100001 elements; expected 1 to 100000");
}

static void test_parse_refuses_deep_nesting(void **state)
{
    (void)state;
    struct anole_text text = {0};
    anole_text_printf(&text, "{\"name\": \"deep\", \"layers\": ");
    for (int i = 0; i < 500000; i++)
        anole_text_append(&text, "[", 1);
    expect_refused(&text, "depth");
}

static void test_parse_refuses_deep_nesting_that_json_allows(void **state)
{
    (void)state;
    struct anole_text text = {0};
    anole_text_printf(&text, "{\"name\": \"deep\", \"layers\": [\n\n");
    for (int i = 0; i < 4000; i++)
        anole_text_append(&text, i < 2000 ? "[" : "]", 1);
    anole_text_printf(&text, "]}");
    expect_refused(&text, "test.json:3: layer number 1: it is an array of 1");
}

/* Cutting a network anywhere, or changing a byte, gives a network or a message. */
static void test_parse_survives_damage(void **state)
{
    (void)state;
    char *text;
    size_t length;
    assert_int_equal(anole_file_read(&text, &length, SHIPPED("tiny.json"), 0, NULL), ANOLE_DONE);
    static const char bytes[] = "\0\"[]{}:,0-9eE.x \n\\";
    for (size_t at = 0; at < length; at++) {
        struct anole_workload *network = NULL;
        struct anole_error error = {0};
        char saved = text[at];
        anole_network_parse_workload(&network, text, at, "cut.json", &error);
        assert_int_equal(error.status, at + 1 < length ? ANOLE_ERR_INPUT : ANOLE_DONE);
        anole_workload_destroy(network);
        text[at] = bytes[at % (sizeof bytes - 1)];
        network = NULL;
        anole_error_clear(&error);
        anole_network_parse_workload(&network, text, length, "changed.json", &error);
        assert_true((network != NULL) == (error.status == ANOLE_DONE));
        anole_workload_destroy(network);
        text[at] = saved;
    }
    free(text);
}

static void test_load_refuses_what_is_no_file(void **state)
{
    (void)state;
    char folder[] = "/tmp/anole-test-network-XXXXXX", path[64];
    struct anole_workload *network = NULL;
    struct anole_error error = {0};
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/fifo", folder);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(anole_network_load_workload(&network, folder, &error), ANOLE_ERR_INPUT);
    assert_non_null(strstr(error.text, "this is a folder"));
    anole_error_clear(&error);
    assert_int_equal(anole_network_load_workload(&network, path, &error), ANOLE_ERR_INPUT);
    assert_non_null(strstr(error.text, "this is a FIFO"));
    unlink(path);
    rmdir(folder);
    assert_null(network);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_load_refuses_invalid_networks),
        cmocka_unit_test(test_load_collects_tasks_of_valid_networks),
        cmocka_unit_test(test_shipped_networks_are_as_published),
        cmocka_unit_test(test_shipped_tiny_is_tiny_and_has_each_kind),
        cmocka_unit_test(test_shipped_folder_holds_nothing_unchecked),
        cmocka_unit_test(test_infer_shapes_of_pooling),
        cmocka_unit_test(test_parse_makes_parameters_of_weights),
        cmocka_unit_test(test_parse_reads_activations_with_parameters),
        cmocka_unit_test(test_parse_infers_transposed_convolutions),
        cmocka_unit_test(test_parse_infers_products),
        cmocka_unit_test(test_fuse_takes_what_alone_reads),
        cmocka_unit_test(test_fuse_leaves_what_others_read),
        cmocka_unit_test(test_fuse_moves_a_convolution_behind_its_residual),
        cmocka_unit_test(test_parse_takes_a_hundred_thousand_layers),
        cmocka_unit_test(test_parse_refuses_more_layers),
        cmocka_unit_test(test_parse_refuses_deep_nesting),
        cmocka_unit_test(test_parse_refuses_deep_nesting_that_json_allows),
        cmocka_unit_test(test_parse_survives_damage),
        cmocka_unit_test(test_load_refuses_what_is_no_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
