/* SPDX-License-Identifier: MIT */
/* digest: see digest.h. */
#include "digest.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdlib.h>

#include "mem.h"

struct digest {
    EVP_MD_CTX *ctx;
};

struct digest *digest_new(void)
{
    struct digest *d = mem_zero(1, sizeof *d);
    d->ctx = EVP_MD_CTX_new();
    if (!d->ctx || EVP_DigestInit_ex(d->ctx, EVP_sha256(), NULL) != 1)
        abort(); /* only for want of memory */
    return d;
}

void digest_freep(struct digest **d)
{
    if (*d)
        EVP_MD_CTX_free((*d)->ctx);
    free(*d);
    *d = NULL;
}

void digest_add(struct digest *d, struct view bytes)
{
    (void)EVP_DigestUpdate(d->ctx, bytes.at, bytes.len);
}

void digest_field(struct digest *d, struct view bytes)
{
    uint64_t len = bytes.len;
    digest_add(d, (struct view){(const char *)&len, sizeof len});
    digest_add(d, bytes);
}

void digest_end(struct digest *d, unsigned char out[DIGEST_BYTES])
{
    (void)EVP_DigestFinal_ex(d->ctx, out, NULL);
}

void digest_of(struct view bytes, unsigned char out[DIGEST_BYTES])
{
    AUTO(digest_freep) struct digest *d = digest_new();
    digest_add(d, bytes);
    digest_end(d, out);
}

void digest_sha1(struct view bytes, unsigned char out[DIGEST_SHA1_BYTES])
{
    if (EVP_Digest(bytes.at, bytes.len, out, NULL, EVP_sha1(), NULL) != 1)
        abort(); /* only for want of memory */
}

void digest_hex(const unsigned char digest[DIGEST_BYTES], char out[DIGEST_HEX + 1])
{
    AUTO(str_done) struct str hex = STR_INIT(DIGEST_HEX);
    str_add_hex(&hex, digest, DIGEST_BYTES);
    memcpy(out, hex.at, DIGEST_HEX + 1);
}

bool digest_equal(const unsigned char a[DIGEST_BYTES], const unsigned char b[DIGEST_BYTES])
{
    return CRYPTO_memcmp(a, b, DIGEST_BYTES) == 0;
}

void digest_base64(struct view bytes, struct str *out)
{
    /* In steps of whole triples, as the library call takes an int and pads only the last one.
     */
    enum { STEP = 3 << 10 };
    unsigned char text[4 * STEP / 3 + 1];
    while (bytes.len) {
        size_t n = bytes.len < STEP ? bytes.len : STEP;
        int len = EVP_EncodeBlock(text, (const unsigned char *)bytes.at, (int)n);
        str_add(out, (struct view){(const char *)text, (size_t)len});
        bytes = view_skip(bytes, n);
    }
}

static int base64_digit(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* By hand, because EVP_DecodeBlock skips blanks and does not tell how much of the end is
 * padding. */
int digest_unbase64(struct view text, struct str *out)
{
    if (text.len % 4)
        return -1;
    while (text.len) {
        size_t pad = text.len == 4 ? (size_t)((text.at[3] == '=') + (text.at[2] == '=')) : 0;
        uint32_t bits = 0;
        for (size_t i = 0; i < 4; i++) {
            int d = i < 4 - pad ? base64_digit(text.at[i]) : 0;
            if (d < 0)
                return -1;
            bits = bits << 6 | (uint32_t)d;
        }
        if (bits & ((1u << 8 * pad) - 1))
            return -1; /* another spelling of the same bytes */
        char bytes[3] = {(char)(bits >> 16), (char)(bits >> 8), (char)bits};
        str_add(out, (struct view){bytes, 3 - pad});
        text = view_skip(text, 4);
    }
    return out->cut ? -1 : 0;
}
