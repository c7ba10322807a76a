/* SPDX-License-Identifier: MIT
 *
 * Runs ONNX's node tests, or cases of that form, and says what passed, was refused, was wrong:
 *
 *     onnx_conformance [--table] [--device] FOLDER...
 *
 * A folder holds cases: a folder each, with model.onnx and test_data_set_N of input_I.pb and
 * output_I.pb.  Each model is imported and computed by the references of its operators, as it is
 * and after the passes; with --device as a program on the device that tests use instead.  A line
 * a case goes to stdout: `pass NAME`, `refused NAME: why`, `wrong NAME: why`; with
 * --table the operators, as docs/onnx.md has them, in Markdown.  Exit code 1: something was
 * wrong.
 */
#include "kernel_fixture.h"

#include "base/text.h"
#include "frontend/onnx_import.h"
#include "frontend/onnx_tensor.h"
#include "graph/graph_evaluate.h"
#include "graph/graph_passes.h"
#include "program/instance.h"

#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define MOST_ARRAYS 64

enum verdict { PASS, REFUSED, WRONG };

struct tally {
    char op[64];
    size_t count[3];
    char reason[400]; /* of the first that was refused */
};

static struct tally tallies[512];
static size_t tally_count;
static size_t totals[3];

static bool file_is_there(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0;
}

/* The arrays KIND_0.pb, KIND_1.pb, ... of a folder. */
static size_t load_arrays(struct anole_array *arrays, const char *folder, const char *kind,
                          struct anole_error *error)
{
    size_t count = 0;
    for (; count < MOST_ARRAYS; count++) {
        char path[4096];
        snprintf(path, sizeof path, "%s/%s_%zu.pb", folder, kind, count);
        if (!file_is_there(path) || anole_onnx_tensor_load(&arrays[count], path, error))
            break;
    }
    return count;
}

/* Both enumerations have one row for each type; this test asks for no more than these. */
static uint32_t dtype_of(enum anole_array_type element)
{
    static const uint32_t types[] = {
        [ANOLE_ARRAY_F32] = ANOLE_F32,  [ANOLE_ARRAY_U8] = ANOLE_U8,
        [ANOLE_ARRAY_I8] = ANOLE_I8,    [ANOLE_ARRAY_U16] = ANOLE_U16,
        [ANOLE_ARRAY_I16] = ANOLE_I16,  [ANOLE_ARRAY_I32] = ANOLE_I32,
        [ANOLE_ARRAY_I64] = ANOLE_I64,  [ANOLE_ARRAY_BOOL] = ANOLE_BOOL,
        [ANOLE_ARRAY_F16] = ANOLE_F16,  [ANOLE_ARRAY_F64] = ANOLE_F64,
        [ANOLE_ARRAY_U32] = ANOLE_U32,  [ANOLE_ARRAY_U64] = ANOLE_U64,
        [ANOLE_ARRAY_BF16] = ANOLE_BF16};
    return (size_t)element < sizeof types / sizeof *types ? types[element] : 0;
}

static struct anole_operand operand_of(const struct anole_array *array)
{
    struct anole_operand operand = {
        .dtype = dtype_of(array->element), .rank = array->rank, .data = (void *)array->data};
    memcpy(operand.dims, array->dims, sizeof operand.dims);
    return operand;
}

