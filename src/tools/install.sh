#!/bin/sh
# Copy a build into place: install.sh BUILDDIR DESTDIR PREFIX VERSION.
# Existing settings are left alone.
set -eu
cd "$(dirname "$0")/../.."
build=$1
destdir=$2
prefix=$3
version=$4
root=$destdir$prefix
etc=$prefix/etc/livetimingd
[ "$prefix" != /usr ] || etc=/etc/livetimingd

put() { # mode, source, folder
	install -d "$root/$3"
	install -m "$1" "$2" "$root/$3/"
}

# The same with the paths of this installation: mode, source, target.
put_with_paths() {
	install -d "$(dirname "$root/$3")"
	sed -e "s|/usr/bin/|$prefix/bin/|; s|/etc/livetimingd/|$etc/|" "$2" >"$root/$3"
	chmod "$1" "$root/$3"
}

put 755 "$build/livetimingd" bin
put 755 "$build/livetimingctl" bin
for name in service service-manager directory dvr recordings scheduler schedule rectool analysis recordings-index; do
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
for page in docs/man/*.[1-8]; do
	put 644 "$page" "share/man/man${page##*.}"
done
for example in conf/livetiming.env conf/permissions.json conf/logrotate conf/proxy/* conf/prometheus/*; do
	put 644 "$example" share/doc/livetimingd/examples
done

# --- as a service of the system ---
put_with_paths 644 conf/systemd/livetimingd.service lib/systemd/system/livetimingd.service
put_with_paths 644 conf/systemd/livetimingd.sysusers lib/sysusers.d/livetimingd.conf
put_with_paths 644 conf/systemd/livetimingd.tmpfiles lib/tmpfiles.d/livetimingd.conf
install -d "$destdir$etc"
if [ ! -e "$destdir$etc/livetimingd.conf" ]; then
	# the commented example, with no service and the folders that the unit gives
	sed -e 's|^LIVETIMING_SERVICES=|#LIVETIMING_SERVICES=|' \
		-e 's|^#\(LIVETIMING_STATE_DIR\)=.*|\1=/var/lib/livetimingd/state|' \
		-e 's|^#\(LIVETIMING_ANALYSIS_DIR\)=.*|\1=/var/lib/livetimingd/analysis|' \
		-e 's|^#\(LIVETIMING_RECORDINGS_DIR\)=.*|\1=/var/lib/livetimingd/recordings|' \
		-e 's|^#\(LIVETIMING_RECORDINGS_TEMP_DIR\)=.*|\1=/var/lib/livetimingd/recordings-temp|' \
		-e 's|^#\(LIVETIMING_LOG_DIR\)=.*|\1=/var/log/livetimingd|' \
		-e 's|^#\(LIVETIMING_CONTROL_SOCKET\)=.*|\1=/run/livetimingd/control.sock|' \
		conf/livetiming.env >"$destdir$etc/livetimingd.conf"
	chmod 644 "$destdir$etc/livetimingd.conf"
fi
[ -e "$destdir$etc/livetimingd.env" ] || install -m 640 conf/systemd/livetimingd.env "$destdir$etc/livetimingd.env"
echo "installed; as a service: systemd-sysusers && systemctl enable --now livetimingd; settings: $etc/livetimingd.conf"
