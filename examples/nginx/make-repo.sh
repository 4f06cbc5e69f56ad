#!/bin/sh
# A repository around Debian's nginx in which only the configuration changes from commit to commit:
# an access log, then no keep-alive, then keep-alive again.
# Usage: make-repo.sh DIRECTORY, then in it: pacewatch compare HEAD~1, or watch it with pacewatchd.
set -eu

repo=${1:?usage: make-repo.sh DIRECTORY}
export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1
export GIT_AUTHOR_NAME=demo GIT_AUTHOR_EMAIL=demo@shop.example
export GIT_COMMITTER_NAME=demo GIT_COMMITTER_EMAIL=demo@shop.example

rm -rf "$repo"
git init --quiet --initial-branch=main "$repo"
cd "$repo"

commit() {
    git add -A
    git commit --quiet -m "$1"
}

mkdir html
i=0
while [ "$i" -lt 40 ]; do
    echo "<p>Line $i of a page that is neither large nor small.</p>"
    i=$((i + 1))
done >html/index.html

cat >nginx.conf <<'CONF'
daemon off;
worker_processes 1;
pid run/nginx.pid;
error_log stderr;
events { worker_connections 512; }
http {
    access_log off;
    keepalive_requests 1000000;
    client_body_temp_path run/body;
    proxy_temp_path run/proxy;
    fastcgi_temp_path run/fastcgi;
    uwsgi_temp_path run/uwsgi;
    scgi_temp_path run/scgi;
    server {
        listen 127.0.0.1:@PORT@;
        root html;
    }
}
CONF

# nginx cannot read its port from the environment, so a copy of the configuration gets it.
cat >start.sh <<'RUN'
#!/bin/sh
mkdir -p run
sed "s/@PORT@/$PORT/" nginx.conf >run/nginx.conf
exec /usr/sbin/nginx -p "$PWD" -c run/nginx.conf
RUN

cat >.pacewatch.json <<'SPEC'
{
  "version": 1,
  "start": { "command": ["sh", "start.sh"], "stop_signal": "QUIT" },
  "ready": { "http": "/", "timeout": "5s" },
  "load": { "connections": 16, "duration": "1s", "warmup": "200ms" },
  "scenarios": [
    { "name": "page", "endpoints": [{ "path": "/", "expect": { "contains": "Line 39" } }] },
  ],
}
SPEC
commit 'Serve one page'

sed -i 's|access_log off;|access_log run/access.log;|' nginx.conf
commit 'Write an access log'

sed -i 's|keepalive_requests 1000000;|keepalive_timeout 0;|' nginx.conf
commit 'Close the connection after every answer'

sed -i 's|keepalive_timeout 0;|keepalive_requests 1000000;|' nginx.conf
commit 'Keep connections open again'
