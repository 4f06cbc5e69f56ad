/* SPDX-License-Identifier: MIT */
/* report_probe: runs at different rates as a table and as JSON, see load_report.h. */
#include <inttypes.h>

#include "json_write.h"
#include "load_report.h"
#include "probe.h"

void load_report_rows_head(struct str *out)
{
    str_addz(out, "     rate   offered  achieved   per second: min   mean    max  stddev"
                  "     p50 ms   p90 ms   p99 ms   max ms  in flight  cpu us  server us\n");
}

static double per_request_us(double cpu_s, const struct load_result *r)
{
    return r->tally.answered_in_window ? cpu_s * 1e6 / (double)r->tally.answered_in_window : 0;
}

void load_report_row(const struct probe_row *row, struct str *out)
{
    const struct load_result *r = row->result;
    const struct hist *h = &r->response;
    str_addf(out, "%9.6g %9.2f %9.2f %17.0f %6.0f %6.0f %7.1f", row->rate_rps, r->offered_rps,
             r->achieved_rps, row->second_min, row->second_mean, row->second_max,
             row->second_stddev);
    str_addf(out, "   %8.3f %8.3f %8.3f %8.3f %10" PRIu64 " %7.2f",
             (double)hist_quantile(h, 0.5) / 1e6, (double)hist_quantile(h, 0.9) / 1e6,
             (double)hist_quantile(h, 0.99) / 1e6, (double)h->max / 1e6,
             r->tally.in_flight_max + r->tally.backlog_max, per_request_us(r->health.cpu_s, r));
    if (row->server_cpu_s >= 0)
        str_addf(out, " %10.2f", per_request_us(row->server_cpu_s, r));
    for (size_t p = 0; p < FAIL_PHASES; p++)
        for (size_t c = 0; c < FAIL_CAUSES; c++)
            if (r->tally.errors[p][c].count)
                str_addf(out, "  %s %s %" PRIu64, fail_phase_name((enum fail_phase)p),
                         fail_cause_name((enum fail_cause)c), r->tally.errors[p][c].count);
    if (r->health.verdict != VERDICT_VALID)
        str_addf(out, "  [%s]", verdict_name(r->health.verdict));
    str_addc(out, '\n');
}

void load_report_found(const struct probe *p, struct str *out)
{
    if (p->answer_rps == 0) {
        str_addz(out, "\nno rate meets the goal\n");
        return;
    }
    str_addf(out, "\n%.6g/s meets the goal%s\n", p->answer_rps,
             p->confirmed           ? "; confirmed three times, and refuted at 5 % above"
             : p->generator_limited ? "; not confirmed: above it the generator is the limit"
                                    : "; not confirmed: the runs near it do not agree");
}

static void write_row(struct jw *w, const struct probe_row *row, bool search)
{
    const struct load_result *r = row->result;
    jw_object(w, NULL);
    jw_real(w, "rate_rps", row->rate_rps);
    jw_int(w, "requests", (int64_t)r->requests);
    jw_int(w, "answered", (int64_t)r->answered);
    jw_int(w, "failed", (int64_t)r->failed);
    jw_real(w, "duration_s", r->duration_s);
    jw_real(w, "offered_rps", r->offered_rps);
    jw_real(w, "achieved_rps", r->achieved_rps);
    jw_object(w, "per_second");
    jw_real(w, "min", row->second_min);
    jw_real(w, "mean", row->second_mean);
    jw_real(w, "max", row->second_max);
    jw_real(w, "stddev", row->second_stddev);
    jw_end(w);
    load_report_times(w, "response_ns", &r->response);
    load_report_times(w, "connect_ns", &r->tally.connect);
    load_report_errors(w, r);
    jw_int(w, "in_flight_max", (int64_t)r->tally.in_flight_max);
    jw_int(w, "backlog_max", (int64_t)r->tally.backlog_max);
    jw_real(w, "generator_cpu_s", r->health.cpu_s);
    if (row->server_cpu_s >= 0)
        jw_real(w, "server_cpu_s", row->server_cpu_s);
    jw_int(w, "lateness_p99_ns", hist_quantile(&r->tally.late, 0.99));
    if (search)
        jw_bool(w, "good", row->good);
    jw_text(w, "verdict", verdict_name(r->health.verdict));
    jw_text(w, "reason", r->health.reason);
    jw_end(w);
}

void load_report_probe_json(const struct probe *p, bool search, struct str *out)
{
    struct jw w = jw_begin(out);
    jw_object(&w, NULL);
    jw_int(&w, "version", 1);
    jw_text(&w, "program", "pacewatch-load " PACEWATCH_VERSION);
    jw_text(&w, "url", p->plan->target->url);
    jw_text(&w, "mode", load_report_mode(p->plan));
    jw_int(&w, "seed", (int64_t)p->plan->seed);
    if (search) {
        jw_real(&w, "answer_rps", p->answer_rps);
        jw_bool(&w, "confirmed", p->confirmed);
    }
    jw_array(&w, "rows");
    for (size_t i = 0; i < p->rows.len; i++)
        write_row(&w, &p->rows.at[i], search);
    jw_end(&w);
    jw_end(&w);
    str_addc(out, '\n');
}
