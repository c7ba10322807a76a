/* SPDX-License-Identifier: MIT */
#include "exec/task_file.h"

#include "exec/custom_data.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define ALIGNMENT 64u
#define SEALS (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

/* Where each tensor lies. */
struct layout {
    size_t input, weights, bias, residual, expected, tolerance; /* offsets */
    size_t initial, answer; /* custom: instead of expected and tolerance */
    size_t bytes;
};

static size_t place(struct layout *layout, size_t elements, size_t size)
{
    size_t at = layout->bytes;
    layout->bytes += (elements * size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    return at;
}

/* A checked task has less than 2^31 elements a tensor: nothing overflows. */
static struct layout layout_of(const struct anole_task *task)
{
    struct layout layout = {.bytes = 0};
    size_t output = anole_task_output_elements(task), element = anole_task_element_bytes(task);
    layout.input = place(&layout, anole_task_input_elements(task), element);
    if (task->custom) {
        layout.initial = place(&layout, output, sizeof(float));
        layout.answer = place(&layout, output, sizeof(float));
        return layout;
    }
    layout.weights = place(&layout, anole_task_weight_elements(task), element);
    layout.bias = place(&layout, anole_task_bias_elements(task), element);
    layout.residual = place(&layout, anole_task_residual_elements(task), element);
    layout.expected = place(&layout, output, sizeof(double));
    layout.tolerance = place(&layout, output, sizeof(float));
    return layout;
}

size_t anole_task_file_size(const struct anole_task *task)
{
    return layout_of(task).bytes;
}

enum anole_status anole_task_file_create(int *descriptor, const struct anole_task *task,
                                         struct anole_error *error)
{
    int file = memfd_create("anole-task", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (file < 0)
        return anole_fail_errno(error, "cannot make a file in memory for a task's data");
    if (ftruncate(file, (off_t)anole_task_file_size(task)) != 0) {
        enum anole_status status =
            anole_fail_errno(error, "cannot make room for the %zu bytes of a task's data",
                             anole_task_file_size(task));
        close(file);
        return status;
    }
    *descriptor = file;
    return ANOLE_DONE;
}

static enum anole_status write_at(int descriptor, size_t offset, const void *data, size_t bytes,
                                  struct anole_error *error)
{
    const char *next = data;
    while (bytes > 0) {
        ssize_t done = pwrite(descriptor, next, bytes, (off_t)offset);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return anole_fail_errno(error, "cannot store a task's data in memory");
        next += done;
        offset += (size_t)done;
        bytes -= (size_t)done;
    }
    return ANOLE_DONE;
}

/* A kernel that comes with its task: what is computed on a device stays 0. */
static enum anole_status fill_custom(int descriptor, const struct anole_task *task, uint64_t seed,
                                     struct anole_error *error)
{
    const struct anole_custom_kernel *custom = anole_custom_of(task);
    struct layout layout = layout_of(task);
    const struct {
        size_t offset, bytes;
    } parts[] = {{layout.input, (size_t)custom->base.input_bytes},
                 {layout.initial, (size_t)custom->base.output_bytes},
                 {layout.answer, (size_t)custom->base.output_bytes}};
    enum anole_status status = ANOLE_DONE;
    for (size_t i = 0; status == ANOLE_DONE && i < sizeof parts / sizeof *parts; i++) {
        void *memory = calloc(1, parts[i].bytes + 1);
        if (!memory)
            return anole_fail_memory(error);
        status = i < 2 ? anole_custom_fill(memory, custom, i == 1, seed, error)
                       : anole_custom_expect(memory, custom, error);
        if (status == ANOLE_DONE)
            status = write_at(descriptor, parts[i].offset, memory, parts[i].bytes, error);
        free(memory);
    }
    return status;
}

enum anole_status anole_task_file_answer(int descriptor, const struct anole_task *task,
                                         const void *computed, struct anole_error *error)
{
    struct anole_task_file file = {.map = NULL};
    size_t bytes = (size_t)task->custom->output_bytes;
    enum anole_status status = anole_task_file_look(&file, descriptor, task, error);
    if (status != ANOLE_DONE)
        return status;
    void *memory = malloc(bytes);
    if (!memory) {
        status = anole_fail_memory(error);
    } else {
        memcpy(memory, file.data.answer, bytes);
        anole_custom_adopt(memory, anole_custom_of(task), computed);
        status = write_at(descriptor, layout_of(task).answer, memory, bytes, error);
    }
    free(memory);
    anole_task_file_unmap(&file);
    return status;
}

enum anole_status anole_task_file_fill(int descriptor, const struct anole_task *task, uint64_t seed,
                                       unsigned threads, struct anole_error *error)
{
    struct anole_task_data *data;
    if (task->custom)
        return fill_custom(descriptor, task, seed, error);
    enum anole_status status = anole_task_data_create(&data, task, seed, threads, error);
    if (status != ANOLE_DONE)
        return status;
    struct layout layout = layout_of(task);
    size_t output = anole_task_output_elements(task), element = anole_task_element_bytes(task);
    const struct {
        size_t offset, bytes;
        const void *data;
    } parts[] = {
        {layout.input, anole_task_input_elements(task) * element, data->input},
        {layout.weights, anole_task_weight_elements(task) * element, data->weights},
        {layout.bias, anole_task_bias_elements(task) * element, data->bias},
        {layout.residual, anole_task_residual_elements(task) * element, data->residual},
        {layout.expected, output * sizeof(double), data->expected},
        {layout.tolerance, output * sizeof(float), data->tolerance},
    };
    for (size_t i = 0; status == ANOLE_DONE && i < sizeof parts / sizeof *parts; i++)
        status = write_at(descriptor, parts[i].offset, parts[i].data, parts[i].bytes, error);
    anole_task_data_destroy(data);
    return status;
}

enum anole_status anole_task_file_seal(int descriptor, struct anole_error *error)
{
    if (fcntl(descriptor, F_ADD_SEALS, SEALS) != 0)
        return anole_fail_errno(error, "cannot seal a task's data");
    return ANOLE_DONE;
}

enum anole_status anole_task_file_look(struct anole_task_file *file, int descriptor,
                                       const struct anole_task *task, struct anole_error *error)
{
    struct layout layout = layout_of(task);
    char *map = mmap(NULL, layout.bytes, PROT_READ, MAP_PRIVATE, descriptor, 0);
    if (map == MAP_FAILED)
        return anole_fail_errno(error, "cannot map a task's data of %zu bytes", layout.bytes);
    file->map = map;
    file->bytes = layout.bytes;
    file->data = (struct anole_task_data){.input = map + layout.input};
    if (task->custom) {
        file->data.initial = map + layout.initial;
        file->data.answer = map + layout.answer;
        return ANOLE_DONE;
    }
    file->data.weights = map + layout.weights;
    file->data.expected = (double *)(map + layout.expected);
    file->data.tolerance = (float *)(map + layout.tolerance);
    if (task->flags & ANOLE_TASK_BIAS)
        file->data.bias = map + layout.bias;
    if (task->flags & ANOLE_TASK_RESIDUAL)
        file->data.residual = map + layout.residual;
    return ANOLE_DONE;
}

enum anole_status anole_task_file_map(struct anole_task_file *file, int descriptor,
                                      const struct anole_task *task, struct anole_error *error)
{
    size_t bytes = anole_task_file_size(task);
    struct stat about;
    int seals = fcntl(descriptor, F_GET_SEALS);
    if (fstat(descriptor, &about) != 0 || about.st_size != (off_t)bytes || seals < 0 ||
        (seals & SEALS) != SEALS)
        return anole_fail(error, ANOLE_ERR_WORKER,
                          "a task's data is not what was expected: %zu bytes, sealed", bytes);
    return anole_task_file_look(file, descriptor, task, error);
}

void anole_task_file_unmap(struct anole_task_file *file)
{
    if (file->map)
        munmap(file->map, file->bytes);
    *file = (struct anole_task_file){.map = NULL};
}
