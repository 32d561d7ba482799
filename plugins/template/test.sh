#!/bin/sh
# Tests template.so: the conformance test of livetimingctl, and what the fixture
# makes of it. `make check` builds it first.
set -eu
cd "$(dirname "$0")"

report=$("${LIVETIMINGCTL:-livetimingctl}" plugin check --fixture fixtures/laps.txt \
	./template.so --host 127.0.0.1) || {
	echo "$report"
	exit 1
}
echo "$report"

# fixtures/laps.txt has 8 good lines and 3 damaged ones
case $report in
*"records 8, damaged 3"*) ;;
*)
	echo "the fixture was not read as expected: records 8, damaged 3" >&2
	exit 1
	;;
esac
