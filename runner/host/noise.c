/* SPDX-License-Identifier: MIT */
/* noise: see noise.h. What this kernel does not tell counts as zero. */
#include "noise.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "fdio.h"
#include "opt.h"
#include "throttle.h"

enum { NOISE_FILE_MAX = 1 << 20, STAT_COLUMNS = 8, THREADS_MAX = 4096 };

/* /proc/stat: user nice system idle iowait irq softirq steal */
enum { STAT_IDLE = 3, STAT_IOWAIT = 4, STAT_STEAL = 7 };

static const char *const pressure_files[] = {"/proc/pressure/cpu", "/proc/pressure/memory",
                                             "/proc/pressure/io"};

/* The whole number behind the first 'key' in a text, 0 when it is not there. */
static int64_t number_behind(const struct str *text, const char *key)
{
    const char *at = text->len ? strstr(text->at, key) : NULL;
    int64_t value = 0;
    if (!at)
        return 0;
    at += strlen(key);
    at += strspn(at, " \t");
    struct view number = {at, strspn(at, "0123456789")};
    (void)opt_int(number, 0, INT64_MAX, &value, NULL);
    return value;
}

static void snap_pressure(struct noise_snap *s)
{
    AUTO(str_done) struct str text = STR_INIT(4096);
    for (size_t i = 0; i < ARRAY_LEN(pressure_files); i++) {
        str_clear(&text);
        if (fdio_read_file(pressure_files[i], &text, NULL) == 0)
            s->pressure_us[i] = number_behind(&text, "total=");
    }
}

static void snap_cpu_line(struct noise_snap *s, struct view line, const cpu_set_t *cpus)
{
    struct view name;
    struct view rest;
    int64_t cpu;
    int64_t ticks[STAT_COLUMNS] = {0};
    (void)view_cut(line, ' ', &name, &rest);
    if (opt_int(view_skip(name, 3), 0, CPU_SETSIZE - 1, &cpu, NULL) < 0 ||
        !CPU_ISSET((size_t)cpu, cpus))
        return;
    for (int i = 0; i < STAT_COLUMNS; i++) {
        struct view one;
        (void)view_cut(rest, ' ', &one, &rest);
        (void)opt_int(one, 0, INT64_MAX, &ticks[i], NULL);
    }
    double tick_s = 1.0 / (double)sysconf(_SC_CLK_TCK);
    for (int i = 0; i < STAT_COLUMNS; i++)
        if (i != STAT_IDLE && i != STAT_IOWAIT && i != STAT_STEAL)
            s->busy_s += (double)ticks[i] * tick_s;
    s->steal_s += (double)ticks[STAT_STEAL] * tick_s;
}

static void snap_cpus(struct noise_snap *s, const cpu_set_t *cpus)
{
    AUTO(str_done) struct str text = STR_INIT(NOISE_FILE_MAX);
    if (fdio_read_file("/proc/stat", &text, NULL) < 0)
        return;
    struct view rest = str_view(&text);
    struct view line;
    while (view_line(&rest, &line) && view_starts(line, "cpu"))
        if (line.len > 3 && line.at[3] != ' ')
            snap_cpu_line(s, line, cpus);
    s->switches = number_behind(&text, "\nctxt ");
}

/* One number of a CPU's own folder; -1: there is none. */
static int64_t cpu_number(int cpu, const char *file)
{
    char path[128];
    AUTO(str_done) struct str text = STR_INIT(64);
    int64_t value = -1;
    (void)snprintf(path, sizeof path, "/sys/devices/system/cpu/cpu%d/%s", cpu, file);
    if (fdio_read_file(path, &text, NULL) < 0 ||
        opt_int(view_trim(str_view(&text)), 0, INT64_MAX, &value, NULL) < 0)
        return -1;
    return value;
}

/* Without frequency scaling, as in a virtual machine, /proc/cpuinfo may still tell. */
static double cpuinfo_mhz(void)
{
    AUTO(str_done) struct str text = STR_INIT(NOISE_FILE_MAX);
    double mhz = 0;
    (void)fdio_read_file("/proc/cpuinfo", &text, NULL);
    const char *at = text.len ? strstr(text.at, "cpu MHz") : NULL;
    at = at ? strchr(at, ':') : NULL;
    return at && sscanf(at, ": %lf", &mhz) == 1 ? mhz : 0;
}

