#!/usr/bin/env bash
# Makes the secrets of compose.yaml and, beside their directory, data/archive, once:
# what is there stays.
#   images/compose/secrets.sh [DIRECTORY]
# The files are readable for all, as the users of the containers have other numbers
# than yours, and the archive is theirs to write; the directories around are not.
set -euo pipefail
dir=${1:-$(cd "$(dirname "$0")" && pwd)/secrets}
umask 077
mkdir -p "$dir"
chmod 700 "$dir"

random() { openssl rand -hex 24; }
# keep NAME TEXT writes a file that is not there yet.
keep() { [ -e "$dir/$1" ] || { printf '%s\n' "$2" > "$dir/$1.new" && chmod 644 "$dir/$1.new" && mv "$dir/$1.new" "$dir/$1"; }; }
# The entrypoint of MySQL takes the file with its last newline off, and so do we.
text() { cat "$dir/$1"; }

keep mysql-root-password "$(random)"
keep mysql-password "$(random)"
keep redis-password "$(random)"
keep jwt.key "$(openssl rand -base64 32)"
keep sealing.key "$(openssl rand -base64 32)"
keep redis.conf "requirepass $(text redis-password)
save \"\"
appendonly no
protected-mode yes
bind 0.0.0.0"
keep secmon.yaml "database-dsn: \"secmon:$(text mysql-password)@tcp(mysql:3306)/secmon\"
admin-password: \"$(random)\""
# Senders of syslog are shown this one; put one of your own authority in its place.
if [ ! -e "$dir/syslog.crt" ]; then
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 825 -subj /CN=secmon \
    -addext 'subjectAltName=DNS:secmon,DNS:localhost,IP:127.0.0.1' -keyout "$dir/syslog.key" -out "$dir/syslog.crt" 2>/dev/null
  chmod 644 "$dir/syslog.key" "$dir/syslog.crt"
fi

data=$(dirname "$dir")/data
mkdir -p "$data/archive"
chmod 700 "$data"
chmod 1777 "$data/archive"
echo "The secrets are in $dir; the password of the user admin is in secmon.yaml."
