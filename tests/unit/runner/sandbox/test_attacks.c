/* SPDX-License-Identifier: MIT */
/*
 * Attacks on the sandbox from inside, each with every back end that this machine has, and then
 * without any sandbox: what is held inside must succeed there, or the attack proves nothing.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "child.h"
#include "clock.h"
#include "fdio.h"
#include "mem.h"
#include "range.h"
#include "step.h"

#define STR(x)  #x
#define XSTR(x) STR(x)

struct attack {
    const char *sentence;
    const char *name;
    const char *arg; /* "@db", "@port" ...: filled in from the range */
    const char
        *outside; /* argument outside a sandbox, where it succeeds; NULL: not tried there */
};

static const struct attack attacks[] = {
    {"the_daemons_database_cannot_be_read", "read_file", "@db", "@db"},
    {"its_write_ahead_log_cannot_be_read", "read_file", "@dir/pacewatch.db-wal", NULL},
    {"roots_home_cannot_be_listed", "list_root_home", "", ""},
    {"password_hashes_cannot_be_read", "read_shadow", "", ""},
    {"usr_cannot_be_written", "write_system", "/usr/x", "@dir/x"},
    {"the_top_directory_cannot_be_written", "write_system", "/x", NULL},
    {"etc_cannot_be_written", "write_system", "/etc/passwd", NULL},
    {"dev_cannot_be_written", "write_system", "/dev/x", NULL},
    {"cgroups_cannot_be_written", "write_system", "/sys/fs/cgroup/cgroup.procs", NULL},
    {"sysrq_cannot_be_written", "write_system", "/proc/sysrq-trigger", NULL},
    {"sysctls_cannot_be_written", "write_sysctl", "", NULL},
    {"memory_killer_cannot_be_escaped", "spare_from_oom", "", NULL},
    {"kernel_messages_cannot_be_read", "read_kernel_log", "", NULL},
    {"device_nodes_cannot_be_made", "make_device", "/job/null", "@dir/null"},
    {"environment_does_not_leak", "secret_in_environment", RANGE_SECRET, RANGE_SECRET},
    {"host_paths_do_not_leak", "paths_in_arguments", "-hctawecap/pmt/", NULL},
    {"bubblewraps_arguments_do_not_leak", "paths_in_arguments", "dnib--", NULL},
    {"descriptors_do_not_leak", "inherited_descriptor", "", ""},
    {"output_cannot_be_rewritten", "rewrite_output", "", ""},
    {"other_processes_are_not_seen", "see_processes", "", ""},
    {"other_processes_cannot_be_killed", "kill_all", "@pid", NULL},
    {"nothing_connects_outward", "connect_out", "", NULL},
    {"no_datagram_leaves", "send_out", "", NULL},
    {"hosts_loopback_is_not_reached", "host_loopback", "@port", "@port"},
    {"hosts_abstract_socket_is_not_reached", "host_abstract", "@abstract", "@abstract"},
    {"own_loopback_works", "own_loopback", "", ""},
    {"packet_sockets_are_refused", "open_family", "17", NULL},
    {"vsock_is_refused", "open_family", "40", NULL},
    {"netlink_is_refused", "open_family", "16", "16"},
    {"bluetooth_is_refused", "open_family", "31", NULL},
    {"kernel_crypto_is_refused", "open_family", "38", NULL},
    {"terminal_input_cannot_be_pushed", "push_terminal_input", "", ""},
    {"namespaces_cannot_be_made", "make_namespace", "", ""},
    {"ptrace_is_refused", "forbidden_call", "ptrace", "ptrace"},
    {"others_memory_is_refused", "forbidden_call", "process_vm_readv", "process_vm_readv"},
    {"keys_are_refused", "forbidden_call", "keyctl", "keyctl"},
    {"bpf_is_refused", "forbidden_call", "bpf", "bpf"},
    {"perf_is_refused", "forbidden_call", "perf_event_open", "perf_event_open"},
    {"userfaultfd_is_refused", "forbidden_call", "userfaultfd", "userfaultfd"},
    {"io_uring_is_refused", "forbidden_call", "io_uring_setup", "io_uring_setup"},
    {"file_handles_are_refused", "forbidden_call", "open_by_handle_at", "open_by_handle_at"},
    {"mounts_are_refused", "forbidden_call", "mount", "mount"},
    {"entering_namespaces_is_refused", "forbidden_call", "setns", "setns"},
    {"the_clock_is_refused", "forbidden_call", "clock_settime", "clock_settime"},
    {"other_kernels_are_refused", "forbidden_call", "kexec_load", NULL},
    {"modules_are_refused", "forbidden_call", "init_module", "init_module"},
#ifdef __x86_64__
    {"calls_of_i386_end_the_caller", "foreign_call", "i386", NULL},
    {"calls_of_x32_end_the_caller", "foreign_call", "x32", "x32"},
#endif
    {"root_cannot_be_had", "become_root", "", ""},
    {"no_capability_is_left", "have_capability", "", ""},
    {"hard_limits_cannot_be_raised", "raise_limit", "", ""},
    {"priority_cannot_be_raised", "raise_priority", "", ""},
    {"real_time_cannot_be_had", "real_time", "", ""},
    {"tmp_has_a_size", "fill", "/tmp " XSTR(16), NULL},
    {"shared_memory_has_a_size", "fill", "/dev/shm " XSTR(16), NULL},
    {"work_area_has_a_size", "fill", "/job " XSTR(48), NULL},
    {"work_area_has_a_number_of_files", "many_files", "/job", NULL},
    {"files_have_a_size", "large_file", "", NULL},
    {"descriptors_have_a_number", "many_descriptors", "", NULL},
    {"processes_have_a_number", "fork_until_refused", XSTR(64), NULL},
};

