/* SPDX-License-Identifier: MIT
 *
 * Runs ONNX's node tests, or cases of that form, and says what passed, was refused, was wrong:
 *
 *     onnx_conformance [--table] [--device] [--only TEXT] FOLDER|FILE.npz...
 *
 * A folder holds cases: a folder each, with model.onnx and test_data_set_N of input_I.pb and
 * output_I.pb.  So does a .npz: the arrays CASE/model (the bytes of the file), CASE/in_I and
 * CASE/out_I; or all that as the array `cases` of another.  --only: those that have this in their
 * names, or one of several such texts.
 *
 * Each model is imported and computed by the references of its operators, as it is and after the
 * passes; with --device as a program on the device that tests use instead.  A line a case goes to
 * stdout: `pass NAME`, `refused NAME: why`, `wrong NAME: why`; with --table the operators, as
 * docs/onnx.md has them, in Markdown.  Exit code 1: something was wrong.
 */
#include "kernel_fixture.h"

#include "base/text.h"
#include "frontend/npy.h"
#include "frontend/onnx_import.h"
#include "frontend/onnx_tensor.h"
#include "frontend/onnx_translate.h"
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

#define MOST_TEXTS 16
static const char *only[MOST_TEXTS];
static size_t only_count;

static struct tally tallies[512];
static size_t tally_count;
static size_t totals[3];

static bool is_wanted(const char *name)
{
    bool wanted = only_count == 0;
    for (size_t i = 0; i < only_count; i++)
        wanted |= strstr(name, only[i]) != NULL;
    return wanted;
}

static bool file_is_there(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0;
}

/* A model: a file, or its bytes. */
struct source {
    const char *path;
    const struct anole_array *bytes; /* NULL: the file */
};

