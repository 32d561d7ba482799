#!/bin/sh
# The manual against the program: check_manual.sh BUILDDIR. Every setting of the
# table stands in conf/livetiming.env and livetiming.env(5), every command of
# livetimingctl in livetimingctl(1), every option of livetimingd in
# livetimingd(8), every plugin with its options in livetiming-plugins(7), and
# none of them has more. Names what is missing.
set -eu
cd "$(dirname "$0")/../.."
build=$1
lists=$(mktemp -d)
trap 'rm -rf "$lists"' EXIT
failed=0

# Lines of the first list that are not in the second.
compare() { # what is said about them, list, list
	comm -23 "$lists/$2" "$lists/$3" >"$lists/missing"
	while read -r name; do
		echo "$name: $1"
	done <"$lists/missing"
	[ ! -s "$lists/missing" ] || failed=1
}

sed -n '/lt_daemon_conf_keys\[\]/,/^};/p' src/daemon/conf_keys.c | grep -oE '"[A-Z][A-Z_0-9]+"' | tr -d '"' |
	sort -u >"$lists/settings"
[ -s "$lists/settings" ] || {
	echo "no setting found in src/daemon/conf_keys.c"
	exit 1
}
# settings that whoever starts the process gives do not belong into a file
grep -vE '^(XDG_RUNTIME_DIR|NOTIFY_SOCKET|WATCHDOG_USEC|WATCHDOG_PID|TZ)$' "$lists/settings" >"$lists/own"
grep -oE '\b(LIVETIMING|CALENDAR|TWITTER|SENTRY)_[A-Z_0-9]*[A-Z0-9]\b|^#?(REINDEX|GENERATE_ANALYSIS)\b' conf/livetiming.env |
	tr -d '#' | sort -u >"$lists/example"
sed -n 's/^\.It Ev \([A-Z_0-9]*\).*/\1/p' docs/man/livetiming.env.5 | sort -u >"$lists/page"
compare "not in conf/livetiming.env" own example
compare "not in docs/man/livetiming.env.5 (.It Ev NAME)" settings page
compare "in conf/livetiming.env, but no setting" example settings
compare "in docs/man/livetiming.env.5, but no setting" page settings

"$build/livetimingctl" help | sed -nE 's/^  ([a-z]+( [a-z-]+)?)( .*)?$/\1/p' | sort -u >"$lists/commands"
sed -nE 's/^\.It Ic ([a-z]+( [a-z-]+)?)( .*)?$/\1/p' docs/man/livetimingctl.1 | sort -u >"$lists/page"
compare "not in docs/man/livetimingctl.1 (.It Ic NOUN VERB)" commands page
compare "in docs/man/livetimingctl.1, but no command" page commands

"$build/livetimingd" --help | grep -oE -- '--[a-z-]+' | sort -u >"$lists/options"
grep -oE '^\.It Fl -[a-z-]+' docs/man/livetimingd.8 | sed 's/^\.It Fl -/--/' | sort -u >"$lists/page"
compare "not in docs/man/livetimingd.8 (.It Fl -NAME)" options page
compare "in docs/man/livetimingd.8, but no option" page options

# "NAME" and "NAME --OPTION" of every bundled plugin: .Ss NAME, .It Fl -OPTION
for folder in plugins/*/; do
	name=$(basename "$folder")
	[ "$name" != template ] || continue
	echo "$name"
	cat "$folder"*.c | sed -n '/lt_plugin_option .*\[\] = {/,/^};/p' | grep -oE '\.name = "[a-z-]+"' |
		sed "s/^.*\"\(.*\)\"/$name --\1/"
done | sort -u >"$lists/plugins"
sed -nE '/^\.Sh DESCRIPTION/,/^\.Sh SEE/p' docs/man/livetiming-plugins.7 | awk '
	$1 == ".Ss" { print name = $2 }
	name && $1 == ".It" && $2 == "Fl" { print name " -" $3 }' | sort -u >"$lists/page"
compare "not in docs/man/livetiming-plugins.7 (.Ss NAME, .It Fl -OPTION)" plugins page
compare "in docs/man/livetiming-plugins.7, but no plugin or option" page plugins
exit "$failed"
