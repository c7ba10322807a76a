/* SPDX-License-Identifier: MIT */
#include "exec/task_file.h"

#include "exec/custom_data.h"
#include "op/roles.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define ALIGNMENT 64u
#define SEALS (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

/* What the file of a task holds, by where it lies. */
enum part {
    PART_INPUT,
    PART_WEIGHTS,
    PART_BIAS,
    PART_RESIDUAL,
    PART_EXPECTED,
    PART_TOLERANCE,
    /* Of a custom kernel, instead of all but the input. */
    PART_INITIAL,
    PART_ANSWER,
    PART_COUNT
};

struct layout {
    size_t offsets[PART_COUNT];
    size_t bytes[PART_COUNT]; /* 0: absent */
    size_t whole;
};

/* A checked task has less than 2^31 elements a tensor: nothing overflows. */
static void lay_out(struct layout *layout, const struct anole_task *task)
{
    struct anole_task_sizes sizes;
    anole_task_sizes(&sizes, task);
    const size_t *bytes = sizes.bytes, outputs = bytes[ANOLE_ROLE_OUTPUT] / sizes.element;
    *layout = (struct layout){.bytes = {[PART_INPUT] = bytes[ANOLE_ROLE_INPUT]}};
    if (task->custom) {
        layout->bytes[PART_INITIAL] = layout->bytes[PART_ANSWER] = bytes[ANOLE_ROLE_OUTPUT];
    } else {
        layout->bytes[PART_WEIGHTS] = bytes[ANOLE_ROLE_WEIGHTS];
        layout->bytes[PART_BIAS] = bytes[ANOLE_ROLE_BIAS];
        layout->bytes[PART_RESIDUAL] = bytes[ANOLE_ROLE_RESIDUAL];
        layout->bytes[PART_EXPECTED] = outputs * sizeof(double);
        layout->bytes[PART_TOLERANCE] = outputs * sizeof(float);
    }
    for (int i = 0; i < PART_COUNT; i++) {
        layout->offsets[i] = layout->whole;
        layout->whole += (layout->bytes[i] + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    }
}

size_t anole_task_file_size(const struct anole_task *task)
{
    struct layout layout;
    lay_out(&layout, task);
    return layout.whole;
}

enum anole_status anole_task_file_create(int *descriptor, size_t bytes, struct anole_error *error)
{
    int file = memfd_create("anole-task", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (file < 0)
        return anole_fail_errno(error, "cannot make a file in memory for a task's data");
    if (ftruncate(file, (off_t)bytes) != 0) {
        enum anole_status status =
            anole_fail_errno(error, "cannot make room for the %zu bytes of a task's data", bytes);
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
    static const enum part parts[] = {PART_INPUT, PART_INITIAL, PART_ANSWER};
    const struct anole_custom_kernel *custom = anole_custom_of(task);
    struct layout layout;
    enum anole_status status = ANOLE_DONE;
    lay_out(&layout, task);
    for (size_t i = 0; status == ANOLE_DONE && i < sizeof parts / sizeof *parts; i++) {
        enum part part = parts[i];
        void *memory = calloc(1, layout.bytes[part] + 1);
        if (!memory)
            return anole_fail_memory(error);
        status = part == PART_ANSWER
                     ? anole_custom_expect(memory, custom, error)
                     : anole_custom_fill(memory, custom, part == PART_INITIAL, seed, error);
        if (status == ANOLE_DONE)
            status = write_at(descriptor, layout.offsets[part], memory, layout.bytes[part], error);
        free(memory);
    }
    return status;
}

enum anole_status anole_task_file_answer(int descriptor, const struct anole_task *task,
                                         const void *computed, struct anole_error *error)
{
    struct anole_task_file file = {.map = NULL};
    struct layout layout;
    enum anole_status status = anole_task_file_look(&file, descriptor, task, error);
    if (status != ANOLE_DONE)
        return status;
    lay_out(&layout, task);
    size_t bytes = layout.bytes[PART_ANSWER];
    void *memory = malloc(bytes);
    if (!memory) {
        status = anole_fail_memory(error);
    } else {
        memcpy(memory, file.data.answer, bytes);
        anole_custom_adopt(memory, anole_custom_of(task), computed);
        status = write_at(descriptor, layout.offsets[PART_ANSWER], memory, bytes, error);
    }
    free(memory);
    anole_task_file_unmap(&file);
    return status;
}

enum anole_status anole_task_file_fill(int descriptor, const struct anole_task *task, uint64_t seed,
                                       unsigned threads, struct anole_error *error)
{
    struct anole_task_data *data;
    struct layout layout;
    if (task->custom)
        return fill_custom(descriptor, task, seed, error);
    enum anole_status status = anole_task_data_create(&data, task, seed, threads, error);
    if (status != ANOLE_DONE)
        return status;
    const void *const parts[PART_COUNT] = {
        [PART_INPUT] = data->input,       [PART_WEIGHTS] = data->weights,
        [PART_BIAS] = data->bias,         [PART_RESIDUAL] = data->residual,
        [PART_EXPECTED] = data->expected, [PART_TOLERANCE] = data->tolerance,
    };
    lay_out(&layout, task);
    for (int i = 0; status == ANOLE_DONE && i < PART_COUNT; i++)
        status = write_at(descriptor, layout.offsets[i], parts[i], layout.bytes[i], error);
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
    struct layout layout;
    void *parts[PART_COUNT];
    lay_out(&layout, task);
    char *map = mmap(NULL, layout.whole, PROT_READ, MAP_PRIVATE, descriptor, 0);
    if (map == MAP_FAILED)
        return anole_fail_errno(error, "cannot map a task's data of %zu bytes", layout.whole);
    for (int i = 0; i < PART_COUNT; i++)
        parts[i] = layout.bytes[i] > 0 ? map + layout.offsets[i] : NULL;
    file->map = map;
    file->bytes = layout.whole;
    file->data = (struct anole_task_data){.input = parts[PART_INPUT],
                                          .weights = parts[PART_WEIGHTS],
                                          .bias = parts[PART_BIAS],
                                          .residual = parts[PART_RESIDUAL],
                                          .expected = parts[PART_EXPECTED],
                                          .tolerance = parts[PART_TOLERANCE],
                                          .initial = parts[PART_INITIAL],
                                          .answer = parts[PART_ANSWER]};
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
