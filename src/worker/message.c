/* SPDX-License-Identifier: MIT */
#include "worker/message.h"

#include "worker/custom_wire.h"

static void wire_properties(struct anole_wire *wire, struct anole_device *device)
{
    anole_wire_count(wire, &device->property_count, ANOLE_MAX_PROPERTIES);
    for (uint32_t i = 0; i < device->property_count && !wire->failed; i++) {
        anole_wire_text(wire, device->properties[i].name, sizeof device->properties[i].name);
        anole_wire_f64(wire, &device->properties[i].value);
    }
}

static void wire_seconds(struct anole_wire *wire, uint16_t *seconds)
{
    uint32_t value = *seconds;
    anole_wire_u32(wire, &value);
    if (value > UINT16_MAX)
        wire->failed = true;
    else
        *seconds = (uint16_t)value;
}

void anole_wire_device(struct anole_wire *wire, struct anole_device *device)
{
    if (wire->reading)
        *device = (struct anole_device){.size = sizeof *device};
    anole_wire_u32(wire, &device->index);
    anole_wire_u32(wire, &device->type);
    anole_wire_u32(wire, &device->flags);
    anole_wire_text(wire, device->name, sizeof device->name);
    anole_wire_text(wire, device->vendor, sizeof device->vendor);
    anole_wire_text(wire, device->driver, sizeof device->driver);
    anole_wire_text(wire, device->driver_version, sizeof device->driver_version);
    anole_wire_u32(wire, &device->compute_units);
    anole_wire_u32(wire, &device->clock_mhz);
    anole_wire_u32(wire, &device->simd_width);
    anole_wire_u32(wire, &device->registers);
    anole_wire_u32(wire, &device->cores);
    anole_wire_u32(wire, &device->numa_nodes);
    anole_wire_u64(wire, &device->max_work_group);
    for (int i = 0; i < 3; i++)
        anole_wire_u64(wire, &device->max_work_items[i]);
    anole_wire_u64(wire, &device->local_memory);
    anole_wire_u64(wire, &device->global_memory);
    anole_wire_u64(wire, &device->max_allocation);
    anole_wire_u64(wire, &device->cache_l1);
    anole_wire_u64(wire, &device->cache_l2);
    anole_wire_u64(wire, &device->cache_l3);
    anole_wire_u64(wire, &device->cache_line);
    wire_seconds(wire, &device->build_seconds);
    wire_seconds(wire, &device->run_seconds);
    wire_properties(wire, device);
}

void anole_wire_task(struct anole_wire *wire, struct anole_task *task)
{
    if (wire->reading)
        *task = (struct anole_task){.size = sizeof *task};
    uint32_t *const fields[] = {
        &task->kind,       &task->dtype,      &task->activation,     &task->flags,
        &task->groups,     &task->batch,      &task->in_h,           &task->in_w,
        &task->in_c,       &task->out_h,      &task->out_w,          &task->out_c,
        &task->kernel_h,   &task->kernel_w,   &task->stride_h,       &task->stride_w,
        &task->dilation_h, &task->dilation_w, &task->pad_top,        &task->pad_left,
        &task->pad_bottom, &task->pad_right,  &task->output_pad_h,   &task->output_pad_w,
        &task->in_pitch,   &task->out_pitch,  &task->residual_pitch,
    };
    double alpha = (double)task->alpha, beta = (double)task->beta;
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        anole_wire_u32(wire, fields[i]);
    anole_wire_f64(wire, &alpha);
    anole_wire_f64(wire, &beta);
    task->alpha = (float)alpha;
    task->beta = (float)beta;
    anole_wire_text(wire, task->name, sizeof task->name);
}

/* The kernel that comes with a task: last in a message, so that it is read only
 * once all the rest is there. */
static void wire_task_kernel(struct anole_wire *wire, struct anole_task *task)
{
    struct anole_custom_kernel *custom =
        wire->reading ? NULL : (struct anole_custom_kernel *)anole_custom_of(task);
    anole_wire_custom(wire, &custom);
    if (!wire->reading)
        return;
    if (!anole_wire_complete(wire)) { /* nobody will take it */
        anole_custom_destroy(custom);
        custom = NULL;
        wire->failed = true;
    }
    task->custom = custom ? &custom->base : NULL;
}

void anole_wire_vet_request(struct anole_wire *wire, struct anole_vet_request *message)
{
    anole_wire_text(wire, message->path, sizeof message->path);
    anole_wire_u32(wire, &message->threads);
}

