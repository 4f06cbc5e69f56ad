/* SPDX-License-Identifier: MIT */
/* host: see host.h. */
#include "host.h"

#include <arpa/inet.h>
#include <strings.h>

enum { HOST_MAX = 255 };

/* "name:80" -> "name", "[::1]:80" -> "::1" */
static struct view without_port(struct view host)
{
    struct view name, rest;
    if (host.len > 0 && host.at[0] == '[') {
        view_cut(view_skip(host, 1), ']', &name, &rest);
        return name;
    }
    view_cut(host, ':', &name, &rest);
    return name;
}

static bool is_address(struct view name)
{
    char text[HOST_MAX + 1];
    unsigned char address[sizeof(struct in6_addr)];
    if (name.len > HOST_MAX)
        return false;
    memcpy(text, name.at, name.len);
    text[name.len] = '\0';
    return inet_pton(AF_INET, text, address) == 1 || inet_pton(AF_INET6, text, address) == 1;
}

static bool same_name(struct view a, struct view b)
{
    return a.len == b.len && strncasecmp(a.at, b.at, a.len) == 0;
}

static bool is_localhost(struct view name)
{
    static const char dotted[] = ".localhost";
    size_t len = sizeof dotted - 1;
    return same_name(name, VIEW("localhost")) ||
           (name.len > len && same_name(view_skip(name, name.len - len), VIEW(".localhost")));
}

/* "https://name:80/path" -> "name" */
static struct view name_in_url(const char *url)
{
    struct view rest = view_z(url), host;
    const char *scheme = url ? strstr(url, "://") : NULL;
    if (scheme)
        rest = view_skip(rest, (size_t)(scheme + 3 - url));
    view_cut(rest, '/', &host, &rest);
    return without_port(host);
}

bool host_is_good(struct view host_header, const char *public_url)
{
    struct view name = without_port(host_header);
    if (name.len == 0)
        return false;
    return is_address(name) || is_localhost(name) ||
           (public_url && same_name(name, name_in_url(public_url)));
}

bool host_is_loopback(const char *listen)
{
    struct view name = without_port(view_z(listen));
    return is_localhost(name) || view_eqz(name, "::1") ||
           (view_starts(name, "127.") && is_address(name));
}
