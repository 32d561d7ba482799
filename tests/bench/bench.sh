#!/bin/bash
# Measure the router beside the ideal one, in one run: bench.sh BUILDDIR
#
# The load generator and the ideal router come from $SHARED_DIR/bench (default ../shared). Router on
# core 0, load on core 1; the two routers take turns, ROUNDS times (3), so that a drift of the
# machine's speed hits both alike. CELLS chooses the fan-out cells ("SUBSCRIBERSxBYTES ..."; "" none),
# BURSTS those that are published 256 at once, SECONDS_A_RUN their length (1), PACED the paced ones
# ("SUBSCRIBERSxBYTES ...", 10 events a second). ROUTER=alone measures the router without the rest of
# the daemon. The default takes less than five minutes and prints Markdown.
set -u
build=${1:?usage: bench.sh BUILDDIR}
root=$(cd "$(dirname "$0")/../.." && pwd)
shared=${SHARED_DIR:-$root/../shared}/bench
rounds=${ROUNDS:-3}
cells=${CELLS-100x100 100x2000 100x20000 1000x100 1000x2000 1000x20000 5000x100 5000x2000 5000x20000}
bursts=${BURSTS-100x100 1000x100}
paced=${PACED-1000x20000 10000x2000}
run_s=${SECONDS_A_RUN:-1}
tls_sessions=500
# The fastest peer's share of the ideal, as it was recorded when peers were measured (bench/README.md).
declare -A peer=([100x100]="nexus 0.43" [100x2000]="nexus 0.47" [100x20000]="nexus 0.27" [1000x100]="nexus 0.45"
	[1000x2000]="nexus 0.41" [1000x20000]="crossbar 0.24" [5000x2000]="nexus 0.27")

if [ ! -f "$shared/wampload.c" ]; then
	echo "bench: SKIPPED: there is no $shared (set SHARED_DIR)"
	exit 0
fi
if [ "$(nproc)" -lt 2 ]; then
	echo "bench: needs two cores, one for the router and one for the load" >&2
	exit 1
fi
ulimit -n "$(ulimit -H -n)"
bin=$build/bench
mkdir -p "$bin"
for tool in wampload limit; do
	if [ ! -x "$bin/$tool" ] || [ "$shared/$tool.c" -nt "$bin/$tool" ]; then
		"${CC:-cc}" -O2 -w -o "$bin/$tool" "$shared/$tool.c" || exit 1
	fi
done

