#!/bin/sh
# Copy a build into place: install.sh BUILDDIR DESTDIR PREFIX VERSION.
# An existing settings file is left alone.
set -eu
cd "$(dirname "$0")/../.."
build=$1
destdir=$2
prefix=$3
version=$4
root=$destdir$prefix

put() { # mode, source, folder
	install -d "$root/$3"
	install -m "$1" "$2" "$root/$3/"
}

put 755 "$build/livetimingd" bin
put 755 "$build/livetimingctl" bin
for name in service service-manager directory dvr recordings scheduler rectool analysis recordings-index; do
	ln -sf livetimingctl "$root/bin/livetiming-$name"
done
for plugin in "$build"/plugins/*.so; do
	put 755 "$plugin" lib/livetiming/plugins
done

# the page: all of it, and nothing that an older version left
rm -rf "$root/share/livetiming/www"
(cd "$build/www" && find . -type f ! -name '.*') | while read -r file; do
	put 644 "$build/www/$file" "share/livetiming/www/$(dirname "$file")"
done

install -d "$root/include/livetiming"
install -m 644 src/livetiming_plugin.h "$root/include/livetiming/plugin.h"
install -d "$root/lib/pkgconfig"
cat >"$root/lib/pkgconfig/livetiming.pc" <<PC
prefix=$prefix
includedir=\${prefix}/include
plugindir=\${prefix}/lib/livetiming/plugins

Name: livetiming
Description: Plugin interface of livetimingd
Version: $version
Cflags: -I\${includedir}
PC

install -d "$root/share/bash-completion/completions"
install -m 644 conf/livetimingctl.bash "$root/share/bash-completion/completions/livetimingctl"
put 644 conf/permissions.json share/livetiming
put 644 conf/livetiming.env share/livetiming
etc=$prefix/etc/livetiming
[ "$prefix" != /usr ] || etc=/etc/livetiming
install -d "$destdir$etc"
[ -e "$destdir$etc/livetiming.env" ] || install -m 640 conf/livetiming.env "$destdir$etc/livetiming.env"
for page in docs/man/*.[1-8]; do
	[ ! -e "$page" ] || put 644 "$page" "share/man/man${page##*.}"
done
echo "installed; to start it: $prefix/bin/livetimingd --config $etc/livetiming.env"
