/* SPDX-License-Identifier: MIT */
/*
 * Addresses that a notice must not reach unless the operator says so: services inside the
 * network trust whoever can connect, and a metadata service hands out keys (RFC 6890 and its
 * registries).
 */
#include <arpa/inet.h>
#include <netinet/in.h>

#include "client.h"

struct net4 {
    uint32_t net;
    int bits;
};

static bool private4(uint32_t address)
{
    static const struct net4 nets[] = {
        {0x00000000, 8},  /* this network */
        {0x0a000000, 8},  /* private */
        {0x64400000, 10}, /* shared by carriers */
        {0x7f000000, 8},  /* loopback */
        {0xa9fe0000, 16}, /* link-local; metadata services */
        {0xac100000, 12}, /* private */
        {0xc0000000, 24}, /* protocol assignments */
        {0xc0000200, 24}, /* documentation */
        {0xc0a80000, 16}, /* private */
        {0xc6120000, 15}, /* benchmarks */
        {0xc6336400, 24}, /* documentation */
        {0xcb007100, 24}, /* documentation */
        {0xe0000000, 3},  /* multicast, reserved, broadcast */
    };
    for (size_t i = 0; i < ARRAY_LEN(nets); i++)
        if ((address ^ nets[i].net) >> (32 - nets[i].bits) == 0)
            return true;
    return false;
}

static uint32_t tail4(const unsigned char *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static bool private6(const unsigned char a[16])
{
    static const unsigned char zero[12], nat64[12] = {0x00, 0x64, 0xff, 0x9b};
    static const unsigned char mapped[12] = {[10] = 0xff, [11] = 0xff};
    if (memcmp(a, mapped, 12) == 0 || memcmp(a, nat64, 12) == 0)
        return private4(tail4(a + 12));
    if (memcmp(a, zero, 12) == 0) /* unspecified, loopback, IPv4-compatible */
        return true;
    if (a[0] == 0x20 && a[1] == 0x02) /* 6to4 carries an IPv4 address */
        return private4(tail4(a + 2));
    return (a[0] & 0xfe) == 0xfc ||                    /* unique local */
           (a[0] == 0xfe && (a[1] & 0xc0) >= 0x80) ||  /* link-local, site-local */
           a[0] == 0xff ||                             /* multicast */
           (a[0] == 0x20 && a[1] == 0x01 && a[2] < 2); /* protocol assignments, Teredo */
}

bool client_address_is_private(const struct sockaddr *address)
{
    if (address->sa_family == AF_INET) {
        const struct sockaddr_in *in = (const struct sockaddr_in *)(const void *)address;
        return private4(ntohl(in->sin_addr.s_addr));
    }
    if (address->sa_family == AF_INET6) {
        const struct sockaddr_in6 *in = (const struct sockaddr_in6 *)(const void *)address;
        return private6(in->sin6_addr.s6_addr);
    }
    return true;
}
