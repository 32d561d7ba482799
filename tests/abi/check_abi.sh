#!/bin/sh
# The plugin header: layout frozen, self-contained, C99 and C++11, with every compiler at hand.
set -u
cd "$(dirname "$0")/../.." || exit 1
build=${1:-build}
status=0
include=$build/include
mkdir -p "$include/livetiming"
cp src/livetiming_plugin.h "$include/livetiming/plugin.h" || exit 1

try() { # compiler and flags
	"$@" -Wall -Wextra -Wpedantic -Werror -I"$include" -fsyntax-only || {
		echo "failed: $*"
		status=1
	}
}

for compiler in gcc clang; do
	if command -v "$compiler" >/dev/null; then
		# offsets are checked in C11; the header itself has to be good C99
		try "$compiler" -std=c11 tests/abi/layout.c
		try "$compiler" -std=c99 tests/abi/header.c
	fi
done
for compiler in g++ clang++; do
	if command -v "$compiler" >/dev/null; then
		try "$compiler" -std=c++11 -x c++ tests/abi/header.c
	fi
done
[ $status -eq 0 ] && echo "plugin interface: layout and header are sound"
exit $status
