/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/json.h"
#include "base/text.h"
#include "graph/network.h"

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

static struct anole_network *parse(const char *text)
{
    struct anole_network *network = NULL;
    struct anole_error error = {0};
    if (anole_network_parse(&network, text, strlen(text), "test.json", &error))
        fail_msg("%s", error.text);
    return network;
}

static size_t find_layer(const struct anole_network *network, const char *name)
{
    for (size_t i = 0; i < network->layer_count; i++)
        if (strcmp(network->layers[i].name, name) == 0)
            return i;
    fail_msg("no layer %s", name);
    return 0;
}

/* What every network promises, whatever it was read from. */
static void check_promises(const struct anole_network *network)
{
    size_t tuned = 0, shared = 0;
    assert_true(network->task_count >= 1);
    for (size_t i = 0; i < network->layer_count; i++) {
        const struct anole_layer *layer = &network->layers[i];
        for (size_t j = 0; j < layer->input_count; j++)
            assert_true(layer->inputs[j] < i);
        if (layer->residual != SIZE_MAX) {
            assert_true(layer->residual < i);
            assert_true(anole_network_value(network, layer->residual) < i);
        }
        if (layer->fused_into != SIZE_MAX) {
            assert_true(layer->fused_into < i);
            assert_true(layer->task == SIZE_MAX);
            assert_true(network->layers[layer->fused_into].task != SIZE_MAX);
        }
        assert_true(layer->shape.n && layer->shape.h && layer->shape.w && layer->shape.c);
        tuned += layer->task != SIZE_MAX;
    }
    for (size_t t = 0; t < network->task_count; t++) {
        const struct anole_network_task *task = &network->tasks[t];
        assert_int_equal(anole_task_check(&task->task, NULL), ANOLE_DONE);
        assert_int_equal(network->layers[task->first_layer].task, t);
        shared += task->multiplicity;
    }
    assert_int_equal(tuned, shared);
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
    struct anole_network *network = NULL;
    struct anole_error error = {0};
    if (anole_network_load(&network, path, &error) != ANOLE_ERR_INPUT)
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
    struct anole_network *network = NULL;
    struct anole_error error = {0};
    struct anole_text tasks = {0};
    if (anole_network_load(&network, path, &error))
        fail_msg("%s", error.text);
    check_promises(network);
    for (size_t i = 0; i < network->task_count; i++) {
        char key[ANOLE_TASK_KEY];
        anole_task_key(key, &network->tasks[i].task);
        anole_text_printf(&tasks, "%u %s\n", network->tasks[i].multiplicity, key);
    }
    if (strcmp(tasks.data, expected) != 0)
        fail_msg("%s\nexpected:\n%sfound:\n%s", path, expected, tasks.data);
    anole_text_fini(&tasks);
    anole_network_destroy(network);
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
static size_t count_shapes(const struct anole_network *network)
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

static struct anole_network *load_shipped(const char *file)
{
    struct anole_network *network = NULL;
    struct anole_error error = {0};
    if (anole_network_load(&network, SHIPPED(file), &error))
        fail_msg("%s", error.text);
    check_promises(network);
    return network;
}

static void test_shipped_networks_are_as_published(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(shipped); i++) {
        const struct shipped *expected = &shipped[i];
        struct anole_network *network = load_shipped(expected->file);
        double multiply_adds = anole_network_flops(network) / 2, tuned = 0;
        for (size_t t = 0; t < network->task_count; t++)
            tuned += network->tasks[t].multiplicity;
        print_message("%s: %.0f multiply-adds, %.0f parameters, %zu shapes, %zu tasks\n",
                      network->name, multiply_adds, anole_network_parameters(network),
                      count_shapes(network), network->task_count);
        assert_true(multiply_adds == expected->multiply_adds);
        assert_true(multiply_adds > (expected->published_multiply_adds - 0.0005) * 1e9 &&
                    multiply_adds < (expected->published_multiply_adds + 0.0005) * 1e9);
        assert_true(anole_network_parameters(network) ==
                    expected->published_parameters - expected->normalized);
        assert_true(tuned == (double)expected->tuned);
        assert_int_equal(count_shapes(network), expected->shapes);
        assert_int_equal(network->task_count, expected->tasks);
        anole_network_destroy(network);
    }
}

