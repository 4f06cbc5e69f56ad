/* SPDX-License-Identifier: MIT */
/*
 * pacewatchd: reads its configuration, starts the stages and waits for a signal.
 *
 * Signals are blocked in every thread and taken here by signalfd, so that no handler runs in
 * the middle of anything. SIGTERM and SIGINT stop cleanly; a second one stops at once.
 */
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "app.h"
#include "fdio.h"
#include "log.h"
#include "mirror.h"
#include "opt.h"
#include "settings.h"

enum { EXIT_FAILED = 1, EXIT_BAD_INPUT = 3 };

static const char usage[] =
    "usage: pacewatchd --config FILE [OPTION...]\n"
    "Watches repositories and measures every commit and merge request.\n\n";

static int block_signals(struct err *e)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    (void)signal(SIGPIPE, SIG_IGN);
    if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
        return err_errno(e, "block signals");
    int fd = signalfd(-1, &set, SFD_CLOEXEC);
    return fd < 0 ? err_errno(e, "make a signal descriptor") : fd;
}

static void wait_for_signal(int fd)
{
    struct signalfd_siginfo info;
    while (read(fd, &info, sizeof info) < 0)
        continue;
    log_info("stopping", "signal=%s", strsignal((int)info.ssi_signo));
}

static int run(const struct settings *settings, struct err *e)
{
    AUTO(fdio_closep) int signals = block_signals(e);
    struct app *app = NULL;
    if (signals < 0 || app_start(settings, &app, e) < 0)
        return -1;
    wait_for_signal(signals);
    /* From now on a second signal ends the process at once; the state on disk is always whole.
     */
    sigset_t none;
    sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    app_stop(app);
    log_info("stopped", "state=%s", settings->state_dir);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc >= 2 && strcmp(argv[1], MIRROR_WORD) == 0)
        return mirror_child_main(argc, argv);

    const char *config = NULL, *level_name = "info";
    bool check_only = false, help = false, version = false;
    const struct opt table[] = {
        {"config", 'c', OPT_TEXT, "FILE", "the configuration, see pacewatchd.conf(5)", &config,
         0, 0, NULL},
        {"check", 'n', OPT_FLAG, NULL, "check the configuration and exit", &check_only, 0, 0,
         NULL},
        {"log", 0, OPT_TEXT, "LEVEL", "error, warn, info (default) or debug", &level_name, 0, 0,
         NULL},
        {"version", 0, OPT_FLAG, NULL, "print the version", &version, 0, 0, NULL},
        {"help", 'h', OPT_FLAG, NULL, "this text", &help, 0, 0, NULL},
    };
    struct err e = {0};
    enum log_level level = LOG_INFO;
    int first = 0;
    AUTO(settings_freep) struct settings *settings = NULL;

    if (opt_parse(table, ARRAY_LEN(table), argc, argv, &first, &e) < 0) {
        fprintf(stderr, "pacewatchd: %s\nTry 'pacewatchd --help'.\n", e.text);
        return EXIT_BAD_INPUT;
    }
    if (help || version) {
        fputs(help ? usage : "pacewatchd " PACEWATCH_VERSION "\n", stdout);
        if (help)
            opt_help(stdout, table, ARRAY_LEN(table));
        return 0;
    }
    if (!config || first < argc || log_level_parse(level_name, &level) < 0) {
        fputs(usage, stderr);
        return EXIT_BAD_INPUT;
    }
    log_set_level(level);
    if (settings_load(config, &settings, &e) < 0) {
        fprintf(stderr, "%s\n", e.text);
        return EXIT_BAD_INPUT;
    }
    if (check_only) {
        printf("%s: good: %zu repositor%s\n", config, settings->repos_len,
               settings->repos_len == 1 ? "y" : "ies");
        return 0;
    }
    if (run(settings, &e) < 0) {
        log_error("cannot run", "%s", e.text);
        return EXIT_FAILED;
    }
    return 0;
}
