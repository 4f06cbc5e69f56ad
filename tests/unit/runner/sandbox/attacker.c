/* SPDX-License-Identifier: MIT */
/*
 * attacker: a hostile program for the sandbox's tests.
 *
 *     attacker NAME [ARGUMENT]
 *
 * Each attack returns NULL when it was held, or says in words what it got. Exit status 0 is
 * held, 1 broken, 2 unknown. Built without sanitizers: they need more memory than a sandbox
 * gives.
 */
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/klog.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define HIGH         (1L << 32) /* the kernel looks at 32 bits of many arguments */
#define X32_BIT      0x40000000L
#define MIB          (1L << 20)
#define OUTSIDE_ADDR "192.0.2.1"

enum { PROCESSES_OWN_MAX = 12, FILES_MANY = 400000 };

static char said[256];

static const char *got(const char *what)
{
    snprintf(said, sizeof said, "%s", what);
    return said;
}

/* --- files -----------------------------------------------------------------------------------
 */

static const char *can_read(const char *path)
{
    char byte;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    return fd >= 0 && read(fd, &byte, 1) >= 0 ? got(path) : NULL;
}

static const char *can_write(const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    return fd >= 0 ? got(path) : NULL;
}

static const char *list_root_home(const char *arg)
{
    (void)arg;
    return opendir("/root") ? "listed /root" : NULL;
}

static const char *read_shadow(const char *arg)
{
    (void)arg;
    const char *direct = can_read("/etc/shadow");
    return direct ? direct : can_read("/proc/1/root/etc/shadow");
}

static const char *write_sysctl(const char *arg)
{
    (void)arg;
    int fd = open("/proc/sys/kernel/panic", O_WRONLY | O_CLOEXEC);
    return fd >= 0 && write(fd, "0", 1) == 1 ? "wrote kernel.panic" : NULL;
}

static const char *spare_from_oom(const char *arg)
{
    (void)arg;
    int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    return fd >= 0 && write(fd, "-1000", 5) == 5 ? "cannot be killed for memory" : NULL;
}

static const char *read_kernel_log(const char *arg)
{
    char text[64];
    (void)arg;
    return klogctl(3, text, sizeof text) > 0 ? "read the kernel's messages" : NULL;
}

static const char *make_device(const char *arg)
{
    return mknod(arg, S_IFCHR | 0666, 0x103) == 0 ? got(arg) : NULL;
}

/* --- leaks -----------------------------------------------------------------------------------
 */

static const char *file_holds(const char *path, const char *needle)
{
    static char bytes[1 << 20];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, bytes, sizeof bytes);
    return n > 0 && memmem(bytes, (size_t)n, needle, strlen(needle)) ? got(path) : NULL;
}

static const char *secret_in_environment(const char *arg)
{
    const char *own = file_holds("/proc/self/environ", arg);
    return own ? own : file_holds("/proc/1/environ", arg);
}

/* The needle comes backwards, as our own arguments stand in the file too. */
static const char *paths_in_arguments(const char *arg)
{
    char needle[256];
    size_t len = strlen(arg) < sizeof needle ? strlen(arg) : sizeof needle - 1;
    for (size_t i = 0; i < len; i++)
        needle[i] = arg[len - 1 - i];
    needle[len] = '\0';
    return file_holds("/proc/1/cmdline", needle);
}

static const char *inherited_descriptor(const char *arg)
{
    (void)arg;
    for (int fd = 3; fd < 4096; fd++)
        if (fcntl(fd, F_GETFD) >= 0) {
            snprintf(said, sizeof said, "descriptor %d is open", fd);
            return said;
        }
    return NULL;
}

static const char *rewrite_output(const char *arg)
{
    (void)arg;
    return ftruncate(1, 0) == 0 ? "cut the log that others read" : NULL;
}

static const char *see_processes(const char *arg)
{
    (void)arg;
    DIR *proc = opendir("/proc");
    struct dirent *entry;
    int n = 0;
    while (proc && (entry = readdir(proc)))
        n += entry->d_name[0] >= '1' && entry->d_name[0] <= '9';
    return n > PROCESSES_OWN_MAX ? "sees the host's processes" : NULL;
}

static const char *kill_all(const char *arg)
{
    /* Whoever looks from outside sees whether 'arg', a process of the host, is still there. */
    return kill((pid_t)atoi(arg), SIGKILL) == 0 ? "reached a process of the host" : NULL;
}

/* --- network ---------------------------------------------------------------------------------
 */

