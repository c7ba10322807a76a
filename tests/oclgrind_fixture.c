/* SPDX-License-Identifier: MIT */
#include "oclgrind_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

void oclgrind_prepare(const char *library, const char *log)
{
    /* It reads its environment when it is loaded. */
    setenv("ANOLE_TEST_DRIVER", library, 1);
    setenv("OCLGRIND_DATA_RACES", "1", 1);
    setenv("OCLGRIND_UNINITIALIZED", "1", 1);
    setenv("OCLGRIND_MAX_ERRORS", "1000", 1);
    setenv("OCLGRIND_NUM_THREADS", "1", 1);
    setenv("OCLGRIND_LOG", log, 1);
    /* Optimised code has instructions that it does not know, and hides mistakes. */
    setenv("OCLGRIND_BUILD_OPTIONS", "-cl-opt-disable", 1);
}

/* What Oclgrind has said so far; to be freed. */
static char *read_log(const char *path)
{
    struct stat info;
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    assert_int_equal(fstat(fileno(file), &info), 0);
    char *text = calloc(1, (size_t)info.st_size + 1);
    assert_non_null(text);
    text[fread(text, 1, (size_t)info.st_size, file)] = 0;
    fclose(file);
    return text;
}

/* Runs a kernel of two work-groups on 8 floats, and looks for a word in what is said
 * about it. */
static void expect(struct kernel_fixture *f, const char *source, const char *word)
{
    const float floats[8] = {1, 2, 3, 4, 5, 6, 7, 8};
    struct anole_message message = {.size = sizeof message};
    struct anole_task task;
    struct anole_launch launch = {.size = sizeof launch,
                                  .dimensions = 1,
                                  .kernel = "misdeed",
                                  .global = {2, 0, 0},
                                  .local = {1, 0, 0},
                                  .arg_count = 1};
    launch.args[0].role = ANOLE_ROLE_OUTPUT;
    const struct anole_kernel kernel = {.size = sizeof kernel,
                                        .launch_count = 1,
                                        .source = source,
                                        .source_length = strlen(source),
                                        .options = "",
                                        .launches = &launch,
                                        .task = &task};
    struct anole_binding bindings[ANOLE_ROLE_COUNT] = {0};
    struct anole_binding *output = &bindings[ANOLE_ROLE_OUTPUT];
    struct anole_build *build = NULL;
    double device_seconds, host_seconds;

    assert_int_equal(anole_task_parse_key(&task, "dense n1 i1 o8 f32", NULL), ANOLE_DONE);
    output->bytes = sizeof floats;
    if (f->plugin->buffer_create(f->session, sizeof floats, &output->buffer, &message) ||
        f->plugin->buffer_write(f->session, output->buffer, 0, floats, sizeof floats, &message) ||
        f->plugin->build(f->session, &kernel, NULL, 0, &build, &message) ||
        f->plugin->run(f->session, build, bindings, ANOLE_ROLE_COUNT, 1, &device_seconds,
                       &host_seconds, &message))
        fail_msg("%s", message.text);
    f->plugin->release(f->session, build);
    f->plugin->buffer_destroy(f->session, output->buffer);

    char *log = read_log(f->log);
    if (!strstr(log, word))
        fail_msg("Oclgrind does not report '%s' in:\n%sIt said: %s", word, source, log);
    free(log);
}

void oclgrind_prove(struct kernel_fixture *fixture)
{
    expect(fixture, "kernel void misdeed(global float *out) { out[0] = out[8]; }\n",
           "Invalid read");
    expect(fixture, "kernel void misdeed(global float *out) { out[8] = 1; }\n", "Invalid write");
    expect(fixture, "kernel void misdeed(global float *out) { out[0] = get_group_id(0); }\n",
           "race");
    expect(fixture, "kernel void misdeed(global float *out) { float x; out[0] = x; }\n",
           "Uninitialized");
}
