#!/usr/bin/env bash
# Installs what the program and its tests need and this machine lacks:
#   servers   MariaDB server and client programs, Redis server
#   browser   Chromium, for the browser tests
# On Debian and Ubuntu by apt (as root or with sudo), on macOS by brew. No
# service is started: secmon runs its servers as private child processes.
set -euo pipefail

say() { echo "[install-deps] $*"; }

have() { command -v "$1" >/dev/null 2>&1 || [ -x "/usr/sbin/$1" ] || [ -x "/opt/homebrew/bin/$1" ]; }

missing=()
for group in "$@"; do
  case "$group" in
    servers)
      { have mariadbd && have mariadb-install-db; } || missing+=(mariadb)
      have redis-server || missing+=(redis) ;;
    browser)
      { have chromium || [ -d "/Applications/Chromium.app" ]; } || missing+=(chromium) ;;
    *)
      echo "usage: $0 [servers] [browser]" >&2
      exit 2 ;;
  esac
done

if [ ${#missing[@]} -eq 0 ]; then
  say "nothing to install: $* are there"
  exit 0
fi

if [ "$(uname)" = Darwin ]; then
  say "installing ${missing[*]} with brew"
  for name in "${missing[@]}"; do
    if [ "$name" = chromium ]; then brew install --cask chromium; else brew install "$name"; fi
  done
  exit 0
fi

if ! command -v apt-get >/dev/null 2>&1; then
  say "this system has neither apt nor brew; install by hand: ${missing[*]}"
  exit 1
fi

root=()
if [ "$(id -u)" -ne 0 ]; then
  command -v sudo >/dev/null 2>&1 || { say "needs root or sudo to install ${missing[*]}"; exit 1; }
  root=(sudo)
fi

packages=()
for name in "${missing[@]}"; do
  case "$name" in
    mariadb) packages+=(mariadb-server-core mariadb-client-core) ;;
    redis) packages+=(redis-server) ;;
    chromium) packages+=(chromium) ;;
  esac
done

# A package of a server starts a service by itself; this keeps it from doing so.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  printf '#!/bin/sh\nexit 101\n' | "${root[@]}" tee "$policy" >/dev/null
  "${root[@]}" chmod +x "$policy"
  trap '"${root[@]}" rm -f "$policy"' EXIT
fi

say "installing ${packages[*]} with apt"
install() { "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "${packages[@]}"; }
# Without a package list apt knows none of the names; then fetch it and go on.
install 2>/dev/null || { say "fetching the package lists"; "${root[@]}" apt-get update; install; }
say "done"
