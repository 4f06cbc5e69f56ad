/* SPDX-License-Identifier: MIT */
/* doctor: see doctor.h. */
#include "doctor.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fdio.h"
#include "json_write.h"
#include "opt.h"
#include "str.h"
#include "tune.h"

/* Above these the host is not quiet: shares of time, averages over ten seconds. */
#define DOCTOR_PRESSURE_MAX 20.0 /* per cent */
enum { DOCTOR_BACKLOG_LEAST = 1024, DOCTOR_FILE_MAX = 64 << 10 };

const char *const doctor_status_names[DOCTOR_STATUS_COUNT] = {"pass", "warn", "fail"};

void doctor_add(struct doctor *d, enum doctor_status status, const char *name, const char *fix,
                const char *fmt, ...)
{
    va_list args;
    struct doctor_check *c = vec_push(&d->checks);
    c->status = status;
    (void)snprintf(c->name, sizeof c->name, "%s", name);
    (void)snprintf(c->fix, sizeof c->fix, "%s", fix ? fix : "");
    va_start(args, fmt);
    (void)vsnprintf(c->text, sizeof c->text, fmt, args);
    va_end(args);
}

static bool read_file(const char *root, const char *path, struct str *out)
{
    AUTO(str_done) struct str full = STR_INIT(TUNE_PATH_MAX);
    str_addf(&full, "%s%s", root, path);
    str_clear(out);
    return fdio_read_file(str_text(&full), out, NULL) == 0;
}

static bool read_number(const char *root, const char *path, int64_t *out)
{
    AUTO(str_done) struct str text = STR_INIT(DOCTOR_FILE_MAX);
    return read_file(root, path, &text) &&
           opt_int(view_trim(str_view(&text)), 0, INT64_MAX, out, NULL) == 0;
}

/* One line for each kind of setting, however many CPUs have it. */
static void look_at_settings(struct doctor *d, const char *root)
{
    struct tune_setting s;
    const char *last = "";
    for (int i = 0; tune_setting(root, i, &s); i++) {
        if (strcmp(s.name, last) == 0 && (s.good || d->checks.at[d->checks.len - 1].status))
            continue;
        if (strcmp(s.name, last) == 0)
            d->checks.len--; /* this CPU's setting is worse than those before */
        last = s.name;
        if (s.good)
            doctor_add(d, DOCTOR_PASS, s.name, NULL, "%s", s.value);
        else
            doctor_add(d, DOCTOR_WARN, s.name, "pacewatch doctor --tune", "%s: %s (%s)",
                       s.value, s.why, s.path);
    }
}

static void look_at_cpus(struct doctor *d, const char *root, const struct cpus *cpus)
{
    int64_t smt = 0;
    if (cpus->shared)
        doctor_add(d, DOCTOR_WARN, "cores", NULL,
                   "one core for service and generator: numbers will be noisy; two or more "
                   "are wanted");
    else
        doctor_add(d, DOCTOR_PASS, "cores", NULL, "service on CPUs %s, generator on CPUs %s",
                   cpus->service_list, cpus->load_list);
    if (read_number(root, "/sys/devices/system/cpu/smt/active", &smt) && smt)
        doctor_add(d, DOCTOR_WARN, "SMT", "echo off > /sys/devices/system/cpu/smt/control",
                   "two threads share a core; the other one's work changes CPU time");
    else
        doctor_add(d, DOCTOR_PASS, "SMT", NULL, "no core is shared by two threads");
}

static void look_at_pressure(struct doctor *d, const char *root)
{
    AUTO(str_done) struct str text = STR_INIT(DOCTOR_FILE_MAX);
    double avg = 0;
    if (!read_file(root, "/proc/pressure/cpu", &text) ||
        sscanf(str_text(&text), "some avg10=%lf", &avg) != 1)
        doctor_add(d, DOCTOR_WARN, "pressure", NULL,
                   "this kernel does not tell how long work waits (no /proc/pressure)");
    else if (avg > DOCTOR_PRESSURE_MAX)
        doctor_add(d, DOCTOR_WARN, "pressure", "ps -eo pcpu,pid,args --sort=-pcpu | head",
                   "work waited for a CPU %.0f %% of the last ten seconds: the host is busy",
                   avg);
    else
        doctor_add(d, DOCTOR_PASS, "pressure", NULL,
                   "work waited for a CPU %.0f %% of the last ten seconds", avg);
}

