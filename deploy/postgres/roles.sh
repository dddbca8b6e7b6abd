#!/usr/bin/env bash
# Two logins for two tasks, made when the database is created:
#   loyalty_owner    owns the tables; only `loyalty migrate` uses it
#   loyalty_service  may only become loyalty_app, which can add events but never change them
# A service that logged in as the owner could take off its own fetters.
#
# Environment: POSTGRES_USER, POSTGRES_DB (set by the image); SECRETS, the folder of the passwords.
set -euo pipefail
secrets=${SECRETS:-/run/secrets}

psql --no-psqlrc --quiet --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" \
    --set ON_ERROR_STOP=1 \
    --set owner_password="$(cat "$secrets/owner_password")" \
    --set service_password="$(cat "$secrets/service_password")" <<'SQL'
BEGIN;
SELECT format('CREATE ROLE %I NOLOGIN', name)
  FROM unnest(ARRAY['loyalty_app', 'loyalty_audit']) AS name
 WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) \gexec
CREATE ROLE loyalty_owner LOGIN PASSWORD :'owner_password';
CREATE ROLE loyalty_service LOGIN PASSWORD :'service_password';
GRANT loyalty_app, loyalty_audit TO loyalty_owner;
GRANT loyalty_app TO loyalty_service;
SELECT format('ALTER DATABASE %I OWNER TO loyalty_owner', current_database()) \gexec
COMMIT;
SQL