/* ONNX's own tests allow 1e-3 of a value and 1e-7; halves are coarser. */
static bool equal(const struct anole_operand *got, const struct anole_operand *want, char *why,
                  size_t size)
{
    char left[128], right[128];
    struct anole_operand bits = *want;
    if (got->dtype == ANOLE_BF16 && want->dtype == ANOLE_U16) { /* ONNX's tests have the bits */
        bits.dtype = ANOLE_BF16;
        want = &bits;
    }
    if (got->dtype != want->dtype || !anole_operand_same_shape(got, want)) {
        snprintf(why, size, "type %u, shape %s; expected %u, %s", got->dtype,
                 anole_operand_shape_text(left, sizeof left, got), want->dtype,
                 anole_operand_shape_text(right, sizeof right, want));
        return false;
    }
    bool coarse = want->dtype == ANOLE_F16 || want->dtype == ANOLE_BF16;
    for (size_t i = 0; i < anole_operand_elements(want); i++) {
        if (!anole_dtype_is_real(want->dtype)) {
            if (anole_operand_int(got, i) == anole_operand_int(want, i))
                continue;
        } else {
            double a = anole_operand_real(got, i), b = anole_operand_real(want, i);
            if ((isnan(a) && isnan(b)) || a == b ||
                fabs(a - b) <= (coarse ? 1e-2 : 1e-3) * fabs(b) + (coarse ? 1e-3 : 1e-6))
                continue;
        }
        snprintf(why, size, "element %zu is %.9g; expected %.9g", i, anole_operand_real(got, i),
                 anole_operand_real(want, i));
        return false;
    }
    return true;
}

static struct kernel_fixture fixture; /* backend NULL: the references compute */

/* As anole_graph_evaluate(), on the device.  What the size of which depends on data comes in
 * the largest size that it can have. */
static enum anole_status run_on_device(const struct anole_graph *graph,
                                       const struct anole_operand *inputs,
                                       struct anole_operand *outputs, struct anole_error *error)
{
    struct anole_program *program = NULL;
    struct anole_instance *instance = NULL;
    size_t made = 0;
    enum anole_status status =
        anole_program_create(&program, graph, fixture.backend, &fixture.device, NULL, error);
    if (status == ANOLE_DONE)
        status = anole_instance_create(&instance, program, fixture.driver, 0, error);
    for (size_t i = 0; i < graph->input_count && status == ANOLE_DONE; i++)
        if (anole_operand_elements(&inputs[i]) > 0)
            status = anole_instance_set_input(instance, i, inputs[i].data, error);
    if (status == ANOLE_DONE)
        status = anole_instance_run(instance, NULL, NULL, error);
    for (; made < graph->output_count && status == ANOLE_DONE; made++) {
        const size_t bytes = anole_program_tensor_bytes(graph, graph->outputs[made]);
        outputs[made] = graph->tensors[graph->outputs[made]].type;
        outputs[made].data = malloc(bytes + 1);
        if (!outputs[made].data)
            status = anole_fail_memory(error);
        else if (bytes > 0)
            status = anole_instance_get_output(instance, made, outputs[made].data, error);
    }
    while (status && made > 0)
        free(outputs[--made].data);
    anole_instance_destroy(instance);
    anole_program_destroy(program);
    return status;
}

static enum verdict compare(const struct anole_graph *graph, struct anole_array *wanted,
                            size_t count, const struct anole_operand *inputs, char *why,
                            size_t size)
{
    struct anole_operand outputs[MOST_ARRAYS];
    struct anole_error error = {.status = ANOLE_DONE};
    if (fixture.backend ? run_on_device(graph, inputs, outputs, &error)
                        : anole_graph_evaluate(graph, inputs, outputs, &error)) {
        snprintf(why, size, "%s", error.text);
        return WRONG;
    }
    enum verdict verdict = PASS;
    for (size_t i = 0; i < graph->output_count; i++) {
        struct anole_operand want = {.dtype = 0};
        if (i < count)
            want = operand_of(&wanted[i]);
        if (verdict == PASS && i < count && !equal(&outputs[i], &want, why, size))
            verdict = WRONG;
        free(outputs[i].data);
    }
    return verdict;
}

/* Imports the model with the shapes of the inputs, of which those from `known` on that are
 * lists or numbers become constants. */
