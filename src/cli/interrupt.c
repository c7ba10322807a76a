/* SPDX-License-Identifier: MIT */
#include "cli/interrupt.h"

#include <signal.h>
#include <stddef.h>
#include <string.h>

static volatile sig_atomic_t came;

static void note(int signal_number)
{
    if (came) {
        signal(signal_number, SIG_DFL);
        raise(signal_number);
    }
    came = 1;
}

void anole_interrupt_install(void)
{
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
