#!/bin/sh
# Checks the tree against the rules that no compiler knows. Prints one line per breach and exits 1
# when there is any.
#
#   sh tests/lint/run.sh [TREE]      TREE: another tree than this one, as the linter's own test gives
#
# A tool that is not installed is named and left out: clang-format, mandoc (or man).
set -u

here=$(cd "$(dirname "$0")" && pwd)
tree=$(cd "${1:-$here/../..}" && pwd) || exit 2
python=/usr/bin/python3
[ -x "$python" ] || python=python3
failed=0

# All files of a kind, without what is built or fetched.
files() {
    find "$tree" \( -name .git -o -name build -o -name node_modules -o -name dist \) -prune -o \
        -type f \( "$@" \) -print | sort
}

have() {
    command -v "$1" >/dev/null 2>&1 || {
        echo "lint: $1 is not installed; its rule is left out" >&2
        return 1
    }
}

"$python" "$here/check.py" "$tree" || failed=1

if have clang-format && [ -f "$tree/.clang-format" ]; then
    files -name '*.c' -o -name '*.h' | (
        cd "$tree" && xargs -r clang-format --style=file --dry-run -Werror 2>&1
    ) | sed -n "s|^$tree/||; s|^\([^ :]*\):[0-9]*:[0-9]*: error:.*|\1: run clang-format -i|p" |
        sort -u | grep . && failed=1
fi

for script in $(files -name '*.sh' -o -path '*/.ci/*'); do
    sh -n "$script" || {
        echo "${script#"$tree"/}: is not a shell script that can be read"
        failed=1
    }
done

for page in $(files -name '*.[158]' -size +0); do
    name=${page#"$tree"/}
    if command -v mandoc >/dev/null 2>&1; then
        mandoc -T lint -W warning "$page" | sed "s|^mandoc: $tree/|mandoc: |" | grep . && failed=1
    elif have man; then
        LC_ALL=C.UTF-8 man --warnings -E UTF-8 -l -T utf8 "$page" 2>&1 >/dev/null | grep . &&
            failed=1
    fi
    grep -q '^\.\(TH\|Dd\) ' "$page" || {
        echo "$name: is not a manual page"
        failed=1
    }
done

exit $failed
