#!/bin/sh
# Ships one package to the app; Azure installs its requirements.txt. Running instances drain (siteUpdateStrategy).
set -eu
az functionapp deployment source config-zip --only-show-errors --output none --build-remote true \
    --resource-group "$OCS_RESOURCE_GROUP" --name "$OCS_APP_NAME" --src "$1"