static struct range range;

static void fill_in(const char *arg, char out[512])
{
    char pid[16];
    const struct {
        const char *name, *value;
    } known[] = {{"@db", range.database},
                 {"@dir", range.dir},
                 {"@port", range.port},
                 {"@abstract", range.name},
                 {"@pid", pid}};
    snprintf(pid, sizeof pid, "%d", (int)getpid());
    snprintf(out, 512, "%s", arg);
    for (size_t i = 0; i < ARRAY_LEN(known); i++)
        if (strncmp(arg, known[i].name, strlen(known[i].name)) == 0)
            snprintf(out, 512, "%s%s", known[i].value, arg + strlen(known[i].name));
}

static void is_held(void **state)
{
    const struct attack *a = *state;
    char arg[512];
    AUTO(str_done) struct str out = STR_INIT(4096);
    fill_in(a->arg, arg);
    const char *const argv[] = {"/job/attacker", a->name, arg, NULL};

    int status = range_run(&range, argv, &out);

    if (status != 0)
        fail_msg("%s: status %d, %s", a->name, status, str_text(&out));
}

/* The same program as a plain child of ours: no sandbox, our user, our descriptors. */
static void succeeds_outside(void **state)
{
    const struct attack *a = *state;
    char arg[512];
    int status = -1;
    char log[320];
    if (!range.host.real_root)
        skip(); /* some of them want root outside */
    bool is_attack = strcmp(a->name, "own_loopback") != 0;
    fill_in(a->outside, arg);
    snprintf(log, sizeof log, "%s/log", range.dir);
    AUTO(fdio_closep) int file = open(log, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    const char *const argv[] = {ATTACKER_PATH, a->name, arg, NULL};
    struct child_pass pass = {.fd = range.leak, .as = 7};
    AUTO(child_done) struct child c = CHILD_INIT;
    struct child_spec spec = {.argv = argv, .out = file, .pass = &pass, .pass_len = 1};

    assert_int_equal(child_start(&c, &spec, NULL), 0);
    assert_true(child_wait(&c, clock_now_ns() + 20 * CLOCK_NS_PER_S, &status));

    assert_int_equal(status, is_attack ? 1 : 0);
}

static int open_range(void **state)
{
    (void)state;
    range_open(&range);
    return 0;
}

static int close_range_of_tests(void **state)
{
    (void)state;
    range_close(&range);
    return 0;
}

static int run_group(const char *name, void (*test)(void **), bool outside)
{
    struct CMUnitTest *tests = mem_zero(ARRAY_LEN(attacks), sizeof *tests);
    size_t n = 0;
    for (size_t i = 0; i < ARRAY_LEN(attacks); i++)
        if (!outside || attacks[i].outside)
            tests[n++] = (struct CMUnitTest){.name = attacks[i].sentence,
                                             .test_func = test,
                                             .initial_state = (void *)&attacks[i]};
    int failed = _cmocka_run_group_tests(name, tests, n, open_range, close_range_of_tests);
    free(tests);
    return failed;
}

int main(int argc, char **argv)
{
    int status = keeper_main(argc, argv);
    if (status >= 0)
        return status;
    int failed = run_group("with the best back end", is_held, false);
    failed += run_group("without a sandbox", succeeds_outside, true);
    setenv("PACEWATCH_CGROUP", "none", 1);
    failed += run_group("without cgroups", is_held, false);
    return failed;
}
