/* SPDX-License-Identifier: MIT */
/*
 * area: see area.h.
 *
 * The loop device is set to clear itself: when the namespace ends, its mounts end, and the
 * kernel gives the device back. Nothing has to be swept after a crash.
 */
#include "area.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/loop.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "child.h"
#include "clock.h"
#include "fdio.h"
#include "str.h"

enum { LOOP_TRIES = 16, MKFS_TEXT_MAX = 4096 };

#define MKFS_TIMEOUT_NS (60 * CLOCK_NS_PER_S)
#define AREA_FLAGS      (MS_NOSUID | MS_NODEV | MS_NOATIME)

static bool write_self(const char *file, const char *text)
{
    AUTO(fdio_closep) int fd = open(file, O_WRONLY | O_CLOEXEC);
    return fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
}

/* Root of a user namespace in which only our own uid exists: enough to mount tmpfs and
 * overlays. */
static bool enter_as_user(void)
{
    char map[64];
    uid_t uid = getuid();
    gid_t gid = getgid();
    if (unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0)
        return false;
    (void)snprintf(map, sizeof map, "0 %u 1", (unsigned)uid);
    if (!write_self("/proc/self/uid_map", map) || !write_self("/proc/self/setgroups", "deny"))
        return false;
    (void)snprintf(map, sizeof map, "0 %u 1", (unsigned)gid);
    return write_self("/proc/self/gid_map", map);
}

void area_space_enter(struct area_space *out, bool root)
{
    *out = (struct area_space){0};
    if (root ? unshare(CLONE_NEWNS) < 0 : !enter_as_user()) {
        (void)snprintf(out->why, sizeof out->why, "no mount namespace: %s", strerror(errno));
        return;
    }
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0) {
        (void)snprintf(out->why, sizeof out->why, "cannot detach from the host's mounts: %s",
                       strerror(errno));
        return;
    }
    out->mounts = true;
    out->user = !root;
    out->images = root && access("/dev/loop-control", R_OK | W_OK) == 0;
    if (root && !out->images)
        (void)snprintf(out->why, sizeof out->why, "no loop devices");
}

/* --- images ----------------------------------------------------------------------------------
 */

