/* SPDX-License-Identifier: MIT */
/* Fetching from 'git daemon', from a real sshd and from servers that do not do what they
 * should. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>

#include "../scratch.h"
#include "mirror.h"

#define SSHD "/usr/sbin/sshd"

struct bench {
    struct scratch dir;
    struct mirror *m;
    int pid; /* of the server; 0: none */
    int port;
};

static const char *const patterns[] = {"refs/heads/*", "refs/pull/[0-9]*/head", NULL};

static int set_up(void **state)
{
    struct bench *b = mem_zero(1, sizeof *b);
    char path[128];
    scratch_init(&b->dir);
    scratch_run(&b->dir,
                "git init -q --bare -b main shop.git; git init -q -b main work; cd work; "
                "head -c 200000 /dev/urandom >f; git add f; git commit -q -m c1; git push -q "
                "../shop.git main");
    snprintf(path, sizeof path, "%s/mirror.git", b->dir.dir);
    MUST(mirror_open(path, &b->m, &e));
    *state = b;
    return 0;
}

static int tear_down(void **state)
{
    struct bench *b = *state;
    if (b->pid)
        (void)kill(b->pid, SIGTERM);
    mirror_closep(&b->m);
    scratch_done(&b->dir);
    free(b);
    return 0;
}

/* A free port, then a server that 'command' starts there; it is up when it can be connected to.
 */
static void serve(struct bench *b, const char *command)
{
    char line[256];
    scratch_ask(
        &b->dir, line,
        "port=$(python3 -c 'import socket; s = socket.socket(); s.bind((\"127.0.0.1\", 0));"
        " print(s.getsockname()[1])'); %s >server.log 2>&1 & pid=$!;"
        " for i in $(seq 200); do python3 -c 'import socket, sys;"
        " socket.create_connection((\"127.0.0.1\", int(sys.argv[1])))' $port 2>/dev/null"
        " && break; kill -0 $pid || exit 1; done; echo $port $pid",
        command);
    assert_int_equal(sscanf(line, "%d %d", &b->port, &b->pid), 2);
}

static int fetch(struct bench *b, const char *url, struct mirror_source source,
                 int64_t limit_ns, struct err *e)
{
    source.url = url;
    source.patterns = patterns;
    return mirror_fetch(b->m, &source, clock_now_ns() + limit_ns, NULL, e);
}

static void assert_arrived(struct bench *b)
{
    char subject[256];
    scratch_ask(&b->dir, subject, "git -C mirror.git log -1 --format=%%s main");
    assert_string_equal(subject, "c1");
}

static void git_daemon_is_fetched_from(void **state)
{
    struct bench *b = *state;
    char url[128];
    serve(b,
          "git daemon --reuseaddr --listen=127.0.0.1 --port=$port --base-path=. --export-all");
    snprintf(url, sizeof url, "git://127.0.0.1:%d/shop.git", b->port);

    MUST(fetch(b, url, (struct mirror_source){0}, 30 * CLOCK_NS_PER_S, &e));

    assert_arrived(b);
}

/* More merge requests than are kept: the newest win, and branches are never left out. */
static void newest_of_five_thousand_merge_requests_are_kept(void **state)
{
    struct bench *b = *state;
    char url[128], seen[256];
    scratch_run(&b->dir,
                "for i in $(seq 5000); do echo \"create refs/pull/$i/head $(cat shop.git/refs/"
                "heads/main)\"; done | git -C shop.git update-ref --stdin");
    snprintf(url, sizeof url, "%s/shop.git", b->dir.dir);
    int64_t began = clock_now_ns();

    MUST(fetch(b, url, (struct mirror_source){0}, 60 * CLOCK_NS_PER_S, &e));

    assert_true(clock_now_ns() - began < 60 * CLOCK_NS_PER_S);
    scratch_ask(
        &b->dir, seen,
        "git -C mirror.git for-each-ref --format='%%(refname)' refs/heads refs/pull | wc "
        "-l; git -C mirror.git rev-parse -q --verify refs/pull/5000/head >/dev/null");
    assert_int_equal(atoi(seen), MIRROR_REFS_MAX);
    assert_arrived(b);
}

static bool start_sshd(struct bench *b)
{
    if (!fdio_exists(SSHD))
        return false;
    scratch_run(&b->dir,
                "chmod 755 .; mkdir -p /run/sshd; ssh-keygen -q -t ed25519 -N '' -f host; "
                "ssh-keygen -q -t ed25519 -N '' -f user; cp user.pub authorized; chmod 600 "
                "authorized; printf '%%s\\n' \"HostKey $PWD/host\" \"AuthorizedKeysFile "
                "$PWD/authorized\" 'PasswordAuthentication no' 'StrictModes no' 'UsePAM no' "
                "'PermitRootLogin prohibit-password' \"PidFile $PWD/sshd.pid\" >sshd.conf");
    serve(b, SSHD " -D -e -f \"$PWD/sshd.conf\" -o ListenAddress=127.0.0.1:$port");
    return true;
}

