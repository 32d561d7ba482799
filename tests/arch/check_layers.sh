#!/bin/sh
# Dependencies point one way (docs/architecture.md). Each rule: a folder and the layers it may include.
set -u
cd "$(dirname "$0")/../.." || exit 1
status=0

allow() { # folder, allowed layers
	folder=$1
	shift
	pattern=$(echo "$folder $*" | tr ' ' '|')
	bad=$(grep -rnE '^#[[:space:]]*include "' "src/$folder" --include='*.[ch]' | grep -vE "include \"($pattern)/" |
		grep -v 'include "livetiming_plugin.h"')
	if [ -n "$bad" ]; then
		printf 'src/%s may include only: %s\n%s\n' "$folder" "$*" "$bad"
		status=1
	fi
}

allow base
allow calendar base
allow net base
allow router base
allow mesh router net base
allow race base
allow store race base
allow services store race mesh router net calendar base
allow cli store race net calendar base

only() { # pattern, where it may stand, what it is
	bad=$(grep -rlE "$1" src --include='*.[ch]' | grep -vE "$2")
	if [ -n "$bad" ]; then
		printf '%s belongs only in %s, found in:\n%s\n' "$3" "$2" "$bad"
		status=1
	fi
}

only '#[[:space:]]*include <libwebsockets.h>' 'src/router/(transport_|http)|src/net/(lws|ws_)' libwebsockets
only '#[[:space:]]*include <uv.h>' 'src/base/loop_uv.c' libuv
only '#[[:space:]]*include <mbedtls/' 'src/base/(crypto|random).c' mbedtls
only '#[[:space:]]*include <curl/' 'src/net/fetch' libcurl
only '#[[:space:]]*include <zip.h>' 'src/store/' libzip
only '#[[:space:]]*include <libical/' 'src/calendar/' libical
only '#[[:space:]]*include <miniupnpc/' 'src/services/outside/portmap.c' miniupnpc
only '#[[:space:]]*include <nats' 'src/mesh/(nats_|bus_nats)' libnats
only '#[[:space:]]*include <uthash.h>' 'src/base/table.h' uthash

bad=$(grep -rnE '^#[[:space:]]*include' plugins --include='*.[ch]' | grep -E '"(base|calendar|net|router|mesh|race|store|services|cli)/')
if [ -n "$bad" ]; then
	printf 'plugins see <livetiming/plugin.h> alone:\n%s\n' "$bad"
	status=1
fi
exit $status
