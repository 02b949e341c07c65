#!/usr/bin/env bash
# Checks terraform/ without an account and without a provider registry:
#   format, every root module validated and planned against the AWS provider's
#   schema (terraform/check), the plans judged by terraform/policy.
# Then it checks itself: errors are planted, and each has to be found.
#   scripts/terraform-check.sh             all of it
#   scripts/terraform-check.sh --no-plants without the self-test
# It needs bin/conftest and bin/terraform-provider-aws-schema (make terraform/test
# builds them) and `terraform` or `tofu` 1.11 or later.
set -euo pipefail
cd "$(dirname "$0")/.."
repository=$PWD
export TF_CLI_CONFIG_FILE=/dev/null

roots=(bootstrap shared environments/dev environments/staging environments/prod)

terraform=$(command -v "${TERRAFORM:-terraform}" || command -v tofu || true)
if [ -z "$terraform" ]; then
  echo "SKIPPED: neither terraform nor tofu is installed, so terraform/ was NOT checked (1.11 or later is needed)" >&2
  [ "${TERRAFORM_REQUIRED:-}" = 1 ] && exit 1
  exit 0
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# terraform finds the stand-in where it would look for hashicorp/aws.
version=$(node -p 'JSON.parse(fs.readFileSync("terraform/check/schema.json")).version')
platform=$("$terraform" version -json | node -p 'JSON.parse(fs.readFileSync(0)).platform')
for registry in registry.terraform.io registry.opentofu.org; do
  mirror=$work/mirror/$registry/hashicorp/aws/$version/$platform
  mkdir -p "$mirror"
  ln -s "$repository/bin/terraform-provider-aws-schema" "$mirror/terraform-provider-aws_v$version"
done
cat >"$work/cli.tfrc" <<EOF
disable_checkpoint = true
provider_installation {
  filesystem_mirror {
    path = "$work/mirror"
  }
}
EOF
export TF_CLI_CONFIG_FILE=$work/cli.tfrc TF_IN_AUTOMATION=1 CHECKPOINT_DISABLE=1
export SECMON_PROVIDER_SCHEMA=$repository/terraform/check/schema.json

failed=0
fail() { echo "FAIL: $*" >&2; failed=1; }

# copy DIR gives a copy of terraform/ with the state in a local file.
copy() {
  mkdir -p "$1"
  (cd terraform && git ls-files -z --cached --others --exclude-standard -- '*.tf' '*.tfvars.example' | xargs -0 cp --parents -t "$1") 
  local root
  for root in "${roots[@]}"; do
    printf 'terraform {\n  backend "local" {}\n}\n' >"$1/$root/check_override.tf"
  done
}

# validated ROOT: what init and validate say of it.
validated() {
  "$terraform" -chdir="$1" init -no-color -input=false >"$1/init.log" 2>&1 || { cat "$1/init.log"; return 1; }
  "$terraform" -chdir="$1" validate -no-color
}

plan() { # ROOT [OUT [OPTION...]]: a plan as JSON
  "$terraform" -chdir="$1" plan -no-color -input=false -lock=false -var-file=terraform.tfvars.example -out=plan "${@:3}" >"$1/plan.log" 2>&1 || { grep -v '^ *[+~-] ' "$1/plan.log"; return 1; }
  [ -z "${2:-}" ] || "$terraform" -chdir="$1" show -json plan >"$2"
}

