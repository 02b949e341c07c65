#!/bin/sh
# Puts what NGINX needs to run, and nothing else, into a directory: the program and
# its libraries of this Debian, and a user. The frontend's image is this directory:
# no shell, no package manager. The Dockerfile runs it; so does scripts/image.sh.
#   images/frontend/rootfs.sh DIRECTORY [LIST]
# LIST gets a line for each Debian package that a file came from (make sbom).
set -eu

root=${1:?"usage: $0 DIRECTORY [LIST]"}
list=${2:-}
nginx=$(command -v nginx || echo /usr/sbin/nginx)
mkdir -p "$root/usr/sbin" "$root/etc" "$root/tmp" "$root/usr/share/secmon"
cp "$nginx" "$root/usr/sbin/nginx"

# ldd prints "name => /path (address)" and, for the loader, "/path (address)".
ldd "$nginx" | grep -o '/[^ ]*' | while read -r library; do
  mkdir -p "$root$(dirname "$library")"
  cp -L "$library" "$root$library"
done
# The C library opens this one by name, for getpwnam.
for library in /lib/*-linux-gnu/libnss_files.so.2; do
  [ -e "$library" ] && cp -L "$library" "$root$library"
done

echo 'secmon:x:65532:65532:secmon:/tmp:/sbin/nologin' > "$root/etc/passwd"
echo 'secmon:x:65532:' > "$root/etc/group"
chmod 1777 "$root/tmp"

# Whether dpkg knows a library under /lib or /usr/lib differs between packages.
if [ -n "$list" ]; then
  find "$root/usr/sbin" "$root"/lib* -type f | while read -r file; do
    path=${file#"$root"}
    package=$(dpkg-query -S "$path" 2>/dev/null || dpkg-query -S "/usr$path" 2>/dev/null || dpkg-query -S "$(readlink -f "$path")" 2>/dev/null || dpkg-query -S "${path#/usr}" 2>/dev/null) ||
      { echo "rootfs.sh: no package has $path" >&2; exit 1; }
    dpkg-query -W -f '${Package} ${Version} ${Architecture}\n' "${package%%: *}"
  done | sort -u > "$list"
fi
