/* SPDX-License-Identifier: MIT */
#include "frontend/onnx_translate.h"

#include "base/hash.h"
#include "base/text.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST_IF_DEPTH 16
#define MOST_BODY_NODES ((size_t)1 << 18) /* in graphs within nodes, once for each time */
#define FOLD_LIMIT ((size_t)1 << 30)

/* Values of the model by name and the graph that they are of. */
struct value {
    const struct anole_onnx_graph *scope; /* NULL: a free place */
    const char *name;
    size_t tensor;
};

struct anole_onnx_importer {
    const struct anole_onnx_model *model;
    const struct anole_onnx_options *options;
    struct anole_graph *graph;
    struct value *values;
    size_t value_count, value_room; /* a power of two */
    struct anole_onnx_progress progress;
    unsigned depth;    /* of branches within branches */
    size_t body_nodes; /* of graphs within nodes, and one for each of these */
};

/* -------------------------------------------------------------------- values */

static size_t place_of(const struct value *values, size_t room,
                       const struct anole_onnx_graph *scope, const char *name)
{
    size_t place =
        (size_t)(anole_hash_bytes(name, strlen(name)) ^ ((uintptr_t)scope >> 4)) & (room - 1);
    while (values[place].scope &&
           (values[place].scope != scope || strcmp(values[place].name, name) != 0))
        place = (place + 1) & (room - 1);
    return place;
}

static bool grow_values(struct anole_onnx_importer *importer)
{
    size_t room = importer->value_room ? 2 * importer->value_room : 256;
    struct value *values = calloc(room, sizeof *values);
    if (!values)
        return false;
    for (size_t i = 0; i < importer->value_room; i++)
        if (importer->values[i].scope)
            values[place_of(values, room, importer->values[i].scope, importer->values[i].name)] =
                importer->values[i];
    free(importer->values);
    importer->values = values;
    importer->value_room = room;
    return true;
}

static enum anole_status remember(struct anole_onnx_importer *importer,
                                  const struct anole_onnx_graph *scope, const char *name,
                                  size_t tensor, struct anole_error *error)
{
    if (2 * importer->value_count >= importer->value_room && !grow_values(importer))
        return anole_fail_memory(error);
    size_t place = place_of(importer->values, importer->value_room, scope, name);
    importer->value_count += importer->values[place].scope == NULL;
    importer->values[place] = (struct value){scope, name, tensor};
    return ANOLE_DONE;
}

static size_t recall(const struct anole_onnx_importer *importer,
                     const struct anole_onnx_graph *scope, const char *name)
{
    if (!importer->values)
        return ANOLE_NONE;
    size_t place = place_of(importer->values, importer->value_room, scope, name);
    return importer->values[place].scope ? importer->values[place].tensor : ANOLE_NONE;
}

/* Adds an array of the model as a constant that stays in the file. */
static enum anole_status add_array(struct anole_onnx_importer *importer, size_t *tensor,
                                   const struct anole_array *array, struct anole_error *error)
{
    char text[256], name[200];
    struct anole_operand type = {.dtype = anole_onnx_dtype_of(array->element), .rank = array->rank};
    if (type.dtype == 0)
        return anole_onnx_fail(importer->model, NULL, error,
                               "constant \"%s\" is %s; expected real or whole numbers or bool",
                               anole_text_printable(name, sizeof name, array->name),
                               anole_array_text(text, sizeof text, array));
    memcpy(type.dims, array->dims, sizeof type.dims);
    type.data = (void *)array->data;
    if (anole_operand_elements(&type) == SIZE_MAX)
        return anole_onnx_fail(importer->model, NULL, error,
                               "constant \"%s\" is %s; expected fewer than 2^31 elements",
                               anole_text_printable(name, sizeof name, array->name),
                               anole_array_text(text, sizeof text, array));
    if (!anole_array_aligned(array))
        return anole_graph_add_unaligned(importer->graph, tensor, array->name, &type, error);
    return anole_graph_add_constant(importer->graph, tensor, array->name, &type, true, error);
}

