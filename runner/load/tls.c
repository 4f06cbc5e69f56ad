/* SPDX-License-Identifier: MIT */
/* tls: see tls.h. */
#include "tls.h"

#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <string.h>
#include <sys/socket.h>

#include "mem.h"

enum { READ_BUFFER = 32 << 10 };

struct tls_setup {
    SSL_CTX *context;
    BIO_METHOD *socket;
    SSL_SESSION *session; /* the latest, or NULL */
    char *host;
    bool insecure, no_resume, host_is_address;
};

struct tls {
    SSL *ssl;
    int fd;
    int error;         /* errno of the last failure of the socket */
    bool ended;        /* the socket is at its end */
    bool socket_empty; /* the last read took all there was */
};

/* --- the socket below --------------------------------------------------------------------- */

static int socket_read(BIO *b, char *to, int len)
{
    struct tls *t = BIO_get_data(b);
    BIO_clear_retry_flags(b);
    ssize_t n = recv(t->fd, to, (size_t)len, 0);
    t->socket_empty = n < len;
    if (n == 0)
        t->ended = true;
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        BIO_set_retry_read(b);
    else if (n < 0)
        t->error = errno;
    return (int)n;
}

static int socket_write(BIO *b, const char *from, int len)
{
    struct tls *t = BIO_get_data(b);
    BIO_clear_retry_flags(b);
    ssize_t n = send(t->fd, from, (size_t)len, MSG_NOSIGNAL);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        BIO_set_retry_write(b);
    else if (n < 0)
        t->error = errno;
    return (int)n;
}

static long socket_control(BIO *b, int command, long number, void *pointer)
{
    const struct tls *t = BIO_get_data(b);
    (void)number;
    (void)pointer;
    if (command == BIO_CTRL_EOF)
        return t->ended;
    return command == BIO_CTRL_FLUSH; /* Nothing is held back here. */
}

static BIO_METHOD *socket_method(void)
{
    BIO_METHOD *m = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "load socket");
    if (!m)
        return NULL;
    (void)BIO_meth_set_read(m, socket_read);
    (void)BIO_meth_set_write(m, socket_write);
    (void)BIO_meth_set_ctrl(m, socket_control);
    return m;
}

/* --- setup -------------------------------------------------------------------------------- */

static int keep_session(SSL *ssl, SSL_SESSION *session)
{
    struct tls_setup *s = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
    SSL_SESSION_free(s->session);
    s->session = session;
    return 1; /* The reference is ours now. */
}

static int fail(struct err *e, const char *what)
{
    char text[256];
    ERR_error_string_n(ERR_get_error(), text, sizeof text);
    return err_set(e, ERR_SYSTEM, "TLS: %s: %s", what, text);
}

static int trust(struct tls_setup *s, const struct tls_rules *rules, struct err *e)
{
    SSL_CTX_set_verify(s->context, rules->insecure ? SSL_VERIFY_NONE : SSL_VERIFY_PEER, NULL);
    if (rules->insecure)
        return 0;
    if (rules->ca_file) {
        if (SSL_CTX_load_verify_locations(s->context, rules->ca_file, NULL) != 1)
            return fail(e, rules->ca_file);
        return 0;
    }
    return SSL_CTX_set_default_verify_paths(s->context) == 1 ? 0 : fail(e, "authorities");
}