static void look_at_swap(struct doctor *d, const char *root)
{
    AUTO(str_done) struct str text = STR_INIT(DOCTOR_FILE_MAX);
    bool some = read_file(root, "/proc/swaps", &text) && text.len &&
                strchr(str_text(&text), '\n') && strchr(str_text(&text), '\n')[1];
    if (some)
        doctor_add(d, DOCTOR_WARN, "swap", "swapoff -a",
                   "there is swap: a service that is swapped in is slow once");
    else
        doctor_add(d, DOCTOR_PASS, "swap", NULL, "none");
}

static void look_at_clock(struct doctor *d, const char *root)
{
    static const char path[] =
        "/sys/devices/system/clocksource/clocksource0/current_clocksource";
    static const char *const fast[] = {"tsc", "kvm-clock", "arch_sys_counter",
                                       "hyperv_clocksource_tsc_page"};
    AUTO(str_done) struct str text = STR_INIT(DOCTOR_FILE_MAX);
    if (!read_file(root, path, &text))
        return;
    struct view name = view_trim(str_view(&text));
    for (size_t i = 0; i < ARRAY_LEN(fast); i++)
        if (view_eqz(name, fast[i])) {
            doctor_add(d, DOCTOR_PASS, "clock source", NULL, "%.*s", (int)name.len, name.at);
            return;
        }
    doctor_add(d, DOCTOR_WARN, "clock source",
               "cat /sys/devices/system/clocksource/clocksource0/available_clocksource",
               "%.*s: reading the time costs a system call", (int)name.len, name.at);
}

static void look_at_network(struct doctor *d, const char *root)
{
    int64_t backlog = 0;
    if (!read_number(root, "/proc/sys/net/core/somaxconn", &backlog))
        return;
    if (backlog < DOCTOR_BACKLOG_LEAST)
        doctor_add(d, DOCTOR_WARN, "listen backlog", "sysctl -w net.core.somaxconn=4096",
                   "%lld: many new connections at once are refused", (long long)backlog);
    else
        doctor_add(d, DOCTOR_PASS, "listen backlog", NULL, "%lld", (long long)backlog);
}

void doctor_look(struct doctor *d, const char *root, const struct cpus *cpus)
{
    look_at_cpus(d, root, cpus);
    look_at_settings(d, root);
    look_at_pressure(d, root);
    look_at_swap(d, root);
    look_at_clock(d, root);
    look_at_network(d, root);
}

void doctor_done(struct doctor *d)
{
    vec_done(&d->checks);
}

void doctor_write_text(const struct doctor *d, struct str *out)
{
    for (size_t i = 0; i < d->checks.len; i++) {
        const struct doctor_check *c = &d->checks.at[i];
        str_addf(out, "%s  %-14s  %s\n", doctor_status_names[c->status], c->name, c->text);
        if (c->fix[0])
            str_addf(out, "      %-14s  $ %s\n", "", c->fix);
    }
}

void doctor_write_json(const struct doctor *d, struct str *out)
{
    struct jw w = jw_begin(out);
    jw_object(&w, NULL);
    jw_text(&w, "worst", doctor_status_names[doctor_worst(d)]);
    jw_array(&w, "checks");
    for (size_t i = 0; i < d->checks.len; i++) {
        const struct doctor_check *c = &d->checks.at[i];
        jw_object(&w, NULL);
        jw_text(&w, "name", c->name);
        jw_text(&w, "status", doctor_status_names[c->status]);
        jw_text(&w, "text", c->text);
        jw_text(&w, "fix", c->fix[0] ? c->fix : NULL);
        jw_end(&w);
    }
    jw_end(&w);
    jw_end(&w);
    str_addc(out, '\n');
}

enum doctor_status doctor_worst(const struct doctor *d)
{
    enum doctor_status worst = DOCTOR_PASS;
    for (size_t i = 0; i < d->checks.len; i++)
        worst = d->checks.at[i].status > worst ? d->checks.at[i].status : worst;
    return worst;
}
