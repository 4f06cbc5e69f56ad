/* SPDX-License-Identifier: MIT */
/*
 * client: see client.h. One easy handle per request: notices are rare, and a handle without a
 * past cannot carry a cookie, a redirect or a connection from one repository to another.
 */
#include "client.h"

#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include "client_parts.h"
#include "clock.h"
#include "opt.h"

enum { RETRY_AFTER_MAX_S = 24 * 3600 };

void client_answer_done(struct client_answer *a)
{
    str_done(&a->body);
}

static pthread_once_t started = PTHREAD_ONCE_INIT;

static void start(void)
{
    (void)curl_global_init(CURL_GLOBAL_DEFAULT);
}

CURL *client_begin(struct err *e)
{
    (void)pthread_once(&started, start);
    CURL *c = curl_easy_init();
    if (!c)
        (void)err_set(e, ERR_SYSTEM, "cannot make a request");
    return c;
}

static size_t take_body(char *at, size_t size, size_t n, void *ctx)
{
    struct exchange *x = ctx;
    str_add(&x->answer->body, (struct view){at, size * n});
    return x->answer->body.cut ? 0 : size * n;
}

static curl_socket_t open_socket(void *ctx, curlsocktype purpose, struct curl_sockaddr *address)
{
    struct exchange *x = ctx;
    if (purpose != CURLSOCKTYPE_IPCXN ||
        (!x->request->allow_private && client_address_is_private(&address->addr))) {
        x->refused = true;
        return CURL_SOCKET_BAD;
    }
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

static int look_up(void *ctx, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
    const struct exchange *x = ctx;
    (void)a, (void)b, (void)c, (void)d;
    return x->request->cancel && atomic_load(x->request->cancel);
}

static struct curl_slist *header_list(const struct client_request *r)
{
    struct curl_slist *list = curl_slist_append(NULL, "Expect:");
    for (const char *const *h = r->headers; h && *h; h++)
        list = curl_slist_append(list, *h);
    return list;
}

static void set_request(CURL *c, const struct client_request *r, struct curl_slist *headers)
{
    const char *method = r->method ? r->method : "GET";
    curl_easy_setopt(c, CURLOPT_URL, r->url);
    curl_easy_setopt(c, CURLOPT_HTTPHEADER, headers);
    if (r->body.at || strcmp(method, "POST") == 0) {
        curl_easy_setopt(c, CURLOPT_POSTFIELDS, r->body.at ? r->body.at : "");
        curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)r->body.len);
    }
    if (strcmp(method, "GET") != 0 || r->body.at)
        curl_easy_setopt(c, CURLOPT_CUSTOMREQUEST, method);
}

void client_set_bounds(CURL *c, struct exchange *x, const char *protocols)
{
    const struct client_request *r = x->request;
    int64_t left_ms = (r->deadline_ns - clock_now_ns()) / CLOCK_NS_PER_MS;
    curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, (long)(left_ms > 1 ? left_ms : 1));
    curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS, (long)(left_ms > 1 ? left_ms : 1));
    curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(c, CURLOPT_PROXY, "");
    curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, protocols);
    curl_easy_setopt(c, CURLOPT_USERAGENT, "pacewatch/" PACEWATCH_VERSION);
    curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(c, CURLOPT_WRITEDATA, x);
    curl_easy_setopt(c, CURLOPT_OPENSOCKETFUNCTION, open_socket);
    curl_easy_setopt(c, CURLOPT_OPENSOCKETDATA, x);
    curl_easy_setopt(c, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(c, CURLOPT_XFERINFOFUNCTION, look_up);
    curl_easy_setopt(c, CURLOPT_XFERINFODATA, x);
    if (r->ca_file)
        curl_easy_setopt(c, CURLOPT_CAINFO, r->ca_file);
}

int client_fail(CURLcode code, const struct exchange *x, const char *detail, struct err *e)
{
    if (x->refused)
        return err_set(e, ERR_INPUT, "its address is private, which is not allowed");
    switch (code) {
    case CURLE_OPERATION_TIMEDOUT:
        return err_set(e, ERR_TIMEOUT, "no answer in time");
    case CURLE_ABORTED_BY_CALLBACK:
        return err_set(e, ERR_CONFLICT, "cancelled");
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_URL_MALFORMAT:
        return err_set(e, ERR_INPUT, "this URL is not spoken to: %s", detail);
    default:
        return err_set(e, ERR_AWAY, "%s", detail);
    }
}

/* A whole number at the start of the header's value: "4999", "3;w=60"; false: none there. */
static bool read_header(CURL *c, const char *name, int64_t *out)
{
    struct curl_header *h;
    struct view value, rest;
    if (curl_easy_header(c, name, 0, CURLH_HEADER, -1, &h) != CURLHE_OK)
        return false;
    (void)view_cut(view_z(h->value), ';', &value, &rest);
    return opt_int(view_trim(value), 0, INT64_MAX / 4000, out, NULL) == 0;
}

/* GitHub and Gitea's proxies say x-ratelimit-*, GitLab and the draft RateLimit-*. The reset is
 * either the time of day or how long it takes; no wait is as long as the time of day. */
static void take_budget(CURL *c, struct client_answer *out)
{
    int64_t reset, now_s = clock_wall_ms() / 1000;
    if (!read_header(c, "x-ratelimit-remaining", &out->budget) &&
        !read_header(c, "ratelimit-remaining", &out->budget))
        return;
    if (!read_header(c, "x-ratelimit-reset", &reset) &&
        !read_header(c, "ratelimit-reset", &reset))
        return;
    if (reset < now_s / 2)
        reset += now_s;
    if (reset > now_s + RETRY_AFTER_MAX_S)
        reset = now_s + RETRY_AFTER_MAX_S;
    out->budget_reset_ms = 1000 * reset;
}

static void take_answer(CURL *c, struct client_answer *out)
{
    long status = 0;
    curl_off_t after = 0;
    curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(c, CURLINFO_RETRY_AFTER, &after);
    out->status = (int)status;
    out->retry_after_ms =
        1000 * (int64_t)(after > RETRY_AFTER_MAX_S ? RETRY_AFTER_MAX_S : after);
    take_budget(c, out);
}

static bool was_sent(CURL *c)
{
    long bytes = 0;
    curl_easy_getinfo(c, CURLINFO_REQUEST_SIZE, &bytes);
    return bytes > 0;
}

int client_send(const struct client_request *request, struct client_answer *out, struct err *e)
{
    char detail[CURL_ERROR_SIZE] = "";
    struct exchange x = {.request = request, .answer = out};
    if (strlen(request->url) > CLIENT_URL_MAX)
        return err_set(e, ERR_LIMIT, "the URL is longer than %d bytes", CLIENT_URL_MAX);
    CURL *c = client_begin(e);
    if (!c)
        return -1;
    struct curl_slist *headers = header_list(request);
    curl_easy_setopt(c, CURLOPT_ERRORBUFFER, detail);
    set_request(c, request, headers);
    client_set_bounds(c, &x, request->allow_http ? "http,https" : "https");
    CURLcode code = curl_easy_perform(c);
    out->sent = was_sent(c);
    /* An answer longer than anybody needs has arrived all the same. */
    bool arrived = code == CURLE_OK || (code == CURLE_WRITE_ERROR && out->body.cut);
    int r = 0;
    if (arrived)
        take_answer(c, out);
    else
        r = client_fail(code, &x, detail[0] ? detail : curl_easy_strerror(code), e);
    curl_slist_free_all(headers);
    curl_easy_cleanup(c);
    return r;
}
