/* SPDX-License-Identifier: MIT */
/* report_json: a result as JSON and CSV, see load_report.h. */
#include <inttypes.h>
#include <string.h>

#include "json_write.h"
#include "load_report.h"

const char *load_report_mode(const struct load_plan *plan)
{
    if (plan->load.kind == SPEC_CLOSED_LOOP)
        return "closed-loop";
    return plan->load.close || plan->open_only ? "connection-rate" : "open-loop";
}

void load_report_times(struct jw *w, const char *key, const struct hist *h)
{
    jw_object(w, key);
    jw_int(w, "count", (int64_t)h->count);
    jw_real(w, "mean", hist_mean(h));
    jw_int(w, "min", h->count ? h->min : 0);
    jw_int(w, "p50", hist_quantile(h, 0.50));
    jw_int(w, "p90", hist_quantile(h, 0.90));
    jw_int(w, "p95", hist_quantile(h, 0.95));
    jw_int(w, "p99", hist_quantile(h, 0.99));
    jw_int(w, "p99_9", hist_quantile(h, 0.999));
    jw_int(w, "max", h->max);
    jw_end(w);
}

static void write_packed(struct jw *w, const struct hist *h)
{
    AUTO(str_done) struct str packed = STR_INIT(HIST_ENCODED_MAX);
    hist_pack(h, &packed);
    jw_base64(w, "hist", str_view(&packed));
}

static void write_status(struct jw *w, const uint64_t status[TALLY_STATUS_CLASSES])
{
    static const char *const names[] = {"other", "1xx", "2xx", "3xx", "4xx", "5xx"};
    jw_object(w, "status");
    for (size_t i = 0; i < TALLY_STATUS_CLASSES; i++)
        if (status[i])
            jw_int(w, names[i], (int64_t)status[i]);
    jw_end(w);
}

static void write_setup(struct jw *w, const struct load_plan *plan, const struct load_result *r)
{
    const struct spec_load *l = &plan->load;
    jw_object(w, "setup");
    jw_text(w, "url", plan->target->url);
    jw_text(w, "unix", plan->target->unix_path);
    jw_text(w, "mode", load_report_mode(plan));
    jw_text(w, "engine", r->engine);
    jw_int(w, "connections", l->connections);
    jw_int(w, "threads", l->threads);
    jw_int(w, "pipeline", l->pipeline);
    jw_bool(w, "close", l->close);
    jw_bool(w, "open_only", plan->open_only);
    if (l->kind == SPEC_OPEN_LOOP) {
        jw_real(w, "rate_rps", l->rate_rps);
        jw_text(w, "arrival", l->poisson ? "poisson" : "constant");
        jw_text(w, "pacing", load_pacing_name(plan->pacing));
    }
    jw_real(w, "warmup_s", (double)l->warmup_ns / 1e9);
    jw_real(w, "timeout_s", (double)l->timeout_ns / 1e9);
    jw_int(w, "seed", (int64_t)plan->seed);
    jw_end(w);
}

static void write_endpoints(struct jw *w, const struct load_plan *plan,
                            const struct load_result *r)
{
    jw_array(w, "endpoints");
    for (size_t i = 0; i < plan->endpoints_len; i++) {
        const struct tally_endpoint *p = &r->tally.endpoints[i];
        jw_object(w, NULL);
        jw_text(w, "name", plan->endpoints[i].name);
        jw_int(w, "weight", plan->endpoints[i].weight);
        jw_int(w, "requests", (int64_t)(p->answered + p->failed));
        jw_int(w, "answered", (int64_t)p->answered);
        jw_int(w, "failed", (int64_t)p->failed);
        write_status(w, p->status);
        load_report_times(w, "response_ns", &p->response);
        write_packed(w, &p->response);
        jw_end(w);
    }
    jw_end(w);
}

/* {"connect": {"refused": {"count": 3, "first_at_s": 0.2, "errno": 111}}} */
void load_report_errors(struct jw *w, const struct load_result *r)
{
    jw_object(w, "errors");
    for (size_t p = 0; p < FAIL_PHASES; p++) {
        bool any = false;
        for (size_t c = 0; c < FAIL_CAUSES; c++) {
            const struct tally_error *x = &r->tally.errors[p][c];
            if (!x->count)
                continue;
            if (!any)
                jw_object(w, fail_phase_name((enum fail_phase)p));
            any = true;
            jw_object(w, fail_cause_name((enum fail_cause)c));
            jw_int(w, "count", (int64_t)x->count);
            jw_real(w, "first_at_s", (double)(x->first_ns - r->start_ns) / 1e9);
            if (x->first_errno)
                jw_int(w, "errno", x->first_errno);
            jw_end(w);
        }
        if (any)
            jw_end(w);
    }
    jw_end(w);
}

static void write_generator(struct jw *w, const struct load_result *r)
{
    const struct health *h = &r->health;
    const struct hist *late = &r->tally.late;
    jw_object(w, "generator");
    jw_real(w, "cpu_s", h->cpu_s);
    jw_real(w, "user_s", h->user_s);
    jw_real(w, "system_s", h->system_s);
    jw_real(w, "cpu_share", h->cpu_share);
    jw_real(w, "foreign_share", h->foreign_share);
    jw_real(w, "steal_share", h->steal_share);
    jw_real(w, "throttled_s", h->throttled_s);
    jw_int(w, "involuntary_switches", (int64_t)h->involuntary);
    jw_object(w, "lateness_ns");
    jw_int(w, "count", (int64_t)late->count);
    jw_int(w, "p50", hist_quantile(late, 0.50));
    jw_int(w, "p99", hist_quantile(late, 0.99));
    jw_int(w, "max", late->max);
    jw_end(w);
    jw_end(w);
}