void anole_wire_vet_reply(struct anole_wire *wire, struct anole_vet_reply *message)
{
    anole_wire_u32(wire, &message->refusal);
    anole_wire_text(wire, message->reason, sizeof message->reason);
    anole_wire_text(wire, message->name, sizeof message->name);
    anole_wire_text(wire, message->version, sizeof message->version);
    anole_wire_u32(wire, &message->generator);
    anole_wire_count(wire, &message->driver_count, ANOLE_MAX_DRIVERS);
    for (uint32_t i = 0; i < message->driver_count; i++)
        anole_wire_text(wire, message->drivers[i], sizeof message->drivers[i]);
    anole_wire_text(wire, message->problem, sizeof message->problem);
    if (message->refusal >= ANOLE_REFUSAL_COUNT)
        wire->failed = true;
}

void anole_wire_probe_request(struct anole_wire *wire, struct anole_probe_request *message)
{
    anole_wire_text(wire, message->path, sizeof message->path);
    anole_wire_text(wire, message->driver, sizeof message->driver);
    anole_wire_u32(wire, &message->threads);
}

void anole_wire_probe_reply(struct anole_wire *wire, struct anole_probe_reply *message)
{
    anole_wire_count(wire, &message->device_count, ANOLE_MAX_DEVICES);
    for (uint32_t i = 0; i < message->device_count; i++)
        anole_wire_device(wire, &message->devices[i]);
    anole_wire_text(wire, message->problem, sizeof message->problem);
}

void anole_wire_diagnose_request(struct anole_wire *wire, struct anole_diagnose_request *message)
{
    anole_wire_text(wire, message->path, sizeof message->path);
    anole_wire_bool(wire, &message->has_driver);
    anole_wire_text(wire, message->driver, sizeof message->driver);
    anole_wire_u32(wire, &message->index);
    anole_wire_u32(wire, &message->threads);
}

void anole_wire_diagnose_reply(struct anole_wire *wire, struct anole_diagnose_reply *message)
{
    anole_wire_count(wire, &message->count, ANOLE_MAX_FINDINGS);
    for (uint32_t i = 0; i < message->count && !wire->failed; i++) {
        struct anole_finding_text *finding = &message->findings[i];
        anole_wire_text(wire, finding->check, sizeof finding->check);
        anole_wire_u32(wire, &finding->verdict);
        anole_wire_text(wire, finding->found, sizeof finding->found);
        anole_wire_text(wire, finding->mend, sizeof finding->mend);
    }
}

void anole_wire_prepare_request(struct anole_wire *wire, struct anole_prepare_request *message)
{
    anole_wire_task(wire, &message->task);
    anole_wire_u64(wire, &message->seed);
    anole_wire_u32(wire, &message->threads);
    anole_wire_count(wire, &message->config_count, ANOLE_MAX_CHECKS);
    anole_wire_count(wire, &message->value_count, ANOLE_MAX_KNOBS);
    for (uint32_t i = 0; i < message->config_count; i++)
        for (uint32_t k = 0; k < message->value_count; k++)
            anole_wire_i64(wire, &message->values[i][k]);
    wire_task_kernel(wire, &message->task);
}

void anole_wire_open_request(struct anole_wire *wire, struct anole_open_request *message)
{
    anole_wire_text(wire, message->path, sizeof message->path);
    anole_wire_text(wire, message->driver, sizeof message->driver);
    anole_wire_u32(wire, &message->threads);
    anole_wire_f64(wire, &message->sample_time);
    anole_wire_u64(wire, &message->constants);
    anole_wire_device(wire, &message->device);
}

void anole_wire_task_request(struct anole_wire *wire, struct anole_task_request *message)
{
    anole_wire_task(wire, &message->task);
    anole_wire_bool(wire, &message->data);
    wire_task_kernel(wire, &message->task);
}

static void wire_timer(struct anole_wire *wire, enum anole_timer *timer)
{
    uint32_t value = wire->reading ? 0 : (uint32_t)*timer;
    anole_wire_u32(wire, &value);
    if (value >= ANOLE_TIMER_COUNT) {
        wire->failed = true;
        value = ANOLE_TIMER_UNSAID;
    }
    *timer = (enum anole_timer)value;
}

void anole_wire_trial_request(struct anole_wire *wire, struct anole_trial_request *message)
{
    anole_wire_count(wire, &message->value_count, ANOLE_MAX_KNOBS);
    for (uint32_t i = 0; i < message->value_count; i++)
        anole_wire_i64(wire, &message->values[i]);
    anole_wire_f64(wire, &message->best);
    wire_timer(wire, &message->timer);
    anole_wire_u32(wire, &message->salt);
    anole_wire_block(wire, &message->binary, &message->binary_bytes, ANOLE_MAX_BINARY);
}

