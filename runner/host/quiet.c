/* SPDX-License-Identifier: MIT */
/* quiet: see quiet.h. */
#include "quiet.h"

#include <fcntl.h>
#include <sys/file.h>

int quiet_open(const char *path, int *out_fd, struct err *e)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return err_errno(e, "open the quiet lock '%s'", path);
    *out_fd = fd;
    return 0;
}

bool quiet_try(int fd, bool alone)
{
    return flock(fd, (alone ? LOCK_EX : LOCK_SH) | LOCK_NB) == 0;
}
