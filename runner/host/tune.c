/* SPDX-License-Identifier: MIT */
/* tune: see tune.h. The state file has a line "PATH VALUE" for each setting. */
#include "tune.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "fdio.h"
#include "opt.h"

enum { TUNE_STATE_BYTES_MAX = 1 << 20 };

static const struct knob {
    const char *name, *path, *wanted, *why; /* "%d" in the path: each CPU */
    bool at_most;                           /* a smaller number is as good */
} knobs[] = {
    {"governor", "/sys/devices/system/cpu/cpu%d/cpufreq/scaling_governor", "performance",
     "the clock rises only after work has come", false},
    {"turbo", "/sys/devices/system/cpu/intel_pstate/no_turbo", "1",
     "the clock depends on what else runs", false},
    {"turbo", "/sys/devices/system/cpu/cpufreq/boost", "0",
     "the clock depends on what else runs", false},
    {"NMI watchdog", "/proc/sys/kernel/nmi_watchdog", "0",
     "it takes a counter and interrupts every CPU", false},
    {"swappiness", "/proc/sys/vm/swappiness", "10",
     "a service may be swapped out for page cache", true},
};

static int read_value(const char *root, const char *path, char out[TUNE_VALUE_MAX])
{
    AUTO(str_done) struct str full = STR_INIT(2 * TUNE_PATH_MAX);
    AUTO(str_done) struct str text = STR_INIT(TUNE_VALUE_MAX);
    str_addf(&full, "%s%s", root, path);
    if (fdio_read_file(str_text(&full), &text, NULL) < 0)
        return -1;
    struct view value = view_trim(str_view(&text));
    if (!value.len || value.len >= TUNE_VALUE_MAX)
        return -1;
    memcpy(out, value.at, value.len);
    out[value.len] = '\0';
    return 0;
}

/* Never by a new file in its place: these files are the kernel's. */
static int write_value(const char *root, const char *path, const char *value, struct err *e)
{
    AUTO(str_done) struct str full = STR_INIT(2 * TUNE_PATH_MAX);
    str_addf(&full, "%s%s", root, path);
    AUTO(fdio_closep) int fd = open(str_text(&full), O_WRONLY | O_TRUNC | O_CLOEXEC);
    if (fd < 0 || write(fd, value, strlen(value)) != (ssize_t)strlen(value))
        return err_errno(e, "write '%s' to '%s'; only root may", value, str_text(&full));
    return 0;
}

static bool is_good(const struct knob *k, const char *value)
{
    int64_t is;
    int64_t wanted;
    if (strcmp(value, k->wanted) == 0)
        return true;
    return k->at_most && opt_int(view_z(value), 0, INT64_MAX, &is, NULL) == 0 &&
           opt_int(view_z(k->wanted), 0, INT64_MAX, &wanted, NULL) == 0 && is < wanted;
}

bool tune_setting(const char *root, int i, struct tune_setting *out)
{
    int found = 0;
    for (size_t k = 0; k < ARRAY_LEN(knobs); k++) {
        const char *number = strstr(knobs[k].path, "%d");
        for (int cpu = 0; cpu < (number ? CPU_SETSIZE : 1); cpu++) {
            *out = (struct tune_setting){.name = knobs[k].name, .why = knobs[k].why};
            if (number)
                (void)snprintf(out->path, sizeof out->path, "%.*s%d%s",
                               (int)(number - knobs[k].path), knobs[k].path, cpu, number + 2);
            else
                (void)snprintf(out->path, sizeof out->path, "%s", knobs[k].path);
            if (read_value(root, out->path, out->value) < 0 || found++ < i)
                continue;
            (void)snprintf(out->wanted, sizeof out->wanted, "%s", knobs[k].wanted);
            out->good = is_good(&knobs[k], out->value);
            return true;
        }
    }
    return false;
}

/* Only a path that is one of ours is ever written to, whatever the state file says. */
static bool is_known(const char *root, struct view path)
{
    struct tune_setting s;
    for (int i = 0; tune_setting(root, i, &s); i++)
        if (view_eqz(path, s.path))
            return true;
    return false;
}

static bool is_saved(const struct str *state, const char *path)
{
    struct view rest = str_view(state);
    struct view line, name, value;
    while (view_line(&rest, &line))
        if (view_cut(line, ' ', &name, &value) && view_eqz(name, path))
            return true;
    return false;
}

static int save(const char *root, const char *state, struct err *e)
{
    struct tune_setting s;
    char folder[TUNE_PATH_MAX];
    AUTO(str_done) struct str text = STR_INIT(TUNE_STATE_BYTES_MAX);
    if (fdio_exists(state) && fdio_read_file(state, &text, e) < 0)
        return -1;
    for (int i = 0; tune_setting(root, i, &s); i++)
        if (!s.good && !is_saved(&text, s.path))
            str_addf(&text, "%s %s\n", s.path, s.value);
    if (!text.len)
        return 0;
    (void)snprintf(folder, sizeof folder, "%s", state);
    char *slash = strrchr(folder, '/');
    if (slash && slash != folder) {
        *slash = '\0';
        if (fdio_make_dirs(folder, 0755, e) < 0)
            return -1;
    }
    return fdio_write_file(state, str_view(&text), 0644, e);
}

int tune_apply(const char *root, const char *state, struct str *said, struct err *e)
{
    struct tune_setting s;
    if (save(root, state, e) < 0)
        return err_ctx(e, "keep what the settings were");
    for (int i = 0; tune_setting(root, i, &s); i++) {
        if (s.good)
            continue;
        if (write_value(root, s.path, s.wanted, e) < 0)
            return -1;
        str_addf(said, "%s: %s -> %s (%s)\n", s.name, s.value, s.wanted, s.path);
    }
    return 0;
}

int tune_restore(const char *root, const char *state, struct str *said, struct err *e)
{
    AUTO(str_done) struct str text = STR_INIT(TUNE_STATE_BYTES_MAX);
    if (!fdio_exists(state))
        return 0;
    if (fdio_read_file(state, &text, e) < 0)
        return -1;
    struct view rest = str_view(&text);
    struct view line, path, value;
    while (view_line(&rest, &line)) {
        char file[TUNE_PATH_MAX];
        char was[TUNE_VALUE_MAX];
        char now[TUNE_VALUE_MAX];
        if (!view_cut(line, ' ', &path, &value) || value.len >= sizeof was ||
            !is_known(root, path))
            continue; /* a CPU that is gone, or a line that is not ours */
        (void)snprintf(file, sizeof file, "%.*s", (int)path.len, path.at);
        (void)snprintf(was, sizeof was, "%.*s", (int)value.len, value.at);
        if (read_value(root, file, now) < 0 || strcmp(now, was) == 0)
            continue;
        if (write_value(root, file, was, e) < 0)
            return -1;
        str_addf(said, "%s -> %s (%s)\n", now, was, file);
    }
    return unlink(state) < 0 ? err_errno(e, "remove '%s'", state) : 0;
}
