/* SPDX-License-Identifier: MIT */
/* report_text: a result as a table for people, see load_report.h. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "load_report.h"

/* Three significant digits and a unit, in a column. */
static void add_time(struct str *out, double ns)
{
    static const struct {
        double factor;
        const char *name;
    } units[] = {{1e9, "s"}, {1e6, "ms"}, {1e3, "us"}, {1, "ns"}};
    size_t i = 0;
    while (i + 1 < 4 && ns < units[i].factor)
        i++;
    double value = ns / units[i].factor;
    int digits = value >= 100 || units[i].factor == 1 ? 0 : value >= 10 ? 1 : 2;
    str_addf(out, " %6.*f %-2s", digits, value, units[i].name);
}

static void add_row(struct str *out, const char *name, const struct hist *h)
{
    if (!h->count)
        return;
    str_addf(out, "  %-14s", name);
    add_time(out, hist_mean(h));
    static const double quantiles[] = {0.5, 0.9, 0.95, 0.99, 0.999};
    for (size_t i = 0; i < ARRAY_LEN(quantiles); i++)
        add_time(out, (double)hist_quantile(h, quantiles[i]));
    add_time(out, (double)h->max);
    str_addc(out, '\n');
}

static void add_setup(struct str *out, const struct load_plan *plan,
                      const struct load_result *r)
{
    const struct spec_load *l = &plan->load;
    str_addf(out, "%s%s%s\n", plan->target->url, plan->target->unix_path ? " through " : "",
             plan->target->unix_path ? plan->target->unix_path : "");
    str_addf(out, "%s, ", load_report_mode(plan));
    if (l->kind == SPEC_OPEN_LOOP && plan->stages_len)
        str_addf(out, "%zu stages %s, at most ", plan->stages_len,
                 l->poisson ? "poisson" : "evenly");
    else if (l->kind == SPEC_OPEN_LOOP)
        str_addf(out, "%.6g/s %s, at most ", l->rate_rps, l->poisson ? "poisson" : "evenly");
    str_addf(out, "%" PRId64 " connections, %" PRId64 " threads", l->connections, l->threads);
    if (l->pipeline > 1)
        str_addf(out, ", %" PRId64 " requests in flight on each", l->pipeline);
    if (plan->open_only)
        str_addz(out, ", opening only");
    else if (l->close)
        str_addz(out, ", one request on each");
    str_addf(out, ", %s\n", r->engine);
}

static void add_totals(struct str *out, const struct load_result *r)
{
    const struct tally *t = &r->tally;
    str_addf(out,
             "\n%" PRIu64 " requests in %.2f s, %" PRIu64 " answered, %" PRIu64 " failed\n",
             r->requests, r->duration_s, r->answered, r->failed);
    str_addf(out, "%.2f answers/s", r->achieved_rps);
    if (r->duration_s > 0)
        str_addf(out, ", %.2f MB/s in, %.2f MB/s out",
                 (double)t->bytes_in / r->duration_s / 1e6,
                 (double)t->bytes_out / r->duration_s / 1e6);
    str_addf(out, "\n%.1f in flight on average, %" PRIu64 " at most", r->mean_in_flight,
             t->in_flight_max);
    if (t->backlog_max)
        str_addf(out, ", %" PRIu64 " waiting for a connection at most", t->backlog_max);
    str_addf(out, "\n%" PRIu64 " connections opened", t->connections_opened);
    if (t->closed_by_peer)
        str_addf(out,
                 ", %" PRIu64 " kept ones closed by the server, %" PRIu64
                 " requests sent again",
                 t->closed_by_peer, t->retried);
    if (t->sessions_completed || t->sessions_broken)
        str_addf(out, "\n%" PRIu64 " sessions completed, %" PRIu64 " broken by a failed step",
                 t->sessions_completed, t->sessions_broken);
    str_addc(out, '\n');
}

static void add_errors(struct str *out, const struct load_result *r)
{
    for (size_t p = 0; p < FAIL_PHASES; p++)
        for (size_t c = 0; c < FAIL_CAUSES; c++) {
            const struct tally_error *x = &r->tally.errors[p][c];
            if (!x->count)
                continue;
            str_addf(out, "  failed: %s %s %" PRIu64 ", first after %.3f s",
                     fail_phase_name((enum fail_phase)p), fail_cause_name((enum fail_cause)c),
                     x->count, (double)(x->first_ns - r->start_ns) / 1e9);
            if (x->first_errno)
                str_addf(out, " (%s)", strerror(x->first_errno));
            str_addc(out, '\n');
        }
}

static void add_endpoints(struct str *out, const struct load_plan *plan,
                          const struct load_result *r)
{
    for (size_t i = 0; plan->endpoints_len > 1 && i < plan->endpoints_len; i++) {
        const struct tally_endpoint *p = &r->tally.endpoints[i];
        str_addf(out, "  %s: %" PRIu64 " answered, %" PRIu64 " failed\n",
                 plan->endpoints[i].name, p->answered, p->failed);
        add_row(out, "", &p->response);
    }
}

void load_report_text(const struct load_plan *plan, const struct load_result *r,
                      struct str *out)
{
    const struct health *h = &r->health;
    bool split = plan->load.kind == SPEC_OPEN_LOOP || plan->load.close;
    add_setup(out, plan, r);
    add_totals(out, r);
    add_errors(out, r);
    str_addf(out, "\n  %-14s %9s %9s %9s %9s %9s %9s %9s\n", "", "mean   ", "p50   ", "p90   ",
             "p95   ", "p99   ", "p99.9   ", "max   ");
    add_row(out, "response", &r->response);
    if (split) {
        add_row(out, "service", &r->tally.service);
        add_row(out, "queue", &r->tally.queue);
    }
    if (r->tally.backlog_max)
        add_row(out, "no connection", &r->tally.no_connection);
    add_row(out, "generator late", &r->tally.late);
    add_row(out, "connect", &r->tally.connect);
    add_row(out, "handshake", &r->tally.tls);
    add_row(out, "until failure", &r->tally.failed);
    add_endpoints(out, plan, r);
    str_addf(out,
             "\ngenerator: %.3f s of CPU (%.1f %%), %.2f us per request, foreign %.1f %%, "
             "steal %.1f %%\n",
             h->cpu_s, 100 * h->cpu_share,
             r->tally.answered_in_window ? h->cpu_s * 1e6 / (double)r->tally.answered_in_window
                                         : 0,
             100 * h->foreign_share, 100 * h->steal_share);
    if (fabs(r->little - 1) > 0.02 && r->requests > 100)
        str_addf(out, "implausible: Little's law is off by %.0f %%\n",
                 100 * fabs(r->little - 1));
    str_addf(out, "verdict: %s%s%s\n", verdict_name(h->verdict), *h->reason ? ", " : "",
             h->reason);
}