/* The tensor of a name that a node in `scope` reads. */
static enum anole_status find_value(struct anole_onnx_importer *importer, size_t *tensor,
                                    const struct anole_onnx_graph *scope, const char *name,
                                    struct anole_error *error)
{
    struct anole_onnx_origin origin;
    char safe[200];
    if (!anole_onnx_find(&origin, scope, name))
        return anole_onnx_fail(importer->model, NULL, error, "nothing makes \"%s\"",
                               anole_text_printable(safe, sizeof safe, name));
    *tensor = recall(importer, origin.graph, name);
    if (*tensor != ANOLE_NONE)
        return ANOLE_DONE;
    if (!origin.initializer)
        return anole_onnx_fail(importer->model, origin.node, error,
                               "\"%s\" is read before it is made",
                               anole_text_printable(safe, sizeof safe, name));
    enum anole_status status = add_array(importer, tensor, origin.initializer, error);
    return status ? status : remember(importer, origin.graph, name, *tensor, error);
}

/* --------------------------------------------------------------------- nodes */

static const char microsoft[] = "com.microsoft";

static const struct anole_onnx_translator *find_translator(const char *domain, const char *op_type)
{
    static const struct anole_onnx_translator *const tables[] = {
        anole_onnx_elementwise, anole_onnx_shapes,
        anole_onnx_windows,     anole_onnx_products,
        anole_onnx_axes,        anole_onnx_quantized,
        anole_onnx_einsum,      anole_onnx_loops,
        anole_onnx_microsoft,   anole_onnx_microsoft_quantized};
    const size_t all = sizeof tables / sizeof *tables, own = all - 2;
    const bool theirs = strcmp(domain, microsoft) == 0;
    for (size_t i = theirs ? own : 0; i < (theirs ? all : own); i++)
        for (const struct anole_onnx_translator *t = tables[i]; t->op_type; t++)
            if (strcmp(t->op_type, op_type) == 0)
                return t;
    return NULL;
}

static enum anole_status import_graph(struct anole_onnx_importer *importer,
                                      const struct anole_onnx_graph *graph,
                                      struct anole_error *error);

static enum anole_status set_in_body(struct anole_onnx_context *context,
                                     const struct anole_onnx_graph *body, const char *name,
                                     size_t tensor)
{
    return remember(context->importer, body, name, tensor, context->error);
}

static enum anole_status import_body(struct anole_onnx_context *context,
                                     const struct anole_onnx_graph *body)
{
    struct anole_onnx_importer *importer = context->importer;
    if (importer->depth >= MOST_IF_DEPTH)
        anole_onnx_refuse(context, "branches are nested more than %d deep", MOST_IF_DEPTH);
    if (body->node_count >= MOST_BODY_NODES - importer->body_nodes)
        anole_onnx_refuse(context, "branches and rounds of loops come to more than %zu nodes",
                          MOST_BODY_NODES);
    if (context->status)
        return context->status;
    importer->body_nodes += body->node_count + 1;
    importer->depth++;
    enum anole_status status = import_graph(importer, body, context->error);
    importer->depth--;
    return status;
}

static enum anole_status find_in_body(struct anole_onnx_context *context, size_t *tensor,
                                      const struct anole_onnx_graph *body, const char *name)
{
    return find_value(context->importer, tensor, body, name, context->error);
}

static const struct anole_onnx_body_ops body_ops = {set_in_body, import_body, find_in_body};

/* The tensors that a branch ends with. */
static void import_branch(struct anole_onnx_context *context, const char *which, size_t *outputs)
{
    const struct anole_onnx_attribute *attribute =
        anole_onnx_need_kind(context, which, ANOLE_ONNX_ATTRIBUTE_GRAPH);
    if (!attribute)
        anole_onnx_refuse(context, "it has no %s", which);
    if (context->status)
        return;
    const struct anole_onnx_graph *branch = &attribute->graphs[0];
    if (branch->output_count != context->node->output_count)
        anole_onnx_refuse(context, "%s has %zu outputs; expected %zu", which, branch->output_count,
                          context->node->output_count);
    anole_onnx_body_import(context, branch);
    for (size_t i = 0; i < branch->output_count && context->status == ANOLE_DONE; i++)
        outputs[i] = anole_onnx_body_get(context, branch, branch->outputs[i].name);
}

