/* SPDX-License-Identifier: MIT */
/* cpulist: see cpulist.h. */
#include "cpulist.h"

#include "opt.h"

int cpulist_parse(struct view text, cpu_set_t *out, struct err *e)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    struct view rest = view_trim(text);
    while (rest.len) {
        struct view part;
        struct view from;
        struct view to;
        int64_t first;
        int64_t last;
        (void)view_cut(rest, ',', &part, &rest);
        bool range = view_cut(part, '-', &from, &to);
        if (opt_int(from, 0, CPU_SETSIZE - 1, &first, e) < 0)
            return err_ctx(e, "list of CPUs");
        last = first;
        if (range && opt_int(to, first, CPU_SETSIZE - 1, &last, e) < 0)
            return err_ctx(e, "list of CPUs");
        for (int64_t cpu = first; cpu <= last; cpu++)
            CPU_SET((size_t)cpu, &set);
    }
    *out = set;
    return 0;
}

void cpulist_write(const cpu_set_t *set, struct str *out)
{
    const char *comma = "";
    for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
        if (!CPU_ISSET(cpu, set))
            continue;
        int last = cpu;
        while (last + 1 < CPU_SETSIZE && CPU_ISSET(last + 1, set))
            last++;
        if (last > cpu)
            str_addf(out, "%s%d-%d", comma, cpu, last);
        else
            str_addf(out, "%s%d", comma, cpu);
        comma = ",";
        cpu = last;
    }
}
