#!/bin/sh
# Start what was built with the example settings: run.sh BUILDDIR. Its files go
# to BUILDDIR/run; variables that are set already win, so that
#   LIVETIMING_LISTEN=0.0.0.0:8080 make run
# does what it says.
set -eu
build=$(cd "$1" && pwd)
conf=$(cd "$(dirname "$0")/../../conf" && pwd)/livetiming.env
run=$build/run

mkdir -p "$run"
hint=
export LIVETIMING_STATE_DIR="${LIVETIMING_STATE_DIR:-$run/state}"
export LIVETIMING_LOG_DIR="${LIVETIMING_LOG_DIR:-$run/log}"
export LIVETIMING_ANALYSIS_DIR="${LIVETIMING_ANALYSIS_DIR:-$run/analysis}"
export LIVETIMING_RECORDINGS_DIR="${LIVETIMING_RECORDINGS_DIR:-$run/recordings}"
export LIVETIMING_RECORDINGS_TEMP_DIR="${LIVETIMING_RECORDINGS_TEMP_DIR:-$run/recordings-temp}"
if [ -z "${LIVETIMING_CONTROL_SOCKET:-}" ] && [ -z "${XDG_RUNTIME_DIR:-}" ] && [ "$(id -u)" != 0 ]; then
	export LIVETIMING_CONTROL_SOCKET="$run/control.sock"
	hint="    livetimingctl needs LIVETIMING_CONTROL_SOCKET=$LIVETIMING_CONTROL_SOCKET
"
fi

# Said once it is true: the shell below becomes the daemon, with the same number.
address=${LIVETIMING_LISTEN:-127.0.0.1:8080}
address=${address%% *}
case $address in 0.0.0.0:* | \[::\]:*) address=127.0.0.1:${address##*:} ;; esac
daemon=$$
( (
	while kill -0 "$daemon" 2>/dev/null; do
		if "$build/livetimingctl" status 2>/dev/null | grep -q "process $daemon,"; then
			printf '\n    A live race is at http://%s/ (Ctrl-C ends it)\n%s\n' "$address" "$hint"
			exit
		fi
		sleep 0.1
	done
) & )
exec "$build/livetimingd" --config "$conf"
