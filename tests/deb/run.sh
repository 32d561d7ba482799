#!/bin/bash
# The packages in BUILDDIR/deb in a system of their own: run.sh BUILDDIR. Made
# by debootstrap, with nothing in it but what the packages ask for. Installed,
# run as the unit runs it, upgraded, purged; what must be left is looked for
# after each step. Needs root and a Debian mirror (MIRROR).
set -eu
cd "$(dirname "$0")/../.."
build=$1
mirror=${MIRROR:-http://deb.debian.org/debian}
passed=0

fail() {
	echo "FAILED: $1" >&2
	echo "0 passed, 1 failed"
	exit 1
}
check() { # sentence, command ...
	local sentence=$1
	shift
	"$@" >/dev/null 2>&1 || fail "$sentence ($*)"
	passed=$((passed + 1))
	echo "ok $passed - $sentence"
}
if [ "$(id -u)" != 0 ] || ! unshare --mount --pid --fork true 2>/dev/null; then
	echo "SKIPPED: only root, and not inside of every container, may make a system"
	echo "0 passed, 0 failed"
	exit 0
fi
if [ -z "${LT_IN_NAMESPACE:-}" ]; then # mounts and processes end with this script
	LT_IN_NAMESPACE=1 exec unshare --mount --pid --fork "$0" "$@"
fi

root=$(mktemp -d /var/tmp/livetiming-deb.XXXXXX)
chmod 755 "$root" # its users may enter
# shellcheck disable=SC2064 # the folder of now
trap "umount '$root/proc' 2>/dev/null; rm -rf --one-file-system '$root'" EXIT
inside() {
	env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C DEBIAN_FRONTEND=noninteractive chroot "$root" "$@"
}
debootstrap --variant=minbase bookworm "$root" "$mirror" >"$build/deb/debootstrap.log" 2>&1 ||
	fail "debootstrap: $(tail -n 3 "$build/deb/debootstrap.log")"
mount -t proc proc "$root/proc"
printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d" # nothing is started here
chmod 755 "$root/usr/sbin/policy-rc.d"
mkdir "$root/packages"
for package in livetimingd livetimingctl livetiming-dev; do
	cp "$build"/deb/"$package"_*.deb "$root/packages/$package.deb"
done

apt_get() {
	inside apt-get -q -y --no-install-recommends -o Dpkg::Use-Pty=0 "$@" >"$build/deb/apt.log" 2>&1 ||
		fail "apt-get $*: $(tail -n 15 "$build/deb/apt.log")"
}

# --- installed ---
apt_get install /packages/livetimingd.deb /packages/livetimingctl.deb /packages/livetiming-dev.deb
check "the packages bring all that they need" inside livetimingd --version
check "the system user is there" inside getent passwd livetimingd
check "its settings are fine" inside livetimingd --config /etc/livetimingd/livetimingd.conf --check-config
check "secrets are not for everybody" [ "$(stat -c %a "$root/etc/livetimingd/livetimingd.env")" = 640 ]
check "the service is enabled" [ -L "$root/etc/systemd/system/multi-user.target.wants/livetimingd.service" ]
check "its folder belongs to the user" [ "$(inside stat -c %U /var/lib/livetimingd)" = livetimingd ]
for page in man8/livetimingd.8 man1/livetimingctl.1 man5/livetiming.env.5 man3/livetiming-plugin.3 man1/livetiming-service.1; do
	check "the manual has $page" [ -e "$root/usr/share/man/$page.gz" ]
done
cp -r "$root/usr/share/doc/livetiming-dev/examples/template" "$root/packages/template"
check "the template builds with the installed header" \
	make -C "$root/packages/template" LIVETIMING_INCLUDE="$root/usr/include"

# --- runs, as the unit has it ---
start() {
	inside install -d -o livetimingd -g livetimingd /run/livetimingd
	inside su -s /bin/sh livetimingd -c 'cd /var/lib/livetimingd && umask 0027 &&
		LIVETIMING_LISTEN=127.0.0.1:0 exec livetimingd --config /etc/livetimingd/livetimingd.conf' \
		>>"$build/deb/daemon.log" 2>&1 &
	until_true "the daemon answers" inside livetimingctl status
}
until_true() { # sentence, command ...
	local sentence=$1 i
	shift
	for ((i = 0; i < 600; i++)); do
		! "$@" >/dev/null 2>&1 || {
			check "$sentence" true
			return
		}
		sleep 0.1
	done
	fail "$sentence: $(tail -n 20 "$build/deb/daemon.log")"
}
stop() {
	# shellcheck disable=SC2016 # expanded in the system
	inside sh -c 'kill $(cat /proc/[0-9]*/stat | sed -n "s/^\([0-9]*\) (livetimingd) .*/\1/p")'
	wait || true
}
: >"$build/deb/daemon.log"
start
check "a service starts" inside livetimingctl service start simulator --seed 7
recording() {
	inside livetimingctl -j recordings list | grep -qE '"frames": *[1-9]'
}
until_true "it is recorded" recording
address=$(inside livetimingctl status | sed -n 's/^listening *//p')
check "the page is there" curl -sf "http://$address/" -o /dev/null
check "it is ready" curl -sf "http://$address/readyz" -o /dev/null
stop
journals() {
	ls "$root"/var/lib/livetimingd/recordings-temp/*
}
check "the recording waits for the next start" journals
echo "kept" >"$root/var/lib/livetimingd/recordings/club.zip"

# --- upgraded: the same packages with a later version ---
for package in livetimingd livetimingctl livetiming-dev; do
	dpkg-deb -R "$root/packages/$package.deb" "$root/packages/$package"
	sed -i -E 's/^Version: (.*)/Version: \1+later/; s/(livetimingctl \(= [^)]*)\)/\1+later)/' \
		"$root/packages/$package/DEBIAN/control"
	dpkg-deb -b "$root/packages/$package" "$root/packages/$package-later.deb" >/dev/null
done
echo "LIVETIMING_LOG_LEVEL=debug" >>"$root/etc/livetimingd/livetimingd.conf"
apt_get -o Dpkg::Options::=--force-confold install /packages/livetimingd-later.deb \
	/packages/livetimingctl-later.deb /packages/livetiming-dev-later.deb
# shellcheck disable=SC2016 # dpkg-query expands it
check "the upgrade is in" [ "$(inside dpkg-query -W -f '${Version}' livetimingd | grep -c later)" = 1 ]
check "it keeps changed settings" grep -q LOG_LEVEL=debug "$root/etc/livetimingd/livetimingd.conf"
check "it keeps recordings" [ "$(cat "$root/var/lib/livetimingd/recordings/club.zip")" = kept ]
check "it keeps those in progress" journals
start
until_true "the service is back" recording
stop

# --- purged ---
apt_get purge livetimingd livetimingctl livetiming-dev
check "purge keeps recordings" [ "$(cat "$root/var/lib/livetimingd/recordings/club.zip")" = kept ]
check "purge keeps those in progress" journals
check "purge takes states, logs and settings" [ -z "$(ls -d "$root/var/lib/livetimingd/state" \
	"$root/var/log/livetimingd" "$root/etc/livetimingd/livetimingd.conf" 2>/dev/null)" ]
check "nothing of the programs is left" [ ! -e "$root/usr/bin/livetimingd" ]

# --- the container: each line of the Dockerfile, in this system ---
dockerfile=$(sed -e ':a' -e '/\\$/{N;s/\\\n//;ba' -e '}' conf/container/Dockerfile)
line() { # instruction
	echo "$dockerfile" | sed -n "s/^$1 //p"
}
words() { # ["a", "b"]
	line "$1" | sed -n 's/.*\[\(.*\)\]$/\1/p' | tr -d '",'
}
check "the image begins with this system" [ "$(line FROM)" = debian:bookworm-slim ]
read -r -a copied <<<"$(line COPY)"
target=${copied[-1]}
mkdir -p "$root$target"
for pattern in "${copied[@]:0:${#copied[@]}-1}"; do
	# shellcheck disable=SC2086 # a pattern
	cp "$build"/deb/$pattern "$root$target"
done
inside sh -ec "$(line RUN)" >"$build/deb/container.log" 2>&1 || fail "RUN: $(tail -n 15 "$build/deb/container.log")"
check "what RUN says is done" inside livetimingd --version
check "its folders belong to the user" [ "$(inside stat -c %U /data)" = "$(line USER)" ]
read -r -a settings <<<"$(line ENV)"
container() {
	inside su -s /bin/sh "$(line USER)" -c "cd $(line WORKDIR) && exec env ${settings[*]} LIVETIMING_LISTEN=127.0.0.1:0 $*"
}
container "$(words CMD)" >>"$build/deb/daemon.log" 2>&1 &
# shellcheck disable=SC2046 # words
until_true "the container is healthy" container $(words HEALTHCHECK)
check "it stops as docker stops it" stop
check "its files are in the volume" [ -d "$root$(line VOLUME)/state" ]
echo "$passed passed, 0 failed"
