/* SPDX-License-Identifier: MIT */
/* health: see health.h. */
#include "health.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "fdio.h"
#include "opt.h"
#include "str.h"
#include "throttle.h"

/* Where a run stops being a measurement of the service. Lateness of a send is invisible to the
 * service below the noise of any network; a loop that is always busy is the bottleneck itself.
 */
static const int64_t late_p99_max_ns = 1000000;
static const int64_t late_batch_max_ns = 2000000; /* one quantum more */
static const double cpu_share_max = 0.985;
static const double foreign_share_max = 0.05;
static const double steal_share_max = 0.02;

enum { STAT_BYTES_MAX = 4 << 20, CPU_FIELDS = 8 };

/* --- samples ------------------------------------------------------------------------------ */

/* One line "cpu3 user nice system idle iowait irq softirq steal ..." of /proc/stat. */
static void add_cpu_line(struct view line, const cpu_set_t *cpus, struct health_sample *out)
{
    AUTO(str_done) struct str copy = STR_INIT(1024);
    str_add(&copy, line);
    unsigned cpu;
    int64_t f[CPU_FIELDS];
    if (sscanf(str_text(&copy),
               "cpu%u %" SCNd64 " %" SCNd64 " %" SCNd64 " %" SCNd64 " %" SCNd64 " %" SCNd64
               " %" SCNd64 " %" SCNd64,
               &cpu, &f[0], &f[1], &f[2], &f[3], &f[4], &f[5], &f[6],
               &f[7]) != CPU_FIELDS + 1 ||
        cpu >= CPU_SETSIZE || !CPU_ISSET(cpu, cpus))
        return;
    int64_t tick_ns = INT64_C(1000000000) / sysconf(_SC_CLK_TCK);
    int64_t busy = f[0] + f[1] + f[2] + f[5] + f[6];
    out->busy_ns += busy * tick_ns;
    out->steal_ns += f[7] * tick_ns;
    out->total_ns += (busy + f[3] + f[4] + f[7]) * tick_ns;
}

void health_sample(const cpu_set_t *cpus, struct health_sample *out)
{
    AUTO(str_done) struct str text = STR_INIT(STAT_BYTES_MAX);
    *out = (struct health_sample){.throttled_ns = throttle_ns()};
    if (fdio_read_file("/proc/stat", &text, NULL) < 0)
        return;
    struct view rest = str_view(&text);
    struct view line;
    while (view_line(&rest, &line) && view_starts(line, "cpu"))
        add_cpu_line(line, cpus, out);
}

/* --- verdict ------------------------------------------------------------------------------ */

static void shares(const struct health_sample *before, const struct health_sample *after,
                   struct health *out)
{
    double total = (double)(after->total_ns - before->total_ns) / 1e9;
    if (total <= 0)
        return;
    double busy = (double)(after->busy_ns - before->busy_ns) / 1e9;
    out->steal_share = (double)(after->steal_ns - before->steal_ns) / 1e9 / total;
    out->foreign_share = busy > out->cpu_s ? (busy - out->cpu_s) / total : 0;
    out->throttled_s = (double)(after->throttled_ns - before->throttled_ns) / 1e9;
}

static void decide(const struct health_rules *rules, const struct tally *t, struct health *h)
{
    int64_t late = hist_quantile(&t->late, 0.99);
    int64_t late_max = rules->batch ? late_batch_max_ns : late_p99_max_ns;
    h->verdict = VERDICT_GENERATOR_LIMITED;
    if (t->client_failed)
        snprintf(h->reason, sizeof h->reason,
                 "%" PRIu64 " requests met limits of this side (descriptors, ports, memory)",
                 t->client_failed);
    else if (rules->open_loop && late > late_max)
        snprintf(h->reason, sizeof h->reason,
                 "requests were sent late: p99 of lateness %.3f ms, at most %.3f is accepted",
                 (double)late / 1e6, (double)late_max / 1e6);
    else if (!rules->open_loop && !rules->polls && h->cpu_share > cpu_share_max)
        snprintf(
            h->reason, sizeof h->reason,
            "the generator used %.1f %% of its CPUs, so it may be what limits; more threads "
            "or a rate would tell",
            100 * h->cpu_share);
    else if (h->throttled_s > 0.01 * rules->duration_s)
        snprintf(h->reason, sizeof h->reason, "held back by its CPU limit for %.2f s",
                 h->throttled_s);
    else
        h->verdict = VERDICT_NOISY;
    if (h->verdict == VERDICT_GENERATOR_LIMITED)
        return;

    if (h->steal_share > steal_share_max)
        snprintf(h->reason, sizeof h->reason, "the hypervisor took %.1f %% of our CPUs",
                 100 * h->steal_share);
    else if (rules->dedicated && h->foreign_share > foreign_share_max)
        snprintf(h->reason, sizeof h->reason, "something else used %.1f %% of our CPUs",
                 100 * h->foreign_share);
    else
        h->verdict = VERDICT_VALID;
}

void health_judge(const struct health_rules *rules, const struct health_sample *before,
                  const struct health_sample *after, const struct tally *tally,
                  struct health *out)
{
    *out = (struct health){.user_s = (double)tally->cpu_user_ns / 1e9,
                           .system_s = (double)tally->cpu_system_ns / 1e9,
                           .involuntary = tally->involuntary};
    out->cpu_s = out->user_s + out->system_s;
    if (rules->duration_s > 0)
        out->cpu_share = out->cpu_s / (rules->duration_s * rules->threads);
    shares(before, after, out);
    decide(rules, tally, out);
}

const char *verdict_name(enum verdict_kind verdict)
{
    static const char *const names[] = {[VERDICT_VALID] = "valid",
                                        [VERDICT_GENERATOR_LIMITED] = "generator-limited",
                                        [VERDICT_NOISY] = "noisy"};
    return names[verdict];
}