/* A branch whose condition is known replaces the node; else both run, and the condition
 * chooses between what they make, if that is of one shape. */
static void import_if(struct anole_onnx_context *context)
{
    size_t n = context->node->output_count;
    size_t condition = anole_onnx_need(context, 0);
    const struct anole_operand *type = anole_onnx_type(context, condition);
    if (context->status)
        return;
    if (anole_operand_elements(type) != 1 || type->dtype != ANOLE_BOOL) {
        anole_onnx_refuse(context, "its condition is no single bool");
        return;
    }
    if (type->data) {
        import_branch(context, anole_operand_int(type, 0) ? "then_branch" : "else_branch",
                      context->outputs);
        return;
    }
    size_t *both = calloc(2 * n + 1, sizeof *both);
    if (!both) {
        anole_onnx_fail_with(context, anole_fail_memory(context->error));
        return;
    }
    import_branch(context, "then_branch", both);
    import_branch(context, "else_branch", both + n);
    for (size_t i = 0; i < n && context->status == ANOLE_DONE; i++) {
        const struct anole_operand *a = anole_onnx_type(context, both[i]);
        const struct anole_operand *b = anole_onnx_type(context, both[n + i]);
        char left[128], right[128];
        if (!anole_operand_same_shape(a, b) || a->dtype != b->dtype) {
            anole_onnx_refuse(context,
                              "its branches make %s and %s, and the condition is known only when "
                              "the network runs; expected one shape and type",
                              anole_operand_shape_text(left, sizeof left, a),
                              anole_operand_shape_text(right, sizeof right, b));
            break;
        }
        const size_t inputs[] = {condition, both[i], both[n + i]};
        context->outputs[i] = anole_onnx_done(context, anole_onnx_add(context, "where", inputs, 3));
    }
    free(both);
}

static void translate(struct anole_onnx_context *context)
{
    const struct anole_onnx_node *node = context->node;
    char domain[200];
    if (node->domain[0] && strcmp(node->domain, microsoft) != 0) {
        anole_onnx_refuse(context, "operators of the domain \"%s\" are not known%s",
                          anole_text_printable(domain, sizeof domain, node->domain),
                          strcmp(node->domain, "com.microsoft.nchwc") == 0
                              ? ": ONNX Runtime saved them for one kind of processor; take the "
                                "file that it read"
                              : "");
        return;
    }
    if (!node->domain[0] && strcmp(node->op_type, "If") == 0) {
        import_if(context);
        return;
    }
    const struct anole_onnx_translator *translator = find_translator(node->domain, node->op_type);
    if (!translator) {
        anole_onnx_refuse(context,
                          "this operator%s%s is not known; docs/onnx.md lists those that are",
                          node->domain[0] ? " of the domain " : "", node->domain);
        return;
    }
    context->translator = translator;
    translator->translate(context);
    (void)anole_onnx_done(context, ANOLE_NONE);
}

/* What the node made gets the names that the file has for it. */
static enum anole_status name_outputs(struct anole_onnx_context *context,
                                      const struct anole_onnx_graph *scope)
{
    const struct anole_onnx_node *node = context->node;
    for (size_t i = 0; i < node->output_count; i++) {
        if (!node->outputs[i][0])
            continue;
        size_t tensor = context->outputs[i];
        if (tensor == ANOLE_NONE) {
            anole_onnx_refuse(context, "its output %zu is not supported", i);
            return context->status;
        }
        enum anole_status status =
            remember(context->importer, scope, node->outputs[i], tensor, context->error);
        if (status)
            return status;
        struct anole_graph_tensor *made = &context->graph->tensors[tensor];
        if (made->name[0] != ':') /* it has one already */
            continue;
        status = anole_graph_rename(context->graph, tensor, node->outputs[i], context->error);
        if (status)
            return status;
    }
    return ANOLE_DONE;
}

