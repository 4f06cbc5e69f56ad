/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/un.h>

#include "client.h"

static bool is_private(const char *text)
{
    struct sockaddr_in in = {.sin_family = AF_INET};
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};
    if (inet_pton(AF_INET, text, &in.sin_addr) == 1)
        return client_address_is_private((const struct sockaddr *)(const void *)&in);
    assert_int_equal(inet_pton(AF_INET6, text, &in6.sin6_addr), 1);
    return client_address_is_private((const struct sockaddr *)(const void *)&in6);
}

static void addresses_of_the_inside_are_private(void **state)
{
    static const char *const inside[] = {
        "0.0.0.0",
        "10.1.2.3",
        "100.64.0.1",
        "100.127.255.255",
        "127.0.0.1",
        "127.255.255.254",
        "169.254.169.254",
        "172.16.0.1",
        "172.31.255.255",
        "192.168.1.1",
        "198.18.0.1",
        "224.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::ffff:127.0.0.1",
        "::127.0.0.1",
        "fe80::1",
        "fec0::1",
        "fc00::1",
        "fdff::1",
        "ff02::1",
        "64:ff9b::10.0.0.1",
        "2002:0a00:0001::1",
        "2001:0:53aa::1",
        "::ffff:169.254.169.254",
    };
    for (size_t i = 0; i < ARRAY_LEN(inside); i++)
        if (!is_private(inside[i]))
            fail_msg("%s should be private", inside[i]);
    (void)state;
}

static void addresses_of_the_world_are_not(void **state)
{
    static const char *const outside[] = {
        "1.1.1.1",        "9.255.255.255",    "11.0.0.0",          "100.63.255.255",
        "100.128.0.0",    "128.0.0.1",        "169.253.0.1",       "172.15.255.255",
        "172.32.0.0",     "192.167.255.255",  "192.169.0.0",       "198.17.255.255",
        "198.20.0.0",     "223.255.255.255",  "2606:4700::1111",   "2a00::1",
        "::ffff:8.8.8.8", "64:ff9b::8.8.8.8", "2002:0808:0808::1", "2001:4860::8888",
    };
    for (size_t i = 0; i < ARRAY_LEN(outside); i++)
        if (is_private(outside[i]))
            fail_msg("%s should not be private", outside[i]);
    (void)state;
}

static void unknown_families_are_private(void **state)
{
    struct sockaddr_un un = {.sun_family = AF_UNIX};

    assert_true(client_address_is_private((const struct sockaddr *)(const void *)&un));
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_of_the_inside_are_private),
        cmocka_unit_test(addresses_of_the_world_are_not),
        cmocka_unit_test(unknown_families_are_private),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