int area_image_make(const char *image, int64_t bytes, uid_t uid, struct err *e)
{
    AUTO(fdio_closep) int fd = open(image, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return err_errno(e, "make '%s'", image);
    if (ftruncate(fd, bytes) < 0)
        return err_errno(e, "size '%s'", image);
    char owner[96];
    (void)snprintf(owner, sizeof owner, "root_owner=%u:%u,lazy_itable_init=1,nodiscard",
                   (unsigned)uid, (unsigned)uid);
    /* One inode for 4 KiB, so that many small files end in "no space" as one large file does.
     */
    const char *const argv[] = {"mke2fs", "-q", "-F",           "-t",  "ext4", "-m",
                                "0",      "-O", "^has_journal", "-b",  "4096", "-i",
                                "4096",   "-E", owner,          image, NULL};
    const char *const envp[] = {"PATH=/usr/sbin:/sbin:/usr/bin:/bin", NULL};
    AUTO(str_done) struct str text = STR_INIT(MKFS_TEXT_MAX);
    int status;
    struct child_spec spec = {.argv = argv, .envp = envp};
    if (child_run(&spec, &text, clock_now_ns() + MKFS_TIMEOUT_NS, &status, e) < 0)
        return -1;
    struct view said = view_trim(str_view(&text));
    if (status != 0)
        return err_set(e, ERR_SYSTEM, "mke2fs failed with status %d: %.*s", status,
                       (int)said.len, said.at);
    return 0;
}

/* Between asking for a free device and taking it another process may be faster: ask again. */
static int loop_take(int image_fd, bool read_only, char path[32], int *out_fd, struct err *e)
{
    AUTO(fdio_closep) int control = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
    if (control < 0)
        return err_errno(e, "open /dev/loop-control");
    for (int i = 0; i < LOOP_TRIES; i++) {
        int n = ioctl(control, LOOP_CTL_GET_FREE);
        if (n < 0)
            return err_errno(e, "find a free loop device");
        (void)snprintf(path, 32, "/dev/loop%d", n);
        AUTO(fdio_closep) int fd = open(path, O_RDWR | O_CLOEXEC);
        struct loop_config config = {.fd = (unsigned)image_fd,
                                     .info.lo_flags = LO_FLAGS_AUTOCLEAR};
        if (read_only)
            config.info.lo_flags |= LO_FLAGS_READ_ONLY;
        if (fd >= 0 && ioctl(fd, LOOP_CONFIGURE, &config) == 0) {
            *out_fd = STEAL_FD(fd);
            return 0;
        }
        if (fd < 0 || errno != EBUSY)
            return err_errno(e, "use loop device '%s'", path);
    }
    return err_set(e, ERR_AWAY, "no loop device became free");
}

int area_image_mount(const char *image, const char *dir, bool read_only, struct err *e)
{
    char device[32];
    AUTO(fdio_closep) int loop = -1;
    AUTO(fdio_closep)
    int fd = open(image, (read_only ? O_RDONLY : O_RDWR) | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return err_errno(e, "open '%s'", image);
    if (loop_take(fd, read_only, device, &loop, e) < 0)
        return -1;
    if (mount(device, dir, "ext4", AREA_FLAGS | (read_only ? MS_RDONLY : 0), NULL) < 0)
        return err_errno(e, "mount '%s' at '%s'", image, dir);
    char lost[AREA_PATH_MAX];
    (void)snprintf(lost, sizeof lost, "%s/lost+found", dir);
    if (!read_only)
        (void)rmdir(lost);
    return 0;
}

/* --- memory ----------------------------------------------------------------------------------
 */

int area_tmpfs_mount(const char *dir, int64_t bytes, uid_t uid, struct err *e)
{
    char options[128];
    (void)snprintf(options, sizeof options, "size=%lld,nr_inodes=%lld,mode=0755,uid=%u,gid=%u",
                   (long long)bytes, (long long)(bytes / 4096 + 64), (unsigned)uid,
                   (unsigned)uid);
    if (mount("tmpfs", dir, "tmpfs", AREA_FLAGS, options) < 0)
        return err_errno(e, "mount a tmpfs at '%s'", dir);
    return 0;
}

int area_overlay_mount(const struct area_space *space, const char *lower, const char *scratch,
                       const char *dir, int64_t bytes, uid_t uid, struct err *e)
{
    char upper[AREA_PATH_MAX];
    char work[AREA_PATH_MAX];
    char options[3 * AREA_PATH_MAX + 64];
    (void)snprintf(upper, sizeof upper, "%s/u", scratch);
    (void)snprintf(work, sizeof work, "%s/w", scratch);
    (void)snprintf(options, sizeof options, "lowerdir=%s,upperdir=%s,workdir=%s%s", lower,
                   upper, work, space->user ? ",userxattr" : "");
    if (area_tmpfs_mount(scratch, bytes, 0, e) < 0)
        return -1;
    bool ok = mkdir(upper, 0755) == 0 && mkdir(work, 0700) == 0 &&
              chown(upper, uid, uid) == 0 &&
              mount("overlay", dir, "overlay", AREA_FLAGS, options) == 0;
    if (ok)
        return 0;
    err_errno(e, "mount a fresh copy at '%s'", dir);
    area_unmount(scratch);
    return -1;
}

int area_make_read_only(const char *dir, struct err *e)
{
    if (mount(NULL, dir, NULL, MS_REMOUNT | MS_RDONLY | AREA_FLAGS, NULL) < 0)
        return err_errno(e, "make '%s' read-only", dir);
    return 0;
}

void area_unmount(const char *dir)
{
    /* Lazily, as a last process of the job may still be on its way out. */
    (void)umount2(dir, MNT_DETACH | UMOUNT_NOFOLLOW);
}

void area_overlay_unmount(const char *scratch, const char *dir)
{
    area_unmount(dir);
    area_unmount(scratch);
}
