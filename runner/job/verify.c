/* SPDX-License-Identifier: MIT */
/*
 * verify: each side answers every endpoint once, as the spec expects, before any load.
 *
 * A wrong answer would be measured as a fast one. Whether base and head answer alike is noted
 * and not judged: a change may well be meant to change answers, but whoever reads a difference
 * in speed should know. Endpoints that speak something else than HTTP/1.1, and those whose
 * requests are made from templates, are left to the load generator, which looks at every
 * answer.
 */
#include "answers.h"
#include "ask.h"
#include "clock.h"
#include "fdio.h"
#include "job.h"
#include "mem.h"
#include "netns.h"
#include "service.h"

enum { VERIFY_SHOWN_MAX = 120, VERIFY_HOW_MAX = 1000 };

static size_t endpoints_total(const struct spec *spec)
{
    size_t n = 0;
    for (size_t i = 0; i < spec->scenarios_len; i++)
        n += spec->scenarios[i].endpoints_len;
    return n;
}

static int exchange(struct job *j, const struct service *s, const struct spec_endpoint *p,
                    int64_t timeout_ns, struct ask_answer *out, struct err *e)
{
    AUTO(fdio_closep) int fd = -1;
    int64_t deadline = job_deadline(j, timeout_ns);
    struct ask_request request = {.method = p->method,
                                  .path = p->path,
                                  .headers = &p->headers,
                                  .body = {p->body, p->body_len}};
    if (netns_socket(s->netns, &fd, e) < 0 || ask_connect(fd, s->port, deadline, e) < 0)
        return -1;
    return ask_http(fd, &request, deadline, out, e);
}

/* The start of a body as one printable line. */
static void show(const struct str *body, struct str *out)
{
    for (size_t i = 0; i < body->len && out->len < VERIFY_SHOWN_MAX; i++) {
        unsigned char c = (unsigned char)body->at[i];
        str_addc(out, c < 0x20 || c >= 0x7f ? '.' : (char)c);
    }
}

static int check(struct job *j, enum side side, const struct spec_endpoint *p,
                 const struct ask_answer *a, const struct answer_seen *seen)
{
    const struct spec_expect *want = &p->expect;
    AUTO(str_done) struct str shown = STR_INIT(VERIFY_SHOWN_MAX + 1);
    show(&a->body, &shown);
    if (a->status != want->status)
        return job_fail(j, FAILURE_VERIFY, (int)side, "'%s' answers %d instead of %d: %s",
                        p->name, a->status, want->status, str_text(&shown));
    if (want->contains && (!a->body.len || !memmem(a->body.at, a->body.len, want->contains,
                                                   strlen(want->contains))))
        return job_fail(j, FAILURE_VERIFY, (int)side, "'%s' does not answer with '%.100s': %s",
                        p->name, want->contains, str_text(&shown));
    if (want->has_sha256 && !digest_equal(want->sha256, seen->digest))
        return job_fail(j, FAILURE_VERIFY, (int)side,
                        "'%s' answers with another body than expected: %s", p->name,
                        str_text(&shown));
    return 0;
}

/* Both answers must be as expected; only the first is kept. */
static int verify_endpoint(struct job *j, struct service *s, const struct spec_endpoint *p,
                           int64_t timeout_ns, struct answer_seen *seen)
{
    for (int i = 0; i < 2; i++) {
        struct err e = {0};
        AUTO(ask_answer_done) struct ask_answer a = {0};
        if (job_check_cancel(j) < 0)
            return -1;
        if (exchange(j, s, p, timeout_ns, &a, &e) < 0)
            return job_fail(j, FAILURE_VERIFY, (int)s->side, "'%s': %s", p->name, e.text);
        if (i == 0)
            answers_see(seen, &a);
        else
            answers_see_again(seen, &a);
        if (check(j, s->side, p, &a, seen) < 0)
            return -1;
    }
    return 0;
}

static int verify_all(struct job *j, struct service *s, struct answer_seen *seen)
{
    const struct spec *spec = j->doc->spec;
    for (size_t i = 0; i < spec->scenarios_len; i++) {
        const struct spec_scenario *scenario = &spec->scenarios[i];
        for (size_t k = 0; k < scenario->endpoints_len; k++, seen++) {
            const struct spec_endpoint *p = &scenario->endpoints[k];
            bool asked = scenario->load.protocol == SPEC_HTTP1 && !p->made;
            if (asked && verify_endpoint(j, s, p, scenario->load.timeout_ns, seen) < 0)
                return -1;
        }
    }
    return 0;
}

static int verify_side(struct job *j, enum side side, struct answer_seen *seen)
{
    AUTO(service_done) struct service s = {0};
    pulse_stage(j->pulse, "verify %s", side_names[side]);
    if (service_start(j, side, (int)j->doc->spec->baseline, &s) < 0)
        return -1;
    int rc = verify_all(j, &s, seen);
    service_stop(j, &s);
    return rc;
}

/* How many endpoints answer differently. Those that a reader should know of become notes. */
static int compare(struct job *j, const struct answer_seen *base,
                   const struct answer_seen *head)
{
    const struct spec *spec = j->doc->spec;
    int different = 0;
    for (size_t i = 0; i < spec->scenarios_len; i++) {
        j->answers_alike[i] = true;
        for (size_t k = 0; k < spec->scenarios[i].endpoints_len; k++, base++, head++) {
            AUTO(str_done) struct str how = STR_INIT(VERIFY_HOW_MAX);
            enum answers is = answers_compare(base, head, &how);
            const char *name = spec->scenarios[i].endpoints[k].name;
            if (is == ANSWERS_ALIKE)
                continue;
            j->answers_alike[i] = false;
            different += is == ANSWERS_DIFFER;
            if (is == ANSWERS_DIFFER)
                job_remark(j, "base and head answer '%s' differently: %s", name,
                           str_text(&how));
            else
                job_remark(j, "the answers to '%s' were not compared: %s", name,
                           str_text(&how));
        }
    }
    return different;
}

int job_verify(struct job *j)
{
    size_t n = endpoints_total(j->doc->spec);
    AUTO(mem_freep) struct answer_seen *base = mem_zero(n, sizeof *base);
    AUTO(mem_freep) struct answer_seen *head = mem_zero(n, sizeof *head);
    bool has_base = j->doc->side[SIDE_BASE].present;
    if (has_base && verify_side(j, SIDE_BASE, base) < 0)
        return -1;
    if (verify_side(j, SIDE_HEAD, head) < 0)
        return -1;
    if (has_base) {
        struct result_fact *f = vec_push(&j->result->noise);
        f->name = mem_strdup("responses_different");
        f->number = compare(j, base, head);
    }
    return 0;
}
