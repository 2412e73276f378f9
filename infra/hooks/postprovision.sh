#!/bin/sh
# Makes the database, its roles and the app's own sign-in, then brings the schema forward. Run it as often as you like.
#
# Whoever runs it is signed in with `az login` as the administrator that Bicep was told (or a member of that group).
# With a private network it must run inside it. Without one it opens the server for this machine while it works.
# It needs Python 3.11 and the packages of requirements.txt; without .venv it uses the python3 that is there.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
python=${OCS_PYTHON:-}
[ -n "$python" ] || { [ -x "$root/.venv/bin/python" ] && python="$root/.venv/bin/python" || python=python3; }

if [ "${OCS_PRIVATE_NETWORK:-true}" != true ]; then
    rule="hook-$$"
    address=${OCS_MY_ADDRESS:-$(curl --fail --silent --show-error --max-time 20 https://api.ipify.org)}
    az postgres flexible-server firewall-rule create --only-show-errors --output none \
        --resource-group "$OCS_RESOURCE_GROUP" --name "$OCS_DATABASE_SERVER" --rule-name "$rule" \
        --start-ip-address "$address" --end-ip-address "$address"
    trap 'az postgres flexible-server firewall-rule delete --yes --only-show-errors --output none \
        --resource-group "$OCS_RESOURCE_GROUP" --name "$OCS_DATABASE_SERVER" --rule-name "$rule"' EXIT
fi

# The token lives for an hour and is in no file and no argument list.
PGPASSWORD=$(az account get-access-token --resource-type oss-rdbms --query accessToken --output tsv)
export PGPASSWORD
export PGHOST="$OCS_DATABASE_HOST" PGPORT="${OCS_DATABASE_PORT:-5432}" PGUSER="$OCS_DATABASE_ADMIN"
# Whoever got the token could sign in with it, so the server must show whose it is.
PGSSLROOTCERT=$("$python" -m certifi)
export PGSSLROOTCERT PGSSLMODE="${OCS_DATABASE_SSLMODE:-verify-full}"
"$python" "$here/database.py" --identity "$OCS_IDENTITY_NAME" --object-id "$OCS_IDENTITY_OBJECT_ID"

# The command asks for all settings and uses the database's only.
cd "$root"
OCS_DATABASE_URL="postgresql:///ocs" OCS_DATABASE_AUTH=password OCS_VAULT_URL=https://unused.invalid \
    OCS_STORAGE__queueServiceUri=https://unused.invalid "$python" -m ocs migrate
