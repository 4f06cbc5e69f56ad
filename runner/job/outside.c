/* SPDX-License-Identifier: MIT */
/* outside: see outside.h. Of a listener the kernel tells the backlog as the length of its queue
 * for sending (sock_diag(7), idiag_wqueue). */
#include "outside.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <math.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include "clock.h"
#include "fdio.h"
#include "netns.h"

enum { DATAGRAM_BYTES = 32 << 10, DATAGRAMS_MAX = 1000 };

/* --- the backlog -----------------------------------------------------------------------------
 */

int outside_read(struct view bytes, int port, int64_t *smallest)
{
    while (bytes.len >= sizeof(struct nlmsghdr)) {
        struct nlmsghdr head;
        struct inet_diag_msg one;
        memcpy(&head, bytes.at, sizeof head);
        if (head.nlmsg_len < sizeof head || head.nlmsg_len > bytes.len ||
            head.nlmsg_type == NLMSG_ERROR)
            return -1;
        if (head.nlmsg_type == NLMSG_DONE)
            return 1;
        if (head.nlmsg_len >= NLMSG_LENGTH(sizeof one)) {
            memcpy(&one, bytes.at + NLMSG_HDRLEN, sizeof one);
            int64_t backlog = (int64_t)one.idiag_wqueue;
            if (ntohs(one.id.idiag_sport) == port && one.idiag_state == TCP_LISTEN &&
                backlog < *smallest)
                *smallest = backlog;
        }
        size_t step = NLMSG_ALIGN(head.nlmsg_len);
        bytes = view_skip(bytes, step < bytes.len ? step : bytes.len);
    }
    return 0;
}

static int ask_listeners(int fd, int family, int port, struct err *e)
{
    struct {
        struct nlmsghdr head;
        struct inet_diag_req_v2 what;
    } request = {.head = {.nlmsg_len = sizeof request,
                          .nlmsg_type = SOCK_DIAG_BY_FAMILY,
                          .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP},
                 .what = {.sdiag_family = (uint8_t)family,
                          .sdiag_protocol = IPPROTO_TCP,
                          .idiag_states = 1U << TCP_LISTEN,
                          .id.idiag_sport = htons((uint16_t)port)}};
    if (send(fd, &request, sizeof request, 0) != (ssize_t)sizeof request)
        return err_errno(e, "ask the kernel for listeners");
    return 0;
}

static int read_listeners(int fd, int port, int64_t deadline_ns, int64_t *smallest,
                          struct err *e)
{
    static _Thread_local char buffer[DATAGRAM_BYTES];
    for (int i = 0; i < DATAGRAMS_MAX; i++) {
        struct pollfd p = {.fd = fd, .events = POLLIN};
        if (poll(&p, 1, clock_poll_ms(deadline_ns)) <= 0)
            return err_set(e, ERR_TIMEOUT, "no list of listeners in time");
        ssize_t n = recv(fd, buffer, sizeof buffer, 0);
        if (n < 0)
            return err_errno(e, "read the list of listeners");
        int rc = outside_read((struct view){buffer, (size_t)n}, port, smallest);
        if (rc < 0)
            return err_set(e, ERR_SYSTEM, "the kernel does not list listeners");
        if (rc > 0)
            return 0;
    }
    return err_set(e, ERR_LIMIT, "too many listeners");
}

int outside_backlog(int netns_fd, int port, int64_t deadline_ns, int64_t *out, struct err *e)
{
    static const int families[] = {AF_INET, AF_INET6};
    int64_t smallest = INT64_MAX;
    AUTO(fdio_closep) int fd = -1;
    if (netns_diag(netns_fd, &fd, e) < 0)
        return -1;
    for (size_t i = 0; i < ARRAY_LEN(families); i++)
        if (ask_listeners(fd, families[i], port, e) < 0 ||
            read_listeners(fd, port, deadline_ns, &smallest, e) < 0)
            return -1;
    if (smallest == INT64_MAX)
        return err_set(e, ERR_NOT_FOUND, "nobody listens on port %d", port);
    *out = smallest;
    return 0;
}

