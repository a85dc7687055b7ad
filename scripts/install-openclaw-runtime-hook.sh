#!/bin/sh
# Launcher: puts the sudo shim in front of an agent's PATH. Same as `cse shim install`; words are passed on.
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
exec "${OPENCLAW_NODE:-node}" "$root/dist/cli.js" shim install "$@"
