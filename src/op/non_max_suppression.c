/* SPDX-License-Identifier: MIT
 *
 * non_max_suppression: the boxes of the highest scores that do not overlap one another, for
 * each batch and class: rows (batch, class, box) of I64.
 *
 * Boxes are [batch][boxes][4], as two opposite corners (y1, x1, y2, x2) or, with
 * `center_point_box`, as (x centre, y centre, width, height); scores are
 * [batch][classes][boxes].  A box goes where its overlap (intersection over union) with one
 * that was taken is above the threshold.
 */
#include "op/parameters.h"

#include <inttypes.h>
#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

struct suppression {
    bool center_point_box;
    int64_t max_boxes; /* a class and batch; 0: none at all */
    double iou_threshold, score_threshold;
};

static const struct suppression defaults = {.score_threshold = -INFINITY};

static const struct anole_op_key keys[] = {
    {.name = "center_point_box",
     .kind = ANOLE_KEY_BOOL,
     .offset = offsetof(struct suppression, center_point_box)},
    {.name = "max_boxes", .kind = ANOLE_KEY_INT, .offset = offsetof(struct suppression, max_boxes)},
    {.name = "iou_threshold",
     .kind = ANOLE_KEY_REAL,
     .offset = offsetof(struct suppression, iou_threshold)},
    {.name = "score_threshold",
     .kind = ANOLE_KEY_REAL,
     .offset = offsetof(struct suppression, score_threshold)},
    {.name = NULL},
};

static enum anole_status read_limits(struct suppression *limits, const struct anole_call *call,
                                     struct anole_error *error)
{
    *limits = *(const struct suppression *)call->attributes;
    enum anole_status status =
        anole_input_int(&limits->max_boxes, call, 2, "the number of boxes", error);
    if (status == ANOLE_DONE)
        status =
            anole_input_real(&limits->iou_threshold, call, 3, "the threshold of overlaps", error);
    if (status == ANOLE_DONE)
        status =
            anole_input_real(&limits->score_threshold, call, 4, "the threshold of scores", error);
    return status;
}

static enum anole_status infer(struct anole_call *call, struct anole_error *error)
{
    const struct anole_operand *boxes = call->inputs[0], *scores = call->inputs[1];
    struct suppression limits;
    char shapes[2][128];
    enum anole_status status = anole_check_type(boxes, ANOLE_TYPES_REAL, "the boxes", error);
    if (status == ANOLE_DONE)
        status = anole_check_type(scores, ANOLE_TYPES_REAL, "the scores", error);
    if (status == ANOLE_DONE)
        status = read_limits(&limits, call, error);
    if (status)
        return status;
    if (boxes->rank != 3 || scores->rank != 3 || boxes->dims[2] != 4 ||
        boxes->dims[0] != scores->dims[0] || boxes->dims[1] != scores->dims[2])
        return anole_fail(error, ANOLE_ERR_INPUT,
                          "boxes of shape %s with scores of shape %s; expected [batch, boxes, 4] "
                          "and [batch, classes, boxes]",
                          anole_operand_shape_text(shapes[0], sizeof shapes[0], boxes),
                          anole_operand_shape_text(shapes[1], sizeof shapes[1], scores));
    int64_t most = limits.max_boxes < 0                ? 0
                   : limits.max_boxes < boxes->dims[1] ? limits.max_boxes
                                                       : boxes->dims[1];
    struct anole_operand rows = {.rank = 3, .dims = {scores->dims[0], scores->dims[1], most}};
    status = anole_check_size(&rows, error);
    if (status)
        return status;
    call->outputs[0] = (struct anole_operand){
        .dtype = ANOLE_I64, .rank = 2, .dims = {(int64_t)anole_operand_elements(&rows), 3}};
    return anole_check_size(&call->outputs[0], error);
}

struct box {
    double top, left, bottom, right, score;
    int64_t place;
};

static struct box read_box(const struct anole_operand *boxes, int64_t at, bool centre)
{
    double v[4];
    for (int i = 0; i < 4; i++)
        v[i] = anole_operand_real(boxes, (size_t)(at * 4 + i));
    if (centre)
        return (struct box){.top = v[1] - v[3] / 2,
                            .left = v[0] - v[2] / 2,
                            .bottom = v[1] + v[3] / 2,
                            .right = v[0] + v[2] / 2};
    return (struct box){.top = fmin(v[0], v[2]),
                        .left = fmin(v[1], v[3]),
                        .bottom = fmax(v[0], v[2]),
                        .right = fmax(v[1], v[3])};
}

static double area(const struct box *box)
{
    return (box->bottom - box->top) * (box->right - box->left);
}

/* Intersection over union. */
static double overlap(const struct box *a, const struct box *b)
{
    double height = fmin(a->bottom, b->bottom) - fmax(a->top, b->top);
    double width = fmin(a->right, b->right) - fmax(a->left, b->left);
    if (!(height > 0 && width > 0))
        return 0;
    double both = height * width;
    return both / (area(a) + area(b) - both);
}

static int by_score(const void *a, const void *b)
{
    const struct box *x = a, *y = b;
    if (x->score != y->score)
        return x->score > y->score ? -1 : 1;
    return x->place > y->place ? 1 : -1;
}

/* Sorts boxes[count], moves those that stay to the front, and returns how many they are. */
static int64_t suppress(struct box *boxes, int64_t count, const struct suppression *limits)
{
    int64_t kept = 0;
    qsort(boxes, (size_t)count, sizeof *boxes, by_score);
    for (int64_t i = 0; i < count && kept < limits->max_boxes; i++) {
        bool free_of_others = true;
        for (int64_t j = 0; j < kept && free_of_others; j++)
            free_of_others = !(overlap(&boxes[i], &boxes[j]) > limits->iou_threshold);
        if (free_of_others)
            boxes[kept++] = boxes[i];
    }
    return kept;
}

static enum anole_status compute(const struct anole_call *call, struct anole_error *error)
{
    const struct anole_operand *boxes = call->inputs[0], *scores = call->inputs[1];
    int64_t classes = scores->dims[1], places = scores->dims[2];
    int64_t *row = call->outputs[0].data;
    struct suppression limits;
    enum anole_status status = read_limits(&limits, call, error);
    if (status || call->outputs[0].dims[0] == 0)
        return status;
    struct box *found = malloc(((size_t)places + 1) * sizeof *found);
    if (!found)
        return anole_fail_memory(error);
    for (int64_t i = 0; i < scores->dims[0] * classes; i++) {
        int64_t count = 0, batch = i / classes;
        for (int64_t j = 0; j < places; j++) {
            double score = anole_operand_real(scores, (size_t)(i * places + j));
            if (!(score > limits.score_threshold))
                continue;
            found[count] = read_box(boxes, batch * places + j, limits.center_point_box);
            found[count].score = score;
            found[count++].place = j;
        }
        count = suppress(found, count, &limits);
        for (int64_t j = 0; j < count; j++) {
            *row++ = batch;
            *row++ = i % classes;
            *row++ = found[j].place;
        }
    }
    call->outputs[0].dims[0] = (row - (int64_t *)call->outputs[0].data) / 3;
    free(found);
    return ANOLE_DONE;
}

const struct anole_op anole_op_non_max_suppression = {
    .name = "non_max_suppression",
    .flags = ANOLE_OP_HOST | ANOLE_OP_DATA_SIZED,
    .fewest_inputs = 2,
    .most_inputs = 5,
    .fewest_outputs = 1,
    .most_outputs = 1,
    .attribute_bytes = sizeof(struct suppression),
    .defaults = &defaults,
    .keys = keys,
    .infer = infer,
    .compute = compute,
};