/* --- base and head ---------------------------------------------------------------------------
 */

static double gauge(const struct result_arm *arm, const char *name)
{
    for (size_t i = 0; i < arm->gauges.len; i++)
        if (strcmp(arm->gauges.at[i].name, name) == 0)
            return arm->gauges.at[i].number;
    return -1;
}

void outside_seen(const struct result_doc *r, enum side side, int variant,
                  struct outside_seen *out)
{
    *out = (struct outside_seen){-1, -1, -1};
    for (size_t i = 0; i < r->rounds.len; i++)
        for (size_t k = 0; !r->rounds.at[i].void_reason && k < r->rounds.at[i].arms.len; k++) {
            const struct result_arm *arm = &r->rounds.at[i].arms.at[k];
            if (arm->side != side || arm->variant != variant)
                continue;
            *out = (struct outside_seen){gauge(arm, "listen_backlog"),
                                         gauge(arm, "closed_per_request"),
                                         gauge(arm, "answer_bytes")};
            return;
        }
}

/* Fewer than one in a thousand is keeping: servers end old connections now and then. */
#define CLOSED_LEAST 0.001
#define CLOSED_EACH  0.5

static void add_habit(double closed, struct str *out)
{
    if (closed < CLOSED_LEAST)
        str_addz(out, "keeps connections open");
    else if (closed >= CLOSED_EACH)
        str_addz(out, "closes the connection after each answer");
    else
        str_addf(out, "closes a connection after about %.0f answers", 1 / closed);
}

static bool closes_alike(double a, double b)
{
    if (a < 0 || b < 0 || fmax(a, b) < CLOSED_LEAST)
        return true;
    return fmin(a, b) > fmax(a, b) / 2;
}

static void separate(struct str *how, size_t before)
{
    if (how->len > before)
        str_addz(how, "; ");
}

void outside_compare(const struct outside_seen *base, const struct outside_seen *head,
                     struct str *how)
{
    size_t before = how->len;
    double a = base->answer_bytes;
    double b = head->answer_bytes;
    if (base->backlog >= 0 && head->backlog >= 0 &&
        (int64_t)base->backlog != (int64_t)head->backlog)
        str_addf(how, "base listens with backlog %.0f, head with %.0f", base->backlog,
                 head->backlog);
    if (!closes_alike(base->closed_per_request, head->closed_per_request)) {
        separate(how, before);
        str_addz(how, "base ");
        add_habit(base->closed_per_request, how);
        str_addz(how, ", head ");
        add_habit(head->closed_per_request, how);
    }
    if (a > 0 && b > 0 && fabs(a - b) > OUTSIDE_BYTES_MAX * fmax(a, b)) {
        separate(how, before);
        str_addf(how, "an answer of base has %.0f bytes under load, of head %.0f", a, b);
    }
}

void outside_remark(struct job *j)
{
    const struct spec *spec = j->doc->spec;
    AUTO(str_done) struct str first = STR_INIT(RESULT_NOTE_MAX / 2);
    for (size_t v = 0; j->doc->side[SIDE_BASE].present && v < spec->variants_len; v++) {
        struct outside_seen seen[SIDE_COUNT];
        AUTO(str_done) struct str how = STR_INIT(RESULT_NOTE_MAX / 2);
        for (int side = 0; side < SIDE_COUNT; side++)
            outside_seen(j->result, (enum side)side, (int)v, &seen[side]);
        outside_compare(&seen[SIDE_BASE], &seen[SIDE_HEAD], &how);
        /* Most differences are those of all combinations: one remark is enough. */
        if (!how.len || strcmp(str_text(&how), str_text(&first)) == 0)
            continue;
        if (spec->variants_len > 1)
            job_remark(j, "%s: %s", spec->variants[v].name, str_text(&how));
        else
            job_remark(j, "%s", str_text(&how));
        str_clear(&first);
        str_add(&first, str_view(&how));
    }
}