static enum anole_status import_node(struct anole_onnx_importer *importer,
                                     const struct anole_onnx_graph *scope,
                                     const struct anole_onnx_node *node, struct anole_error *error)
{
    size_t *places = calloc(node->input_count + node->output_count + 1, sizeof *places);
    if (!places)
        return anole_fail_memory(error);
    struct anole_onnx_context context = {
        .importer = importer,
        .body = &body_ops,
        .progress = &importer->progress,
        .graph = importer->graph,
        .model = importer->model,
        .node = node,
        .opset = importer->model->opset, /* com.microsoft's come down to operators of ONNX's */
        .inputs = places,
        .outputs = places + node->input_count,
        .error = error};
    for (size_t i = 0; i < node->output_count; i++)
        context.outputs[i] = ANOLE_NONE;
    for (size_t i = 0; i < node->input_count && context.status == ANOLE_DONE; i++) {
        places[i] = ANOLE_NONE;
        if (node->inputs[i][0])
            context.status = find_value(importer, &places[i], scope, node->inputs[i], error);
    }
    if (context.status == ANOLE_DONE && node->output_count > ANOLE_MAX_OPERANDS)
        anole_onnx_refuse(&context, "it has %zu outputs; expected at most %d", node->output_count,
                          ANOLE_MAX_OPERANDS);
    if (context.status == ANOLE_DONE)
        translate(&context);
    if (context.status == ANOLE_DONE)
        context.status = name_outputs(&context, scope);
    free(places);
    return context.status;
}

static enum anole_status import_graph(struct anole_onnx_importer *importer,
                                      const struct anole_onnx_graph *graph,
                                      struct anole_error *error)
{
    enum anole_status status = ANOLE_DONE;
    for (size_t i = 0; i < graph->node_count && status == ANOLE_DONE; i++)
        status = import_node(importer, graph, &graph->nodes[i], error);
    return status;
}

/* ------------------------------------------------------------ inputs and outputs */

static const struct anole_onnx_shape *given_shape(const struct anole_onnx_importer *importer,
                                                  const char *name)
{
    for (size_t i = 0; i < importer->options->shape_count; i++)
        if (strcmp(importer->options->shapes[i].input, name) == 0)
            return &importer->options->shapes[i];
    return NULL;
}

/* The sizes of an input, as the file and the options have them. */
static enum anole_status input_type(struct anole_onnx_importer *importer,
                                    struct anole_operand *type,
                                    const struct anole_onnx_value *value, struct anole_error *error)
{
    char name[200], dim[100];
    anole_text_printable(name, sizeof name, value->name);
    const struct anole_onnx_shape *given = given_shape(importer, value->name);
    *type = (struct anole_operand){.dtype = anole_onnx_dtype_of(value->element)};
    if (value->kind != ANOLE_ONNX_TENSOR || type->dtype == 0)
        return anole_onnx_fail(
            importer->model, NULL, error,
            "input \"%s\" is %s; expected a tensor of numbers or bool", name,
            value->kind == ANOLE_ONNX_TENSOR ? anole_array_type_text(value->element) : "no tensor");
    if (!value->has_shape && !given)
        return anole_onnx_fail(importer->model, NULL, error,
                               "the file does not say the shape of input \"%s\"; give it, for "
                               "example --shape %s=1x3x224x224",
                               name, name);
    size_t rank = given ? given->rank : value->rank;
    if (rank > ANOLE_MAX_RANK || (given && value->has_shape && value->rank != rank))
        return anole_onnx_fail(importer->model, NULL, error,
                               "input \"%s\" has %zu dimensions; expected %zu", name, rank,
                               value->has_shape && value->rank <= ANOLE_MAX_RANK
                                   ? value->rank
                                   : (size_t)ANOLE_MAX_RANK);
    type->rank = (uint32_t)rank;
    for (size_t i = 0; i < rank; i++) {
        int64_t said = value->has_shape ? value->dims[i].value : -1;
        type->dims[i] = given ? given->dims[i] : said;
        /* A batch of 1 in the file is often an accident of how the network was written, but
         * graphs then hold it in their arithmetic: --shape says it on purpose. */
        if (type->dims[i] < 0 && i == 0 && importer->options->batch > 0)
            type->dims[i] = importer->options->batch;
        if (type->dims[i] < 0)
            return anole_onnx_fail(
                importer->model, NULL, error,
                "size %zu of input \"%s\"%s%s%s is open; give it, for example --shape %s=... or, "
                "if it is the batch, --batch 1",
                i, name, value->has_shape && value->dims[i].name ? " (\"" : "",
                value->has_shape && value->dims[i].name
                    ? anole_text_printable(dim, sizeof dim, value->dims[i].name)
                    : "",
                value->has_shape && value->dims[i].name ? "\")" : "", name);
        if (said >= 0 && said != type->dims[i] && i > 0 && !given)
            return anole_fail(error, ANOLE_ERR_INTERNAL, "an input's size was lost");
    }
    if (anole_operand_elements(type) == SIZE_MAX)
        return anole_onnx_fail(importer->model, NULL, error,
                               "input \"%s\" has 2^31 or more elements", name);
    return ANOLE_DONE;
}

