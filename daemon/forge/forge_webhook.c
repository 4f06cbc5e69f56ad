/* SPDX-License-Identifier: MIT */
/* forge_webhook: see forge_webhook.h. */
#include "forge_webhook.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <sys/stat.h>

#include "clock.h"
#include "digest.h"
#include "fdio.h"

#define SECRET_PREFIX "whsec_"

static int check_mode(int fd, struct err *e)
{
    struct stat st;
    if (fstat(fd, &st) < 0)
        return err_errno(e, "look at it");
    if (!S_ISREG(st.st_mode))
        return err_set(e, ERR_INPUT, "it is not a file");
    if (st.st_mode & 077)
        return err_set(e, ERR_INPUT, "others can read it (mode %03o); chmod 600 it",
                       (unsigned)st.st_mode & 0777);
    return 0;
}

int forge_secret_read_text(const char *path, struct str *text, struct err *e)
{
    AUTO(fdio_closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    AUTO(str_done) struct str all = STR_INIT(WEBHOOK_SECRET_MAX);
    if (fd < 0)
        return err_errno(e, "secret file '%s'", path);
    if (check_mode(fd, e) < 0 || fdio_read_all(fd, &all, e) < 0)
        return err_ctx(e, "secret file '%s'", path);
    struct view secret = view_trim(str_view(&all));
    if (!secret.len)
        return err_set(e, ERR_INPUT, "secret file '%s': it is empty", path);
    str_add(text, secret);
    return 0;
}

int forge_secret_read(const char *path, struct str *key, struct err *e)
{
    AUTO(str_done) struct str text = STR_INIT(WEBHOOK_SECRET_MAX);
    if (forge_secret_read_text(path, &text, e) < 0)
        return -1;
    struct view secret = str_view(&text);
    if (!view_starts(secret, SECRET_PREFIX)) {
        str_add(key, secret);
        return 0;
    }
    if (digest_unbase64(view_skip(secret, sizeof SECRET_PREFIX - 1), key) < 0)
        return err_set(e, ERR_INPUT, "secret file '%s': no base64 behind '" SECRET_PREFIX "'",
                       path);
    return 0;
}

static struct view mac_of(struct view key, struct view text, unsigned char out[EVP_MAX_MD_SIZE])
{
    unsigned len = 0;
    (void)HMAC(EVP_sha256(), key.at, (int)key.len, (const unsigned char *)text.at, text.len,
               out, &len);
    return (struct view){(const char *)out, len};
}

void forge_mac_hex(struct view key, struct view text, struct str *out)
{
    unsigned char mac[EVP_MAX_MD_SIZE];
    struct view bytes = mac_of(key, text, mac);
    str_add_hex(out, bytes.at, bytes.len);
}

void forge_webhook_sign(struct view key, const char *message_id, int64_t timestamp,
                        struct view body, struct str *out)
{
    unsigned char mac[EVP_MAX_MD_SIZE];
    AUTO(str_done) struct str text = STR_INIT(body.len + 256);
    str_addf(&text, "%s.%" PRId64 ".", message_id, timestamp);
    str_add(&text, body);
    str_addz(out, "v1,");
    digest_base64(mac_of(key, str_view(&text), mac), out);
}

int forge_webhook_send(const struct forge_webhook *hook, const char *message_id,
                       struct view body, int64_t deadline_ns, struct client_answer *out,
                       struct err *e)
{
    AUTO(str_done) struct str key = STR_INIT(WEBHOOK_SECRET_MAX);
    AUTO(str_done) struct str id = STR_INIT(256);
    AUTO(str_done) struct str at = STR_INIT(64);
    AUTO(str_done) struct str signature = STR_INIT(256);
    int64_t timestamp = clock_wall_ms() / 1000;
    str_addf(&id, "webhook-id: %s", message_id);
    str_addf(&at, "webhook-timestamp: %" PRId64, timestamp);
    if (hook->secret_file) {
        if (forge_secret_read(hook->secret_file, &key, e) < 0)
            return -1;
        str_addz(&signature, "webhook-signature: ");
        forge_webhook_sign(str_view(&key), message_id, timestamp, body, &signature);
    }
    const char *headers[] = {
        "content-type: application/json",
        str_text(&id),
        str_text(&at),
        hook->secret_file ? str_text(&signature) : NULL,
        NULL,
    };
    struct client_request request = {
        .method = "POST",
        .url = hook->url,
        .headers = headers,
        .body = body,
        .deadline_ns = deadline_ns,
        .allow_private = hook->allow_private,
        .allow_http = hook->allow_http,
        .ca_file = hook->ca_file,
        .cancel = hook->cancel,
    };
    return client_send(&request, out, e);
}