static int configure(struct tls_setup *s, const struct tls_rules *rules, struct err *e)
{
    static const unsigned char h1[] = "\x08http/1.1";
    static const unsigned char h2[] = "\x02h2";
    SSL_CTX *c = s->context;
    const unsigned char *protocols = rules->http2 ? h2 : h1;
    unsigned protocols_len = (unsigned)(rules->http2 ? sizeof h2 : sizeof h1) - 1;

    if (SSL_CTX_set_min_proto_version(c, TLS1_2_VERSION) != 1 ||
        SSL_CTX_set_alpn_protos(c, protocols, protocols_len) != 0)
        return fail(e, "setup");
    SSL_CTX_set_mode(c, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_read_ahead(c, 1);
    SSL_CTX_set_default_read_buffer_len(c, READ_BUFFER);
    SSL_CTX_set_app_data(c, s);
    SSL_CTX_set_session_cache_mode(c, rules->no_resume
                                          ? SSL_SESS_CACHE_OFF
                                          : SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    if (!rules->no_resume)
        SSL_CTX_sess_set_new_cb(c, keep_session);
    return trust(s, rules, e);
}

struct tls_setup *tls_setup_new(const struct tls_rules *rules, struct err *e)
{
    unsigned char address[sizeof(struct in6_addr)];
    AUTO(tls_setup_freep) struct tls_setup *s = mem_zero(1, sizeof *s);
    s->host = mem_strdup(rules->host);
    s->host_is_address = inet_pton(AF_INET, rules->host, address) == 1 ||
                         inet_pton(AF_INET6, rules->host, address) == 1;
    s->insecure = rules->insecure;
    s->no_resume = rules->no_resume;
    s->context = SSL_CTX_new(TLS_client_method());
    s->socket = socket_method();
    if (!s->context || !s->socket) {
        (void)fail(e, "setup");
        return NULL;
    }
    if (configure(s, rules, e) < 0)
        return NULL;
    return STEAL(s);
}

void tls_setup_freep(struct tls_setup **s)
{
    if (!*s)
        return;
    SSL_SESSION_free((*s)->session);
    SSL_CTX_free((*s)->context);
    BIO_meth_free((*s)->socket);
    mem_freep(&(*s)->host);
    mem_freep(s);
}

/* --- a connection ------------------------------------------------------------------------- */

struct tls *tls_new(struct tls_setup *s, int fd)
{
    struct tls *t = mem_zero(1, sizeof *t);
    BIO *b = BIO_new(s->socket);
    t->fd = fd;
    t->ssl = SSL_new(s->context);
    if (!b || !t->ssl)
        abort(); /* Only without memory. */
    BIO_set_data(b, t);
    BIO_set_init(b, 1);
    SSL_set_bio(t->ssl, b, b);
    SSL_set_connect_state(t->ssl);
    if (!s->host_is_address)
        (void)SSL_set_tlsext_host_name(t->ssl, s->host);
    if (!s->insecure && s->host_is_address)
        (void)X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(t->ssl), s->host);
    else if (!s->insecure)
        (void)SSL_set1_host(t->ssl, s->host);
    if (s->session && !s->no_resume)
        (void)SSL_set_session(t->ssl, s->session);
    return t;
}

void tls_freep(struct tls **t)
{
    if (!*t)
        return;
    /* Without this OpenSSL takes the session for broken and forgets it. */
    SSL_set_shutdown((*t)->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    SSL_free((*t)->ssl);
    mem_freep(t);
}

/* What a call that returned 'rc' means: -1 and errno, or 0 at the end. */
static ssize_t result(struct tls *t, int rc)
{
    switch (SSL_get_error(t->ssl, rc)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
        errno = EAGAIN;
        return -1;
    case SSL_ERROR_ZERO_RETURN:
        return 0;
    default:
        /* An end without the closing alert may be a cut, so it is no proper end. */
        errno = t->error ? t->error : t->ended ? ECONNRESET : EPROTO;
        return -1;
    }
}

enum tls_step tls_handshake(struct tls *t)
{
    ERR_clear_error();
    int rc = SSL_do_handshake(t->ssl);
    if (rc == 1)
        return TLS_DONE;
    return result(t, rc) < 0 && errno == EAGAIN ? TLS_AGAIN : TLS_FAILED;
}

enum fail_cause tls_failure(const struct tls *t)
{
    if (SSL_get_verify_result(t->ssl) != X509_V_OK)
        return FAIL_VERIFY;
    if (t->error)
        return fail_cause_of(t->error);
    return t->ended ? FAIL_EOF : FAIL_HANDSHAKE;
}

bool tls_resumed(const struct tls *t)
{
    return SSL_session_reused(t->ssl);
}

bool tls_chose_http2(const struct tls *t)
{
    const unsigned char *name;
    unsigned len;
    SSL_get0_alpn_selected(t->ssl, &name, &len);
    return len == 2 && memcmp(name, "h2", 2) == 0;
}

ssize_t tls_read(struct tls *t, void *to, size_t len)
{
    ERR_clear_error();
    int n = SSL_read(t->ssl, to, len < INT_MAX ? (int)len : INT_MAX);
    return n > 0 ? n : result(t, n);
}

ssize_t tls_write(struct tls *t, const void *from, size_t len)
{
    ERR_clear_error();
    int n = SSL_write(t->ssl, from, len < INT_MAX ? (int)len : INT_MAX);
    if (n > 0)
        return n;
    ssize_t rc = result(t, n);
    if (rc == 0)
        errno = EPIPE;
    return -1;
}

bool tls_drained(const struct tls *t)
{
    return t->socket_empty && !SSL_has_pending(t->ssl);
}