/* An input whose value the options give becomes a constant. */
static enum anole_status import_known(struct anole_onnx_importer *importer, bool *is_known,
                                      const struct anole_onnx_value *value,
                                      struct anole_error *error)
{
    *is_known = false;
    for (size_t i = 0; i < importer->options->known_count; i++) {
        const struct anole_onnx_known *known = &importer->options->known[i];
        char name[200];
        size_t tensor;
        if (strcmp(known->input, value->name) != 0)
            continue;
        if (known->value.dtype == 0 || known->value.dtype != anole_onnx_dtype_of(value->element))
            return anole_onnx_fail(
                importer->model, NULL, error,
                "the value given for input \"%s\" is of another type; expected %s",
                anole_text_printable(name, sizeof name, value->name),
                anole_array_type_text(value->element));
        enum anole_status status = anole_graph_add_constant(importer->graph, &tensor, value->name,
                                                            &known->value, false, error);
        *is_known = true;
        return status ? status
                      : remember(importer, &importer->model->graph, value->name, tensor, error);
    }
    return ANOLE_DONE;
}

static enum anole_status import_inputs(struct anole_onnx_importer *importer,
                                       struct anole_error *error)
{
    const struct anole_onnx_graph *graph = &importer->model->graph;
    enum anole_status status = ANOLE_DONE;
    for (size_t i = 0; i < importer->options->shape_count; i++) {
        const char *name = importer->options->shapes[i].input;
        struct anole_onnx_origin origin;
        char safe[200];
        if (!anole_onnx_find(&origin, graph, name) || !origin.input)
            return anole_onnx_fail(importer->model, NULL, error, "there is no input \"%s\"",
                                   anole_text_printable(safe, sizeof safe, name));
    }
    for (size_t i = 0; i < graph->input_count && status == ANOLE_DONE; i++) {
        const struct anole_onnx_value *value = &graph->inputs[i];
        struct anole_onnx_origin origin;
        struct anole_operand type;
        size_t tensor;
        /* With a default it is a constant, as files up to IR version 3 have all of theirs. */
        bool known;
        if (anole_onnx_find(&origin, graph, value->name) && origin.initializer)
            continue;
        status = import_known(importer, &known, value, error);
        if (status || known)
            continue;
        status = input_type(importer, &type, value, error);
        if (status == ANOLE_DONE)
            status = anole_graph_add_tensor(importer->graph, &tensor, value->name, &type, error);
        if (status == ANOLE_DONE)
            status = anole_graph_add_input(importer->graph, tensor, error);
        if (status == ANOLE_DONE)
            status = remember(importer, graph, value->name, tensor, error);
    }
    return status;
}

static bool is_input(const struct anole_graph *graph, size_t tensor)
{
    for (size_t i = 0; i < graph->input_count; i++)
        if (graph->inputs[i] == tensor)
            return true;
    return false;
}

/* An output whose tensor has another name (an input, a constant, two names for one tensor)
 * becomes a copy of its own.  An input that is an output as well is known by its name as both. */
