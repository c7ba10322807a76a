/* SPDX-License-Identifier: MIT */
#include "measure/forecast.h"

#include "base/clock.h"
#include "op/reference.h"

#include <unistd.h>

/* Of less work a reference takes a moment, on any machine, and says more of how long a process
 * takes to start than of how fast it computes. */
#define LEAST_WORK 1e9

#define SMALL_TASK "conv2d n1 28x28x128 k3x3 s1x1 p1,1,1,1 d1x1 g1 o64 f32"

uint32_t anole_forecast_threads(void)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    return cores > 0 ? (uint32_t)cores : 1;
}

/* 0 if it cannot be computed. */
static double measure_small(void)
{
    struct anole_error ignored = {.status = ANOLE_DONE};
    struct anole_task task;
    struct anole_task_data *data = NULL;
    if (anole_task_parse_key(&task, SMALL_TASK, &ignored) != ANOLE_DONE)
        return 0.0;
    const double start = anole_clock();
    if (anole_task_data_create(&data, &task, 1, anole_forecast_threads(), &ignored) != ANOLE_DONE)
        return 0.0;
    const double seconds = anole_clock() - start;
    anole_task_data_destroy(data);
    return seconds > 0.0 ? anole_task_flops(&task) / seconds : 0.0;
}

/* Nobody knows what the reference of a user's own kernel takes. */
static double work_of(const struct anole_task *task)
{
    const double work = anole_task_flops(task);
    const bool known = task->kind != ANOLE_TASK_CUSTOM && task->kind < ANOLE_FORECAST_KINDS;
    return known && work >= LEAST_WORK ? work : 0.0;
}

double anole_forecast_seconds(struct anole_forecast *forecast, const struct anole_task *task)
{
    const double work = work_of(task);
    if (!(work > 0.0))
        return 0.0;
    if (forecast->rates[task->kind] > 0.0)
        return work / forecast->rates[task->kind];
    if (!(forecast->small > 0.0))
        forecast->small = measure_small();
    return forecast->small > 0.0 ? work / forecast->small : 0.0;
}

void anole_forecast_note(struct anole_forecast *forecast, const struct anole_task *task,
                         double seconds)
{
    const double work = work_of(task);
    if (work > 0.0 && seconds > 0.0)
        forecast->rates[task->kind] = work / seconds;
}
