/* SPDX-License-Identifier: MIT */
/* forge_app: see forge_app.h. */
#include "forge_app.h"

#include <inttypes.h>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include "clock.h"
#include "digest.h"
#include "forge_webhook.h"
#include "json_write.h"

enum {
    JWT_BACK_S = 60,   /* their clock may be behind ours */
    JWT_VALID_S = 540, /* ten minutes at most, counted from theirs */
    TOKEN_VALID_MS = 3600 * 1000,
    TOKEN_SPARE_MS = 300 * 1000,
    KEY_BYTES_MAX = 1 << 14,
};

/* --- the App's signature -------------------------------------------------------------------
 */

/* base64url without padding (RFC 7515, section 2). */
static void add_base64url(struct view bytes, struct str *out)
{
    AUTO(str_done) struct str plain = STR_INIT(2 * bytes.len + 8);
    digest_base64(bytes, &plain);
    for (size_t i = 0; i < plain.len && plain.at[i] != '='; i++)
        str_addc(out, plain.at[i] == '+' ? '-' : plain.at[i] == '/' ? '_' : plain.at[i]);
}

static void free_key(EVP_PKEY **key)
{
    EVP_PKEY_free(*key);
}

static void free_md(EVP_MD_CTX **md)
{
    EVP_MD_CTX_free(*md);
}

static EVP_PKEY *read_key(struct view pem)
{
    BIO *bio = BIO_new_mem_buf(pem.at, (int)pem.len);
    EVP_PKEY *key = bio ? PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL) : NULL;
    BIO_free(bio);
    return key;
}

static int sign_rs256(struct view pem, struct view text, struct str *out, struct err *e)
{
    AUTO(free_key) EVP_PKEY *key = read_key(pem);
    AUTO(free_md) EVP_MD_CTX *md = EVP_MD_CTX_new();
    unsigned char signature[1024];
    size_t len = sizeof signature;
    if (!key || EVP_PKEY_get_base_id(key) != EVP_PKEY_RSA)
        return err_set(e, ERR_INPUT, "there is no RSA private key in PEM form in it");
    if (!md || EVP_DigestSignInit(md, NULL, EVP_sha256(), NULL, key) != 1 ||
        EVP_DigestSign(md, signature, &len, (const unsigned char *)text.at, text.len) != 1)
        return err_set(e, ERR_INPUT, "its key cannot sign");
    add_base64url((struct view){(const char *)signature, len}, out);
    return 0;
}

int forge_app_jwt(const char *app_id, struct view key, int64_t now_s, struct str *out,
                  struct err *e)
{
    AUTO(str_done) struct str text = STR_INIT(1024);
    AUTO(str_done) struct str claims = STR_INIT(512);
    struct jw w = jw_begin(&claims);
    jw_object(&w, NULL);
    jw_int(&w, "iat", now_s - JWT_BACK_S);
    jw_int(&w, "exp", now_s + JWT_VALID_S);
    jw_text(&w, "iss", app_id);
    jw_end(&w);
    add_base64url(VIEW("{\"alg\":\"RS256\",\"typ\":\"JWT\"}"), &text);
    str_addc(&text, '.');
    add_base64url(str_view(&claims), &text);
    str_add(out, str_view(&text));
    str_addc(out, '.');
    return sign_rs256(key, str_view(&text), out, e);
}

int forge_app_sign(struct forge *f, struct str *out, struct err *e)
{
    AUTO(forge_wipe) struct str key = STR_INIT(KEY_BYTES_MAX);
    if (forge_secret_read_text(f->options.app_key_file, &key, e) < 0)
        return -1;
    str_addc(&key, '\n');
    if (forge_app_jwt(f->options.app_id, str_view(&key), clock_wall_ms() / 1000, out, e) < 0)
        return err_ctx(e, "'%s'", f->options.app_key_file);
    return 0;
}

/* --- the installation's token --------------------------------------------------------------
 */

static int ask(struct forge *f, struct forge_answer *a, struct err *e)
{
    AUTO(json_freep) struct json_doc *doc = NULL;
    AUTO(str_done) struct str path = STR_INIT(FORGE_PATH_MAX);
    struct view token;
    str_addf(&path, "/app/installations/%s/access_tokens", f->options.app_installation);
    struct forge_call call = {
        .method = "POST", .path = &path, .body = VIEW("{}"), .as_app = true};
    if (forge_call(f, &call, &doc, a, e) < 0 ||
        json_read_text(doc, json_root(doc), "token", true, &token, e) < 0)
        return err_ctx(e, "token of the App's installation");
    f->app_token_until_ms = clock_wall_ms() + TOKEN_VALID_MS - TOKEN_SPARE_MS;
    forge_wipe(&f->app_token);
    str_add(&f->app_token, token);
    return 0;
}

int forge_app_token(struct forge *f, struct str *out, struct forge_answer *a, struct err *e)
{
    int r = 0;
    pthread_mutex_lock(&f->lock);
    if (!f->app_token.len || clock_wall_ms() >= f->app_token_until_ms)
        r = ask(f, a, e);
    if (r == 0)
        str_add(out, str_view(&f->app_token));
    pthread_mutex_unlock(&f->lock);
    return r;
}

void forge_app_forget(struct forge *f)
{
    pthread_mutex_lock(&f->lock);
    forge_wipe(&f->app_token);
    pthread_mutex_unlock(&f->lock);
}