static int reach(int type, const char *address, int port)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    struct timeval wait = {.tv_sec = 2};
    inet_pton(AF_INET, address, &to.sin_addr);
    int fd = socket(AF_INET, type, 0);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof wait);
    if (type == SOCK_DGRAM)
        return (int)sendto(fd, "x", 1, 0, (struct sockaddr *)&to, sizeof to);
    return connect(fd, (struct sockaddr *)&to, sizeof to);
}

/* Held is only the kernel's word that there is no way: a timeout would mean packets went out.
 */
static const char *connect_out(const char *arg)
{
    (void)arg;
    return reach(SOCK_STREAM, OUTSIDE_ADDR, 53) == 0 || errno != ENETUNREACH
               ? "there is a way out"
               : NULL;
}

static const char *send_out(const char *arg)
{
    (void)arg;
    return reach(SOCK_DGRAM, OUTSIDE_ADDR, 53) >= 0 ? "a datagram left" : NULL;
}

static const char *host_loopback(const char *arg)
{
    return reach(SOCK_STREAM, "127.0.0.1", atoi(arg)) == 0 ? "reached the host's loopback"
                                                           : NULL;
}

static const char *host_abstract(const char *arg)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    size_t len = strlen(arg);
    memcpy(to.sun_path + 1, arg, len);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + len);
    return connect(fd, (struct sockaddr *)&to, size) == 0 ? "reached an abstract socket" : NULL;
}

/* Not an attack: what a service needs must work. */
static const char *own_loopback(const char *arg)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof at;
    (void)arg;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(fd, (struct sockaddr *)&at, sizeof at) < 0 || listen(fd, 1) < 0 ||
        getsockname(fd, (struct sockaddr *)&at, &len) < 0)
        return "cannot listen on its own loopback";
    return reach(SOCK_STREAM, "127.0.0.1", ntohs(at.sin_port)) < 0 ? "own loopback is dead"
                                                                   : NULL;
}

/* Number of an address family, plain and with bit 32 set. */
static const char *open_family(const char *arg)
{
    long family = atol(arg);
    for (int i = 0; i < 2; i++) {
        long result = syscall(SYS_socket, family | (i ? HIGH : 0), SOCK_STREAM, 0);
        if (result >= 0 || errno != EAFNOSUPPORT)
            return i ? "with bit 32 set" : "plain";
    }
    return NULL;
}

/* A service: listens on port 'arg' of its loopback, says so, and waits. */
static const char *serve(const char *arg)
{
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)atoi(arg)),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(fd, (struct sockaddr *)&at, sizeof at) < 0 || listen(fd, 8) < 0)
        return "cannot listen";
    printf("ready\n");
    fflush(stdout);
    for (;;)
        pause();
    return NULL;
}

/* --- rights ----------------------------------------------------------------------------------
 */

/* Whatever the kernel itself would have answered counts as getting through the filter. */
static const char *refused(long result, int error)
{
    return result < 0 && errno == error ? NULL : result < 0 ? strerror(errno) : "allowed";
}

static const char *push_terminal_input(const char *arg)
{
    (void)arg;
    const char *plain = refused(syscall(SYS_ioctl, 0, (long)TIOCSTI, "x"), EPERM);
    return plain ? plain : refused(syscall(SYS_ioctl, 0, TIOCSTI | HIGH, "x"), EPERM);
}

static const char *make_namespace(const char *arg)
{
    (void)arg;
    const char *out = refused(syscall(SYS_unshare, CLONE_NEWUSER), EPERM);
    if (!out)
        out = refused(syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0), EPERM);
    if (!out)
        out = refused(syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD | HIGH, 0, 0, 0, 0), EPERM);
    return out ? out : refused(syscall(SYS_clone3, 0, 0), ENOSYS);
}

struct call {
    const char *name;
    long number;
    int error;
};

/* A refused system call by name, with arguments that are harmless if it goes through. */
static const char *forbidden_call(const char *arg)
{
    static const struct call calls[] = {
        {"ptrace", SYS_ptrace, EPERM},
        {"process_vm_readv", SYS_process_vm_readv, EPERM},
        {"keyctl", SYS_keyctl, EPERM},
        {"bpf", SYS_bpf, EPERM},
        {"perf_event_open", SYS_perf_event_open, EPERM},
        {"userfaultfd", SYS_userfaultfd, EPERM},
        {"io_uring_setup", SYS_io_uring_setup, EPERM},
        {"open_by_handle_at", SYS_open_by_handle_at, EPERM},
        {"mount", SYS_mount, EPERM},
        {"setns", SYS_setns, EPERM},
        {"clock_settime", SYS_clock_settime, EPERM},
        {"kexec_load", SYS_kexec_load, EPERM},
        {"init_module", SYS_init_module, EPERM},
    };
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++)
        if (strcmp(calls[i].name, arg) == 0)
            return refused(syscall(calls[i].number, -1L, 0L, 0L, 0L, 0L, 0L), calls[i].error);
    return "no such attack";
}

