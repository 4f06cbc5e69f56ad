/* SPDX-License-Identifier: MIT */
/* Fetching over smart HTTP from lighttpd and git's own backend. Skipped where they are missing.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "../scratch.h"
#include "child.h"
#include "mirror.h"

#define LIGHTTPD "/usr/sbin/lighttpd"
#define BACKEND  "/usr/lib/git-core/git-http-backend"

/* Port 'open' needs no token and leads /moved/ to port 'closed', which needs one. */
static const char config[] =
    "server.bind = \"127.0.0.1\"\n"
    "server.port = %d\n"
    "server.document-root = \"%s\"\n"
    "server.modules = (\"mod_auth\", \"mod_authn_file\", \"mod_redirect\", \"mod_alias\", "
    "\"mod_setenv\", \"mod_cgi\")\n"
    "alias.url = (\"/git\" => \"" BACKEND "\")\n"
    "auth.backend = \"plain\"\n"
    "auth.backend.plain.userfile = \"%s/users\"\n"
    "$HTTP[\"url\"] =~ \"^/git/\" { cgi.assign = (\"\" => \"\")\n"
    "  setenv.set-environment = (\"GIT_PROJECT_ROOT\" => \"%s\", \"GIT_HTTP_EXPORT_ALL\" => "
    "\"1\") }\n"
    "$HTTP[\"url\"] =~ \"^/moved/\" {\n"
    "  url.redirect = (\"^/moved/(.*)\" => \"http://127.0.0.1:%d/git/$1\") }\n"
    "$SERVER[\"socket\"] == \"127.0.0.1:%d\" {\n"
    "  auth.require = (\"/\" => (\"method\" => \"basic\", \"realm\" => \"git\", \"require\" => "
    "\"valid-user\")) }\n";

struct bench {
    struct scratch dir;
    char path[128], token_file[128];
    int open_port, closed_port;
    struct child server;
    struct mirror *m;
};

static int free_port(void)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof a;
    AUTO(fdio_closep) int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&a, len), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &len), 0);
    return ntohs(a.sin_port);
}

static void wait_until_it_listens(int port)
{
    struct sockaddr_in a = {.sin_family = AF_INET,
                            .sin_port = htons((uint16_t)port),
                            .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int64_t deadline = clock_now_ns() + 20 * CLOCK_NS_PER_S;
    while (clock_now_ns() < deadline) {
        AUTO(fdio_closep) int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (connect(fd, (struct sockaddr *)&a, sizeof a) == 0)
            return;
        clock_sleep_until(clock_now_ns() + 10 * CLOCK_NS_PER_MS);
    }
    fail_msg("lighttpd does not listen");
}

static void start_server(struct bench *b)
{
    AUTO(str_done) struct str text = STR_INIT(8192);
    char file[128];
    const char *const argv[] = {LIGHTTPD, "-D", "-f", file, NULL};
    b->open_port = free_port();
    b->closed_port = free_port();
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    str_addf(&text, config, b->open_port, b->dir.dir, b->dir.dir, b->dir.dir, b->closed_port,
             b->closed_port);
#pragma GCC diagnostic pop
    snprintf(file, sizeof file, "%s/lighttpd.conf", b->dir.dir);
    MUST(fdio_write_file(file, str_view(&text), 0600, &e));
    MUST(child_start(
        &b->server,
        &(struct child_spec){.argv = argv, .out = STDERR_FILENO, .err = STDERR_FILENO}, &e));
    wait_until_it_listens(b->open_port);
    wait_until_it_listens(b->closed_port);
}

static int set_up(void **state)
{
    struct bench *b = mem_zero(1, sizeof *b);
    b->server = (struct child)CHILD_INIT;
    *state = b;
    scratch_init(&b->dir);
    if (!fdio_exists(LIGHTTPD) || !fdio_exists(BACKEND))
        return 0;
    snprintf(b->path, sizeof b->path, "%s/mirror.git", b->dir.dir);
    snprintf(b->token_file, sizeof b->token_file, "%s/token", b->dir.dir);
    scratch_run(
        &b->dir,
        "git init -q --bare -b main shop.git; git init -q -b main work; cd work; echo 1 "
        ">f; git add f; git commit -q -m c1; git push -q ../shop.git main; cd ..; echo "
        "'x-access-token:s3cret' >users; echo s3cret >token");
    start_server(b);
    MUST(mirror_open(b->path, &b->m, &e));
    return 0;
}

static int tear_down(void **state)
{
    struct bench *b = *state;
    child_done(&b->server);
    mirror_closep(&b->m);
    scratch_done(&b->dir);
    free(b);
    return 0;
}

static int fetch(struct bench *b, int port, const char *folder, bool with_token, struct err *e)
{
    static const char *const patterns[] = {"refs/heads/*", NULL};
    char url[128];
    if (!b->m)
        skip();
    snprintf(url, sizeof url, "http://127.0.0.1:%d/%s/shop.git", port, folder);
    struct mirror_source source = {
        .url = url, .patterns = patterns, .token_file = with_token ? b->token_file : NULL};
    return mirror_fetch(b->m, &source, clock_now_ns() + 30 * CLOCK_NS_PER_S, NULL, e);
}

static void assert_arrived(struct bench *b)
{
    char subject[256];
    scratch_ask(&b->dir, subject, "git -C mirror.git log -1 --format=%%s main");
    assert_string_equal(subject, "c1");
}

static void open_repository_is_fetched(void **state)
{
    struct bench *b = *state;

    MUST(fetch(b, b->open_port, "git", false, &e));

    assert_arrived(b);
}

static void token_opens_a_closed_repository(void **state)
{
    struct bench *b = *state;

    MUST(fetch(b, b->closed_port, "git", true, &e));

    assert_arrived(b);
}

static void missing_token_is_told(void **state)
{
    struct bench *b = *state;
    struct err why = {0};

    assert_int_equal(fetch(b, b->closed_port, "git", false, &why), -1);

    assert_int_equal(why.kind, ERR_AWAY);
    assert_non_null(strstr(why.text, "no token file is configured"));
}

/* libgit2 by itself would ask fifteen times. */
static void wrong_token_is_tried_once_and_told(void **state)
{
    struct bench *b = *state;
    struct err why = {0};
    scratch_run(&b->dir, "echo wrong >token");

    assert_int_equal(fetch(b, b->closed_port, "git", true, &why), -1);

    assert_int_equal(why.kind, ERR_AWAY);
    assert_non_null(strstr(why.text, "does not accept the credentials"));
    assert_null(strstr(why.text, "wrong"));
}

/* libgit2 follows a redirect to another port of the same host even when told not to. */
static void token_is_not_given_to_where_a_redirect_leads(void **state)
{
    struct bench *b = *state;
    struct err why = {0};

    assert_int_equal(fetch(b, b->open_port, "moved", true, &why), -1);

    assert_int_equal(why.kind, ERR_AWAY);
    assert_non_null(strstr(why.text, "another host than the configured one"));
}

static void repository_that_is_not_there_is_told(void **state)
{
    struct bench *b = *state;
    struct err why = {0};

    assert_int_equal(fetch(b, b->open_port, "nothing", false, &why), -1);

    assert_non_null(strstr(why.text, "404"));
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], MIRROR_WORD) == 0)
        return mirror_child_main(argc, argv);
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(open_repository_is_fetched),
        CASE(token_opens_a_closed_repository),
        CASE(missing_token_is_told),
        CASE(wrong_token_is_tried_once_and_told),
        CASE(token_is_not_given_to_where_a_redirect_leads),
        CASE(repository_that_is_not_there_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