work=$(mktemp -d)
pids=()
finish() {
	[ ${#pids[@]} -eq 0 ] || kill "${pids[@]}" 2>/dev/null
	wait 2>/dev/null
	rm -rf "$work"
}
trap finish EXIT

free_port() {
	local port
	for port in $(shuf -i 20000-29999 -n 50); do
		if ! (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
			echo "$port"
			return
		fi
	done
}

await_port() { # port, what
	for _ in $(seq 100); do
		if (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; then
			return
		fi
		sleep 0.05
	done
	echo "bench: $2 does not listen on port $1" >&2
	[ ! -s "$work/ours.log" ] || tail -5 "$work/ours.log" >&2
	exit 1
}

start_ours() {
	ours=$(free_port)
	ours_tls=$(free_port)
	if [ "${ROUTER:-}" = alone ]; then
		taskset -c 0 "$bin/router_only" "127.0.0.1:$ours" "$shared/open-permissions.json" \
			>"$work/ours.log" 2>&1 &
	else
		(cd "$work" && exec env LIVETIMING_LISTEN="127.0.0.1:$ours 127.0.0.1:$ours_tls,tls" \
			LIVETIMING_TLS_CERT="$work/cert.pem" LIVETIMING_TLS_KEY="$work/key.pem" \
			LIVETIMING_PERMISSIONS="$shared/open-permissions.json" \
			LIVETIMING_CONTROL_SOCKET="$work/control.sock" \
			taskset -c 0 "$daemon" >"$work/ours.log" 2>&1) &
	fi
	ours_pid=$!
	pids+=("$ours_pid")
	await_port "$ours" "our router"
}

start_ideal() {
	ideal=$(free_port)
	taskset -c 0 "$bin/limit" wamp --port "$ideal" &
	ideal_pid=$!
	pids+=("$ideal_pid")
	await_port "$ideal" "the ideal router"
}

load() { # mode, port, pid, arguments: the result line
	local mode=$1 port=$2 pid=$3
	shift 3
	taskset -c 1 "$bin/wampload" "$mode" --url "ws://127.0.0.1:$port/" --pid "$pid" "$@" 2>&1 | tail -1
}

value() { # name, result line
	grep -oE "(^| )$1=[0-9.]+" <<<"$2" | head -1 | cut -d= -f2
}

median() { # numbers on stdin
	sort -g | awk '{ v[NR] = $1 } END { if (NR) print (NR % 2) ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2; else print "-" }'
}

events_for() { # subscribers, payload, port, pid, more arguments: publications that last about run_s
	local pilot line
	local subs=$1 payload=$2 port=$3 pid=$4
	shift 4
	pilot=$((20000 / subs > 30 ? 20000 / subs : 30))
	line=$(load fanout "$port" "$pid" --subs "$subs" --payload "$payload" --count "$pilot" --gate all "$@")
	awk -v e="$(value events_per_s "$line")" -v s="$subs" -v t="$run_s" \
		'BEGIN { n = int(e * t / s); print (n > 20) ? n : 20 }'
}

fanout_row() { # cell, more arguments
	local cell=$1 subs=${1%x*} payload=${1#*x} n_ours n_ideal line r failed=""
	shift
	: >"$work/o" && : >"$work/i" && : >"$work/r" && : >"$work/p" && : >"$work/q"
	n_ours=$(events_for "$subs" "$payload" "$ours" "$ours_pid" "$@")
	n_ideal=$(events_for "$subs" "$payload" "$ideal" "$ideal_pid" "$@")
	for ((r = 0; r < rounds; r++)); do
		line=$(load fanout "$ideal" "$ideal_pid" --subs "$subs" --payload "$payload" --count "$n_ideal" --gate all "$@")
		local e_ideal e_ours
		e_ideal=$(value events_per_s "$line")
		value p99_ms "$line" >>"$work/q"
		line=$(load fanout "$ours" "$ours_pid" --subs "$subs" --payload "$payload" --count "$n_ours" --gate all "$@")
		e_ours=$(value events_per_s "$line")
		value p99_ms "$line" >>"$work/p"
		[[ $line == *"ok=1"* ]] || failed=" (failed: $line)"
		echo "${e_ours:-0}" >>"$work/o"
		echo "${e_ideal:-0}" >>"$work/i"
		awk -v a="${e_ours:-0}" -v b="${e_ideal:-0}" 'BEGIN { printf "%.2f\n", (b > 0) ? a / b : 0 }' >>"$work/r"
	done
	echo "| ${cell/x/ x } | $(thousands "$(median <"$work/o")") | $(thousands "$(median <"$work/i")") |" \
		"**$(median <"$work/r")** ($(paste -sd' ' "$work/r")) | ${peer[$cell]:--} |" \
		"$(median <"$work/p") | $(median <"$work/q") |$failed"
}

thousands() { # a number: rounded to thousands above 10,000
	awk -v n="$1" 'BEGIN { if (n >= 10000) printf "%d k", n / 1000 + 0.5; else print n }'
}

fanout_head() {
	echo "| subscribers x bytes | events/s | ideal | ratio (each round) | fastest peer, recorded | p99 ms | p99 ms of ideal |"
	echo "|---|---|---|---|---|---|---|"
}

paced_row() { # cell
	local subs=${1%x*} payload=${1#*x} line who port pid
	for who in ours ideal; do
		port=$ours pid=$ours_pid
		[ "$who" = ours ] || port=$ideal pid=$ideal_pid
		line=$(load fanout "$port" "$pid" --subs "$subs" --payload "$payload" --count 60 --rate 10 --gate all)
		echo "| ${1/x/ x } | $who | $(value p50_ms "$line") | $(value p99_ms "$line") | $(value max_ms "$line") |" \
			"$(value lost "$line") | $([[ $line == *"ok=1"* ]] || echo "failed: $line")"
	done
}

rpc_row() { # in flight, count
	local line r
	: >"$work/o" && : >"$work/p"
	for ((r = 0; r < rounds; r++)); do
		line=$(load rpc "$ours" "$ours_pid" --count "$2" --inflight "$1")
		value calls_per_s "$line" >>"$work/o"
		value p99_ms "$line" >>"$work/p"
	done
	echo "| $1 | $(median <"$work/o") | $(median <"$work/p") |"
}

build_router_only() {
	# shellcheck disable=SC2046
	"${CC:-cc}" -std=gnu11 -D_GNU_SOURCE -O2 -I"$root/src" -o "$bin/router_only" \
		"$root/tests/bench/router_only.c" "$build/obj/liblt_router.a" "$build/obj/liblt_base.a" \
		$(pkg-config --libs libwebsockets libuv libcjson zlib openssl) -lmbedcrypto -lpthread -lm
}

daemon=$(cd "$build" && pwd)/livetimingd
if [ "${ROUTER:-}" = alone ]; then
	build_router_only || exit 1
elif [ ! -x "$daemon" ]; then
	echo "bench: $daemon is not built; ROUTER=alone measures the router alone" >&2
	exit 1
fi
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost \
	-keyout "$work/key.pem" -out "$work/cert.pem" 2>/dev/null
start_ours
start_ideal

if [ -n "$cells" ]; then
	echo "## Fan-out, 8 events under way, $rounds rounds (medians)"
	echo
	fanout_head
	for cell in $cells; do
		fanout_row "$cell"
	done
	echo
fi
if [ -n "$bursts" ]; then
	echo "## Fan-out in bursts, 256 events under way"
	echo
	fanout_head
	for cell in $bursts; do
		fanout_row "$cell" --window 256
	done
	echo
fi
if [ -n "$paced" ]; then
	echo "## Paced, 10 events/s"
	echo
	echo "| subscribers x bytes | router | p50 ms | p99 ms | max ms | lost | |"
	echo "|---|---|---|---|---|---|---|"
	for cell in $paced; do
		paced_row "$cell"
	done
	echo
fi
echo "## RPC (recorded: nexus 6.5 k/s with 1 in flight, 21 k/s with 64)"
echo
echo "| calls in flight | calls/s | p99 ms |"
echo "|---|---|---|"
rpc_row 1 10000
rpc_row 64 40000
echo
# a fresh process: what earlier load has left in its heap is not a session's
kill "$ours_pid" && wait "$ours_pid" 2>/dev/null
start_ours
line=$(load connect "$ours" "$ours_pid" --conns 2000 --hold 1)
echo "## Connect, 2000 sessions (recorded: nexus 3.1 k joins/s, 39 KB a session; fox 1.6 k, 15 KB)"
echo
echo "| transport | joins/s | bytes a session |"
echo "|---|---|---|"
echo "| WebSocket | $(value joins_per_s "$line") | $(value bytes_per_session "$line") |"
[[ $line == *"ok=1"* ]] || echo "(failed: $line)"
if [ "${ROUTER:-}" != alone ] && command -v node >/dev/null; then
	line=$(taskset -c 1 node "$root/tests/bench/tls_idle.mjs" "$ours_tls" "$ours_pid" "$tls_sessions" | tail -1)
	echo "| WebSocket over TLS, $tls_sessions | $(value joins_per_s "$line") | $(value bytes_per_session "$line") |"
fi
