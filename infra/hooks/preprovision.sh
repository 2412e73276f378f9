#!/bin/sh
# Picks the parameters of the environment for azd, which looks for main.bicepparam: OCS_ENVIRONMENT is dev, uat or prod.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
environment=${OCS_ENVIRONMENT:-${AZURE_ENV_NAME:-}}
parameters="$here/../bicep/$environment.bicepparam"
if [ "$environment" = main ] || [ ! -f "$parameters" ]; then
    echo "no parameters for the environment '$environment': azd env set OCS_ENVIRONMENT dev (or uat, prod)" >&2
    exit 1
fi
cp "$parameters" "$here/../bicep/main.bicepparam"
