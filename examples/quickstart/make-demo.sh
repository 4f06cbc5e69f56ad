#!/bin/sh
# Makes the demonstration repository: a small HTTP service with ten commits on 'main' and one open
# merge request. The history is kept as patches, so each change can be read here:
#   history/0004 makes it slower, 0008 faster again, 0002 and 0010 only touch documentation,
#   0006 does not build; merge-request.patch is slower. The others change nothing that costs time.
# Usage: make-demo.sh DIRECTORY
set -eu

here=$(cd "$(dirname "$0")" && pwd)
repo=${1:?usage: make-demo.sh DIRECTORY}

# Nothing of the caller's git configuration may change the commits.
export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1
export GIT_COMMITTER_NAME=demo GIT_COMMITTER_EMAIL=demo@shop.example

rm -rf "$repo"
git init --quiet --initial-branch=main "$repo"
cd "$repo"
git am --quiet --committer-date-is-author-date "$here"/history/*.patch
git checkout --quiet -b etag
git am --quiet --committer-date-is-author-date "$here"/merge-request.patch
# Forges keep the head of a merge request under such a name.
git update-ref refs/pull/1/head etag
git checkout --quiet main
git branch --quiet -D etag
