/* SPDX-License-Identifier: MIT */
/* fingerprint: see fingerprint.h. A fact that this machine does not tell is "unknown". */
#include "fingerprint.h"

#include <dirent.h>
#include <gnu/libc-version.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "child.h"
#include "clock.h"
#include "digest.h"
#include "fdio.h"
#include "mem.h"

enum { FACT_TEXT_MAX = 4096, CPUINFO_MAX = 4 << 20, MACHINE_HEX = 16 };

#define COMPILER_TIMEOUT_NS (5 * CLOCK_NS_PER_S)
#define CPU_DIR             "/sys/devices/system/cpu/"

#define add_fact(list, fact, value)              \
    do {                                         \
        struct result_fact *f_ = vec_push(list); \
        f_->name = mem_strdup(fact);             \
        f_->text = mem_strdup(value);            \
    } while (0)

/* The first line of a file, or "unknown". */
static void first_line(const char *path, struct str *out)
{
    str_clear(out);
    AUTO(str_done) struct str text = STR_INIT(FACT_TEXT_MAX);
    (void)fdio_read_file(path, &text, NULL);
    struct view rest = str_view(&text);
    struct view line = {"", 0};
    (void)view_line(&rest, &line);
    line = view_trim(line);
    str_add(out, line.len ? line : VIEW("unknown"));
}

static void cpuinfo_field(const struct str *cpuinfo, const char *name, struct str *out)
{
    struct view rest = str_view(cpuinfo);
    struct view line;
    struct view key;
    struct view value;
    str_clear(out);
    while (view_line(&rest, &line)) {
        if (view_cut(line, ':', &key, &value) && view_eqz(view_trim(key), name)) {
            str_add(out, view_trim(value));
            return;
        }
    }
    str_addz(out, "unknown");
}

int64_t fingerprint_round_memory(int64_t bytes)
{
    int64_t step = 1 << 20;
    while (step * 8 <= bytes)
        step *= 2;
    return (bytes + step / 2) / step * step;
}

static void machine_hash(struct str *out)
{
    unsigned char digest[DIGEST_BYTES];
    char hex[DIGEST_HEX + 1];
    AUTO(str_done) struct str id = STR_INIT(FACT_TEXT_MAX);
    /* Hashed, as machine-id(5) asks: the id itself must not leave the machine. */
    str_addz(&id, "pacewatch ");
    (void)fdio_read_file("/etc/machine-id", &id, NULL);
    digest_of(view_trim(str_view(&id)), digest);
    digest_hex(digest, hex);
    str_clear(out);
    str_add(out, (struct view){hex, MACHINE_HEX});
}

static void fill_identity(struct result_doc *r, const struct str *cpuinfo,
                          const struct utsname *u)
{
    AUTO(str_done) struct str text = STR_INIT(FACT_TEXT_MAX);
    add_fact(&r->identity, "arch", u->machine);
    str_addf(&text, "%ld", sysconf(_SC_NPROCESSORS_ONLN));
    add_fact(&r->identity, "cores", str_text(&text));
    cpuinfo_field(cpuinfo, "model name", &text);
    add_fact(&r->identity, "cpu", str_text(&text));
    machine_hash(&text);
    add_fact(&r->identity, "machine", str_text(&text));
    int64_t bytes = (int64_t)sysconf(_SC_PHYS_PAGES) * sysconf(_SC_PAGESIZE);
    str_clear(&text);
    str_addf(&text, "%lldMiB", (long long)(fingerprint_round_memory(bytes) >> 20));
    add_fact(&r->identity, "memory", str_text(&text));
}

static void compiler(struct str *out)
{
    const char *const argv[] = {"cc", "--version", NULL};
    int status = 1;
    AUTO(str_done) struct str text = STR_INIT(FACT_TEXT_MAX);
    struct child_spec spec = {.argv = argv};
    str_clear(out);
    if (child_run(&spec, &text, clock_now_ns() + COMPILER_TIMEOUT_NS, &status, NULL) < 0 ||
        status != 0) {
        str_addz(out, "none");
        return;
    }
    struct view rest = str_view(&text);
    struct view line = {"", 0};
    (void)view_line(&rest, &line);
    str_add(out, view_trim(line));
}

static void turbo(struct str *out)
{
    first_line(CPU_DIR "intel_pstate/no_turbo", out);
    bool inverted = !view_eqz(str_view(out), "unknown");
    if (!inverted)
        first_line(CPU_DIR "cpufreq/boost", out);
    if (view_eqz(str_view(out), "unknown"))
        return;
    bool on = view_eqz(str_view(out), inverted ? "0" : "1");
    str_clear(out);
    str_addz(out, on ? "on" : "off");
}

/* One hash over all lines: which mitigation is on matters less than that something changed. */
static void mitigations(struct str *out)
{
    unsigned char digest[DIGEST_BYTES];
    char hex[DIGEST_HEX + 1];
    struct dirent **names = NULL;
    AUTO(str_done) struct str all = STR_INIT(64 << 10);
    AUTO(str_done) struct str line = STR_INIT(FACT_TEXT_MAX);
    int n = scandir(CPU_DIR "vulnerabilities", &names, NULL, alphasort);
    for (int i = 0; i < n; i++) {
        char path[512];
        (void)snprintf(path, sizeof path, CPU_DIR "vulnerabilities/%s", names[i]->d_name);
        first_line(path, &line);
        if (names[i]->d_name[0] != '.')
            str_addf(&all, "%s=%s\n", names[i]->d_name, str_text(&line));
        free(names[i]);
    }
    free(names);
    digest_of(str_view(&all), digest);
    digest_hex(digest, hex);
    str_clear(out);
    str_add(out, (struct view){hex, MACHINE_HEX});
}

static void fill_state(struct result_doc *r, const struct str *cpuinfo, const struct utsname *u,
                       const char *sandbox)
{
    AUTO(str_done) struct str text = STR_INIT(FACT_TEXT_MAX);
    compiler(&text);
    add_fact(&r->state, "compiler", str_text(&text));
    first_line(CPU_DIR "cpu0/cpufreq/scaling_governor", &text);
    add_fact(&r->state, "governor", str_text(&text));
    add_fact(&r->state, "kernel", u->release);
    add_fact(&r->state, "libc", gnu_get_libc_version());
    cpuinfo_field(cpuinfo, "microcode", &text);
    add_fact(&r->state, "microcode", str_text(&text));
    mitigations(&text);
    add_fact(&r->state, "mitigations", str_text(&text));
    add_fact(&r->state, "runner", PACEWATCH_VERSION);
    add_fact(&r->state, "sandbox", sandbox);
    first_line(CPU_DIR "smt/control", &text);
    add_fact(&r->state, "smt", str_text(&text));
    turbo(&text);
    add_fact(&r->state, "turbo", str_text(&text));
}

void fingerprint_read(struct result_doc *r, const char *sandbox)
{
    struct utsname u;
    AUTO(str_done) struct str cpuinfo = STR_INIT(CPUINFO_MAX);
    if (uname(&u) < 0)
        memset(&u, 0, sizeof u);
    (void)fdio_read_file("/proc/cpuinfo", &cpuinfo, NULL);
    free(r->host);
    r->host = mem_strdup(u.nodename[0] ? u.nodename : "unknown");
    fill_identity(r, &cpuinfo, &u);
    fill_state(r, &cpuinfo, &u, sandbox);
}

void fingerprint_toolchain(struct str *out)
{
    AUTO(str_done) struct str text = STR_INIT(FACT_TEXT_MAX);
    compiler(&text);
    str_addf(out, "libc %s, compiler %s", gnu_get_libc_version(), str_text(&text));
}
