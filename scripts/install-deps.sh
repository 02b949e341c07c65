#!/usr/bin/env bash
# Installs what the program and its tests need and this machine lacks:
#   servers   MariaDB server and client programs, Redis server
#   browser   Chromium, for the browser tests
#   promtool  Prometheus's checker of rules
#   nginx     NGINX, for the tests of its configuration and of rolling restarts
#   images    buildah, which builds and compares the images
#   shippers  rsyslog with its output to Elasticsearch and with TLS, for the tests that send by it;
#             and syslog-ng, unpacked under bin/shippers: Debian installs one of the two
#   checks    shellcheck, jq and curl, for the pipeline's scripts and their checks
# On Debian and Ubuntu by apt (as root or with sudo), on macOS by brew. No
# service is started: secmon runs its servers as private child processes.
set -euo pipefail
shippers=$(cd "$(dirname "$0")/.." && pwd)/bin/shippers

say() { echo "[install-deps] $*"; }
die() { echo "[install-deps] $*" >&2; exit 1; }

# Servers are in sbin, which is not on the PATH of every user.
have() {
  local dir
  command -v "$1" >/dev/null 2>&1 && return
  for dir in /usr/sbin /usr/local/sbin /opt/homebrew/bin; do
    [ -x "$dir/$1" ] && return
  done
  return 1
}

have_browser() {
  have chromium || have chromium-browser || [ -d /Applications/Chromium.app ] || [ -x "${SECMON_CHROMIUM:-}" ]
}

missing=()
unpack=
for group in "$@"; do
  case "$group" in
    servers)
      { have mariadbd && have mariadb-install-db; } || missing+=(mariadb)
      have redis-server || missing+=(redis) ;;
    browser)
      have_browser || missing+=(chromium) ;;
    promtool)
      have promtool || missing+=(prometheus) ;;
    nginx)
      have nginx || missing+=(nginx) ;;
    images)
      have buildah || missing+=(buildah) ;;
    shippers)
      if [ "$(uname)" = Darwin ] || have syslog-ng; then
        say "rsyslog is left out: it is for Linux, and takes the place of syslog-ng"
      else
        have rsyslogd || missing+=(rsyslog)
        compgen -G '/usr/lib/*/rsyslog/omelasticsearch.so' >/dev/null || missing+=(omelasticsearch)
        compgen -G '/usr/lib/*/rsyslog/lmnsd_ossl.so' >/dev/null || missing+=(rsyslog-openssl)
        [ -x "$shippers/syslog-ng" ] || ! have apt-get || unpack=syslog-ng
      fi ;;
    checks)
      for name in shellcheck jq curl; do have "$name" || missing+=("$name"); done ;;
    *)
      echo "usage: $0 [servers] [browser] [promtool] [nginx] [images] [shippers] [checks]" >&2
      exit 2 ;;
  esac
done

# unpack_syslog_ng puts it and what it needs beside the system, without its
# service, and makes a program that finds it there. It needs no root.
unpack_syslog_ng() {
  local packages dir
  dir=$(mktemp -d)
  packages=$(apt-get install -s --no-install-recommends syslog-ng-core syslog-ng-mod-http 2>/dev/null | awk '/^Inst / {print $2}') || true
  if [ -z "$packages" ]; then
    say "apt has no syslog-ng (are there package lists?): the tests that send by it are skipped"
    return
  fi
  say "unpacking syslog-ng into $shippers"
  rm -rf "$shippers/syslog-ng" "$shippers/syslog-ng.d"
  mkdir -p "$shippers/syslog-ng.d"
  # shellcheck disable=SC2086 # names of packages, one each
  (cd "$dir" && apt-get download -o APT::Sandbox::User=root $packages >/dev/null)
  for package in "$dir"/*.deb; do dpkg-deb -x "$package" "$shippers/syslog-ng.d"; done
  cat >"$dir/run" <<'END'
#!/bin/sh
root=$(dirname "$(readlink -f "$0")")/syslog-ng.d
libraries=$(printf '%s:' "$root"/usr/lib/syslog-ng "$root"/usr/lib/*-linux-gnu* "$root"/lib/*-linux-gnu*)
modules=$(echo "$root"/usr/lib/syslog-ng/*.*/)
LD_LIBRARY_PATH="${libraries%:}" exec "$root/usr/sbin/syslog-ng" --module-path "$modules" "$@"
END
  chmod +x "$dir/run"
  mv "$dir/run" "$shippers/syslog-ng"
  rm -rf "$dir"
}