#ifdef __x86_64__
static const char *foreign_call(const char *arg)
{
    int status = 0;
    pid_t child = fork();
    if (child == 0) {
        long result = SYS_getpid;
        if (strcmp(arg, "i386") == 0)
            __asm__ volatile("int $0x80" : "+a"(result) : : "memory");
        else
            (void)syscall(X32_BIT | SYS_getpid);
        _exit(0);
    }
    waitpid(child, &status, 0);
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS ? NULL : "ran";
}
#endif

static const char *become_root(const char *arg)
{
    (void)arg;
    return setuid(0) == 0 || setresuid(0, 0, 0) == 0 ? "is root" : NULL;
}

static const char *have_capability(const char *arg)
{
    char line[256];
    FILE *f = fopen("/proc/self/status", "re");
    unsigned long long set;
    bool filter = false;
    bool locked = false;
    (void)arg;
    while (f && fgets(line, sizeof line, f)) {
        if (strncmp(line, "Cap", 3) == 0 && sscanf(line + 7, "%llx", &set) == 1 && set != 0)
            return got(line);
        filter = filter || strncmp(line, "Seccomp:\t2", 10) == 0;
        locked = locked || strncmp(line, "NoNewPrivs:\t1", 13) == 0;
    }
    return filter && locked ? NULL : "no filter, or may gain privileges";
}

static const char *raise_limit(const char *arg)
{
    struct rlimit now;
    (void)arg;
    getrlimit(RLIMIT_NOFILE, &now);
    struct rlimit more = {now.rlim_max + 1, now.rlim_max + 1};
    if (setrlimit(RLIMIT_NOFILE, &more) == 0)
        return "raised the limit on descriptors";
    getrlimit(RLIMIT_CORE, &now);
    return now.rlim_max != 0 ? "may dump core" : NULL;
}

static const char *raise_priority(const char *arg)
{
    (void)arg;
    return setpriority(PRIO_PROCESS, 0, -15) == 0 ? "runs before others" : NULL;
}

static const char *real_time(const char *arg)
{
    struct sched_param p = {.sched_priority = 1};
    (void)arg;
    return sched_setscheduler(0, SCHED_FIFO, &p) == 0 ? "runs in real time" : NULL;
}

static const char *leave_cpus(const char *arg)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET((size_t)atoi(arg), &set);
    return sched_setaffinity(0, sizeof set, &set) == 0 ? "runs on another CPU" : NULL;
}

/* --- amounts ---------------------------------------------------------------------------------
 */

/* "DIR MIB": writes twice as much as there should be room for. */
static const char *fill(const char *arg)
{
    char dir[128];
    char path[160];
    long mib;
    static char block[MIB];
    if (sscanf(arg, "%127s %ld", dir, &mib) != 2)
        return "bad argument";
    snprintf(path, sizeof path, "%s/full", dir);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    long written = 0;
    for (long i = 0; fd >= 0 && i < 2 * mib; i++) {
        ssize_t n = write(fd, block, sizeof block);
        if (n <= 0)
            break;
        written += n;
    }
    unlink(path);
    snprintf(said, sizeof said, "wrote %ld MiB", written / MIB);
    return fd >= 0 && written > 0 && written <= mib * MIB ? NULL : said;
}

static const char *many_files(const char *arg)
{
    char path[160];
    int made = 0;
    int error = 0;
    for (; made < FILES_MANY && !error; made++) {
        snprintf(path, sizeof path, "%s/f%d", arg, made);
        int fd = open(path, O_WRONLY | O_CREAT, 0600);
        error = fd < 0 ? errno : 0;
        close(fd);
    }
    for (int i = 0; i < made; i++) {
        snprintf(path, sizeof path, "%s/f%d", arg, i);
        unlink(path);
    }
    return error == ENOSPC ? NULL : error ? strerror(error) : "no end of files";
}

static const char *large_file(const char *arg)
{
    (void)arg;
    signal(SIGXFSZ, SIG_IGN);
    int fd = open("/job/large", O_WRONLY | O_CREAT, 0600);
    int rc = ftruncate(fd, 2048 * MIB);
    int error = errno;
    unlink("/job/large");
    return fd >= 0 && rc < 0 && error == EFBIG ? NULL : "made a file above the limit";
}

