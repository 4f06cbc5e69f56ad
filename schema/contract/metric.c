/* SPDX-License-Identifier: MIT */
/*
 * metric: see metric.h.
 *
 * CPU time per request is the gate: between identical programs it varies by a few per cent even
 * on a busy virtual machine, where throughput and tails vary by tens. The least effects follow
 * that order, and a spec may change each.
 */
#include "metric.h"

#include <math.h>

const struct metric_info metric_table[METRIC_COUNT] = {
    /* name, title, unit, direction, primary, gate, per endpoint, least effect */
    [METRIC_CPU_PER_REQUEST] = {"cpu_per_request", "CPU time per request", "ns", -1, true, true,
                                false, 0.05},
    [METRIC_THROUGHPUT] = {"throughput", "throughput", "1/s", +1, true, false, true, 0.10},
    [METRIC_P50] = {"p50", "p50 response time", "ns", -1, true, false, true, 0.10},
    [METRIC_P90] = {"p90", "p90 response time", "ns", -1, false, false, true, 0.15},
    [METRIC_P99] = {"p99", "p99 response time", "ns", -1, true, false, true, 0.25},
    [METRIC_ERRORS] = {"errors", "failed requests", "1", -1, true, false, true, 0.001},
    [METRIC_PEAK_MEMORY] = {"peak_memory", "peak memory", "B", -1, false, false, false, 0.05},
    [METRIC_START_TIME] = {"start_time", "start-up time", "ns", -1, false, false, false, 0.20},
};

int metric_by_name(struct view name, enum metric *out)
{
    for (int i = 0; i < METRIC_COUNT; i++)
        if (view_eqz(name, metric_table[i].name)) {
            *out = (enum metric)i;
            return 0;
        }
    return -1;
}

struct scale {
    double factor;
    const char *name;
};

/* The largest scale that keeps the number at one or above as it is written, which is with three
 * significant digits: 999.7 ns are "1.00 us". */
static void add_scaled(struct str *out, double value, const struct scale *scales, size_t n)
{
    size_t i = 0;
    while (i + 1 < n && fabs(value) < 0.9995 * scales[i].factor)
        i++;
    double scaled = value / scales[i].factor;
    int decimals = fabs(scaled) >= 99.95 ? 0 : fabs(scaled) >= 9.995 ? 1 : 2;
    str_addf(out, "%.*f %s", decimals, scaled, scales[i].name);
}

void metric_format_unit(const char *unit, double value, struct str *out)
{
    static const struct scale times[] = {{1e9, "s"}, {1e6, "ms"}, {1e3, "us"}, {1, "ns"}};
    static const struct scale rates[] = {{1e6, "M/s"}, {1e3, "k/s"}, {1, "/s"}};
    static const struct scale sizes[] = {
        {0x1p30, "GiB"}, {0x1p20, "MiB"}, {0x1p10, "KiB"}, {1, "B"}};
    static const struct scale shares[] = {{0.01, "%"}};

    if (!isfinite(value))
        str_addz(out, "-");
    else if (strcmp(unit, "ns") == 0)
        add_scaled(out, value, times, ARRAY_LEN(times));
    else if (strcmp(unit, "1/s") == 0)
        add_scaled(out, value, rates, ARRAY_LEN(rates));
    else if (strcmp(unit, "B") == 0)
        add_scaled(out, value, sizes, ARRAY_LEN(sizes));
    else
        add_scaled(out, value, shares, ARRAY_LEN(shares));
}

void metric_format(enum metric m, double value, struct str *out)
{
    metric_format_unit(metric_table[m].unit, value, out);
}
