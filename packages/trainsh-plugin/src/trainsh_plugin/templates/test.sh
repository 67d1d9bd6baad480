#!/bin/sh
# Checks this tool against docs/providers.md, with an empty cloud of its own.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
ACME_CLOUD=$(mktemp -d)
export ACME_CLOUD
trap 'rm -rf "$ACME_CLOUD"' EXIT
train plugin check "$here/train-acme" --yes "$@"
