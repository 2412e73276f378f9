#!/bin/sh
# Asks the app until it says that it is ready, three minutes at most; a rolling update may take that long.
set -eu
deadline=$(($(date +%s) + ${OCS_SMOKE_SECONDS:-180}))
answer=$(mktemp)
trap 'rm -f "$answer"' EXIT
while :; do
    status=$(curl --silent --output "$answer" --write-out '%{http_code}' --max-time 20 \
        "$OCS_APP_URL/api/health/ready" || true)
    if [ "$status" = 200 ]; then
        echo "ready: $OCS_APP_URL"
        exit 0
    fi
    if [ "$(date +%s)" -ge "$deadline" ]; then
        echo "not ready: $OCS_APP_URL answers $status" >&2
        cat "$answer" >&2
        exit 1
    fi
    sleep 5
done
