#!/bin/sh
# Makes a file system on the data volume that user data names, if it has none, and has it mounted. Never touches one that has anything on it.
set -eu
file=${1:-/etc/tidewater/data-volume}
disks=${2:-/dev/disk/by-id}
tries=${3:-60}
volume=$(tr -d '[:space:]' <"$file")
case $volume in
*[!0-9a-f-]* | '')
  echo "tidewater: $file: the identifier of a volume is expected" >&2
  exit 1
  ;;
esac
# virtio has twenty characters for it, SCSI all.
short=$(printf %.20s "$volume")
disk=
while [ "$tries" -gt 0 ]; do
  for one in "$disks"/*"$short"*; do
    case $one in *-part[0-9]*) continue ;; esac
    if [ -e "$one" ]; then
      disk=$one
      break 2
    fi
  done
  tries=$((tries - 1))
  sleep 1
done
if [ -z "$disk" ]; then
  echo "tidewater: the data volume $volume is not attached" >&2
  exit 1
fi
# blkid says 2 when there is nothing to be found on it, but also when it cannot be read; nothing else may be overwritten.
if ! head -c 4194304 "$disk" >/dev/null; then
  echo "tidewater: the data volume $disk cannot be read" >&2
  exit 1
fi
found=0
blkid -p "$disk" >/dev/null || found=$?
case $found in
0) ;;
2) mkfs.ext4 -q -L tidewater-data "$disk" ;;
*)
  echo "tidewater: what is on the data volume $disk cannot be told (blkid: $found)" >&2
  exit 1
  ;;
esac
install -D -m 0644 "${4:-/usr/lib/tidewater}/var-lib-tidewater.mount" "${5:-/run/systemd/system}/var-lib-tidewater.mount"
systemctl daemon-reload
systemctl start var-lib-tidewater.mount
