/* SPDX-License-Identifier: MIT */
/*
 * forge_hook: signatures and ids; see forge_hook.h. What the bodies say is read per forge in
 * forge_hook_<forge>.c.
 *
 * Hexadecimal signatures are taken in lower case only, as every forge writes them: one
 * signature, one spelling.
 */
#include "forge_hook.h"

#include <inttypes.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>

#include "digest.h"
#include "forge_hook_parts.h"
#include "opt.h"

enum { SIGNATURES_MAX = 8 }; /* of one Standard Webhooks header, while keys are changed */

const char *const forge_event_names[FORGE_EVENT_COUNT] = {
    "other", "push", "tag", "branch_deleted", "merge_request", "comment", "ping",
};

/* --- what each forge calls it ------------------------------------------------------------ */

#define NAMES(...) ((const char *const[]){__VA_ARGS__, NULL})

static const struct rules {
    const char *name;
    const char *const *signature; /* headers, of which the first that is there counts */
    const char *prefix;           /* before the hexadecimal digits */
    const char *const *delivery;  /* headers with the id */
    int (*read)(struct hook_reader *rd, struct forge_event *out);
} kinds[FORGE_KIND_COUNT] = {
    [FORGE_GIT] = {"git", NAMES("X-Pacewatch-Signature-256"),
                   "sha256=", NAMES("X-Pacewatch-Signature-256"), hook_read_git},
    [FORGE_GITHUB] = {"github", NAMES("X-Hub-Signature-256"),
                      "sha256=", NAMES("X-GitHub-Delivery"), hook_read_github},
    [FORGE_GITLAB] = {"gitlab", NAMES("X-Gitlab-Token"), "", NAMES("Idempotency-Key"),
                      hook_read_gitlab},
    [FORGE_GITEA] = {"gitea",
                     NAMES("X-Gitea-Signature", "X-Forgejo-Signature", "X-Gogs-Signature"), "",
                     NAMES("X-Gitea-Delivery", "X-Forgejo-Delivery", "X-Gogs-Delivery"),
                     hook_read_gitea},
    [FORGE_BITBUCKET] = {"bitbucket", NAMES("X-Hub-Signature"),
                         "sha256=", NAMES("X-Request-UUID"), hook_read_bitbucket},
    [FORGE_BITBUCKET_SERVER] = {"bitbucket-server", NAMES("X-Hub-Signature"),
                                "sha256=", NAMES("X-Request-Id"), hook_read_bitbucket_server},
};

static const char *const standard_signature[] = {"webhook-signature", NULL};
static const char *const standard_delivery[] = {"webhook-id", NULL};

bool forge_kind_of(const char *name, enum forge_kind *out)
{
    for (int i = 0; i < FORGE_KIND_COUNT; i++) {
        if (strcmp(kinds[i].name, name) == 0) {
            *out = (enum forge_kind)i;
            return true;
        }
    }
    return false;
}

static bool is_standard(const struct forge_hook *hook)
{
    return hook->kind == FORGE_GITLAB && hook->by_signature;
}

static struct view signature_of(const struct forge_hook *hook, const struct forge_delivery *d)
{
    return hook_header_of(d,
                          is_standard(hook) ? standard_signature : kinds[hook->kind].signature);
}

/* --- signatures -------------------------------------------------------------------------- */

static void hmac(struct view key, struct view bytes, unsigned char out[DIGEST_BYTES])
{
    unsigned len = 0;
    unsigned char all[EVP_MAX_MD_SIZE];
    (void)HMAC(EVP_sha256(), key.at, (int)key.len, (const unsigned char *)bytes.at, bytes.len,
               all, &len);
    memcpy(out, all, DIGEST_BYTES);
}

static bool is_hex_mac(struct view signature, const char *prefix,
                       const unsigned char mac[DIGEST_BYTES])
{
    unsigned char told[DIGEST_BYTES];
    if (!view_starts(signature, prefix))
        return false;
    struct view hex = view_skip(signature, strlen(prefix));
    for (size_t i = 0; i < hex.len; i++)
        if (hex.at[i] >= 'A' && hex.at[i] <= 'F')
            return false;
    return hex.len == DIGEST_HEX && view_hex(hex, told, DIGEST_BYTES) &&
           digest_equal(told, mac);
}

static bool is_recent(struct view seconds, int64_t now_ms)
{
    int64_t at;
    if (opt_int(seconds, 0, INT64_MAX / 1000, &at, NULL) < 0)
        return false;
    int64_t off = now_ms / 1000 - at;
    return off >= -FORGE_HOOK_SKEW_S && off <= FORGE_HOOK_SKEW_S;
}

/* A secret that is sent as it is. Digests are compared, so that not even its length shows. */
static bool is_token(struct view token, struct view key)
{
    unsigned char told[DIGEST_BYTES], ours[DIGEST_BYTES];
    digest_of(token, told);
    digest_of(key, ours);
    return digest_equal(told, ours);
}