static enum anole_status import(struct anole_graph **graph, const char *path,
                                const struct anole_operand *inputs, size_t count, size_t known,
                                struct anole_error *error)
{
    struct anole_onnx_shape shapes[MOST_ARRAYS];
    struct anole_onnx_known values[MOST_ARRAYS];
    struct anole_onnx_options options = {.shapes = shapes, .known = values};
    struct anole_onnx_model *model;
    enum anole_status status = anole_onnx_model_load(&model, path, error);
    if (status)
        return status;
    for (size_t i = 0; i < model->graph.input_count && i < count; i++) {
        const char *name = model->graph.inputs[i].name;
        if (i >= known && inputs[i].rank <= 1) {
            values[options.known_count++] = (struct anole_onnx_known){name, inputs[i]};
            continue;
        }
        shapes[options.shape_count] =
            (struct anole_onnx_shape){.input = name, .rank = inputs[i].rank};
        memcpy(shapes[options.shape_count++].dims, inputs[i].dims, sizeof inputs[i].dims);
    }
    return anole_onnx_import(graph, model, &options, error);
}

/* Which of the model's inputs input i of the graph is. */
static size_t input_index(const struct anole_graph *graph, const char *path, size_t i, size_t count)
{
    struct anole_onnx_model *model;
    struct anole_error error = {.status = ANOLE_DONE};
    size_t index = 0;
    if (anole_onnx_model_load(&model, path, &error))
        return 0;
    while (index + 1 < count && index < model->graph.input_count &&
           strcmp(model->graph.inputs[index].name, graph->tensors[graph->inputs[i]].name) != 0)
        index++;
    anole_onnx_model_destroy(model);
    return index;
}

/* One data set. */
static enum verdict run_set(const char *model, const char *folder, char *why, size_t size)
{
    struct anole_array in[MOST_ARRAYS] = {{.name = NULL}}, out[MOST_ARRAYS] = {{.name = NULL}};
    struct anole_error error = {.status = ANOLE_DONE};
    struct anole_graph *graph = NULL;
    enum verdict verdict = REFUSED;
    size_t in_count = load_arrays(in, folder, "input", &error);
    size_t out_count = load_arrays(out, folder, "output", &error);
    struct anole_operand inputs[MOST_ARRAYS];
    struct anole_operand given[MOST_ARRAYS];
    for (size_t i = 0; i < in_count; i++)
        inputs[i] = operand_of(&in[i]);
    if (error.status == ANOLE_DONE && import(&graph, model, inputs, in_count, in_count, &error)) {
        /* Lists and numbers that shapes depend on are known beforehand, as in real files. */
        struct anole_error again = {.status = ANOLE_DONE};
        if (import(&graph, model, inputs, in_count, 1, &again) == ANOLE_DONE ||
            import(&graph, model, inputs, in_count, 0, (again.status = ANOLE_DONE, &again)) ==
                ANOLE_DONE)
            error.status = ANOLE_DONE;
    }
    if (error.status != ANOLE_DONE) {
        const char *text = strstr(error.text, "model.onnx: ");
        snprintf(why, size, "%s", text ? text + 12 : error.text);
    } else {
        /* Those that became constants are no inputs any more. */
        for (size_t i = 0; i < graph->input_count; i++) {
            given[i] = inputs[input_index(graph, model, i, in_count)];
            if (graph->tensors[graph->inputs[i]].type.dtype == ANOLE_BF16)
                given[i].dtype = ANOLE_BF16; /* ONNX's tests have the bits */
        }
        verdict = compare(graph, out, out_count, given, why, size);
        if (verdict == PASS &&
            (anole_graph_layout(graph, &error) || anole_graph_affine(graph, &error))) {
            snprintf(why, size, "%s", error.text);
            verdict = WRONG;
        }
        if (verdict == PASS)
            verdict = compare(graph, out, out_count, given, why, size);
    }
    anole_graph_destroy(graph);
    for (size_t i = 0; i < MOST_ARRAYS; i++) {
        anole_array_fini(&in[i]);
        anole_array_fini(&out[i]);
    }
    return verdict;
}