static const char *many_descriptors(const char *arg)
{
    int n = 0;
    (void)arg;
    while (n < 100000 && dup(0) >= 0)
        n++;
    return n < 4096 ? NULL : "opened more than 4096 descriptors";
}

/* Takes memory until it is killed or refused. Refused is held, killed is seen from outside. */
static const char *take_memory(const char *arg)
{
    for (long taken = 0; taken < atol(arg); taken += 16) {
        char *p =
            mmap(NULL, 16 * MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (p == MAP_FAILED)
            return NULL;
        memset(p, 1, 16 * MIB);
    }
    return "has all of it";
}

static const char *fork_until_refused(const char *arg)
{
    int n = 0;
    for (; n < 5000; n++) {
        pid_t child = fork();
        if (child < 0)
            break;
        if (child == 0) {
            pause();
            _exit(0);
        }
    }
    snprintf(said, sizeof said, "%d processes", n);
    return n > 0 && n <= atoi(arg) ? NULL : said;
}

/* --- staying ---------------------------------------------------------------------------------
 */

static void ignore_signals(void)
{
    for (int s = 1; s < NSIG; s++)
        signal(s, SIG_IGN);
}

/* Two forks and two sessions away, holding our output open: whoever reads it sees our end. */
static const char *leave_daemon(const char *arg)
{
    (void)arg;
    if (fork() == 0) {
        setsid();
        if (fork() == 0) {
            setsid();
            ignore_signals();
            for (;;)
                pause();
        }
        _exit(0);
    }
    usleep(100000);
    return NULL;
}

static const char *fork_bomb(const char *arg)
{
    (void)arg;
    ignore_signals();
    setsid();
    printf("burning\n");
    fflush(stdout);
    for (;;) {
        pid_t child = fork();
        if (child == 0)
            setsid();
        else if (child < 0)
            usleep(1000);
    }
    return NULL;
}

static const char *print_for_ever(const char *arg)
{
    static char block[64 << 10];
    (void)arg;
    memset(block, 'x', sizeof block);
    while (write(1, block, sizeof block) > 0)
        continue;
    return NULL;
}

/* ---------------------------------------------------------------------------------------------
 */

struct attack {
    const char *name;
    const char *(*run)(const char *arg);
};

static const struct attack attacks[] = {
    {"read_file", can_read},
    {"list_root_home", list_root_home},
    {"read_shadow", read_shadow},
    {"write_system", can_write},
    {"write_sysctl", write_sysctl},
    {"spare_from_oom", spare_from_oom},
    {"read_kernel_log", read_kernel_log},
    {"make_device", make_device},
    {"secret_in_environment", secret_in_environment},
    {"paths_in_arguments", paths_in_arguments},
    {"inherited_descriptor", inherited_descriptor},
    {"rewrite_output", rewrite_output},
    {"see_processes", see_processes},
    {"kill_all", kill_all},
    {"connect_out", connect_out},
    {"send_out", send_out},
    {"host_loopback", host_loopback},
    {"host_abstract", host_abstract},
    {"own_loopback", own_loopback},
    {"serve", serve},
    {"open_family", open_family},
    {"push_terminal_input", push_terminal_input},
    {"make_namespace", make_namespace},
    {"forbidden_call", forbidden_call},
#ifdef __x86_64__
    {"foreign_call", foreign_call},
#endif
    {"become_root", become_root},
    {"have_capability", have_capability},
    {"raise_limit", raise_limit},
    {"raise_priority", raise_priority},
    {"real_time", real_time},
    {"leave_cpus", leave_cpus},
    {"fill", fill},
    {"many_files", many_files},
    {"large_file", large_file},
    {"many_descriptors", many_descriptors},
    {"take_memory", take_memory},
    {"fork_until_refused", fork_until_refused},
    {"leave_daemon", leave_daemon},
    {"fork_bomb", fork_bomb},
    {"print_for_ever", print_for_ever},
};

int main(int argc, char **argv)
{
    for (size_t i = 0; argc > 1 && i < sizeof attacks / sizeof attacks[0]; i++) {
        if (strcmp(attacks[i].name, argv[1]) != 0)
            continue;
        const char *broken = attacks[i].run(argc > 2 ? argv[2] : "");
        printf("%s: %s\n", argv[1], broken ? broken : "held");
        return broken != NULL;
    }
    return 2;
}
