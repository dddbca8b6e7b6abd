// A web shop in Node: posts an order, spends points, reads the account, and is refused.
//
//   npm ci
//   LOYALTY_SERVER=127.0.0.1:7070 LOYALTY_TOKEN=… node example.mjs
//
// It needs a ledger with the policy of the sample programme, and a token with the verbs enrol,
// earn, burn and read for the unit `web`. LOYALTY_CA names a PEM file and switches TLS on.

import { randomUUID } from 'node:crypto';

import { connect } from './ledger.mjs';

const origin = { business_unit: 'web', channel: 'web' };

const { LOYALTY_SERVER: server = '127.0.0.1:7070', LOYALTY_TOKEN: token, LOYALTY_CA: ca } =
  process.env;
if (!token) {
  console.error('LOYALTY_TOKEN is not set; `loyalty token create` prints a token');
  process.exit(2);
}

const ledger = connect({ server, token, ca });
try {
  const customer = { scheme: 'shop-customer', value: randomUUID() };
  const member = { identity: customer };
  await ledger.members.EnrolMember({ request_id: randomUUID(), origin, identities: [customer] });

  // An order of 180.00: money is in minor units.
  const posted = await ledger.ledger.PostDocument({
    request_id: randomUUID(),
    origin,
    member,
    language: 'en',
    document: {
      source: 'shop',
      document_id: randomUUID(),
      version: 1,
      kind: 'DOCUMENT_KIND_ORDER',
      status: 'DOCUMENT_STATUS_FINAL',
      currency_code: 'GBP',
      lines: [{ line_id: '1', category: 'goods', net_minor_units: 180_00 }],
    },
  });
  console.log(`order: ${posted.posting.outcome}`);
  posted.posting.messages.forEach((text) => console.log(`  ${text}`));

  // The same request_id however often it is sent: the answer is the first one.
  const burn = {
    request_id: randomUUID(),
    origin,
    member,
    points: { currency: 'point', amount: 150 },
  };
  const first = await ledger.ledger.BurnPoints(burn);
  const again = await ledger.ledger.BurnPoints(burn);
  console.log(`burn: ${first.posting.outcome}, sent again: ${again.posting.outcome}`);
  if (again.posting.entry_id !== first.posting.entry_id) throw new Error('burned twice');

  // min_position: what was just written is read.
  const { account } = await ledger.accounts.GetAccount({
    member,
    min_position: first.posting.position,
  });
  const { available } = account.balances.find(({ currency }) => currency === 'point');
  console.log(`account: ${available} points`);

  // More than there are is refused, with everything a shop needs to go on.
  const refusal = await refused(
    ledger.ledger.BurnPoints({
      ...burn,
      request_id: randomUUID(),
      points: { currency: 'point', amount: 9_999 },
    }),
  );
  console.log(`refused: ${refusal.reason} ${JSON.stringify(refusal.metadata)}`);
  console.log(`  ${refusal.spoken.en} / ${refusal.spoken['zh-CN']}`);
} finally {
  ledger.close();
}

async function refused(call) {
  try {
    await call;
  } catch (error) {
    if (error.refusal) return error.refusal;
    throw error;
  }
  throw new Error('this should have been refused');
}
