/* SPDX-License-Identifier: MIT */
/* quiet_lock: see quiet_lock.h. */
#include "quiet_lock.h"

#include <fcntl.h>
#include <sys/file.h>

#include "str.h"

int quiet_lock_open(const char *state_dir, int *out_fd, struct err *e)
{
    AUTO(str_done) struct str path = STR_INIT(4096);
    str_addf(&path, "%s/quiet.lock", state_dir);
    int fd = open(str_text(&path), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return err_errno(e, "%s", str_text(&path));
    *out_fd = fd;
    return 0;
}

bool quiet_lock_try(int fd, enum quiet how)
{
    return flock(fd, (how == QUIET_ALONE ? LOCK_EX : LOCK_SH) | LOCK_NB) == 0;
}

void quiet_lock_release(int fd)
{
    (void)flock(fd, LOCK_UN);
}
