#!/bin/sh
# The repository of this example: a commit that hashes a body at once, then one that does it
# byte by byte. Usage: make-repo.sh DIRECTORY
set -eu

repo=${1:?usage: make-repo.sh DIRECTORY}
here=$(cd "$(dirname "$0")" && pwd)
export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1
export GIT_AUTHOR_NAME=demo GIT_AUTHOR_EMAIL=demo@shop.example
export GIT_COMMITTER_NAME=demo GIT_COMMITTER_EMAIL=demo@shop.example

rm -rf "$repo"
git init --quiet --initial-branch=main "$repo"
cp "$here/pico.py" "$repo/pico.py"
cp "$here/pacewatch.json" "$repo/.pacewatch.json"
cd "$repo"
git add -A
git commit --quiet -m "Serve hello, with extensions"
patch --quiet -p1 <"$here/slower.patch"
git commit --quiet -am "Hash byte by byte"