static void test_shipped_tiny_is_tiny_and_has_each_kind(void **state)
{
    (void)state;
    struct anole_network *network = load_shipped("tiny.json");
    bool kinds[ANOLE_TASK_CUSTOM] = {false}, residual = false;
    for (size_t i = 0; i < network->task_count; i++) {
        kinds[network->tasks[i].task.kind] = true;
        residual = residual || network->tasks[i].task.flags & ANOLE_TASK_RESIDUAL;
    }
    assert_true(kinds[ANOLE_TASK_CONV2D] && kinds[ANOLE_TASK_DEPTHWISE_CONV2D] &&
                kinds[ANOLE_TASK_DENSE] && residual);
    assert_true(anole_network_flops(network) < 10e6);
    anole_network_destroy(network);
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
        uint32_t h, w;
    } expected[] = {
        {"floor", 3, 5}, {"ceil", 4, 5}, {"pad", 4, 5}, {"same", 4, 5}, {"global", 1, 1}};
    struct anole_network *network = NULL;
    assert_int_equal(anole_network_load(&network, TEST_DATA("networks/valid/pools.json"), NULL),
                     ANOLE_DONE);
    for (size_t i = 0; i < COUNT(expected); i++) {
        const struct anole_layer *layer = &network->layers[find_layer(network, expected[i].name)];
        assert_int_equal(layer->shape.n, 2);
        assert_int_equal(layer->shape.h, expected[i].h);
        assert_int_equal(layer->shape.w, expected[i].w);
    }
    assert_true(network->layers[find_layer(network, "norm")].lrn.k == 2);
    assert_int_equal(network->layers[find_layer(network, "both")].shape.c, 9);
    anole_network_destroy(network);
}

static void test_fuse_marks_layers(void **state)
{
    (void)state;
    struct anole_network *network = parse("{\"name\": \"t\", \"layers\": [" DATA CONV(
        "a") ", "
             "{\"name\": \"sum\", \"kind\": \"add\", \"inputs\": [\"a\", \"data\"]}, "
             "{\"name\": \"relu\", \"kind\": \"activation\", \"activation\": \"relu\"}]}");
    check_promises(network);
    const struct anole_layer *conv = &network->layers[1];
    assert_int_equal(conv->residual, 0);
    assert_int_equal(conv->activation, ANOLE_ACT_RELU);
    assert_true(conv->fused_into == SIZE_MAX);
    assert_int_equal(network->layers[2].fused_into, 1);
    assert_int_equal(network->layers[3].fused_into, 1);
    assert_int_equal(anole_network_value(network, 3), 1);
    assert_int_equal(anole_network_value(network, 0), 0);
    anole_network_destroy(network);
}

static void test_fuse_moves_a_convolution_behind_its_residual(void **state)
{
    (void)state;
    static const char *const names[] = {"data", "a", "shortcut", "b", "sum", "last"};
    struct anole_network *network =
        parse("{\"name\": \"t\", \"layers\": [" DATA CONV("a") ", " CONV(
            "b") ", "
                 "{\"name\": \"shortcut\", \"kind\": \"conv2d\", \"channels\": 4, \"kernel\": 1, "
                 "\"inputs\": [\"data\"]}, "
                 "{\"name\": \"sum\", \"kind\": \"add\", \"inputs\": [\"shortcut\", \"b\"]}, "
                 "{\"name\": \"last\", \"kind\": \"activation\", \"activation\": \"relu6\"}]}");
    check_promises(network);
    for (size_t i = 0; i < COUNT(names); i++)
        assert_string_equal(network->layers[i].name, names[i]);
    const struct anole_layer *b = &network->layers[3];
    assert_int_equal(b->inputs[0], 1);
    assert_int_equal(b->residual, 2);
    assert_int_equal(b->activation, ANOLE_ACT_RELU6);
    assert_int_equal(network->layers[4].inputs[0], 2);
    assert_int_equal(network->layers[4].inputs[1], 3);
    assert_int_equal(network->layers[4].fused_into, 3);
    assert_int_equal(network->layers[5].fused_into, 3);
    assert_int_equal(network->tasks[network->layers[3].task].first_layer, 3);
    anole_network_destroy(network);
}

