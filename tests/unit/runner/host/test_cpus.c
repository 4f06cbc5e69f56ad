/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cpus.h"

struct shape {
    const char *what;
    int threads, threads_per_core;
    const char *service, *load;
    bool shared;
};

static void machine_of(const struct shape *s, struct cpus_machine *out)
{
    *out = (struct cpus_machine){0};
    for (int cpu = 0; cpu < s->threads; cpu++) {
        CPU_SET(cpu, &out->allowed);
        out->core_of[cpu] = 100 + cpu % (s->threads / s->threads_per_core);
    }
}

static void sets_follow_the_table(void **state)
{
    static const struct shape shapes[] = {
        {"one core", 1, 1, "0", "0", true},
        {"one core, two threads", 2, 2, "0", "1", true},
        {"two cores", 2, 1, "0", "1", false},
        {"three cores", 3, 1, "0", "1", false},
        {"four cores", 4, 1, "0-1", "2", false},
        {"eight cores", 8, 1, "0-3", "4-6", false},
        {"four cores, two threads each", 8, 2, "0-1,4-5", "2,6", false},
    };
    for (size_t i = 0; i < ARRAY_LEN(shapes); i++) {
        struct cpus_machine machine;
        struct cpus cpus;
        machine_of(&shapes[i], &machine);

        cpus_divide(&machine, &cpus);

        if (strcmp(cpus.service_list, shapes[i].service) != 0 ||
            strcmp(cpus.load_list, shapes[i].load) != 0 || cpus.shared != shapes[i].shared)
            fail_msg("%s: service %s, load %s", shapes[i].what, cpus.service_list,
                     cpus.load_list);
    }
    (void)state;
}

static void halves_are_equal_and_apart(void **state)
{
    static const struct {
        struct shape shape; /* service and load of the first half */
        const char *service, *load;
    } cases[] = {
        {{"two cores", 2, 1, "0", "0", true}, "1", "1"},
        {{"three cores", 3, 1, "0", "0", true}, "1", "1"},
        {{"four cores", 4, 1, "0", "1", false}, "2", "3"},
        {{"eight cores", 8, 1, "0-1", "2-3", false}, "4-5", "6-7"},
        {{"four cores, two threads each", 8, 2, "0,4", "1,5", false}, "2,6", "3,7"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct cpus_machine machine;
        struct cpus half[2];
        machine_of(&cases[i].shape, &machine);

        assert_true(cpus_halve(&machine, half));

        if (strcmp(half[0].service_list, cases[i].shape.service) != 0 ||
            strcmp(half[0].load_list, cases[i].shape.load) != 0 ||
            strcmp(half[1].service_list, cases[i].service) != 0 ||
            strcmp(half[1].load_list, cases[i].load) != 0 ||
            half[0].shared != cases[i].shape.shared)
            fail_msg("%s: %s %s, %s %s", cases[i].shape.what, half[0].service_list,
                     half[0].load_list, half[1].service_list, half[1].load_list);
    }
    struct cpus_machine one = {.core_of = {0}};
    struct cpus none[2];
    CPU_SET(0, &one.allowed);
    assert_false(cpus_halve(&one, none));
    (void)state;
}

static void service_and_generator_never_meet_when_there_are_cores(void **state)
{
    for (int threads = 2; threads <= 64; threads++) {
        struct shape shape = {.threads = threads, .threads_per_core = 1};
        struct cpus_machine machine;
        struct cpus c;
        cpu_set_t both;
        machine_of(&shape, &machine);

        cpus_divide(&machine, &c);

        CPU_AND(&both, &c.service, &c.load);
        assert_int_equal(CPU_COUNT(&both), 0);
        CPU_AND(&both, &c.service, &c.house);
        assert_int_equal(CPU_COUNT(&both), 0);
        assert_true(CPU_COUNT(&c.load) > 0);
    }
    (void)state;
}

static void only_allowed_cpus_are_used(void **state)
{
    struct cpus_machine machine = {0};
    struct cpus c;
    CPU_SET(3, &machine.allowed);
    CPU_SET(7, &machine.allowed);
    machine.core_of[7] = 1;

    cpus_divide(&machine, &c);

    assert_string_equal(c.service_list, "3");
    assert_string_equal(c.load_list, "7");
    (void)state;
}

static void this_machine_can_be_read(void **state)
{
    struct cpus_machine machine;
    struct cpus c;

    cpus_read(&machine);
    cpus_divide(&machine, &c);

    assert_true(c.threads >= 1);
    assert_true(c.cores >= 1);
    assert_true(CPU_COUNT(&c.service) >= 1);
    (void)state;
}

static void read_session(pid_t pid, char out[64])
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/autogroup", (int)pid);
    FILE *from = fopen(path, "r");
    if (!from || !fgets(out, 64, from))
        out[0] = '\0';
    if (from)
        fclose(from);
}

static void another_session_is_raised_and_never_our_own(void **state)
{
    char before[64];
    char text[64];
    int ready[2];
    char byte;
    (void)state;
    read_session(getpid(), before);
    if (!before[0] || geteuid() != 0)
        skip(); /* no autogroups, or nothing that we may raise */
    assert_int_equal(pipe(ready), 0);
    pid_t child = fork();
    if (child == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        (void)setsid();
        (void)!write(ready[1], "x", 1);
        for (;;)
            pause();
    }
    assert_int_equal(read(ready[0], &byte, 1), 1);

    bool raised = cpus_raise_session(child, -10);
    read_session(child, text);
    bool own = cpus_raise_session(getpid(), -10);

    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    close(ready[0]);
    close(ready[1]);
    assert_true(raised);
    assert_non_null(strstr(text, "nice -10"));
    assert_false(own);
    read_session(getpid(), text);
    assert_string_equal(text, before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(another_session_is_raised_and_never_our_own),
        cmocka_unit_test(sets_follow_the_table),
        cmocka_unit_test(halves_are_equal_and_apart),
        cmocka_unit_test(service_and_generator_never_meet_when_there_are_cores),
        cmocka_unit_test(only_allowed_cpus_are_used),
        cmocka_unit_test(this_machine_can_be_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
