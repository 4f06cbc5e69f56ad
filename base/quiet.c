/* SPDX-License-Identifier: MIT */
/* quiet: see quiet.h. */
#include "quiet.h"

#include <fcntl.h>
#include <sys/file.h>

#include "str.h"

int quiet_open(const char *path, int *out_fd, struct err *e)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return err_errno(e, "open the quiet lock '%s'", path);
    *out_fd = fd;
    return 0;
}

int quiet_open_in(const char *dir, int *out_fd, struct err *e)
{
    AUTO(str_done) struct str path = STR_INIT(4096);
    str_addf(&path, "%s/quiet.lock", dir);
    return quiet_open(str_text(&path), out_fd, e);
}

bool quiet_try(int fd, enum quiet how)
{
    return flock(fd, (how == QUIET_ALONE ? LOCK_EX : LOCK_SH) | LOCK_NB) == 0;
}

void quiet_release(int fd)
{
    (void)flock(fd, LOCK_UN);
}
