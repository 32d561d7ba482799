#!/bin/sh
# Assemble the page: build-web.sh TARGET. Our files are copied as they are (no
# step between an edit and the browser but this copy); third-party parts are
# bundled from npm into vendor/.
set -eu
cd "$(dirname "$0")/../.."
target=$1
esbuild=src/web/node_modules/.bin/esbuild
if [ ! -x "$esbuild" ]; then
	echo "the npm packages of the page are missing: run make deps" >&2
	exit 1
fi
rm -rf "$target.new"
mkdir -p "$target.new/vendor"
(cd src/web && find . -path ./node_modules -prune -o -path ./vendor -prune -o -type f \
	! -name 'package*.json' ! -name '.npmrc' -print) | while read -r file; do
	mkdir -p "$target.new/$(dirname "$file")"
	cp "src/web/$file" "$target.new/$file"
done
for entry in src/web/vendor/*.js; do
	"$esbuild" "$entry" --bundle --minify --format=esm --target=es2020 --log-level=warning \
		--outfile="$target.new/vendor/$(basename "$entry")"
done
fonts=src/web/node_modules/@fontsource/barlow-semi-condensed
mkdir "$target.new/fonts"
for weight in 400 600; do
	cp "$fonts/files/barlow-semi-condensed-latin-$weight-normal.woff2" "$target.new/fonts/barlow-$weight.woff2"
done
cp "$fonts/LICENSE" "$target.new/fonts/LICENSE.txt"
touch "$target.new/.built"
rm -rf "$target"
mv "$target.new" "$target"