# kept ROOT PLAN: what a former version applied (moved.tsv) is found again under its
# present address, and none of it is made anew. PLAN is one of the same root as JSON.
kept() {
  jq -n --rawfile moved terraform/check/moved.tsv --slurpfile plan "$2" '
    INDEX($plan[0].resource_changes[]; .address) as $planned |
    {version: 4, terraform_version: "1.11.0", serial: 1, lineage: "check", outputs: {}, resources: [
      $moved | split("\n")[] | select(test("^[^#]")) | split("\t") as [$former, $present] |
      ($planned[$present] // error("nothing planned is called \($present)")) as $it |
      ($former | capture("^(?<module>.+)\\.(?<type>[^.]+)\\.(?<name>[^.]+)$")) + {
        mode: "managed", provider: "provider[\"\($it.provider_name)\"]",
        instances: [{schema_version: 0, attributes: $it.change.after}]}]}' >"$1/terraform.tfstate" || return 1
  SECMON_PROVIDER_IDS=made-up plan "$1" "$1/kept.json" -refresh=false || return 1
  jq -r --rawfile moved terraform/check/moved.tsv '
    INDEX(.resource_changes[]; .address) as $planned |
    (.resource_changes[] | select(.change.actions | index("delete")) | "\(.address) would be lost"),
    ($moved | split("\n")[] | select(test("^[^#]")) | split("\t") as [$former, $present] |
      select($planned[$present].previous_address != $former) | "\($present) would not be what was \($former)")' "$1/kept.json" >"$1/lost"
  cat "$1/lost"
  ! [ -s "$1/lost" ]
}

judge() { bin/conftest test --no-color --policy terraform/policy "$@"; }

echo "== format"
"$terraform" fmt -check -diff -recursive terraform || fail "terraform fmt -recursive terraform"

echo "== validate and plan, provider hashicorp/aws $version (its schema only)"
copy "$work/good"
for root in "${roots[@]}"; do
  dir=$work/good/$root name=$(basename "$root")
  validated "$dir" >"$dir/validate.log" 2>&1 || { cat "$dir/validate.log"; fail "$root is not valid"; continue; }
  # First as it is, where what AWS gives out is unknown; then with ids, to be judged.
  plan "$dir" || { fail "$root cannot be planned"; continue; }
  SECMON_PROVIDER_IDS=made-up plan "$dir" "$work/$name.json" || { fail "$root cannot be planned"; continue; }
  echo "   $root: $(grep -c '"address"' <(node -p 'JSON.stringify(JSON.parse(fs.readFileSync(process.argv[1])).resource_changes.filter(r => r.mode == "managed"), null, 1)' "$work/$name.json")) resources"
done

echo "== what a former version applied"
kept "$work/good/environments/prod" "$work/prod.json" >"$work/kept" || fail "environments/prod: $(cat "$work/kept")"

echo "== policies"
for root in "${roots[@]}"; do
  name=$(basename "$root")
  [ -e "$work/$name.json" ] || continue
  judge "$work/$name.json" >"$work/judged" || fail "$root: $(grep ^FAIL "$work/judged")"
  [ "$root" = bootstrap ] || judge --namespace backend "terraform/$root/versions.tf" >"$work/judged" || fail "$root: $(grep ^FAIL "$work/judged")"
done

# The values that Terraform hands to the chart are ones that the chart takes.
chart=helm/security-monitor
digest=sha256:$(printf 'a%.0s' {1..64})
render() { # ENVIRONMENT VALUES
  bin/helm template security-monitor $chart --namespace security-monitor --kube-version 1.34.0 \
    --values "$chart/values-$1.yaml" --values "$2" --set-string "image.registry=registry.example.org" \
    --set-string "backend.image.repository=security-monitor/backend,backend.image.digest=$digest" \
    --set-string "frontend.image.repository=security-monitor/frontend,frontend.image.digest=$digest"
}
if [ -x bin/helm ] && [ -e $chart/values.yaml ]; then
  echo "== the chart's values"
  for environment in dev staging prod; do
    node -p 'JSON.parse(fs.readFileSync(process.argv[1])).planned_values.outputs.helm_values.value' "$work/$environment.json" >"$work/values.yaml"
    render "$environment" "$work/values.yaml" >"$work/rendered" 2>&1 || fail "$environment: the chart refuses its values: $(head -n 5 "$work/rendered")"
    for word in rediss://secmon@ /backend/database-dsn "@$digest" 'archive: "s3://' eks.amazonaws.com/role-arn; do
      grep -qF -- "$word" "$work/rendered" || fail "$environment: nothing of $word in what the chart makes"
    done
    { cat "$work/values.yaml"; echo '"netwrokPolicy": {}'; } >"$work/planted.yaml"
    render "$environment" "$work/planted.yaml" >/dev/null 2>&1 && fail "$environment: the chart minds no value that it does not know"
  done
else
  echo "SKIPPED: the chart's values (bin/helm is missing)" >&2
fi

[ $failed = 0 ] || exit 1
[ "${1:-}" != --no-plants ] || exit 0

echo "== planted errors"
planted=0

# Into the configuration: file, what terraform has to say, a change by sed.
while IFS=$'\t' read -r file says change; do
  bad=$work/bad
  rm -rf "$bad"
  copy "$bad"
  sed -i -E "$change" "$bad/$file"
  if cmp -s "$bad/$file" "terraform/$file"; then fail "nothing planted into $file by $change"; continue; fi
  case $file in bootstrap/* | shared/*) root=${file%%/*} ;; *) root=environments/prod ;; esac
  # Lines are broken and framed by terraform: read them as one.
  said=$({ validated "$bad/$root" && plan "$bad/$root"; } 2>&1) && fail "$file: nobody minds $change"
  said=$(tr -s '\n│ ' ' ' <<<"$said")
  [[ $said == *"$says"* ]] || fail "$file: $change, and not a word of '$says' but: $said"
  planted=$((planted + 1))
done <<'EOF'
modules/network/main.tf	Unsupported argument	s/enable_dns_support  /enable_dns_suport  /
modules/eks/main.tf	Missing required argument	/role_arn +=/d
modules/eks/main.tf	Insufficient vpc_config blocks	s/^  vpc_config \{/  vpc_konfig {/
modules/cdn/main.tf	Unsupported block type	s/^  restrictions \{/  restriction {/
modules/alarms/main.tf	Invalid resource type	s/"aws_sns_topic" /"aws_sns_topicc" /
modules/database/main.tf	Reference to undeclared input variable	s/var\.multi_az$/var.multi_zone/
modules/database/main.tf	Reference to undeclared resource	s/aws_db_parameter_group\.this\.name/aws_db_parameter_group.that.name/
modules/database/main.tf	Unsupported attribute	s/aws_db_subnet_group\.this\.name/aws_db_subnet_group.this.title/
modules/network/main.tf	Reference to undeclared local value	s/local\.nat_zones\[0\]/local.zone_list[0]/
stack/main.tf	Missing required argument	/cluster_security_group_id +=/d
stack/main.tf	Unsupported argument	s/secrets_key_arn  /secret_key_arn  /
stack/main.tf	Unsupported attribute	s/module\.network\.vpc_id/module.network.vpc/
environments/prod/main.tf	Invalid value for variable	s/environment +=.*/environment = "production"/
environments/prod/main.tf	Invalid value for input variable	s/min = 3,/min = "three",/
modules/database/copies.tf	belong into another region	s/^  region( +)= var\.backup_region/  region\1= var.backup_region/;s/var\.backup_region != data/var.backup_region == data/
modules/network/main.tf	Invalid for_each argument	s/for_each = aws_subnet\.public$/for_each = toset([for s in aws_subnet.public : s.id])/
shared/main.tf	Reference to undeclared module	s/module\.registry\.arns/module.images.arns/
EOF

# A key of the state's backend, a format.
mkdir -p "$work/backend"
for change in '/use_lockfile/d' 's/(encrypt +=) true/\1 false/' 's/"s3"/"local"/'; do
  sed -E "$change" terraform/environments/prod/versions.tf >"$work/backend/versions.tf"
  judge --namespace backend "$work/backend/versions.tf" >/dev/null 2>&1 && fail "backend: nobody minds $change"
  planted=$((planted + 1))
done
sed 's/^  cidr_block /  cidr_block   /' terraform/modules/network/main.tf >"$work/backend/main.tf"
"$terraform" fmt -check "$work/backend/main.tf" >/dev/null 2>&1 && fail "format: nobody minds spaces"
planted=$((planted + 1))

# A former version's bucket that nothing leads to the present one.
rm -rf "$work/bad"
copy "$work/bad"
sed -i '0,/aws_s3_bucket\.logs/s//aws_s3_bucket.log/' "$work/bad/modules/load-balancer/moved.tf"
validated "$work/bad/environments/prod" >/dev/null || fail "moved: what is planted is not valid"
said=$(kept "$work/bad/environments/prod" "$work/prod.json" 2>&1) && fail "moved: nobody minds a bucket that is made anew"
[[ $said == *"aws_s3_bucket.logs would be lost"* ]] || fail "moved: not a word of the bucket but: $said"
planted=$((planted + 1))

# Into the plans, each for one rule.
while IFS=$'\t' read -r plan says change; do
  case $plan in '#'* | '') continue ;; esac
  jq "def after(t): (.resource_changes[] | select(.type == t and .mode == \"managed\") | .change.after); $change" "$work/$plan.json" >"$work/planted.json"
  said=$(judge "$work/planted.json" 2>&1) && fail "$plan: nobody minds $change"
  grep -qF -- "$says" <<<"$said" || fail "$plan: $change, and not a word of '$says' but: $said"
  planted=$((planted + 1))
  ((planted % 25)) || echo "   $planted"
done <terraform/check/planted.tsv

[ $failed = 0 ] || exit 1
echo "   $planted planted errors, each found"
