/* SPDX-License-Identifier: MIT
 *
 * Runs an ONNX model by the references of its operators, without kernels and without a device,
 * and holds it against an archive:
 *
 *     onnx_reference [--tolerance T] MODEL.onnx DATA.npz
 *
 * The archive has inputs and outputs by their names.  It starts at once, as nothing is built: what
 * is found is the fault of the reader, of a pass or of a reference.  The model is computed after
 * the passes.  A line an output goes to stdout: `right NAME ERROR`, `wrong NAME ERROR`, with the
 * worst error as a part of the largest element.  Exit code 5: something was wrong; 1: the model is
 * refused, with the reason on stderr.
 */
#include "frontend/npy.h"
#include "frontend/onnx_import.h"
#include "frontend/onnx_translate.h"
#include "graph/graph_evaluate.h"
#include "graph/graph_passes.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct anole_operand operand_of(const struct anole_array *array)
{
    struct anole_operand operand = {.dtype = anole_onnx_dtype_of(array->element),
                                    .rank = array->rank,
                                    .data = (void *)array->data};
    memcpy(operand.dims, array->dims, sizeof operand.dims);
    return operand;
}

/* Imports with the shapes of the arrays; lists of whole numbers are built in if `known`. */
static enum anole_status import(struct anole_graph **graph, const char *path,
                                const struct anole_arrays *arrays, bool known,
                                struct anole_error *error)
{
    struct anole_onnx_shape *shapes = calloc(arrays->count + 1, sizeof *shapes);
    struct anole_onnx_known *values = calloc(arrays->count + 1, sizeof *values);
    struct anole_onnx_options options = {.shapes = shapes, .known = values};
    struct anole_onnx_model *model = NULL;
    enum anole_status status =
        shapes && values ? anole_onnx_model_load(&model, path, error) : anole_fail_memory(error);
    for (size_t i = 0; status == ANOLE_DONE && i < model->graph.input_count; i++) {
        const char *name = model->graph.inputs[i].name;
        const struct anole_array *array = anole_arrays_find(arrays, name);
        if (!array)
            continue;
        const struct anole_operand operand = operand_of(array);
        if (known && operand.rank <= 1 && !anole_dtype_is_real(operand.dtype)) {
            values[options.known_count++] = (struct anole_onnx_known){name, operand};
            continue;
        }
        struct anole_onnx_shape *shape = &shapes[options.shape_count++];
        *shape = (struct anole_onnx_shape){.input = name, .rank = operand.rank};
        memcpy(shape->dims, operand.dims, sizeof shape->dims);
    }
    if (status == ANOLE_DONE)
        status = anole_onnx_import(graph, model, &options, error);
    free(shapes);
    free(values);
    return status;
}

/* The worst error as a part of the largest element, and where it is; infinite if the shapes
 * differ, or if only one of two elements is a number. */
static double error_of(const struct anole_operand *got, const struct anole_operand *want,
                       size_t *place)
{
    double worst = 0, largest = 0;
    *place = 0;
    if (!anole_operand_same_shape(got, want))
        return INFINITY;
    for (size_t i = 0; i < anole_operand_elements(want); i++) {
        double y = anole_operand_real(got, i), ref = anole_operand_real(want, i);
        if (isfinite(ref))
            largest = fmax(largest, fabs(ref));
        if (y == ref || (isnan(y) && isnan(ref)))
            continue;
        const double error = isfinite(y - ref) ? fabs(y - ref) : INFINITY;
        if (error > worst)
            *place = i;
        worst = fmax(worst, error);
    }
    return worst > 0 ? worst / largest : 0;
}

static bool check(const struct anole_graph *graph, size_t output, const struct anole_operand *got,
                  const struct anole_arrays *arrays, double tolerance)
{
    const char *name = graph->tensors[graph->outputs[output]].name;
    const struct anole_array *array = anole_arrays_find(arrays, name);
    if (!array)
        return true;
    const struct anole_operand want = operand_of(array);
    char is[128], expected[128];
    size_t place;
    const double error = error_of(got, &want, &place);
    const bool right = error <= tolerance, same = anole_operand_same_shape(got, &want);
    printf("%s %s %.3g\n", right ? "right" : "wrong", name, error);
    if (!right && !same)
        fprintf(stderr, "%s is of shape %s; expected %s\n", name,
                anole_operand_shape_text(is, sizeof is, got),
                anole_operand_shape_text(expected, sizeof expected, &want));
    else if (!right)
        fprintf(stderr, "%s: element %zu is %.9g; expected %.9g\n", name, place,
                anole_operand_real(got, place), anole_operand_real(&want, place));
    return right;
}

/* Exit code. */
static int run(const struct anole_graph *graph, const struct anole_arrays *arrays, double tolerance,
               struct anole_error *error)
{
    struct anole_operand *in = calloc(graph->input_count + 1, sizeof *in);
    struct anole_operand *out = calloc(graph->output_count + 1, sizeof *out);
    enum anole_status status = in && out ? ANOLE_DONE : anole_fail_memory(error);
    bool right = true;
    for (size_t i = 0; i < graph->input_count && status == ANOLE_DONE; i++) {
        const char *name = graph->tensors[graph->inputs[i]].name;
        const struct anole_array *array = anole_arrays_find(arrays, name);
        if (array)
            in[i] = operand_of(array);
        else
            status = anole_fail(error, ANOLE_ERR_INPUT, "the archive lacks the input \"%s\"", name);
    }
    if (status == ANOLE_DONE)
        status = anole_graph_evaluate(graph, in, out, error);
    for (size_t i = 0; i < graph->output_count && status == ANOLE_DONE; i++) {
        right &= check(graph, i, &out[i], arrays, tolerance);
        free(out[i].data);
    }
    free(in);
    free(out);
    return status ? 1 : right ? 0 : 5;
}

int main(int argc, char **argv)
{
    struct anole_error error = {.status = ANOLE_DONE};
    struct anole_graph *graph = NULL;
    struct anole_arrays arrays = {.count = 0};
    double tolerance = 2e-4;
    int code = 1;
    if (argc > 3 && strcmp(argv[1], "--tolerance") == 0) {
        tolerance = strtod(argv[2], NULL);
        argv += 2;
        argc -= 2;
    }
    if (argc != 3) {
        fputs("usage: onnx_reference [--tolerance T] MODEL.onnx DATA.npz\n", stderr);
        return 2;
    }
    if (anole_npz_load(&arrays, argv[2], &error) == ANOLE_DONE &&
        import(&graph, argv[1], &arrays, false, &error)) {
        struct anole_error again = {.status = ANOLE_DONE};
        if (import(&graph, argv[1], &arrays, true, &again) == ANOLE_DONE)
            anole_error_clear(&error);
    }
    if (error.status == ANOLE_DONE && anole_graph_simplify(graph, &error) == ANOLE_DONE)
        code = run(graph, &arrays, tolerance, &error);
    if (error.status != ANOLE_DONE)
        fprintf(stderr, "%s\n", error.text);
    anole_graph_destroy(graph);
    anole_arrays_fini(&arrays);
    return code;
}
