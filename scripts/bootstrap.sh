#!/bin/sh
# Sets up OpenClaw with this package, step by step, each after a yes. A launcher: what it does is
# done by npm, openclaw and cse; it can be run again at any time and skips what is done.
set -eu

usage() {
  cat <<'TEXT'
usage: bootstrap.sh [--dry-run] [--yes] [--package FILE.tgz|npm:NAME] [--no-defaults] [--shim]

Finds OpenClaw, or installs it with npm; shows secure local defaults and sets those you agree to;
installs the cyber-security-engineer plugin; writes the policy files; measures this host once.

  --dry-run        show every command, change nothing
  --yes            agree to everything (for scripts of yours)
  --package WHAT   the plugin: a packed tarball, or npm:cyber-security-engineer (default: packed
                   from this checkout, else the one on npm)
  --no-defaults    leave OpenClaw's config as it is
  --shim           also put the sudo shim in front of the agent's PATH
                   (the same as ENFORCE_PRIVILEGED_EXEC=1)

Each default is set only where it is stricter than what you have.

undo, in this order:
  cse shim uninstall
  openclaw plugins uninstall cyber-security-engineer
  openclaw config unset KEY                  for each default that you agreed to; they are listed
                                             at the end, and openclaw.json.bak has what was before
  npm uninstall --global openclaw            when it was installed by this script
  rm -r ~/.openclaw/security                 policies, reports and the audit log: keep them if in doubt
TEXT
}

dry=0 yes=0 defaults=1 package='' shim=${ENFORCE_PRIVILEGED_EXEC:-0}
while [ $# -gt 0 ]; do
  case $1 in
    --dry-run) dry=1 ;;
    --yes) yes=1 ;;
    --no-defaults) defaults=0 ;;
    --shim) shim=1 ;;
    --package)
      [ $# -ge 2 ] || { usage >&2; exit 2; }
      package=$2
      shift
      ;;
    -h | --help) usage; exit 0 ;;
    *) printf 'bootstrap: unknown word %s\n' "$1" >&2; usage >&2; exit 2 ;;
  esac
  shift
done

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
node=${OPENCLAW_NODE:-node}
id=cyber-security-engineer
changed=''

say() { printf '%s\n' "$*"; }
step() { printf '\n== %s\n' "$*"; }
fail() { printf 'bootstrap: %s\n' "$*" >&2; exit 5; }

# A command as one could type it.
typed() {
  printf '  '
  for word in "$@"; do
    case $word in
      *[!A-Za-z0-9_/.:@%+,=-]*) printf " '%s'" "$word" ;;
      *) printf ' %s' "$word" ;;
    esac
  done
  printf '\n'
}

# Shows a command and asks; false: not to be run.
agree() {
  typed "$@"
  if [ "$dry" = 1 ]; then
    say '   (dry run: not done)'
    return 1
  fi
  [ "$yes" = 1 ] && return 0
  [ -t 0 ] || fail 'nobody can be asked here; run it in a terminal, or give --yes'
  printf '   do it? [y/N] '
  read -r answer || answer=n
  case $answer in [Yy] | [Yy][Ee][Ss]) return 0 ;; *) say '   skipped'; return 1 ;; esac
}

do_if_agreed() {
  if agree "$@"; then "$@"; fi
}

cse() { "$node" "$root/dist/cli.js" "$@"; }

# One value of OpenClaw's config in JSON; empty where none is set.
value_of() { openclaw config get "$1" --json 2>/dev/null | tr -d '\n ' || true; }

# default KEY JSON WHY STRICT...: sets a default unless the value is one of those that are as strict;
# an empty one stands for a value that is not set.
default() {
  key=$1 wanted=$2 why=$3
  shift 3
  now=$(value_of "$key")
  case $now in *'"ok":false'*) now='' ;; esac
  for strict in "$wanted" "$@"; do
    if [ "$now" = "$strict" ]; then
      say "-- $key is ${now:-not set, and OpenClaw's own default is as strict}"
      return 0
    fi
  done
  say "-- $key is ${now:-not set}; $why"
  if agree openclaw config set "$key" "$wanted" --strict-json; then
    openclaw config set "$key" "$wanted" --strict-json
    changed="$changed $key"
  fi
}

step 'Node'
command -v "$node" >/dev/null 2>&1 || fail 'Node is missing; install Node 24.16 or newer, or name one in OPENCLAW_NODE'
major=$("$node" -p 'process.versions.node.split(".")[0]')
say "   $("$node" --version)"
[ "$major" -ge 24 ] || fail 'OpenClaw needs Node 24.16 or newer; name one in OPENCLAW_NODE'
[ -f "$root/dist/cli.js" ] || fail "$root/dist is missing; run 'npm ci && npm run build' there first"

step 'OpenClaw'
if command -v openclaw >/dev/null 2>&1; then
  say "   found: $(command -v openclaw)"
else
  command -v npm >/dev/null 2>&1 || fail 'npm is missing, and so is OpenClaw'
  do_if_agreed npm install --global openclaw
fi
if ! command -v openclaw >/dev/null 2>&1; then
  [ "$dry" = 1 ] || fail 'OpenClaw is not on PATH; the rest needs it'
  say '   not there: the steps for it are shown only'
  openclaw() { return 1; }
fi

if [ "$defaults" = 1 ]; then
  step 'Secure local defaults'
  default gateway.bind '"loopback"' 'only this machine should reach the gateway' ''
  default gateway.auth.mode '"token"' 'whoever reaches the gateway must prove who they are' \
    '"password"' '"trusted-proxy"' ''
  default discovery.mdns.mode '"off"' 'the local network need not learn that a gateway runs here'
  default session.dmScope '"per-channel-peer"' 'people who write to the agent should not share one conversation' \
    '"per-account-channel-peer"'
  default tools.exec.strictInlineEval 'true' 'code in a command line should not pass as a harmless program'
  default tools.elevated.enabled 'false' 'nobody should leave a sandbox by a chat command'
  default tools.fs.workspaceOnly 'true' 'the file tools should stay in the workspace, away from keys and policies'
fi

step 'Plugin'
if openclaw plugins list --json 2>/dev/null | grep -q "\"$id\""; then
  say '   installed already; installing again brings it up to date'
fi
if [ -z "$package" ]; then
  if [ -f "$root/openclaw.plugin.json" ] && [ -f "$root/package.json" ]; then
    folder=$(mktemp -d)
    trap 'rm -rf -- "$folder"' EXIT
    if [ "$dry" = 1 ]; then
      package="$folder/$id.tgz"
      say "   npm pack $root"
    else
      package="$folder/$(cd "$folder" && npm pack --silent --ignore-scripts "$root" | tail -n 1)"
    fi
  else
    package="npm:$id"
  fi
fi
do_if_agreed openclaw plugins install "$package" --force --accept-capabilities

step 'Policy files (never over an existing one)'
do_if_agreed cse init

step 'First assessment'
do_if_agreed cse assess

case $shim in
  1)
    step 'The sudo shim'
    if [ "$yes" = 1 ]; then do_if_agreed cse shim install --yes; else do_if_agreed cse shim install; fi
    ;;
esac

step 'Done'
[ -z "$changed" ] || say "   defaults set:$changed"
say '   next: openclaw gateway restart; cse approvers enroll; cse baseline generate; cse baseline review'
say '   undo: bootstrap.sh --help'