if [ ${#missing[@]} -eq 0 ]; then
  if [ -n "$unpack" ]; then unpack_syslog_ng; else say "nothing to install for: $*"; fi
  exit 0
fi

if [ "$(uname)" = Darwin ]; then
  have brew || die "needs brew to install ${missing[*]}"
  [[ " ${missing[*]} " != *" buildah "* ]] || die "buildah builds on Linux alone; here: docker build (docs/images.md)"
  say "installing ${missing[*]} with brew; no service is started"
  for name in "${missing[@]}"; do
    if [ "$name" = chromium ]; then brew install --cask chromium; else brew install "$name"; fi
  done
  exit 0
fi

have apt-get || die "this system has neither apt nor brew; install by hand: ${missing[*]}"
root=()
if [ "$(id -u)" -ne 0 ]; then
  have sudo || die "needs root or sudo to install ${missing[*]}"
  root=(sudo)
fi

# first NAME... gives the first of the packages that apt can install.
first() {
  local name
  for name in "$@"; do
    if [ -n "$(apt-cache show --no-all-versions "$name" 2>/dev/null)" ]; then
      echo "$name"
      return
    fi
  done
  return 1
}

# Older releases have the version in MariaDB's names, and Ubuntu's Chromium is a
# snap behind chromium-browser.
choose() {
  local name
  packages=()
  for name in "${missing[@]}"; do
    case "$name" in
      mariadb)
        packages+=("$(first mariadb-server-core mariadb-server-core-10.{11,6,5,3})") || return
        packages+=("$(first mariadb-client-core mariadb-client-core-10.{11,6,5,3})") || return ;;
      redis) packages+=("$(first redis-server)") || return ;;
      chromium) packages+=("$(first chromium chromium-browser)") || return ;;
      prometheus) packages+=("$(first prometheus)") || return ;;
      nginx) packages+=("$(first nginx-light nginx-core nginx)") || return ;;
      rsyslog) packages+=("$(first rsyslog)") || return ;;
      rsyslog-openssl) packages+=("$(first rsyslog-openssl)") || return ;;
      omelasticsearch) packages+=("$(first rsyslog-elasticsearch)") || return ;;
      buildah) packages+=("$(first buildah)") || return ;;
      shellcheck | jq | curl) packages+=("$(first "$name")") || return ;;
    esac
  done
}

install() {
  say "installing with apt: ${packages[*]}; no service is started"
  "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "${packages[@]}"
}

# A server's package starts its service by itself. This keeps it from doing so.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  trap '"${root[@]}" rm -f "$policy"' EXIT
  printf '#!/bin/sh\nexit 101\n' | "${root[@]}" tee "$policy" >/dev/null
  "${root[@]}" chmod +x "$policy"
fi

# Without package lists apt knows no names, with old ones it asks for files that
# are gone. Then, and only then, the lists are fetched.
if ! { choose && install; }; then
  say "fetching the package lists"
  "${root[@]}" apt-get update
  choose || die "apt has no package for one of: ${missing[*]}"
  install
fi
# Nor shall it start at the next boot of this machine, where it was not before.
if have systemctl; then
  for name in redis prometheus nginx rsyslog; do
    [[ " ${missing[*]} " == *" $name "* ]] || continue
    service=${name/#redis/redis-server}
    "${root[@]}" systemctl disable --quiet "$service" 2>/dev/null || true # not a machine of systemd's
  done
fi
say "installed: ${packages[*]}"
if [ -n "$unpack" ]; then unpack_syslog_ng; fi
