#!/usr/bin/env bash
# Makes the secrets that deploy/compose.yaml and compose.adapters.yaml mount, once. Existing ones are kept, for a lost
# identity key means that no identity can be looked up any more: back it up apart from the database.
#
#   deploy/secrets.sh            # into deploy/secrets/
set -euo pipefail
umask 077
folder=${1:-$(dirname "$0")/secrets}

main() {
    mkdir -p "$folder"
    local owner service adapter
    secret superuser_password >/dev/null
    owner=$(secret owner_password)
    service=$(secret service_password)
    adapter=$(secret adapter_password)
    secret identity_key >/dev/null
    keep owner_url "postgresql://loyalty_owner:$owner@database:5432/loyalty"
    keep service_url "postgresql://loyalty_service:$service@database:5432/loyalty"
    keep adapter_url "postgresql://loyalty_adapter:$adapter@database:5432/loyalty"
    certificate
    # Mounted one by one into containers whose users differ; the closed folder guards them here.
    find "$folder" -maxdepth 1 -type f -exec chmod 644 {} +
    printf 'secrets are in %s\n' "$folder"
}

# A certificate that nobody trusts yet, for localhost: put one of yours in its place.
certificate() {
    [ -s "$folder/tls_key" ] && [ -s "$folder/tls_cert" ] && return
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 365 -subj /CN=localhost \
        -addext subjectAltName=DNS:localhost -keyout "$folder/tls_key" -out "$folder/tls_cert" 2>/dev/null
}

# secret NAME: print the secret of that name; 32 random bytes in hex are made if there is none.
secret() {
    keep "$1" "$(od -An -v -tx1 -N32 /dev/urandom | tr -d ' \n')"
    cat "$folder/$1"
}

# keep NAME VALUE: write the file unless there is one.
keep() {
    [ -s "$folder/$1" ] || printf '%s' "$2" >"$folder/$1"
}

main
