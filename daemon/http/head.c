/* SPDX-License-Identifier: MIT */
/*
 * head: reads a request's head, and refuses what the library lets through and two readers could
 * understand differently.
 *
 * Tried against it: requests without Host or with several, Content-Length beside
 * Transfer-Encoding (request smuggling), several Content-Lengths, blanks before the colon,
 * targets with %00 and control characters. All pass the library's parser.
 */
#include <strings.h>

#include "opt.h"
#include "server_own.h"

struct view server_header(const struct request *r, const char *name)
{
    const struct exchange *x = (const struct exchange *)r;
    return view_z(MHD_lookup_connection_value(x->connection, MHD_HEADER_KIND, name));
}

struct head_scan {
    int hosts, lengths, codings;
    bool bad_name, bad_value;
};

static bool token_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c && strchr("!#$%&'*+-.^_`|~", c));
}

static enum MHD_Result scan_header(void *arg, enum MHD_ValueKind kind, const char *name,
                                   const char *value)
{
    struct head_scan *scan = arg;
    (void)kind;
    for (const char *p = name; *p; p++)
        scan->bad_name |= !token_char(*p);
    for (const char *p = value ? value : ""; *p; p++)
        scan->bad_value |= ((unsigned char)*p < ' ' && *p != '\t') || *p == 0x7f;
    scan->hosts += strcasecmp(name, MHD_HTTP_HEADER_HOST) == 0;
    scan->lengths += strcasecmp(name, MHD_HTTP_HEADER_CONTENT_LENGTH) == 0;
    scan->codings += strcasecmp(name, MHD_HTTP_HEADER_TRANSFER_ENCODING) == 0;
    return MHD_YES;
}

static bool read_length(struct exchange *x, const struct head_scan *scan, const char **why)
{
    struct view length = server_header(&x->request, MHD_HTTP_HEADER_CONTENT_LENGTH);
    struct view coding = server_header(&x->request, MHD_HTTP_HEADER_TRANSFER_ENCODING);
    x->body_announced = -1;
    x->chunked = scan->codings > 0;
    *why = "both Content-Length and Transfer-Encoding";
    if (scan->lengths && scan->codings)
        return false;
    *why = "only 'chunked' is understood as Transfer-Encoding";
    if (scan->codings > 1 || (x->chunked && strcasecmp(coding.at, "chunked") != 0))
        return false;
    *why = "bad Content-Length";
    if (scan->lengths > 1)
        return false;
    for (size_t i = 0; i < length.len; i++)
        if (length.at[i] < '0' || length.at[i] > '9')
            return false;
    return !scan->lengths || opt_int(length, 0, INT64_MAX / 2, &x->body_announced, NULL) == 0;
}

bool head_acceptable(struct exchange *x, const char *version, const char **why)
{
    struct head_scan scan = {0};
    struct err e = {0};
    (void)MHD_get_connection_values(x->connection, MHD_HEADER_KIND, scan_header, &scan);
    *why = "bad header";
    if (scan.bad_name || scan.bad_value)
        return false;
    *why = "exactly one Host is needed";
    if (scan.hosts > 1 || (scan.hosts == 0 && strcmp(version, MHD_HTTP_VERSION_1_0) != 0))
        return false;
    if (!read_length(x, &scan, why))
        return false;
    *why = "bad address";
    return url_parse(view_z(x->target), &x->request.url, &e) == 0;
}