/* What the case is a test of: its last operator, mostly its only one. */
static void operator_of(char *op, size_t size, const char *model)
{
    struct anole_onnx_model *parsed;
    struct anole_error error = {.status = ANOLE_DONE};
    snprintf(op, size, "(unreadable)");
    if (anole_onnx_model_load(&parsed, model, &error))
        return;
    if (parsed->graph.node_count > 0) {
        const struct anole_onnx_node *node = &parsed->graph.nodes[parsed->graph.node_count - 1];
        snprintf(op, size, "%s%s%s", node->domain, node->domain[0] ? "." : "", node->op_type);
    }
    anole_onnx_model_destroy(parsed);
}

static void count_in(const char *op, enum verdict verdict, const char *why)
{
    size_t i = 0;
    while (i < tally_count && strcmp(tallies[i].op, op) != 0)
        i++;
    if (i == tally_count && tally_count < sizeof tallies / sizeof *tallies)
        snprintf(tallies[tally_count++].op, sizeof tallies->op, "%s", op);
    if (i >= sizeof tallies / sizeof *tallies)
        return;
    tallies[i].count[verdict]++;
    totals[verdict]++;
    if (verdict != PASS && !tallies[i].reason[0])
        snprintf(tallies[i].reason, sizeof tallies->reason, "%s", why);
}

static void run_case(const char *folder, const char *name, bool quiet)
{
    static const char *const words[] = {"pass", "refused", "wrong"};
    char model[2048], set[3072], why[ANOLE_ERROR_TEXT] = "", safe[ANOLE_ERROR_TEXT], op[64];
    enum verdict verdict = PASS;
    snprintf(model, sizeof model, "%s/%s/model.onnx", folder, name);
    if (!file_is_there(model))
        return;
    for (int i = 0; i < 10 && verdict == PASS; i++) {
        snprintf(set, sizeof set, "%s/%s/test_data_set_%d", folder, name, i);
        if (!file_is_there(set))
            break;
        verdict = run_set(model, set, why, sizeof why);
    }
    operator_of(op, sizeof op, model);
    count_in(op, verdict, why);
    if (!quiet || verdict == WRONG)
        fprintf(quiet ? stderr : stdout, "%s %s%s%s\n", words[verdict], name, why[0] ? ": " : "",
                anole_text_printable(safe, sizeof safe, why));
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct tally *)a)->op, ((const struct tally *)b)->op);
}

static void print_table(void)
{
    qsort(tallies, tally_count, sizeof *tallies, by_name);
    puts("| operator | passed | refused | wrong | why |\n| --- | --- | --- | --- | --- |");
    for (size_t i = 0; i < tally_count; i++) {
        char safe[400];
        anole_text_printable(safe, sizeof safe, tallies[i].reason);
        for (char *c = safe; *c; c++)
            if (*c == '|')
                *c = '/';
        printf("| %s | %zu | %zu | %zu | %s |\n", tallies[i].op, tallies[i].count[PASS],
               tallies[i].count[REFUSED], tallies[i].count[WRONG], safe);
    }
}

int main(int argc, char **argv)
{
    bool table = argc > 1 && strcmp(argv[1], "--table") == 0;
    bool device = argc > 1 + table && strcmp(argv[1 + table], "--device") == 0;
    if (device && !kernel_fixture_init(&fixture))
        return 77;
    for (int i = 1 + table + device; i < argc; i++) {
        struct dirent **names;
        int count = scandir(argv[i], &names, NULL, alphasort);
        if (count < 0) {
            perror(argv[i]);
            return 2;
        }
        for (int j = 0; j < count; j++) {
            if (names[j]->d_name[0] != '.')
                run_case(argv[i], names[j]->d_name, table);
            free(names[j]);
        }
        free(names);
    }
    if (table)
        print_table();
    printf("%s%zu passed, %zu refused, %zu wrong\n", table ? "\n" : "", totals[PASS],
           totals[REFUSED], totals[WRONG]);
    if (device)
        kernel_fixture_fini(&fixture);
    return totals[WRONG] > 0;
}
