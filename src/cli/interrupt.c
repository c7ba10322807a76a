/* SPDX-License-Identifier: MIT */
#include "cli/interrupt.h"

#include "base/status.h"
#include "plugin/inside.h"

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define GRACE 3 /* seconds that an op of a plugin has left after a signal */

static volatile sig_atomic_t came;
static uint_fast64_t call; /* of a plugin, that the signal came in */
static char stack[1 << 16];

static void say(const char *text)
{
    (void)!write(2, text, strlen(text));
}

/* Names the op that this process is within; false: it is within none.  For handlers. */
static bool blame_plugin(const char *what)
{
    const char *op = atomic_load(&anole_inside.op);
    if (!op)
        return false;
    say("anole: backend ");
    say(atomic_load(&anole_inside.backend));
    say(": its op ");
    say(op);
    say(what);
    return true;
}

/* An op that hangs never looks at the flag. */
static void check_end(int signal_number)
{
    (void)signal_number;
    if (atomic_load(&anole_inside.calls) == call &&
        blame_plugin(" does not come back; ended as was asked for\n"))
        _exit(anole_status_exit_code(ANOLE_ERR_PLUGIN));
}

/* A file that is cut short while it is mapped takes down whoever reads it, a plugin's when the
 * program ends, at the latest. */
static void blame_file(const void *address)
{
    const char *backend = anole_inside_owner((uintptr_t)address);
    if (backend) {
        say("anole: backend ");
        say(backend);
        say(": its file was cut short or changed while it was in use (SIGBUS); put the whole file "
            "back, under another name first and then renamed, and run this again\n");
    } else {
        say("anole: a file that is in use was cut short, or its disk is full (SIGBUS)\n");
    }
}

/* Whatever comes over this program within a plugin is told with the plugin's name; it then
 * ends as it would have. */
static void tell(int signal_number, siginfo_t *info, void *context)
{
    (void)context;
    bool told =
        blame_plugin(signal_number == SIGBUS
                         ? " crashed this process (SIGBUS: was its file changed meanwhile?)\n"
                         : " crashed this process\n");
    if (!told && signal_number == SIGBUS)
        blame_file(info->si_addr);
    signal(signal_number, SIG_DFL);
    raise(signal_number);
}

/* A plugin that calls exit() is not to end a program as if all were well. */
static void refuse_exit(void)
{
    if (blame_plugin(" called exit()\n"))
        _exit(anole_status_exit_code(ANOLE_ERR_PLUGIN));
}

static void watch_plugins(void)
{
    static const int crashes[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT};
    const stack_t alternate = {.ss_sp = stack, .ss_size = sizeof stack};
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = check_end;
    sigemptyset(&action.sa_mask);
    action.sa_flags = SA_RESTART;
    sigaction(SIGALRM, &action, NULL);
    action.sa_sigaction = tell;
    action.sa_flags = SA_ONSTACK | SA_NODEFER | SA_SIGINFO;
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    sigaltstack(&alternate, NULL);
    for (size_t i = 0; i < sizeof crashes / sizeof *crashes; i++)
        sigaction(crashes[i], &action, NULL);
#else
    (void)alternate;
    (void)crashes;
#endif
    atexit(refuse_exit);
}

static void note(int signal_number)
{
    call = atomic_load(&anole_inside.calls);
    if (atomic_load(&anole_inside.op))
        alarm(GRACE);
    if (came) {
        signal(signal_number, SIG_DFL);
        raise(signal_number);
    }
    came = 1;
}

void anole_interrupt_install(void)
{
    watch_plugins();
    /* Without SA_RESTART, so that a wait in poll() ends at once. */
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = note;
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    /* Writing to a pipe whose reader went away is an error, not the end. */
    action.sa_handler = SIG_IGN;
    sigaction(SIGPIPE, &action, NULL);
    /* So is growing a file beyond its limit. */
    sigaction(SIGXFSZ, &action, NULL);
}

bool anole_interrupted(void *unused)
{
    (void)unused;
    return came != 0;
}
