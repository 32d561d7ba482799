#!/bin/bash
# clang-tidy with the flags of the build: tidy.sh FLAG ... --files FILE ...
flags=()
while [ "$1" != --files ]; do
	case $1 in
	-Werror | -Wlogical-op | -Wduplicated-cond | -Wnull-dereference | -ftrivial-auto-var-init=*) ;; # gcc's alone
	*) flags+=("$1") ;;
	esac
	shift
done
shift
exec clang-tidy --quiet "$@" -- "${flags[@]}" 2>/dev/null
