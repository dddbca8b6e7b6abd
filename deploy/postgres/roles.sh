#!/usr/bin/env bash
# Three logins for three tasks, made when the database is created:
#   loyalty_owner    owns the tables; only `loyalty migrate` uses it
#   loyalty_service  may only become loyalty_app, which can add events but never change them
#   loyalty_adapter  may only become loyalty_adapters, which sees the adapters' tables and no other
# A service that logged in as the owner could take off its own fetters.
#
# Environment: POSTGRES_USER, POSTGRES_DB (set by the image); SECRETS, the folder of the passwords.
set -euo pipefail
secrets=${SECRETS:-/run/secrets}

psql --no-psqlrc --quiet --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" \
    --set ON_ERROR_STOP=1 \
    --set owner_password="$(cat "$secrets/owner_password")" \
    --set service_password="$(cat "$secrets/service_password")" \
    --set adapter_password="$(cat "$secrets/adapter_password")" <<'SQL'
BEGIN;
SELECT format('CREATE ROLE %I NOLOGIN', name)
  FROM unnest(ARRAY['loyalty_app', 'loyalty_audit', 'loyalty_adapters']) AS name
 WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) \gexec
CREATE ROLE loyalty_owner LOGIN PASSWORD :'owner_password';
CREATE ROLE loyalty_service LOGIN PASSWORD :'service_password';
CREATE ROLE loyalty_adapter LOGIN PASSWORD :'adapter_password';
GRANT loyalty_app, loyalty_audit, loyalty_adapters TO loyalty_owner;
GRANT loyalty_app TO loyalty_service;
GRANT loyalty_adapters TO loyalty_adapter;
SELECT format('ALTER DATABASE %I OWNER TO loyalty_owner', current_database()) \gexec
COMMIT;
SQL
