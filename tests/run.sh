#!/bin/sh
# Run the tests of a build: run.sh BUILDDIR [unit|scenario]. Prints what failed
# in full, everything else as a line, and ends with "N passed, N failed, N skipped".
set -u
cd "$(dirname "$0")/.." || exit 1
build=$1
what=${2:-all}
SHARED_DIR=${SHARED_DIR:-../shared}
export SHARED_DIR LT_BUILD="$build" CMOCKA_MESSAGE_OUTPUT=TAP
export ASAN_OPTIONS="${ASAN_OPTIONS:-allow_user_segv_handler=0:detect_leaks=1}"
export UBSAN_OPTIONS="${UBSAN_OPTIONS:-print_stacktrace=1}"
LSAN_OPTIONS="${LSAN_OPTIONS:-suppressions=$PWD/tests/lsan.supp:print_suppressions=0}"
export LSAN_OPTIONS
passed=0
failed=0
skipped=0
out=$(mktemp)

# Add up the TAP lines in $out of one program that ended with status $2.
count() { # name, status
	# cmocka calls a skipped test "not ok N # SKIP name"
	sed -i -E 's/^( *)not ok ([0-9]+ # SKIP)/\1ok \2/' "$out"
	ok=$(grep -cE '^ *ok ' "$out")
	skip=$(grep -cE '^ *ok .*# SKIP' "$out")
	bad=$(grep -cE '^ *not ok ' "$out")
	if [ "$2" != 0 ] && [ "$bad" = 0 ]; then
		bad=1 # crashed, or a sanitizer ended it
	fi
	if [ $((ok + bad)) = 0 ]; then
		bad=1
		echo "no test ran in $1"
	fi
	passed=$((passed + ok - skip))
	skipped=$((skipped + skip))
	failed=$((failed + bad))
	if [ "$bad" != 0 ]; then
		echo "FAILED $1 (exit status $2)"
		cat "$out"
	else
		echo "ok     $1: $((ok - skip)) passed$([ "$skip" = 0 ] || echo ", $skip skipped")"
	fi
	grep -E 'SKIPPED:' "$out" | sort | uniq -c
}

# A script that passes or fails as a whole.
check() { # name, command ...
	name=$1
	shift
	"$@" >"$out" 2>&1
	status=$?
	[ "$status" = 0 ] && echo "ok 1 - $name" >>"$out"
	count "$name" "$status"
}

# Run each line of standard input, "name command ...", n at once, for at most so many
# seconds each: $logs/name is what it printed, $logs/name.status how it ended.
together() { # n, seconds
	# shellcheck disable=SC2016 # expanded by the inner shell
	seconds=$2 xargs -P "$1" -L 1 sh -c '
		log=$logs/$(echo "$0" | tr / %)
		timeout "$seconds" "$@" >"$log" 2>&1
		echo $? >"$log.status"'
}

logs=$(mktemp -d)
trap 'rm -rf "$out" "$logs"' EXIT
export logs
if [ "$what" != scenario ]; then
	units=
	for test in tests/unit/*/*_test.c; do
		name=${test#tests/unit/}
		units="$units ${name%.c}"
	done
	for name in $units; do
		echo "$name $build/tests/$name"
	done | together "${UNIT_JOBS:-2}" 300
	fuzzers=
	for corpus in tests/fuzz/corpus/*; do
		fuzzers="$fuzzers fuzz/${corpus##*/}"
	done
	for name in $fuzzers; do
		echo "$name $build/tests/$name $(echo "tests/fuzz/corpus/${name#*/}"/*)"
	done | together "${UNIT_JOBS:-2}" 300
	for name in $units $fuzzers; do
		log=$logs/$(echo "$name" | tr / %)
		cp "$log" "$out"
		count "$name" "$(cat "$log.status")"
	done
	check "layers" tests/arch/check_layers.sh
	check "plugin interface" tests/abi/check_abi.sh "$build"
	check "manual" tests/arch/check_manual.sh "$build"
fi
if [ "$what" != unit ]; then
	# They wait more than they compute: several files at once, each with a daemon of its own.
	for test in tests/scenario/*.test.mjs; do
		echo "${test#tests/} node --test --test-reporter=tap $test"
	done | together "${SCENARIO_JOBS:-3}" 600
	for test in tests/scenario/*.test.mjs; do
		name=${test#tests/}
		log=$logs/$(echo "$name" | tr / %)
		# node nests the tests of a file inside one entry for the file: count the tests alone
		sed -E '/^(not )?ok [0-9]+ - .*\.test\.mjs/d; /^# (tests|suites|pass|fail)/d' "$log" >"$out"
		count "$name" "$(cat "$log.status")"
	done
fi

if [ ! -d "$SHARED_DIR" ]; then
	echo "SKIPPED: the reference data is absent; set SHARED_DIR to run $skipped more tests"
fi
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ]
