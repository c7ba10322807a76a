/* SPDX-License-Identifier: MIT
 *
 * When a worker counts as hanging: by its limit, in which the time that other work had the
 * cores does not count.  The worker is made up; how long threads wait for a core is not.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "worker/queueing.h"
#include "worker/supervise.h"

#include <math.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* ------------------------------------------------------ a worker that is silent */

struct silent {
    struct anole_connection connection;
    double waited; /* what it says that it waited */
};

static enum anole_status silent_service(struct anole_connection *connection,
                                        struct anole_error *error)
{
    (void)connection;
    (void)error;
    return ANOLE_DONE;
}

static enum anole_status silent_receive(struct anole_connection *connection,
                                        struct anole_frame *frame, bool *got, bool *ended,
                                        struct anole_error *error)
{
    (void)connection;
    (void)frame;
    (void)error;
    *got = *ended = false;
    return ANOLE_DONE;
}

static double silent_waited(struct anole_connection *connection, bool begin)
{
    return begin ? 0.0 : ((struct silent *)connection)->waited;
}

static void silent_end(struct anole_connection *connection)
{
    (void)connection;
}

static const struct anole_transport silent_transport = {.name = "silent",
                                                        .service = silent_service,
                                                        .receive = silent_receive,
                                                        .waited = silent_waited,
                                                        .end = silent_end};

#define LIMIT 0.6

static double limit(const void *context, const struct anole_supervised *worker)
{
    (void)context;
    (void)worker;
    return LIMIT;
}

static const struct anole_supervision rules = {.limit = limit};

/* What is said of the worker once `seconds` have gone by since it was asked, if it says that it
 * waited for `waited`. */
static enum anole_worker_event after(double seconds, double waited, char *text, size_t size)
{
    struct silent silent = {.connection = {&silent_transport}, .waited = waited};
    struct anole_supervised worker;
    struct anole_frame frame;
    enum anole_worker_event event = ANOLE_WORKER_WAITING;
    anole_supervised_init(&worker);
    worker.process.connection = &silent.connection;
    anole_supervised_begin(&worker, &rules, ANOLE_STAGE_BUILD);
    anole_supervised_expect(&worker, ANOLE_FRAME_READY, 1);
    for (const double end = anole_clock() + seconds;
         event == ANOLE_WORKER_WAITING && anole_clock() < end; usleep(20000))
        event = anole_supervised_check(&worker, &rules, &frame, text, size);
    anole_supervised_end(&worker);
    return event;
}

static void test_who_hangs(void **state)
{
    (void)state;
    char text[256];
    assert_int_equal(after(2.0 * LIMIT, 0.0, text, sizeof text), ANOLE_WORKER_HANGS);
    assert_non_null(strstr(text, "took longer than 0.6 s while"));
}

static void test_who_waits_for_a_core_does_not(void **state)
{
    (void)state;
    char text[256];
    assert_int_equal(after(2.0 * LIMIT, 60.0, text, sizeof text), ANOLE_WORKER_WAITING);
}

static void test_nobody_is_waited_for_without_end(void **state)
{
    (void)state;
    char text[256];
    assert_int_equal(after(30.0 * LIMIT, 1e9, text, sizeof text), ANOLE_WORKER_HANGS);
    assert_non_null(strstr(text, "0.6 s, without 5.4 s in which other work had the cores"));
}

/* --------------------------------------------------------- waiting for a core */

/* A process on this core that spins, or sleeps. */
static pid_t start(int core, bool spins)
{
    const pid_t pid = fork();
    if (pid != 0)
        return pid;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(core, &set);
    sched_setaffinity(0, sizeof set, &set);
    for (volatile unsigned long steps = 0;; steps++)
        if (!spins)
            pause();
}

static void end(pid_t pid)
{
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

static void test_threads_that_wait_are_seen(void **state)
{
    (void)state;
    static struct anole_queueing busy, idle;
    if (access("/proc/self/schedstat", R_OK) != 0)
        skip();
    const int core = sched_getcpu();
    const pid_t processes[] = {start(core, true), start(core, true), start(core, true)};
    const pid_t sleeper = start(core, false);
    usleep(100000); /* until they are where they belong */
    anole_queueing_begin(&busy, processes[0]);
    anole_queueing_begin(&idle, sleeper);
    const double began = anole_clock();
    usleep(600000);
    const double waited = anole_queueing_seconds(&busy, processes[0]);
    const double passed = anole_clock() - began + 0.1;
    const double slept = anole_queueing_seconds(&idle, sleeper);
    /* This process is the root of all. */
    anole_queueing_begin(&busy, getpid());
    usleep(300000);
    const double all = anole_queueing_seconds(&busy, getpid());
    end(sleeper);
    for (size_t i = 0; i < 3; i++)
        end(processes[i]);
    /* Three share a core: each has it for a third of the time, or less. */
    assert_true(waited > 0.2);
    assert_true(waited < passed);
    assert_true(slept < 0.5 * passed);
    assert_true(all > 0.05);
    assert_true(anole_queueing_seconds(&idle, sleeper) == 0.0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_who_hangs),
        cmocka_unit_test(test_who_waits_for_a_core_does_not),
        cmocka_unit_test(test_nobody_is_waited_for_without_end),
        cmocka_unit_test(test_threads_that_wait_are_seen),
    };
    return cmocka_run_group_tests_name("supervise", tests, NULL, NULL);
}