static void snap_clock(struct noise_snap *s, const cpu_set_t *cpus)
{
    double khz = 0;
    int told = 0;
    for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
        if (!CPU_ISSET(cpu, cpus))
            continue;
        int64_t now = cpu_number(cpu, "cpufreq/scaling_cur_freq");
        int64_t hot = cpu_number(cpu, "thermal_throttle/core_throttle_count");
        told += now > 0;
        khz += now > 0 ? (double)now : 0;
        s->hot += hot > 0 ? hot : 0;
    }
    s->mhz = told ? khz / told / 1000 : cpuinfo_mhz();
}

static void snap_thread(struct noise_snap *s, const char *task)
{
    char path[128];
    AUTO(str_done) struct str text = STR_INIT(8192);
    (void)snprintf(path, sizeof path, "%s/schedstat", task);
    if (fdio_read_file(path, &text, NULL) == 0) {
        struct view run;
        struct view rest;
        struct view delay;
        int64_t value;
        (void)view_cut(str_view(&text), ' ', &run, &rest);
        (void)view_cut(rest, ' ', &delay, &rest);
        if (opt_int(run, 0, INT64_MAX, &value, NULL) == 0)
            s->thread_cpu_ns += value;
        if (opt_int(delay, 0, INT64_MAX, &value, NULL) == 0)
            s->run_delay_ns += value;
    }
    str_clear(&text);
    (void)snprintf(path, sizeof path, "%s/status", task);
    if (fdio_read_file(path, &text, NULL) == 0)
        s->involuntary += number_behind(&text, "nonvoluntary_ctxt_switches:");
}

static void snap_process(struct noise_snap *s, pid_t pid)
{
    char path[64];
    char task[96];
    AUTO(str_done) struct str text = STR_INIT(8192);
    (void)snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
    if (fdio_read_file(path, &text, NULL) == 0)
        s->resident_peak += number_behind(&text, "VmHWM:") * 1024;
    (void)snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
    DIR *dir = opendir(path);
    struct dirent *entry;
    for (int i = 0; dir && i < THREADS_MAX && (entry = readdir(dir)); i++) {
        if (entry->d_name[0] == '.')
            continue;
        (void)snprintf(task, sizeof task, "%s/%.16s", path, entry->d_name);
        snap_thread(s, task);
    }
    if (dir)
        closedir(dir);
}

void noise_snap(struct noise_snap *out, const cpu_set_t *cpus, const pid_t *pids, size_t n)
{
    *out = (struct noise_snap){.at_ns = clock_now_ns()};
    snap_pressure(out);
    snap_cpus(out, cpus);
    snap_clock(out, cpus);
    out->throttled_ns = throttle_ns();
    for (size_t i = 0; i < n; i++)
        snap_process(out, pids[i]);
}

static double positive(double v)
{
    return v > 0 ? v : 0;
}

void noise_between(const struct noise_snap *from, const struct noise_snap *to,
                   int64_t service_cpu_ns, const cpu_set_t *cpus, struct noise_gauges *out)
{
    *out = (struct noise_gauges){0};
    double seconds = (double)(to->at_ns - from->at_ns) / (double)CLOCK_NS_PER_S;
    if (seconds <= 0)
        return;
    double pressure[3];
    for (int i = 0; i < 3; i++)
        pressure[i] =
            positive((double)(to->pressure_us[i] - from->pressure_us[i]) / 1e6) / seconds;
    out->psi_cpu = pressure[0];
    out->psi_memory = pressure[1];
    out->psi_io = pressure[2];
    out->steal = positive(to->steal_s - from->steal_s) / (seconds * CPU_COUNT(cpus));
    double own_s = (double)service_cpu_ns / (double)CLOCK_NS_PER_S;
    out->foreign_cpu = positive(to->busy_s - from->busy_s - positive(own_s)) / seconds;
    double run_ns = (double)(to->thread_cpu_ns - from->thread_cpu_ns);
    if (run_ns > 0)
        out->run_delay = positive((double)(to->run_delay_ns - from->run_delay_ns)) / run_ns;
    out->throttled = positive((double)(to->throttled_ns - from->throttled_ns)) /
                     (double)CLOCK_NS_PER_S / seconds;
    out->hot = positive((double)(to->hot - from->hot));
    out->mhz = (from->mhz + to->mhz) / 2;
    out->switches_per_s = positive((double)(to->switches - from->switches)) / seconds;
    out->involuntary_per_s = positive((double)(to->involuntary - from->involuntary)) / seconds;
}