static enum anole_status import_outputs(struct anole_onnx_importer *importer,
                                        struct anole_error *error)
{
    const struct anole_onnx_graph *graph = &importer->model->graph;
    enum anole_status status = ANOLE_DONE;
    for (size_t i = 0; i < graph->output_count && status == ANOLE_DONE; i++) {
        const char *name = graph->outputs[i].name;
        size_t tensor, copy;
        void *attributes;
        status = find_value(importer, &tensor, graph, name, error);
        if (status)
            break;
        const struct anole_graph_tensor *made = &importer->graph->tensors[tensor];
        if (made->producer == ANOLE_NONE || strcmp(made->name, name) != 0) {
            const struct anole_op *reshape = anole_op_find("reshape");
            /* Copies: the graph's tensors move when there are more. */
            const struct anole_operand type = made->type;
            const bool data_sized = made->data_sized, same = strcmp(made->name, name) == 0;
            if (same)
                status = anole_graph_rename(importer->graph, tensor, NULL, error);
            if (status == ANOLE_DONE)
                status = anole_graph_apply(importer->graph, &copy, &attributes, reshape, name,
                                           &tensor, 1, error);
            if (status == ANOLE_DONE)
                status =
                    anole_op_set_ints(reshape, attributes, "shape", type.dims, type.rank, error);
            if (status == ANOLE_DONE && data_sized) {
                const int64_t from[ANOLE_MAX_RANK] = {0, 1, 2, 3, 4, 5, 6, 7};
                status = anole_op_set_ints(reshape, attributes, "from", from, type.rank, error);
            }
            if (status == ANOLE_DONE)
                status = anole_op_set_bool(reshape, attributes, "allow_zero", true, error);
            if (status == ANOLE_DONE)
                status =
                    anole_graph_infer_from(importer->graph, importer->progress.inferred, 1, error);
            importer->progress.inferred = importer->graph->node_count;
            if (status == ANOLE_DONE && same && is_input(importer->graph, tensor))
                status = anole_graph_name_alike(importer->graph, tensor, copy, error);
            tensor = copy;
        }
        if (status == ANOLE_DONE)
            status = anole_graph_add_output(importer->graph, tensor, error);
    }
    return status;
}

/* ------------------------------------------------------------ the whole of it */

static void destroy_model(void *model)
{
    anole_onnx_model_destroy(model);
}

static void forget(void *model, const void *data, size_t bytes)
{
    anole_onnx_model_forget(model, data, bytes);
}

/* The file's name without folder and ending: what people call the network. */
static void name_of(char *out, size_t size, const char *path)
{
    const char *slash = strrchr(path, '/'), *base = slash ? slash + 1 : path;
    size_t length = strlen(base);
    if (length > 5 && strcmp(base + length - 5, ".onnx") == 0)
        length -= 5;
    snprintf(out, size, "%.*s", (int)(length < size ? length : size - 1), base);
}

enum anole_status anole_onnx_import(struct anole_graph **graph, struct anole_onnx_model *model,
                                    const struct anole_onnx_options *options,
                                    struct anole_error *error)
{
    static const struct anole_onnx_options nothing = {.shape_count = 0};
    struct anole_onnx_importer importer = {
        .model = model, .options = options ? options : &nothing, .progress = {.last = ANOLE_NONE}};
    importer.progress.fold_limit =
        importer.options->fold_limit ? importer.options->fold_limit : FOLD_LIMIT;
    char name[256];
    name_of(name, sizeof name, model->path);
    enum anole_status status = anole_graph_create(&importer.graph, name, model->path, error);
    if (status) {
        anole_onnx_model_destroy(model);
        return status;
    }
    importer.graph->fold_limit = importer.progress.fold_limit;
    importer.graph->backing = model;
    importer.graph->backing_destroy = destroy_model;
    importer.graph->backing_forget = forget;
    status = import_inputs(&importer, error);
    if (status == ANOLE_DONE)
        status = import_graph(&importer, &model->graph, error);
    if (status == ANOLE_DONE)
        status = import_outputs(&importer, error);
    free(importer.values);
    if (status) {
        anole_graph_destroy(importer.graph);
        return status;
    }
    anole_graph_remove_dead(importer.graph);
    *graph = importer.graph;
    return ANOLE_DONE;
}

enum anole_status anole_onnx_load(struct anole_graph **graph, const char *path,
                                  const struct anole_onnx_options *options,
                                  struct anole_error *error)
{
    struct anole_onnx_model *model;
    enum anole_status status = anole_onnx_model_load(&model, path, error);
    return status ? status : anole_onnx_import(graph, model, options, error);
}
