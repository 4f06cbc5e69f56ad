/* SPDX-License-Identifier: MIT */
/*
 * keeper: the parent of a command that runs without a sandbox; see step.h.
 *
 * Without a pid namespace a command escapes its process group by two forks and setsid. As a
 * child subreaper the keeper inherits such orphans, so killing children until there are none
 * ends everything, however often they forked: a process can only be a descendant of ours.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "fdio.h"
#include "opt.h"
#include "step.h"

enum { KEEPER_CHILDREN_BYTES = 1 << 20, KEEPER_FAILED = 125 };

static _Noreturn void command_main(char **argv)
{
    sigset_t none;
    sigemptyset(&none);
    (void)setsid();
    (void)prctl(PR_SET_PDEATHSIG, 0);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    (void)close(STEP_INFO_FD);
    (void)execvp(argv[0], argv);
    (void)dprintf(STDERR_FILENO, "cannot run '%s': %s\n", argv[0], strerror(errno));
    _exit(127);
}

/* Sends SIGKILL to every child; true when there was one. */
static bool kill_children(void)
{
    char path[64];
    AUTO(str_done) struct str text = STR_INIT(KEEPER_CHILDREN_BYTES);
    (void)snprintf(path, sizeof path, "/proc/self/task/%d/children", (int)getpid());
    if (fdio_read_file(path, &text, NULL) < 0)
        return false;
    struct view rest = view_trim(str_view(&text));
    bool any = false;
    while (rest.len) {
        struct view one;
        int64_t pid;
        (void)view_cut(rest, ' ', &one, &rest);
        if (opt_int(one, 1, INT32_MAX, &pid, NULL) < 0)
            continue;
        (void)kill((pid_t)pid, SIGKILL);
        any = true;
    }
    return any;
}

static void end_all(void)
{
    while (kill_children()) {
        while (waitpid(-1, NULL, WNOHANG) > 0)
            continue;
        clock_sleep_until(clock_now_ns() + CLOCK_NS_PER_MS / 2);
    }
}

/* Reaps until the command itself has ended or SIGTERM says that it must. */
static int wait_for(pid_t command, const sigset_t *wanted)
{
    for (;;) {
        int signal;
        int status;
        pid_t pid;
        if (sigwait(wanted, &signal) != 0 || signal == SIGTERM)
            return 128 + SIGTERM;
        while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
            if (pid == command)
                return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    }
}

static int keep(char **command)
{
    sigset_t wanted;
    sigemptyset(&wanted);
    sigaddset(&wanted, SIGCHLD);
    sigaddset(&wanted, SIGTERM);
    (void)sigprocmask(SIG_BLOCK, &wanted, NULL);
    (void)prctl(PR_SET_CHILD_SUBREAPER, 1);

    pid_t pid = fork();
    if (pid < 0)
        return KEEPER_FAILED;
    if (pid == 0)
        command_main(command);
    (void)dprintf(STEP_INFO_FD, "{\"child-pid\": %d}\n", (int)pid);
    (void)close(STEP_INFO_FD);
    /* The reader of the output must see its end when the command's processes have closed it. */
    (void)dup2(STDIN_FILENO, STDOUT_FILENO);
    (void)dup2(STDIN_FILENO, STDERR_FILENO);
    int status = wait_for(pid, &wanted);
    end_all();
    return status;
}

int keeper_main(int argc, char **argv)
{
    if (argc < 2 || strcmp(argv[1], STEP_KEEPER) != 0)
        return -1;
    return argc > 2 ? keep(argv + 2) : KEEPER_FAILED;
}
