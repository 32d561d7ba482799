#!/bin/sh
# Install what is missing, and nothing else: deps.sh build | test | deb | all
#   build  compile and run          test  the same plus test libraries, clients and a browser
#   all    the same plus the tools of `make lint`    deb   build, and the tools of `make deb`
set -eu
cd "$(dirname "$0")/../.."
what=${1:-all}

packages="gcc make pkg-config ca-certificates libwebsockets-dev libwebsockets-evlib-uv libuv1-dev libcjson-dev libzip-dev
	libical-dev libcurl4-openssl-dev libmbedtls-dev uthash-dev zlib1g-dev libssl-dev libev-dev libminiupnpc-dev libnats-dev"
test_packages="g++ clang libclang-rt-14-dev libcmocka-dev libmpack-dev libcbor-dev chromium openssl procps zip curl
	python3-autobahn python3-yaml nats-server haproxy iproute2"
lint_packages="clang-format clang-tidy shellcheck git mandoc"
deb_packages="debhelper dpkg-dev fakeroot lintian git debootstrap curl"
case $what in
build) ;;
test) packages="$packages $test_packages" ;;
all) packages="$packages $test_packages $lint_packages" ;;
deb) packages="$packages $deb_packages" ;;
*)
	echo "usage: deps.sh build|test|deb|all" >&2
	exit 2
	;;
esac
# Node.js may have come from elsewhere; Debian's is fine too.
command -v node >/dev/null || packages="$packages nodejs"
command -v npm >/dev/null || packages="$packages npm"

missing=
for package in $packages; do
	dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing="$missing $package"
done
if [ -n "$missing" ]; then
	sudo=
	if [ "$(id -u)" != 0 ]; then
		command -v sudo >/dev/null || {
			echo "these packages are missing; install them as root, or install sudo:$missing" >&2
			exit 1
		}
		sudo=sudo
	fi
	echo "installing with apt (minutes, the first time):$missing"
	log=$(mktemp)
	# shellcheck disable=SC2086 # a list of words
	if ! { $sudo apt-get update -q &&
		$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends $missing; } >"$log" 2>&1; then
		tail -n 30 "$log" >&2
		echo "apt-get could not install the packages; all of its output is in $log" >&2
		exit 1
	fi
	rm -f "$log"
fi

# Exactly what the lock file says, again only when it changed.
npm_install() { # folder
	stamp=$1/node_modules/.installed
	[ ! -L "$1/node_modules" ] || return 0 # another tree's, which keeps it; npm would empty it
	if [ -z "$(find "$stamp" -newer "$1/package-lock.json" 2>/dev/null)" ]; then
		echo "installing with npm: what $1/package-lock.json lists"
		(cd "$1" && npm ci --no-fund --no-audit --loglevel=error)
		touch "$stamp"
	fi
}
npm_install src/web
[ "$what" = build ] || [ "$what" = deb ] || npm_install tests
