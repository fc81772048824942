# Runs a program for operators, $1, with the etcd of this machine's site, and its certificate where it has one.
set -eu
program=$1
shift
config=/run/tidewater/cluster_config
for key in etcd etcd_ca etcd_certificate etcd_key; do
  value=$(sed -n "s/^$key=//p" "$config" 2>/dev/null || true)
  [ -z "$value" ] || set -- "--$(echo "$key" | tr _ -)" "$value" "$@"
done
exec /usr/lib/tidewater/bin/node --disable-warning=ExperimentalWarning "/usr/lib/tidewater/nodes/$program/$program.mjs" "$@"