/* "timestamp.body" */
static bool is_signed_by_git(const struct forge_hook *hook, const struct forge_delivery *d,
                             struct view signature)
{
    struct view at = hook_header(d, "X-Pacewatch-Timestamp");
    AUTO(str_done) struct str text = STR_INIT(at.len + 1 + d->body.len);
    unsigned char mac[DIGEST_BYTES];
    str_add(&text, at);
    str_addc(&text, '.');
    str_add(&text, d->body);
    hmac(hook->key, str_view(&text), mac);
    return is_hex_mac(signature, kinds[FORGE_GIT].prefix, mac) && is_recent(at, d->now_ms);
}

/* Any of several signatures behind "v1," may be ours. */
static bool holds_mac(struct view signatures, const unsigned char mac[DIGEST_BYTES])
{
    bool found = false;
    for (int i = 0; i < SIGNATURES_MAX && signatures.len; i++) {
        struct view one;
        AUTO(str_done) struct str told = STR_INIT(DIGEST_BYTES);
        (void)view_cut(signatures, ' ', &one, &signatures);
        if (view_starts(one, "v1,") && digest_unbase64(view_skip(one, 3), &told) == 0 &&
            !told.cut && told.len == DIGEST_BYTES)
            found |= digest_equal((const unsigned char *)told.at, mac);
    }
    return found;
}

/* "id.timestamp.body" */
static bool is_signed_as_standard(const struct forge_hook *hook, const struct forge_delivery *d,
                                  struct view signature)
{
    struct view id = hook_header_of(d, standard_delivery);
    struct view at = hook_header(d, "webhook-timestamp");
    AUTO(str_done) struct str text = STR_INIT(id.len + at.len + 2 + d->body.len);
    unsigned char mac[DIGEST_BYTES];
    if (!id.len)
        return false;
    str_add(&text, id);
    str_addc(&text, '.');
    str_add(&text, at);
    str_addc(&text, '.');
    str_add(&text, d->body);
    hmac(hook->key, str_view(&text), mac);
    return holds_mac(signature, mac) && is_recent(at, d->now_ms);
}

bool forge_hook_has_signature(const struct forge_hook *hook, const struct forge_delivery *d)
{
    return signature_of(hook, d).len > 0;
}

bool forge_hook_verify(const struct forge_hook *hook, const struct forge_delivery *d)
{
    struct view signature = signature_of(hook, d);
    unsigned char mac[DIGEST_BYTES];
    if (!signature.len || !hook->key.len)
        return false;
    if (is_standard(hook))
        return is_signed_as_standard(hook, d, signature);
    if (hook->kind == FORGE_GITLAB)
        return is_token(signature, hook->key);
    if (hook->kind == FORGE_GIT)
        return is_signed_by_git(hook, d, signature);
    hmac(hook->key, d->body, mac);
    return is_hex_mac(signature, kinds[hook->kind].prefix, mac);
}

/* --- events ------------------------------------------------------------------------------ */

static bool is_plain_id(struct view id)
{
    for (size_t i = 0; i < id.len; i++)
        if (id.at[i] <= ' ' || id.at[i] > '~')
            return false;
    return id.len > 0 && id.len <= FORGE_DELIVERY_MAX;
}

/* A forge that gives no id is taken by its word: the same bytes are the same event. */
static void read_delivery(const struct forge_hook *hook, const struct forge_delivery *d,
                          struct forge_event *out)
{
    unsigned char digest[DIGEST_BYTES];
    struct view id =
        hook_header_of(d, is_standard(hook) ? standard_delivery : kinds[hook->kind].delivery);
    if (is_plain_id(id)) {
        hook_copy(id, out->delivery, sizeof out->delivery);
        return;
    }
    digest_of(id.len ? id : d->body, digest);
    digest_hex(digest, out->delivery);
}

int forge_hook_parse(const struct forge_hook *hook, const struct forge_delivery *d,
                     struct forge_event *out, struct err *e)
{
    AUTO(json_freep) struct json_doc *doc = NULL;
    struct forge_event event = {.kind = FORGE_OTHER};
    if (json_parse(d->body, &JSON_DELIVERY, &doc, e) < 0)
        return -1;
    struct hook_reader rd = {.doc = doc, .root = json_root(doc), .delivery = d, .err = e};
    if (json_type(rd.root) != JSON_OBJECT)
        return json_fail(doc, rd.root, e, "a delivery is an object");
    if (kinds[hook->kind].read(&rd, &event) < 0)
        return -1;
    read_delivery(hook, d, &event);
    *out = event;
    return 0;
}

bool forge_event_asks(const struct forge_event *event)
{
    switch (event->kind) {
    case FORGE_PUSH:
        return strcmp(event->before, event->after) != 0; /* Gitea's test button sends equals */
    case FORGE_BRANCH_DELETED:
        return true;
    case FORGE_MERGE_REQUEST:
        return event->is_moved;
    default:
        return false; /* tags are not watched */
    }
}

bool forge_event_commands(const struct forge_event *event)
{
    return event->kind == FORGE_COMMENT && event->number && event->comment[0];
}
