#!/bin/bash
# Measure recordings: recording_bench.sh BUILDDIR
#
# Makes simulated races of 1, 6 and 24 hours (HOURS) with 60 cars (CARS) at one frame a second, and
# prints: the time and memory of their analysis, which have to grow with the frames and no faster;
# how long a state at a random time takes from a file that is not in memory (opening it, seeking and
# reading, p50 and p99 of 200); and how late the loop of a daemon is that records 20 services
# (SERVICES) while it finishes the longest of them; what the timeline of that one
# costs; and how fast its analysis answers in a browser.
set -u
build=${1:?usage: recording_bench.sh BUILDDIR}
root=$(cd "$(dirname "$0")/../.." && pwd)
hours=${HOURS:-1 6 24}
cars=${CARS:-60}
services=${SERVICES:-20}
case $build in /*) ;; *) build=$root/$build ;; esac

work=$(mktemp -d)
pid=
finish() {
	[ -z "$pid" ] || kill "$pid" 2>/dev/null
	wait 2>/dev/null
	rm -rf "$work"
}
trap finish EXIT
mkdir -p "$build/bench" "$work/done" "$work/temp" "$work/done2"

tool=$build/bench/recording_bench
libs=$(pkg-config --libs libzip libcjson zlib libuv)
# shellcheck disable=SC2086 # several words on purpose
(cd "$root" && "${CC:-cc}" -O2 -std=gnu11 -D_GNU_SOURCE -Isrc -Iplugins -I"$build/include" -o "$tool" \
	tests/bench/recording_bench.c plugins/simulator/sim*.c \
	-Wl,--start-group "$build"/obj/liblt_{store,race,base}.a -Wl,--end-group \
	$libs -lmbedcrypto -lm -lpthread) || exit 1

# with the right to it, what is timed goes before whatever else this machine does: its own time counts
first=()
if chrt -f 50 true 2>/dev/null; then
	first=(chrt -f 50)
fi

now=$(date +%s)
for h in $hours; do
	seconds=$(awk -v h="$h" 'BEGIN { print int(h * 3600) }')
	journal=$work/temp/$h.journal
	echo "--- $h h, $cars cars"
	"$tool" make "$h" "$cars" $((now - seconds - 2)) "$journal" || exit 1
	cp "$journal" "$work/last.journal"
	"$tool" finalise "$journal" "$work/done" || exit 1
	mv "$work/done/"*24.zip "$work/done/race-$h.zip"
	stat -c %s "$work/done/race-$h.zip" | awk '{ printf "size_mb=%.1f\n", $1 / 1e6 }'
	"$tool" analyse "$work/done/race-$h.zip" "$work/analysis.json" || exit 1
	"${first[@]}" "$tool" seek "$work/done/race-$h.zip" 200 || exit 1
done

echo "--- timeline of the last of the above"
LT_BUILD=$build "${first[@]}" node "$root/tests/bench/timeline_bench.mjs" "$work/done/race-$h.zip"

echo "--- its analysis in the browser"
LT_BUILD=$build node "$root/tests/bench/analysis_bench.mjs" "$work/done/race-$h.zip"

echo "--- loop of a daemon: $services services recorded, the last of the above is finished meanwhile"
mv "$work/last.journal" "$work/temp/00000000000000000000000000000024.journal"
line=
for ((i = 0; i < services; i++)); do
	line="$line simulator --seed $i --cars $cars;"
done
(cd "$work" && exec "${first[@]}" env LIVETIMING_LISTEN=127.0.0.1:0 LIVETIMING_CONTROL_SOCKET="$work/c.sock" \
	LIVETIMING_RECORDINGS_DIR="$work/done2" LIVETIMING_RECORDINGS_TEMP_DIR="$work/temp" \
	LIVETIMING_DVR_IDLE_S=15 LIVETIMING_DVR_SCAN_S=1 LIVETIMING_DVR_RESUME_S=100000000 \
	LIVETIMING_SERVICES="$line" "$build/livetimingd" >"$work/log" 2>&1) &
pid=$!
lag() { "$build/livetimingctl" -s "$work/c.sock" -j status |
	tr -d ' \n' | grep -oE '"lag":\[.*\]\]' | grep -oE '\[[0-9a-z]+,[0-9]+\]' | tr -d '[]'; }
for _ in $(seq 100); do
	grep -q "recording of an earlier run goes on" "$work/log" && break
	sleep 0.2
done
sleep 3
lag >"$work/before"
for _ in $(seq 600); do
	grep -q "recording kept" "$work/log" && break
	sleep 0.2
done
sleep 2
lag >"$work/after"
"$build/livetimingctl" -s "$work/c.sock" status | grep -E "recordings|memory"
grep -E "kept|held up" "$work/log" | tail -3
# "upper bound in us,turns"; null is the rest
paste -d, "$work/before" "$work/after" | awk -F, '{
	turns = $4 - $2; all += turns
	if (turns > 0) printf "lag_up_to_ms=%s turns=%d\n", ($1 == "null") ? "more" : $1 / 1000, turns
	if ($1 == "null" || $1 > 10000) late += turns
} END { printf "turns=%d later_than_10_ms=%d %s\n", all, late, late ? "TOO LATE" : "ok" }'