static enum anole_status load_model(struct anole_onnx_model **model, const struct source *source,
                                    struct anole_error *error)
{
    if (source->bytes)
        return anole_onnx_model_parse(model, source->bytes->data, source->bytes->bytes,
                                      source->path, error);
    return anole_onnx_model_load(model, source->path, error);
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

static struct anole_operand operand_of(const struct anole_array *array)
{
    struct anole_operand operand = {.dtype = anole_onnx_dtype_of(array->element),
                                    .rank = array->rank,
                                    .data = (void *)array->data};
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

/* As anole_graph_evaluate(), on the device. */
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
        outputs[made] = *anole_instance_output_type(instance, made);
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
static enum anole_status import(struct anole_graph **graph, const struct source *source,
                                const struct anole_operand *inputs, size_t count, size_t known,
                                struct anole_error *error)
{
    struct anole_onnx_shape shapes[MOST_ARRAYS];
    struct anole_onnx_known values[MOST_ARRAYS];
    struct anole_onnx_options options = {.shapes = shapes, .known = values};
    struct anole_onnx_model *model;
    enum anole_status status = load_model(&model, source, error);
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
static size_t input_index(const struct anole_graph *graph, const struct source *source, size_t i,
                          size_t count)
{
    struct anole_onnx_model *model;
    struct anole_error error = {.status = ANOLE_DONE};
    size_t index = 0;
    if (load_model(&model, source, &error))
        return 0;
    while (index + 1 < count && index < model->graph.input_count &&
           strcmp(model->graph.inputs[index].name, graph->tensors[graph->inputs[i]].name) != 0)
        index++;
    anole_onnx_model_destroy(model);
    return index;
}

/* One data set: the model on inputs, of which the outputs are known. */
static enum verdict run_set(const struct source *model, struct anole_array *in, size_t in_count,
                            struct anole_array *out, size_t out_count, char *why, size_t size)
{
    struct anole_error error = {.status = ANOLE_DONE};
    struct anole_graph *graph = NULL;
    struct anole_operand inputs[MOST_ARRAYS];
    struct anole_operand given[MOST_ARRAYS];
    for (size_t i = 0; i < in_count; i++)
        inputs[i] = operand_of(&in[i]);
    if (import(&graph, model, inputs, in_count, in_count, &error)) {
        /* Lists and numbers that shapes depend on are known beforehand, as in real files. */
        struct anole_error again = {.status = ANOLE_DONE};
        if (import(&graph, model, inputs, in_count, 1, &again) &&
            import(&graph, model, inputs, in_count, 0, (again.status = ANOLE_DONE, &again))) {
            const char *text = strstr(error.text, "model.onnx: ");
            snprintf(why, size, "%s", text ? text + 12 : error.text);
            return REFUSED;
        }
        anole_error_clear(&error);
    }
    /* Those that became constants are no inputs any more. */
    for (size_t i = 0; i < graph->input_count; i++) {
        given[i] = inputs[input_index(graph, model, i, in_count)];
        if (graph->tensors[graph->inputs[i]].type.dtype == ANOLE_BF16)
            given[i].dtype = ANOLE_BF16; /* ONNX's tests have the bits */
    }
    /* On the device only as it is run there, since building takes long; what layers are fused
     * into is for kernels alone. */
    enum verdict verdict =
        fixture.backend ? PASS : compare(graph, out, out_count, given, why, size);
    if (verdict == PASS && (anole_graph_simplify(graph, &error) ||
                            (fixture.backend && anole_graph_fuse(graph, &error)))) {
        snprintf(why, size, "%s", error.text);
        verdict = WRONG;
    }
    if (verdict == PASS)
        verdict = compare(graph, out, out_count, given, why, size);
    anole_graph_destroy(graph);
    return verdict;
}

static enum verdict run_folder(const struct source *model, const char *folder, char *why,
                               size_t size)
{
    struct anole_array in[MOST_ARRAYS] = {{.name = NULL}}, out[MOST_ARRAYS] = {{.name = NULL}};
    struct anole_error error = {.status = ANOLE_DONE};
    enum verdict verdict = REFUSED;
    size_t in_count = load_arrays(in, folder, "input", &error);
    size_t out_count = load_arrays(out, folder, "output", &error);
    if (error.status == ANOLE_DONE)
        verdict = run_set(model, in, in_count, out, out_count, why, size);
    else
        snprintf(why, size, "%s", error.text);
    for (size_t i = 0; i < MOST_ARRAYS; i++) {
        anole_array_fini(&in[i]);
        anole_array_fini(&out[i]);
    }
    return verdict;
}

/* What the case is a test of: its last operator, mostly its only one. */
static void operator_of(char *op, size_t size, const struct source *model)
{
    struct anole_onnx_model *parsed;
    struct anole_error error = {.status = ANOLE_DONE};
    snprintf(op, size, "(unreadable)");
    if (load_model(&parsed, model, &error))
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

static void report(const struct source *model, const char *name, enum verdict verdict,
                   const char *why, bool quiet)
{
    static const char *const words[] = {"pass", "refused", "wrong"};
    char safe[ANOLE_ERROR_TEXT], op[64];
    operator_of(op, sizeof op, model);
    count_in(op, verdict, why);
    if (!quiet || verdict == WRONG)
        fprintf(quiet ? stderr : stdout, "%s %s%s%s\n", words[verdict], name, why[0] ? ": " : "",
                anole_text_printable(safe, sizeof safe, why));
}

static void run_case(const char *folder, const char *name, bool quiet)
{
    char path[2048], set[3072], why[ANOLE_ERROR_TEXT] = "";
    const struct source model = {.path = path};
    enum verdict verdict = PASS;
    snprintf(path, sizeof path, "%s/%s/model.onnx", folder, name);
    if (!file_is_there(path))
        return;
    for (int i = 0; i < 10 && verdict == PASS; i++) {
        snprintf(set, sizeof set, "%s/%s/test_data_set_%d", folder, name, i);
        if (!file_is_there(set))
            break;
        verdict = run_folder(&model, set, why, sizeof why);
    }
    report(&model, name, verdict, why, quiet);
}

/* The cases of a folder, in the order of their names; false: there is no such folder. */
static bool run_cases(const char *folder, bool quiet)
{
    struct dirent **names;
    int count = scandir(folder, &names, NULL, alphasort);
    for (int i = 0; i < count; i++) {
        if (names[i]->d_name[0] != '.' && is_wanted(names[i]->d_name))
            run_case(folder, names[i]->d_name, quiet);
        free(names[i]);
    }
    if (count < 0)
        perror(folder);
    else
        free(names);
    return count >= 0;
}

/* The arrays CASE/KIND_0, CASE/KIND_1, ... at the beginning of `arrays`; returns how many. */
static size_t take_arrays(struct anole_array *taken, const struct anole_array *arrays, size_t count,
                          const char *name, const char *kind)
{
    char key[256];
    size_t found = 0;
    for (; found < count && found < MOST_ARRAYS; found++) {
        snprintf(key, sizeof key, "%s/%s_%zu", name, kind, found);
        if (strcmp(arrays[found].name, key) != 0)
            break;
        taken[found] = arrays[found];
    }
    return found;
}

/* The arrays of an archive, or of that within. */
static enum anole_status load_archive(struct anole_arrays *all, const char *path,
                                      struct anole_error *error)
{
    struct anole_arrays inner;
    enum anole_status status = anole_npz_load(all, path, error);
    const struct anole_array *cases = status ? NULL : anole_arrays_find(all, "cases");
    if (!cases)
        return status;
    status = anole_npz_parse(&inner, cases->data, cases->bytes, path, error);
    anole_arrays_fini(all);
    if (status == ANOLE_DONE)
        *all = inner;
    return status;
}

/* The cases of an archive; false: it cannot be read. */
static bool run_archive(const char *path, bool quiet)
{
    struct anole_arrays all;
    struct anole_error error = {.status = ANOLE_DONE};
    if (load_archive(&all, path, &error)) {
        fprintf(stderr, "%s\n", error.text);
        return false;
    }
    for (size_t i = 0; i < all.count;) {
        struct anole_array in[MOST_ARRAYS], out[MOST_ARRAYS];
        char name[200], why[ANOLE_ERROR_TEXT] = "";
        const struct anole_array *bytes = &all.items[i++];
        const char *slash = strrchr(bytes->name, '/');
        if (!slash || strcmp(slash, "/model") != 0)
            continue;
        snprintf(name, sizeof name, "%.*s", (int)(slash - bytes->name), bytes->name);
        size_t in_count = take_arrays(in, &all.items[i], all.count - i, name, "in");
        i += in_count;
        size_t out_count = take_arrays(out, &all.items[i], all.count - i, name, "out");
        i += out_count;
        const struct source model = {.path = "model.onnx", .bytes = bytes};
        if (is_wanted(name))
            report(&model, name, run_set(&model, in, in_count, out, out_count, why, sizeof why),
                   why, quiet);
    }
    anole_arrays_fini(&all);
    return true;
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
    bool table = false, device = false, readable = true;
    int first = 1;
    for (; first < argc && argv[first][0] == '-'; first++) {
        table |= strcmp(argv[first], "--table") == 0;
        device |= strcmp(argv[first], "--device") == 0;
        if (strcmp(argv[first], "--only") == 0 && first + 1 < argc && only_count < MOST_TEXTS)
            only[only_count++] = argv[++first];
    }
    if (device && !kernel_fixture_init(&fixture))
        return 77;
    for (int i = first; i < argc && readable; i++) {
        size_t length = strlen(argv[i]);
        bool archive = length > 4 && strcmp(argv[i] + length - 4, ".npz") == 0;
        readable = archive ? run_archive(argv[i], table) : run_cases(argv[i], table);
    }
    if (table)
        print_table();
    printf("%s%zu passed, %zu refused, %zu wrong\n", table ? "\n" : "", totals[PASS],
           totals[REFUSED], totals[WRONG]);
    if (device)
        kernel_fixture_fini(&fixture);
    return readable ? totals[WRONG] > 0 : 2;
}
