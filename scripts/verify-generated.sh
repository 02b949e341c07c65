#!/usr/bin/env bash
# Regenerates what is made from schema.graphqls and fails when that changes
# anything against what is committed.
set -euo pipefail
cd "$(dirname "$0")/.."
generated=(graph ':(glob)web/src/gql/**' ':(glob)web/src/**/*.generated.ts')

echo "   gqlgen"
go tool gqlgen generate
echo "   graphql-codegen"
npm --prefix web run --silent codegen

changed=$(git status --porcelain --untracked-files=all -- "${generated[@]}")
if [ -n "$changed" ]; then
  git --no-pager diff --stat -- "${generated[@]}"
  echo "$changed"
  echo "generated code is not what is committed: run 'make generate' and commit it" >&2
  exit 1
fi
