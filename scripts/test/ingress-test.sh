#!/usr/bin/env bash
# Tests both ways in that the project ships, with NGINX itself: whose word on the
# client's address counts, that strangers begin no traces, and that no query string is
# logged. Of ingress-nginx it is what scripts/platform.sh gives to helm, put into the
# directives that the controller makes of it.
set -euo pipefail
cd "$(dirname "$0")/../.."
platform=${PLATFORM:-scripts/platform.sh} compose=${COMPOSE:-images/compose/ingress.conf.template}
nginx=$(command -v nginx || echo /usr/sbin/nginx)
[ -x "$nginx" ] || { echo "nginx is missing: scripts/install-deps.sh nginx" >&2; exit 1; }
work=$(mktemp -d) server=
trap '[ -z "$server" ] || { kill "$server" && wait "$server" || true; }; rm -rf "$work"' EXIT
mkdir "$work/bin"
failed=0
fail() { echo "FAIL: $*" >&2; failed=1; }

# platform.sh with programs that write down what they are given.
cat >"$work/bin/terraform" <<'EOF'
#!/usr/bin/env bash
echo '{"cluster":{"name":"c","region":"r","vpc_id":"v","vpc_cidr":"127.0.0.2/32"},"ingress":{"port":8080,"target_group_arn":"t"},"role_arns":{"cluster-autoscaler":"a","load-balancer-controller":"b","external-secrets":"c"},"operators":{"prometheus":'"${PROMETHEUS:-false}"'},"syslog":'"${SYSLOG:-null}"'}'
EOF
cat >"$work/bin/aws" <<'EOF'
#!/usr/bin/env bash
case "$*" in
  *describe-managed-prefix-lists*) echo pl-1 ;;
  *get-managed-prefix-list-entries*pl-1*) echo "${ENTRIES:-{\"Entries\":[{\"Cidr\":\"198.51.100.0/24\"\},{\"Cidr\":\"203.0.113.0/24\"\}]\}}" ;;
esac
EOF
cat >"$work/bin/helm" <<'EOF'
#!/usr/bin/env bash
echo "$*" >>"$CALLS"
case " $* " in *" --values - "*) cat >"$VALUES/$2" ;; esac
EOF
printf '#!/usr/bin/env bash\necho "kubectl $*" >>"$CALLS"\ncase "$*" in *customresourcedefinition*) exit "${NO_KIND:-0}" ;; esac\ncase " $* " in *" - "*) cat ;; esac >>"$VALUES/objects"\n' >"$work/bin/kubectl"
printf '#!/usr/bin/env bash\n' >"$work/bin/curl"
chmod +x "$work/bin/"*
run_platform() { env "$@" PATH="$work/bin:$PATH" CALLS="$work/calls" VALUES="$work" "$platform" dev >"$work/platform.out" 2>&1; }
run_platform A=b || { cat "$work/platform.out" >&2; exit 1; }
grep -qF 'name: security-monitor-syslog' "$work/objects" && fail "nobody sends syslog, and pods are bound for it"
run_platform 'SYSLOG={"target_group_arn":"arn-of-syslog"}' || fail "with syslog it does not go on"
grep -A1 -F 'serviceRef: {name: security-monitor-syslog, port: syslog-tls}' "$work/objects" | grep -qxF '  targetGroupARN: arn-of-syslog' || fail "no pods are bound to syslog's load balancer"
run_platform 'ENTRIES={"Entries":[]}' && fail "no range of the CDN's, and nobody minds"
run_platform 'EDGE_CIDRS=0.0.0.0/0' && fail "everybody is trusted, and nobody minds"
run_platform 'EDGE_CIDRS=198.51.100.0/24,203.0.113.0/24' || fail "EDGE_CIDRS is not taken"

run_platform PROMETHEUS=true NO_KIND=1 && fail "an operator is said to be there, and nobody looks for it"
grep -qF 'has no servicemonitors.monitoring.coreos.com' "$work/platform.out" || fail "nobody says which kind is missing"
run_platform PROMETHEUS=true || fail "the kinds are there, and it does not go on"

