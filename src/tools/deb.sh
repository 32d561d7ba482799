#!/bin/sh
# Debian packages of what was built: deb.sh BUILDDIR VERSION. The tree to build
# from is staged in BUILDDIR/deb with conf/debian as its debian/, and the page as
# it was built here, since packages cannot ask npm. The packages are left there,
# judged by lintian.
set -eu
cd "$(dirname "$0")/../.."
build=$1
version=$2
deb=$(pwd)/$build/deb
stage=$deb/livetimingd-$version

packaged=$(sed -n '1s/.*(\(.*\)).*/\1/p' conf/debian/changelog)
if [ "$packaged" != "$version" ]; then
	echo "conf/debian/changelog is of version $packaged, the Makefile of $version" >&2
	exit 1
fi
rm -rf "$deb"
mkdir -p "$stage/build"
# what belongs to the sources, whether committed or not
git ls-files -co --exclude-standard Makefile LICENSE README.md src plugins conf docs | while read -r file; do
	[ ! -f "$file" ] || printf '%s\0' "$file"
done | xargs -0 cp -p --parents -t "$stage"
mv "$stage/conf/debian" "$stage/debian"
cp "$stage/conf/systemd/livetimingd.service" "$stage/conf/systemd/livetimingd.sysusers" \
	"$stage/conf/systemd/livetimingd.tmpfiles" "$stage/debian/"
cp "$stage/conf/logrotate" "$stage/debian/livetimingd.logrotate"
cp -r "$build/www" "$stage/build/www"
touch "$stage/build/www/.built"
# the licences of what the page contains
tail -n +3 "$build/www/fonts/LICENSE.txt" | sed 's/[[:space:]]*$//; s/^$/./; s/^/ /' >>"$stage/debian/copyright"

(cd "$stage" && dpkg-buildpackage -b -us -uc -j"$(nproc)") >"$deb/build.log" 2>&1 || {
	tail -n 60 "$deb/build.log" >&2
	exit 1
}
lintian --fail-on error,warning --allow-root "$deb"/*.changes
echo "packages:"
ls -1 "$deb"/*.deb
