/* SPDX-License-Identifier: MIT */
/*
 * mirror_remote: credentials, host keys and limits while talking to a remote.
 *
 * What libgit2 1.5.1 does by itself and must not: ask for credentials fifteen times over, hand
 * a token to the host a redirect leads to, take any ssh host.
 */
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "fdio.h"
#include "mirror_own.h"

enum { TOKEN_BYTES_MAX = 4096, ORIGIN_MAX = 512, SHA256_BYTES = 32 };

static bool is_http(const char *url)
{
    return strncmp(url, "http://", 7) == 0 || strncmp(url, "https://", 8) == 0;
}

/* scheme://host:port of a URL, without user. */
static void origin_of(const char *url, char out[ORIGIN_MAX])
{
    const char *host = strstr(url, "://");
    host = host ? host + 3 : url;
    size_t authority = strcspn(host, "/?#");
    const char *at = memchr(host, '@', authority);
    const char *start = at ? at + 1 : host;
    int len = (int)(authority - (size_t)(start - host));
    (void)snprintf(out, ORIGIN_MAX, "%.*s%.*s", (int)(host - url), url, len, start);
    for (char *c = out; *c; c++)
        *c = (char)tolower((unsigned char)*c);
}

int remote_check_url(const struct remote_access *a, struct err *e)
{
    if (!a->url[0] || a->url[0] == '-')
        return err_set(e, ERR_INPUT, "'%s' is not a git remote", a->url);
    if (!is_http(a->url))
        return 0;
    const char *host = strstr(a->url, "://") + 3;
    size_t authority = strcspn(host, "/?#");
    const char *at = memchr(host, '@', authority);
    if (at && memchr(host, ':', (size_t)(at - host)))
        return err_set(e, ERR_INPUT,
                       "a password in the URL ends up in logs; put it into a token file");
    if (a->token_file && a->url[4] == ':' && strncmp(host, "127.", 4) != 0 &&
        strncmp(host, "localhost", 9) != 0 && strncmp(host, "[::1]", 5) != 0)
        return err_set(e, ERR_INPUT, "a token needs https, not http");
    return 0;
}

/* Notes why we refuse, unless there is a reason already. */
static int refuse(struct remote_access *a, const char *why)
{
    if (a->e->kind == ERR_NONE)
        (void)err_set(a->e, ERR_AWAY, "%s", why);
    return -1;
}

static int token_credential(git_credential **out, struct remote_access *a, const char *url)
{
    char ours[ORIGIN_MAX], theirs[ORIGIN_MAX];
    origin_of(a->url, ours);
    origin_of(url, theirs);
    if (strcmp(ours, theirs) != 0)
        return refuse(a, "another host than the configured one asks for credentials");
    if (!a->token_file)
        return refuse(a, "the remote wants credentials and no token file is configured");

    AUTO(str_done) struct str token = STR_INIT(TOKEN_BYTES_MAX);
    if (fdio_read_file(a->token_file, &token, a->e) < 0)
        return err_ctx(a->e, "token file");
    struct view v = view_trim(str_view(&token));
    AUTO(str_done) struct str word = STR_INIT(TOKEN_BYTES_MAX);
    str_add(&word, v);
    return git_credential_userpass_plaintext_new(out, a->user ? a->user : "x-access-token",
                                                 str_text(&word));
}

static int on_credentials(git_credential **out, const char *url, const char *user,
                          unsigned int allowed, void *ctx)
{
    struct remote_access *a = ctx;
    const char *ssh_user = user ? user : "git";
    if (allowed & GIT_CREDENTIAL_USERNAME)
        return git_credential_username_new(out, ssh_user);
    if (a->asked++)
        return refuse(a, "the remote does not accept the credentials");
    if (allowed & GIT_CREDENTIAL_USERPASS_PLAINTEXT && is_http(a->url))
        return token_credential(out, a, url);
    if (allowed & GIT_CREDENTIAL_SSH_KEY)
        return a->ssh_key ? git_credential_ssh_key_new(out, ssh_user, NULL, a->ssh_key, "")
                          : git_credential_ssh_key_from_agent(out, ssh_user);
    return refuse(a, "the remote wants a kind of credentials we do not have");
}

/* base64 without padding, as ssh-keygen writes fingerprints. */
static void fingerprint(const unsigned char hash[SHA256_BYTES], char out[64])
{
    static const char digits[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t n = 0;
    unsigned bits = 0, value = 0;
    for (size_t i = 0; i < SHA256_BYTES; i++) {
        value = value << 8 | hash[i];
        for (bits += 8; bits >= 6; bits -= 6)
            out[n++] = digits[value >> (bits - 6) & 63];
    }
    if (bits)
        out[n++] = digits[value << (6 - bits) & 63];
    out[n] = '\0';
}

static int check_host_key(struct remote_access *a, const git_cert_hostkey *key)
{
    char seen[64];
    const char *pinned = a->ssh_host_key;
    if (!(key->type & GIT_CERT_SSH_SHA256))
        return refuse(a, "the ssh host shows no SHA-256 fingerprint");
    fingerprint(key->hash_sha256, seen);
    if (pinned && strncmp(pinned, "SHA256:", 7) == 0)
        pinned += 7;
    if (pinned && strcmp(pinned, seen) == 0)
        return 0;
    if (a->e->kind == ERR_NONE)
        (void)err_set(a->e, pinned ? ERR_AWAY : ERR_INPUT,
                      pinned ? "the ssh host key is SHA256:%s, not the configured one"
                             : "the ssh host key is SHA256:%s; configure it to trust this host",
                      seen);
    return -1;
}

static int on_certificate(git_cert *cert, int valid, const char *host, void *ctx)
{
    (void)host;
    if (cert->cert_type == GIT_CERT_HOSTKEY_LIBSSH2)
        return check_host_key(ctx, (const git_cert_hostkey *)cert);
    return valid ? 0 : refuse(ctx, "the certificate of the remote is not valid");
}

static int on_progress(const git_indexer_progress *p, void *ctx)
{
    struct remote_access *a = ctx;
    if ((int64_t)p->received_bytes <= a->bytes_max)
        return 0;
    return err_set(a->e, ERR_LIMIT, "the fetch is larger than %" PRId64 " bytes", a->bytes_max);
}

void remote_callbacks(struct remote_access *a, git_remote_callbacks *cb)
{
    cb->credentials = on_credentials;
    cb->certificate_check = on_certificate;
    cb->transfer_progress = on_progress;
    cb->payload = a;
}