# value KEY: of ingress-nginx's values, a line each.
value() { sed -n "s/^ *$1: //p" "$work/ingress-nginx" | sed -e "s/^'\(.*\)'\$/\1/" -e 's/^"\(.*\)"$/\1/'; }
{
  # The template of ingress-nginx 1.13, of what matters here.
  [ "$(value use-forwarded-headers)" != true ] || printf 'real_ip_header X-Forwarded-For;\nreal_ip_recursive on;\n'
  cidrs=$(value proxy-real-ip-cidr)
  for cidr in ${cidrs//,/ }; do echo "set_real_ip_from $cidr;"; done
  [ -n "$cidrs" ] || echo "set_real_ip_from 0.0.0.0/0;"
  format=$(value log-format-upstream)
  # Variables that the controller has and NGINX alone has not.
  printf "log_format paths '%s';\n" "$(sed -E 's/\$(proxy_upstream_name|req_id)/-/g' <<<"${format:-\$remote_addr \$request}")"
  echo 'server { listen 127.0.0.1:PORT1; access_log DIR/platform.log paths; location / {'
  echo 'proxy_set_header X-Forwarded-For $remote_addr;'
  tr '{,}' '\n' <<<"$(value proxySetHeaders)" | sed -nE 's/^ *([a-z]+): "" *$/proxy_set_header \1 "";/p'
  echo 'proxy_pass http://127.0.0.1:PORT0; } }'
} >"$work/platform.conf"
sed -e 's/[$]{BACKEND}/127.0.0.1:PORT0/; s/[$]{FRONTEND}/127.0.0.1:PORT0/; s/[$]{LISTEN}/127.0.0.1:PORT2/' -e 's#/etc/nginx/access\*.conf#DIR/access*.conf#; s/log_format paths/log_format compose/' "$compose" >"$work/compose.conf"
grep -qF '"./access.conf:/etc/nginx/access.conf:ro"' images/compose/compose.yaml || fail "Compose: nobody says where the log goes"
sed -e "s#/dev/stdout paths#$work/compose.log compose#" images/compose/access.conf >"$work/access.conf"
# What stands behind them says what it was told.
cat >"$work/nginx.conf" <<'EOF'
daemon off;
pid DIR/pid;
error_log DIR/error.log;
events {}
http {
  access_log DIR/default.log;
  client_body_temp_path DIR/t1; proxy_temp_path DIR/t2; fastcgi_temp_path DIR/t3; uwsgi_temp_path DIR/t4; scgi_temp_path DIR/t5;
  server { listen 127.0.0.1:PORT0; access_log off; location / { return 200 "for=$http_x_forwarded_for trace=$http_traceparent$http_tracestate\n"; } }
  include DIR/platform.conf;
  include DIR/compose.conf;
}
EOF
[ "$(id -u)" != 0 ] || sed -i '1i user root;' "$work/nginx.conf" # its workers could not enter the directory
read -ra ports < <(node -e 'const n=require("net");const s=[0,1,2].map(()=>n.createServer().listen(0,"127.0.0.1"));setTimeout(()=>{console.log(s.map(x=>x.address().port).join(" "));s.forEach(x=>x.close())},100)')
for conf in nginx platform compose; do sed -i "s#DIR#$work#g; s/PORT0/${ports[0]}/g; s/PORT1/${ports[1]}/g; s/PORT2/${ports[2]}/g" "$work/$conf.conf"; done
"$nginx" -p "$work" -e "$work/error.log" -c "$work/nginx.conf" >"$work/out" 2>&1 &
server=$!
for _ in $(seq 100); do curl -sf "http://127.0.0.1:${ports[2]}/" >/dev/null 2>&1 && break; sleep 0.1; done

# ask NAME PORT FROM X-FORWARDED-FOR ADDRESS: the address that the program is told.
ask() {
  local said
  said=$(curl -s --interface "$3" -H "X-Forwarded-For: $4" -H 'traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' -H 'tracestate: a=b' \
    -H 'Referer: http://x/?referred-secret' "http://127.0.0.1:$2/api/x?token=query-secret")
  [ "$said" = "for=$5 trace=" ] || fail "$1: told '$said', not 'for=$5 trace='"
}
ask "through CDN and load balancer" "${ports[1]}" 127.0.0.2 "192.0.2.7, 198.51.100.9" 192.0.2.7
ask "a forged address through both" "${ports[1]}" 127.0.0.2 "10.9.9.9, 192.0.2.7, 203.0.113.9" 192.0.2.7
ask "straight to the load balancer" "${ports[1]}" 127.0.0.2 "10.9.9.9, 192.0.2.8" 192.0.2.8
ask "from elsewhere" "${ports[1]}" 127.0.0.9 "10.9.9.9" 127.0.0.9
ask "Compose" "${ports[2]}" 127.0.0.9 "10.9.9.9" 127.0.0.9
for log in platform compose; do
  grep -qF '"GET /api/x HTTP/1.1" 200' "$work/$log.log" || fail "$log: no line with the path"
done
if grep -l secret "$work"/*.log; then fail "a query string or referrer is logged"; fi

[ $failed = 0 ] || { cat "$work/error.log" >&2; exit 1; }
[ -z "${PLANTED:-}" ] || exit 0

# Errors planted into copies have to be found.
mkdir -p "$work/copy/scripts" "$work/copy/terraform/environments/dev"
planted=0
plant() { # FILE WORDS SED
  cp "$platform" "$work/copy/scripts/platform.sh"
  cp "$compose" "$work/copy/compose"
  local file=$work/copy/$1
  sed -i.before "$3" "$file"
  if cmp -s "$file" "$file.before"; then fail "nothing to plant any more: $3"; fi
  PLANTED=1 PLATFORM=$work/copy/scripts/platform.sh COMPOSE=$work/copy/compose scripts/test/ingress-test.sh >"$work/said" 2>&1 && fail "nobody minds $3"
  grep -qF -- "$2" "$work/said" || { fail "$3, and not a word of $2"; cat "$work/said" >&2; }
  planted=$((planted + 1))
}
plant scripts/platform.sh 'from elsewhere: told' '/proxy-real-ip-cidr:/d'
plant scripts/platform.sh 'through CDN and load balancer: told' 's/"$vpc_cidr,$EDGE_CIDRS"/"$vpc_cidr"/'
plant scripts/platform.sh 'everybody is trusted' 's#, | \*/0,\*)#,)#; s#\*,,\* | \*/0,\*)#*,,*)#'
plant scripts/platform.sh 'trace=00-' 's/traceparent: "", //'
plant scripts/platform.sh 'is logged' 's/$request_method \\$uri \\$server_protocol/$request/'
plant scripts/platform.sh 'nobody looks for it' '/^operator prometheus/d'
plant compose 'trace=00-' '/traceparent/d'
plant compose 'trace=a=b' '/tracestate/d'
plant compose 'is logged' 's/$request_method $uri $server_protocol/$request/'
plant compose 'compose: no line with the path' '/include .etc/d'
plant compose 'Compose: told' '/X-Forwarded-For/d'
[ $failed = 0 ] || exit 1
echo "ingress: passed, $planted planted errors found"
