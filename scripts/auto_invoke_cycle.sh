#!/bin/sh
# Launcher: one round of scans, assessment, reports and notifications, now. Same as `cse cycle`.
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
exec "${OPENCLAW_NODE:-node}" "$root/dist/cli.js" cycle "$@"
