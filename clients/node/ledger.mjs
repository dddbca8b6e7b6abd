// The ledger for Node: the stock gRPC client, loaded from the .proto files themselves.

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import grpc from '@grpc/grpc-js';
import protoLoader from '@grpc/proto-loader';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));

const definition = protoLoader.loadSync(
  [
    'loyalty/v1/ledger_service.proto',
    'loyalty/v1/member_service.proto',
    'loyalty/v1/account_service.proto',
    'google/rpc/status.proto',
    'google/rpc/error_details.proto',
  ],
  {
    includeDirs: [here('../../proto'), here('../../proto/third_party')],
    keepCase: true, // field names as the contract has them
    longs: String, // points and money are 64 bits wide, a number has 53
    enums: String,
    defaults: true,
    oneofs: true,
  },
);

// The retry policy that ships with the clients. gRPC waits as long as the server asks it to.
const serviceConfig = readFileSync(here('../python/loyalty_client/service_config.json'), 'utf8');

const SECONDS = 10;

/**
 * Connects to a ledger.
 *
 * `ca` is a PEM file of the authority that signed the server's certificate. Without it the
 * connection is in plain text, which is for this machine only: the token travels with every call.
 *
 * Each call is `await ledger.<service>.<Method>(request)`; it has a deadline, and whatever fails
 * rejects with gRPC's error (`code`, `details`), which has a `refusal` when the ledger said no.
 */
export function connect({ server, token, ca }) {
  const credentials = ca
    ? grpc.credentials.createSsl(readFileSync(ca))
    : grpc.credentials.createInsecure();
  const { LedgerService, MemberService, AccountService } =
    grpc.loadPackageDefinition(definition).loyalty.v1;
  const open = (Service) =>
    callable(new Service(server, credentials, { 'grpc.service_config': serviceConfig }), token);
  const services = {
    ledger: open(LedgerService),
    members: open(MemberService),
    accounts: open(AccountService),
  };
  return { ...services, close: () => Object.values(services).forEach(({ close }) => close()) };
}

/** The calls of a stub that have one answer, as functions that return promises. */
function callable(stub, token) {
  const calls = { close: () => stub.close() };
  for (const [name, { requestStream, responseStream }] of Object.entries(
    Object.getPrototypeOf(stub).constructor.service,
  )) {
    if (requestStream || responseStream) continue;
    const call = promisify(stub[name]).bind(stub);
    calls[name] = async (request) => {
      const metadata = new grpc.Metadata();
      metadata.set('authorization', `Bearer ${token}`);
      try {
        return await call(request, metadata, { deadline: Date.now() + SECONDS * 1000 });
      } catch (error) {
        error.refusal = refusalOf(error);
        throw error;
      }
    };
  }
  return calls;
}

/**
 * What the ledger says with a refusal: {reason, metadata, violations, retryMilliseconds, spoken};
 * undefined when an error is none of the ledger's.
 */
export function refusalOf(error) {
  const [bytes] = error.metadata?.get('grpc-status-details-bin') ?? [];
  if (!bytes) return undefined;
  const details = definition['google.rpc.Status'].deserialize(bytes).details.map(unpacked);
  const of = (type) => details.filter((each) => each.type === `google.rpc.${type}`);
  const [info] = of('ErrorInfo');
  if (info?.message.domain !== 'loyalty') return undefined;
  const [wait] = of('RetryInfo').map(({ message }) => message.retry_delay);
  return {
    reason: info.message.reason,
    metadata: info.message.metadata,
    violations: of('BadRequest').flatMap(({ message }) => message.field_violations),
    retryMilliseconds: wait && Number(wait.seconds) * 1000 + wait.nanos / 1e6,
    spoken: Object.fromEntries(
      of('LocalizedMessage').map(({ message }) => [message.locale, message.message]),
    ),
  };
}

/** A google.protobuf.Any as its type and message; the message is undefined for a foreign type. */
function unpacked({ type_url: url, value }) {
  const type = url.slice(url.lastIndexOf('/') + 1);
  return { type, message: definition[type]?.deserialize(value) };
}
