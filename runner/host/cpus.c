/* SPDX-License-Identifier: MIT */
/* cpus: see cpus.h. */
#include "cpus.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "cpulist.h"
#include "fdio.h"
#include "opt.h"

static int read_topology(int cpu, const char *file, int fallback)
{
    char path[128];
    AUTO(str_done) struct str text = STR_INIT(64);
    int64_t value;
    (void)snprintf(path, sizeof path, "/sys/devices/system/cpu/cpu%d/topology/%s", cpu, file);
    if (fdio_read_file(path, &text, NULL) < 0 ||
        opt_int(view_trim(str_view(&text)), 0, INT32_MAX, &value, NULL) < 0)
        return fallback;
    return (int)value;
}

void cpus_read_cores(struct cpus_machine *m)
{
    for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
        if (CPU_ISSET(cpu, &m->allowed))
            m->core_of[cpu] = read_topology(cpu, "physical_package_id", 0) * CPU_SETSIZE +
                              read_topology(cpu, "core_id", cpu);
}

void cpus_read(struct cpus_machine *out)
{
    *out = (struct cpus_machine){0};
    if (sched_getaffinity(0, sizeof out->allowed, &out->allowed) < 0)
        CPU_SET(0, &out->allowed);
    cpus_read_cores(out);
}

/* Cores in the order of their first thread. */
static int count_cores(const struct cpus_machine *m, int place_of[CPU_SETSIZE], int *threads)
{
    int cores = 0;
    *threads = 0;
    for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
        place_of[cpu] = -1;
        if (!CPU_ISSET(cpu, &m->allowed))
            continue;
        ++*threads;
        for (int other = 0; other < cpu && place_of[cpu] < 0; other++)
            if (place_of[other] >= 0 && m->core_of[other] == m->core_of[cpu])
                place_of[cpu] = place_of[other];
        if (place_of[cpu] < 0)
            place_of[cpu] = cores++;
    }
    return cores;
}

static void write_list(const cpu_set_t *set, char out[CPUS_LIST_MAX])
{
    AUTO(str_done) struct str text = STR_INIT(CPUS_LIST_MAX - 1);
    cpulist_write(set, &text);
    memcpy(out, str_text(&text), text.len + 1);
}

void cpus_divide(const struct cpus_machine *m, struct cpus *out)
{
    int place_of[CPU_SETSIZE];
    *out = (struct cpus){.all = m->allowed};
    out->cores = count_cores(m, place_of, &out->threads);

    /* One core with two threads is shared, but two places are still better than one. */
    bool by_thread = out->cores == 1 && out->threads > 1;
    int places = by_thread ? out->threads : out->cores;
    int service_places = places <= 3 ? 1 : places / 2;
    int house_first = places - 1;
    out->shared = out->cores == 1;

    for (int cpu = 0, thread = 0; cpu < CPU_SETSIZE; cpu++) {
        if (place_of[cpu] < 0)
            continue;
        int place = by_thread ? thread++ : place_of[cpu];
        bool house = place >= house_first;
        if (place < service_places)
            CPU_SET(cpu, &out->service);
        if (place >= service_places && (!house || places <= 2))
            CPU_SET(cpu, &out->load);
        if (house)
            CPU_SET(cpu, &out->house);
    }
    if (places == 1)
        out->load = out->service;
    write_list(&out->all, out->all_list);
    write_list(&out->service, out->service_list);
    write_list(&out->load, out->load_list);
}

bool cpus_halve(const struct cpus_machine *m, struct cpus out[2])
{
    int place_of[CPU_SETSIZE];
    int threads;
    int half = count_cores(m, place_of, &threads) / 2;
    int services = half > 1 ? half / 2 : half;
    for (int h = 0; h < 2; h++) {
        struct cpus *c = &out[h];
        *c = (struct cpus){.all = m->allowed, .cores = half, .shared = half < 2};
        for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
            int place = place_of[cpu] - h * half;
            if (place_of[cpu] < 0 || place < 0 || place >= half)
                continue;
            c->threads++;
            CPU_SET(cpu, place < services ? &c->service : &c->load);
        }
        if (c->shared)
            c->load = c->service;
        c->house = c->load;
        write_list(&c->all, c->all_list);
        write_list(&c->service, c->service_list);
        write_list(&c->load, c->load_list);
    }
    return half > 0;
}

int cpus_keep_house(const struct cpus *c, struct err *e)
{
    if (sched_setaffinity(0, sizeof c->house, &c->house) < 0)
        return err_errno(e, "move to the housekeeping CPUs");
    return 0;
}

int cpus_raise_priority(void)
{
    return setpriority(PRIO_PROCESS, 0, CPUS_NICE_MEASURED) == 0 ? CPUS_NICE_MEASURED : 0;
}

/* "/autogroup-17 nice 0": the first word names it. */
static bool session_name(const char *path, struct str *out)
{
    AUTO(str_done) struct str text = STR_INIT(128);
    struct view name;
    struct view rest;
    if (fdio_read_file(path, &text, NULL) < 0)
        return false;
    (void)view_cut(str_view(&text), ' ', &name, &rest);
    str_add(out, name);
    return name.len > 0;
}

bool cpus_raise_session(pid_t pid, int nice)
{
    char path[64];
    char text[16];
    AUTO(str_done) struct str own = STR_INIT(128);
    AUTO(str_done) struct str its = STR_INIT(128);
    (void)snprintf(path, sizeof path, "/proc/%d/autogroup", (int)pid);
    (void)snprintf(text, sizeof text, "%d", nice);
    if (!session_name("/proc/self/autogroup", &own) || !session_name(path, &its) ||
        view_eq(str_view(&own), str_view(&its)))
        return false;
    AUTO(fdio_closep) int fd = open(path, O_WRONLY | O_CLOEXEC);
    return fd >= 0 && write(fd, text, strlen(text)) > 0;
}
