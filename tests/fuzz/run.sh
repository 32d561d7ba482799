#!/bin/sh
# Run fuzz targets for a while each: run.sh BUILDDIR SECONDS TARGET ...
# New inputs stay in the build; a crash is kept in corpus/<target>, where the
# normal tests replay it from then on.
set -eu
cd "$(dirname "$0")/../.."
build=$1
seconds=$2
shift 2
failed=0
for name in "$@"; do
	mkdir -p "$build/fuzz-found/$name"
	if ! "$build/fuzz/$name" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=1024 -print_final_stats=1 \
		-artifact_prefix="tests/fuzz/corpus/$name/" "$build/fuzz-found/$name" "tests/fuzz/corpus/$name" \
		>"$build/fuzz-found/$name.log" 2>&1; then
		failed=1
		echo "FAILED $name"
		tail -40 "$build/fuzz-found/$name.log"
	fi
	echo "$name: $(sed -n 's/^stat::number_of_executed_units: *//p' "$build/fuzz-found/$name.log") executions"
done
exit $failed