static void sshd_with_a_pinned_key_is_fetched_from(void **state)
{
    struct bench *b = *state;
    char url[512], key[128], pinned[256], who[256];
    struct err why = {0};
    if (!start_sshd(b))
        skip();
    scratch_ask(&b->dir, pinned, "ssh-keygen -lf host.pub | cut -d' ' -f2");
    scratch_ask(&b->dir, who, "id -un");
    snprintf(url, sizeof url, "ssh://%s@127.0.0.1:%d%s/shop.git", who, b->port, b->dir.dir);
    snprintf(key, sizeof key, "%s/user", b->dir.dir);
    struct mirror_source source = {.ssh_key = key};

    /* Not known, then another one's, then its own. */
    assert_int_equal(fetch(b, url, source, 30 * CLOCK_NS_PER_S, &why), -1);
    assert_non_null(strstr(why.text, "configure it to trust this host"));
    source.ssh_host_key = "SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    assert_int_equal(fetch(b, url, source, 30 * CLOCK_NS_PER_S, &why), -1);
    assert_non_null(strstr(why.text, "not the configured one"));
    source.ssh_host_key = pinned;
    MUST(fetch(b, url, source, 30 * CLOCK_NS_PER_S, &e));

    assert_arrived(b);
}

static void key_that_the_server_does_not_know_is_tried_once(void **state)
{
    struct bench *b = *state;
    char url[512], key[128], pinned[256], who[256], tries[256];
    struct err why = {0};
    if (!start_sshd(b))
        skip();
    scratch_ask(&b->dir, pinned, "ssh-keygen -lf host.pub | cut -d' ' -f2");
    scratch_ask(&b->dir, who, "ssh-keygen -q -t ed25519 -N '' -f other; id -un");
    snprintf(url, sizeof url, "ssh://%s@127.0.0.1:%d%s/shop.git", who, b->port, b->dir.dir);
    snprintf(key, sizeof key, "%s/other", b->dir.dir);
    struct mirror_source source = {.ssh_key = key, .ssh_host_key = pinned};

    assert_int_equal(fetch(b, url, source, 30 * CLOCK_NS_PER_S, &why), -1);

    assert_int_equal(why.kind, ERR_AWAY);
    scratch_ask(&b->dir, tries, "grep -c 'Failed publickey' server.log || :");
    assert_in_range(atoi(tries), 0, 2);
}

/* In front of a git daemon: lets bytes through as the mode says. Its port is the child's. */
static const char relay[] =
    "import socket, sys, threading, time\\n"
    "port, target, mode = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]\\n"
    "def pump(a, b, limit):\\n"
    "    sent = 0\\n"
    "    while data := a.recv(1 if mode == 'drip' and limit else 65536):\\n"
    "        if limit and mode == 'drip': time.sleep(1)\\n"
    "        if limit and mode == 'cut' and sent + len(data) > 60000:\\n"
    "            a.shutdown(2); b.shutdown(2); return\\n"
    "        b.sendall(data); sent += len(data)\\n"
    "s = socket.create_server(('127.0.0.1', port))\\n"
    "while True:\\n"
    "    c, _ = s.accept()\\n"
    "    t = socket.create_connection(('127.0.0.1', target))\\n"
    "    threading.Thread(target=pump, args=(c, t, False), daemon=True).start()\\n"
    "    threading.Thread(target=pump, args=(t, c, True), daemon=True).start()\\n";

static void serve_through(struct bench *b, const char *mode, int *git_pid)
{
    char command[256];
    serve(b,
          "git daemon --reuseaddr --listen=127.0.0.1 --port=$port --base-path=. --export-all");
    *git_pid = b->pid;
    scratch_run(&b->dir, "printf \"%s\" >relay.py", relay);
    snprintf(command, sizeof command, "python3 relay.py $port %d %s", b->port, mode);
    serve(b, command);
}

static void bad_line_ends_at_the_deadline(struct bench *b, const char *mode, enum err_kind kind)
{
    char url[128];
    struct err why = {0};
    int git_pid;
    serve_through(b, mode, &git_pid);
    snprintf(url, sizeof url, "git://127.0.0.1:%d/shop.git", b->port);
    int64_t began = clock_now_ns();

    assert_int_equal(fetch(b, url, (struct mirror_source){0}, 2 * CLOCK_NS_PER_S, &why), -1);

    assert_int_equal(why.kind, kind);
    assert_true(clock_now_ns() - began < 10 * CLOCK_NS_PER_S);
    snprintf(url, sizeof url, "%s/shop.git", b->dir.dir);
    MUST(fetch(b, url, (struct mirror_source){0}, 30 * CLOCK_NS_PER_S, &e));
    assert_arrived(b);
    scratch_run(&b->dir, "git -C mirror.git fsck --strict 2>&1; kill %d", git_pid);
}

static void one_byte_a_second_ends_at_the_deadline(void **state)
{
    bad_line_ends_at_the_deadline(*state, "drip", ERR_TIMEOUT);
}

static void pack_that_is_cut_leaves_a_good_mirror(void **state)
{
    bad_line_ends_at_the_deadline(*state, "cut", ERR_AWAY);
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], MIRROR_WORD) == 0)
        return mirror_child_main(argc, argv);
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(git_daemon_is_fetched_from),
        CASE(newest_of_five_thousand_merge_requests_are_kept),
        CASE(sshd_with_a_pinned_key_is_fetched_from),
        CASE(key_that_the_server_does_not_know_is_tried_once),
        CASE(one_byte_a_second_ends_at_the_deadline),
        CASE(pack_that_is_cut_leaves_a_good_mirror),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