static void write_connections(struct jw *w, const struct load_result *r)
{
    const struct tally *t = &r->tally;
    jw_object(w, "connections");
    jw_int(w, "opened", (int64_t)t->connections_opened);
    jw_int(w, "closed_by_peer", (int64_t)t->closed_by_peer);
    jw_int(w, "retried_requests", (int64_t)t->retried);
    jw_int(w, "tls_resumed", (int64_t)t->tls_resumed);
    jw_int(w, "in_flight_max", (int64_t)t->in_flight_max);
    jw_int(w, "backlog_max", (int64_t)t->backlog_max);
    jw_real(w, "in_flight_mean", r->mean_in_flight);
    jw_end(w);
    jw_object(w, "sessions");
    jw_int(w, "completed", (int64_t)t->sessions_completed);
    jw_int(w, "broken", (int64_t)t->sessions_broken);
    jw_end(w);
}

static void write_seconds(struct jw *w, const struct load_result *r)
{
    jw_array(w, "seconds");
    for (size_t i = 0; i < r->tally.seconds.len; i++) {
        const struct tally_second *s = &r->tally.seconds.at[i];
        jw_object(w, NULL);
        jw_int(w, "sent", (int64_t)s->sent);
        jw_int(w, "answered", (int64_t)s->answered);
        jw_int(w, "failed", (int64_t)s->failed);
        jw_int(w, "p50_ns", tally_second_quantile(s, 0.5));
        jw_int(w, "p99_ns", tally_second_quantile(s, 0.99));
        jw_int(w, "max_ns", s->max_ns);
        jw_end(w);
    }
    jw_end(w);
}

static void write_all_times(struct jw *w, const struct load_result *r)
{
    const struct tally *t = &r->tally;
    struct hist first = {0};
    load_report_times(w, "response_ns", &r->response);
    load_report_times(w, "service_ns", &t->service);
    load_report_times(w, "queue_ns", &t->queue);
    load_report_times(w, "no_connection_ns", &t->no_connection);
    load_report_times(w, "generator_late_ns", &t->late);
    load_report_times(w, "connect_ns", &t->connect);
    load_report_times(w, "tls_ns", &t->tls);
    hist_init(&first);
    tally_first_byte(t, &first);
    load_report_times(w, "first_byte_ns", &first);
    hist_done(&first);
    load_report_times(w, "failed_ns", &t->failed);
}

void load_report_json(const struct load_plan *plan, const struct load_result *r,
                      struct str *out)
{
    uint64_t status[TALLY_STATUS_CLASSES] = {0};
    for (size_t i = 0; i < plan->endpoints_len; i++)
        for (size_t k = 0; k < TALLY_STATUS_CLASSES; k++)
            status[k] += r->tally.endpoints[i].status[k];

    struct jw w = jw_begin(out);
    jw_object(&w, NULL);
    jw_int(&w, "version", 1);
    jw_text(&w, "program", "pacewatch-load " PACEWATCH_VERSION);
    write_setup(&w, plan, r);
    jw_object(&w, "window");
    jw_int(&w, "start_ns", r->start_ns);
    jw_int(&w, "end_ns", r->end_ns);
    jw_int(&w, "answered", (int64_t)r->tally.answered_in_window);
    jw_int(&w, "warmup_ns", r->warmup_ns);
    jw_end(&w);
    jw_int(&w, "requests", (int64_t)r->requests);
    jw_int(&w, "answered", (int64_t)r->answered);
    jw_int(&w, "failed", (int64_t)r->failed);
    jw_int(&w, "client_failed", (int64_t)r->tally.client_failed);
    jw_real(&w, "duration_s", r->duration_s);
    jw_real(&w, "offered_rps", r->offered_rps);
    jw_real(&w, "achieved_rps", r->achieved_rps);
    jw_int(&w, "bytes_in", (int64_t)r->tally.bytes_in);
    jw_int(&w, "bytes_out", (int64_t)r->tally.bytes_out);
    write_all_times(&w, r);
    write_packed(&w, &r->response);
    write_status(&w, status);
    write_endpoints(&w, plan, r);
    load_report_errors(&w, r);
    write_connections(&w, r);
    write_generator(&w, r);
    jw_real(&w, "little", r->little);
    jw_text(&w, "verdict", verdict_name(r->health.verdict));
    jw_text(&w, "reason", r->health.reason);
    write_seconds(&w, r);
    jw_end(&w);
    str_addc(out, '\n');
}

void load_report_csv(const struct load_result *r, struct str *out)
{
    str_addz(out, "second,sent,answered,failed,p50_us,p90_us,p99_us,max_us\n");
    for (size_t i = 0; i < r->tally.seconds.len; i++) {
        const struct tally_second *s = &r->tally.seconds.at[i];
        str_addf(out, "%zu,%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%.1f,%.1f,%.1f,%.1f\n", i,
                 s->sent, s->answered, s->failed, (double)tally_second_quantile(s, 0.5) / 1e3,
                 (double)tally_second_quantile(s, 0.9) / 1e3,
                 (double)tally_second_quantile(s, 0.99) / 1e3, (double)s->max_ns / 1e3);
    }
}
