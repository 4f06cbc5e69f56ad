/* SPDX-License-Identifier: MIT */
/* reply: answers, made for one request or once for all. See server.h. */
#include <stdio.h>
#include <unistd.h>

#include "mem.h"
#include "server_own.h"

struct server_file {
    atomic_int shares;
    int status;
    int64_t bytes;
    struct MHD_Response *response;
};

void reply_init(struct reply *r)
{
    *r = (struct reply){.body = STR_INIT(SERVER_ANSWER_MAX), .fd = -1};
}

void reply_done(struct reply *r)
{
    str_done(&r->body);
    server_file_free(r->file);
    if (r->fd >= 0)
        close(r->fd);
    for (size_t i = 0; i < r->headers_len; i++)
        free(r->headers[i].value);
    reply_init(r);
}

void reply_header(struct reply *r, const char *name, const char *fmt, ...)
{
    AUTO(str_done) struct str value = STR_INIT(1024);
    va_list args;
    va_start(args, fmt);
    str_addv(&value, fmt, args);
    va_end(args);
    if (r->headers_len < SERVER_HEADERS_MAX)
        r->headers[r->headers_len++] = (struct server_header){name, str_steal(&value)};
}

struct MHD_Response *reply_take(struct reply *r, int64_t *out_bytes)
{
    struct MHD_Response *m;
    if (r->fd >= 0) {
        *out_bytes = r->fd_bytes;
        m = MHD_create_response_from_fd64((uint64_t)r->fd_bytes, r->fd);
        if (m)
            r->fd = -1;
    } else {
        size_t len = r->body.len;
        char *bytes = len ? str_steal(&r->body) : mem_strdup("");
        *out_bytes = (int64_t)len;
        m = MHD_create_response_from_buffer(len, bytes, MHD_RESPMEM_MUST_FREE);
    }
    if (!m)
        return NULL;
    if (r->type)
        (void)MHD_add_response_header(m, MHD_HTTP_HEADER_CONTENT_TYPE, r->type);
    for (size_t i = 0; i < r->headers_len; i++)
        (void)MHD_add_response_header(m, r->headers[i].name, r->headers[i].value);
    return m;
}

static struct server_file *file_around(int status, struct MHD_Response *response, int64_t bytes)
{
    if (!response)
        return NULL;
    struct server_file *f = mem_zero(1, sizeof *f);
    atomic_init(&f->shares, 1);
    f->status = status;
    f->bytes = bytes;
    f->response = response;
    return f;
}

struct server_file *server_file_new(int status, struct view bytes,
                                    const struct server_header *headers, size_t n)
{
    struct MHD_Response *m =
        MHD_create_response_from_buffer(bytes.len, (void *)bytes.at, MHD_RESPMEM_PERSISTENT);
    for (size_t i = 0; m && i < n; i++)
        (void)MHD_add_response_header(m, headers[i].name, headers[i].value);
    return file_around(status, m, (int64_t)bytes.len);
}

struct server_file *server_file_of(struct reply *r)
{
    int64_t bytes = 0;
    int status = r->status;
    struct MHD_Response *m = reply_take(r, &bytes);
    reply_done(r);
    return file_around(status, m, bytes);
}

struct server_file *server_file_share(struct server_file *f)
{
    atomic_fetch_add(&f->shares, 1);
    return f;
}

void server_file_free(struct server_file *f)
{
    if (!f || atomic_fetch_sub(&f->shares, 1) > 1)
        return;
    MHD_destroy_response(f->response); /* the library counts those on their way by itself */
    free(f);
}

struct MHD_Response *server_file_response(const struct server_file *f, int *status,
                                          int64_t *out_bytes)
{
    *status = f->status;
    *out_bytes = f->bytes;
    return f->response;
}