static void test_finish_refuses_inputs_that_come_later(void **state)
{
    (void)state;
    struct anole_network *network = parse("{\"name\": \"t\", \"layers\": [" DATA CONV("a") "]}");
    free(network->tasks);
    network->tasks = NULL;
    network->task_count = 0;
    network->layers[1].inputs[0] = 1;
    assert_int_equal(anole_network_finish(network, NULL), ANOLE_ERR_INTERNAL);
    anole_network_destroy(network);
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
    struct anole_network *network = NULL;
    struct anole_error error = {0};
    assert_false(text->failed);
    assert_int_equal(anole_network_parse(&network, text->data, text->length, "test.json", &error),
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
    struct anole_network *network = parse(text.data);
    assert_int_equal(network->layer_count, ANOLE_NETWORK_MAX_LAYERS);
    assert_int_equal(network->layers[ANOLE_NETWORK_MAX_LAYERS - 1].line,
                     ANOLE_NETWORK_MAX_LAYERS + 1);
    assert_int_equal(network->task_count, 1000);
    check_promises(network);
    anole_network_destroy(network);
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
        struct anole_network *network = NULL;
        struct anole_error error = {0};
        char saved = text[at];
        anole_network_parse(&network, text, at, "cut.json", &error);
        assert_int_equal(error.status, at + 1 < length ? ANOLE_ERR_INPUT : ANOLE_DONE);
        anole_network_destroy(network);
        text[at] = bytes[at % (sizeof bytes - 1)];
        network = NULL;
        anole_error_clear(&error);
        anole_network_parse(&network, text, length, "changed.json", &error);
        assert_true((network != NULL) == (error.status == ANOLE_DONE));
        anole_network_destroy(network);
        text[at] = saved;
    }
    free(text);
}

static void test_load_refuses_what_is_no_file(void **state)
{
    (void)state;
    char folder[] = "/tmp/anole-test-network-XXXXXX", path[64];
    struct anole_network *network = NULL;
    struct anole_error error = {0};
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/fifo", folder);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(anole_network_load(&network, folder, &error), ANOLE_ERR_INPUT);
    assert_non_null(strstr(error.text, "this is a folder"));
    anole_error_clear(&error);
    assert_int_equal(anole_network_load(&network, path, &error), ANOLE_ERR_INPUT);
    assert_non_null(strstr(error.text, "this is a FIFO"));
    unlink(path);
    rmdir(folder);
    assert_null(network);
}

static void test_kind_texts(void **state)
{
    (void)state;
    assert_string_equal(anole_layer_kind_text(ANOLE_LAYER_SOFTMAX), "softmax");
    assert_string_equal(anole_layer_kind_text(ANOLE_LAYER_KIND_COUNT), "unknown");
    anole_network_destroy(NULL);
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
        cmocka_unit_test(test_fuse_marks_layers),
        cmocka_unit_test(test_fuse_moves_a_convolution_behind_its_residual),
        cmocka_unit_test(test_finish_refuses_inputs_that_come_later),
        cmocka_unit_test(test_parse_takes_a_hundred_thousand_layers),
        cmocka_unit_test(test_parse_refuses_more_layers),
        cmocka_unit_test(test_parse_refuses_deep_nesting),
        cmocka_unit_test(test_parse_refuses_deep_nesting_that_json_allows),
        cmocka_unit_test(test_parse_survives_damage),
        cmocka_unit_test(test_load_refuses_what_is_no_file),
        cmocka_unit_test(test_kind_texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
