#!/bin/sh
# Asks root, by a file that tidewater-restart.path watches, to restart the node of this machine, and waits until that is done.
set -eu
file=${1:-/var/lib/tidewater/edge/restart}
tries=${2:-110}
: >"$file"
while [ -e "$file" ]; do
  if [ "$tries" -le 0 ]; then
    rm -f "$file"
    echo "tidewater: the node was not restarted in time" >&2
    exit 1
  fi
  tries=$((tries - 1))
  sleep 1
done