static void wire_result(struct anole_wire *wire, struct anole_result *result)
{
    uint32_t outcome = wire->reading ? 0 : (uint32_t)result->outcome;
    anole_wire_u32(wire, &outcome);
    if (outcome >= ANOLE_OUTCOME_COUNT) {
        wire->failed = true;
        outcome = ANOLE_OUTCOME_CRASH;
    }
    result->outcome = (enum anole_outcome)outcome;
    uint32_t metric = wire->reading ? 0 : (uint32_t)result->metric;
    anole_wire_u32(wire, &metric);
    if (metric >= ANOLE_METRIC_COUNT) {
        wire->failed = true;
        metric = ANOLE_METRIC_SECONDS;
    }
    result->metric = (enum anole_metric)metric;
    wire_timer(wire, &result->timer);
    anole_wire_bool(wire, &result->abandoned);
    anole_wire_bool(wire, &result->simulated);
    anole_wire_u32(wire, &result->samples);
    anole_wire_u32(wire, &result->disturbed);
    anole_wire_f64(wire, &result->crowding);
    anole_wire_f64(wire, &result->seconds);
    anole_wire_f64(wire, &result->low);
    anole_wire_f64(wire, &result->high);
    anole_wire_f64(wire, &result->error);
    anole_wire_f64(wire, &result->cost.generate);
    anole_wire_f64(wire, &result->cost.build);
    anole_wire_f64(wire, &result->cost.transfer);
    anole_wire_f64(wire, &result->cost.run);
    anole_wire_f64(wire, &result->cost.verify);
    anole_wire_text(wire, result->message, sizeof result->message);
}

static void wire_usage(struct anole_wire *wire, struct anole_usage *usage)
{
    anole_wire_u64(wire, &usage->resident);
    anole_wire_u64(wire, &usage->held);
    anole_wire_u32(wire, &usage->builds);
    anole_wire_u32(wire, &usage->maps);
    anole_wire_bool(wire, &usage->tainted);
}

void anole_wire_trial_reply(struct anole_wire *wire, struct anole_trial_reply *message)
{
    wire_result(wire, &message->result);
    wire_usage(wire, &message->usage);
    anole_wire_block(wire, &message->binary, &message->binary_bytes, ANOLE_MAX_BINARY);
}

void anole_wire_round_reply(struct anole_wire *wire, struct anole_round_reply *message)
{
    anole_wire_count(wire, &message->count, ANOLE_MAX_SLOTS);
    for (uint32_t i = 0; i < message->count; i++)
        anole_wire_f64(wire, &message->seconds[i]);
    anole_wire_u32(wire, &message->failed);
    anole_wire_bool(wire, &message->disturbed);
    anole_wire_f64(wire, &message->crowding);
    anole_wire_u32(wire, &message->outcome);
    anole_wire_text(wire, message->message, sizeof message->message);
    wire_usage(wire, &message->usage);
    if (message->outcome >= ANOLE_OUTCOME_COUNT)
        wire->failed = true;
}

/* Whether it is one of ours, and says that something failed. */
static bool is_failure(uint32_t status)
{
    switch (status) {
#define X(name, value, text, exit_code) case -(value):
        ANOLE_STATUS_MAP(X)
#undef X
        return status != 0;
    default:
        return false;
    }
}

void anole_wire_failed_reply(struct anole_wire *wire, struct anole_failed_reply *message)
{
    anole_wire_u32(wire, &message->status);
    anole_wire_text(wire, message->text, sizeof message->text);
    if (!is_failure(message->status))
        wire->failed = true;
}

void anole_wire_stage_event(struct anole_wire *wire, struct anole_stage_event *message)
{
    anole_wire_u32(wire, &message->stage);
    anole_wire_u32(wire, &message->slot);
    anole_wire_text(wire, message->step, sizeof message->step);
    if (message->stage >= ANOLE_STAGE_COUNT)
        wire->failed = true;
}

void anole_wire_concluded_reply(struct anole_wire *wire, struct anole_concluded_reply *message)
{
    anole_wire_u32(wire, &message->verdict);
    anole_wire_u64(wire, &message->number);
    anole_wire_text(wire, message->text, sizeof message->text);
}

void anole_wire_log_event(struct anole_wire *wire, struct anole_log_event *message)
{
    anole_wire_u32(wire, &message->level);
    anole_wire_bool(wire, &message->plugin);
    anole_wire_text(wire, message->text, sizeof message->text);
}

void anole_wire_hello_event(struct anole_wire *wire, struct anole_hello_event *message)
{
    anole_wire_text(wire, message->version, sizeof message->version);
}
