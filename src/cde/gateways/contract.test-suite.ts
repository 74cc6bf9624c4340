/**
 * What every connector must do, run against the real or simulated gateway it speaks to (STYLE rule 14). A connector that
 * answers with defaults fails: see contract.test.ts.
 */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { type TestContext, test } from 'node:test'
import { newId } from '../../lib/ids.ts'
import { systemRandom } from '../../lib/random.ts'
import { outcome, queryOutcome, reverseOutcome } from '../../wall/messages.ts'
import type { CardData, GatewayConnector } from './connector.ts'

/** What the gateway is to do with a card. `unavailable` where a gateway offers no such card is said in words. */
export type Scenario =
  | 'approve'
  | 'decline'
  | 'slow'
  | 'other-amount'
  | 'silent-after'
  | 'error-after'
  | 'reset-after'
  | 'reset-before'

export interface ConnectorOverrides {
  readonly url?: string
  readonly exchangeMs?: number
  readonly credential?: string
}

/** A connector with the gateway behind it. */
export interface ContractBench {
  connector(overrides?: ConnectorOverrides): GatewayConnector
  /** A fresh card, with the memory in which its digits live. */
  card(scenario: Scenario): { card: CardData; stores: readonly ArrayBuffer[] }
  /** How often the gateway moved money for this reference. */
  timesCharged(reference: string): number
  /** Wire bytes with card data as this connector sends and receives them, and the secrets in them. */
  readonly transcripts: readonly { readonly wire: string; readonly secrets: readonly string[] }[]
  close(): Promise<void>
}

type Check = (bench: ContractBench, t: TestContext) => Promise<void>

const money = (): { reference: string; amountMinor: number; currency: string } => ({
  reference: newId(systemRandom),
  amountMinor: 4_250,
  currency: 'GBP',
})

const wiped = (stores: readonly ArrayBuffer[]): boolean =>
  stores.every((store) => new Uint8Array(store).every((octet) => octet === 0))

export const contract: Readonly<Record<string, Check>> = {
  'an approval names the gateway id and the very amount, and the money moved once': async (bench) => {
    const context = money()
    const result = await bench.connector().charge(bench.card('approve').card, context)
    assert.equal(result.kind, 'approved')
    assert.ok(outcome.safeParse(result).success)
    assert.ok(result.kind === 'approved' && result.amountMinor === context.amountMinor && result.gatewayId.length > 0)
    assert.equal(bench.timesCharged(context.reference), 1)
  },

  'a decline is a decline with advice, and no money moved': async (bench) => {
    const context = money()
    const result = await bench.connector().charge(bench.card('decline').card, context)
    assert.equal(result.kind, 'declined')
    assert.ok(outcome.safeParse(result).success)
    assert.equal(bench.timesCharged(context.reference), 0)
  },

  'the card is wiped before the answer comes, whatever the answer is': async (bench) => {
    const scenarios: Scenario[] = ['approve', 'decline', 'slow', 'silent-after', 'error-after', 'reset-before']
    for (const scenario of scenarios) {
      const { card, stores } = bench.card(scenario)
      assert.ok(!wiped(stores))
      const pending = bench.connector({ exchangeMs: 300 }).charge(card, money())
      assert.ok(wiped(stores), `${scenario}: the request is rendered, so the digits must be gone`)
      await pending
    }
  },

  'a slow approval is waited for': async (bench) => {
    const context = money()
    const result = await bench.connector({ exchangeMs: 10_000 }).charge(bench.card('slow').card, context)
    assert.equal(result.kind, 'approved')
    assert.equal(bench.timesCharged(context.reference), 1)
  },

  'an approval of another amount is in doubt': async (bench) => {
    const result = await bench.connector().charge(bench.card('other-amount').card, money())
    assert.deepEqual(result, { kind: 'unknown', why: 'amount-differs' })
  },

  'accepted but no answer, a 500 or a reset: in doubt, found by query, charged once however often it is sent': async (
    bench,
  ) => {
    const cases: [Scenario, string][] = [
      ['silent-after', 'timeout'],
      ['error-after', 'server-error'],
      ['reset-after', 'reset'],
    ]
    for (const [scenario, why] of cases) {
      const context = money()
      const hurried = bench.connector({ exchangeMs: 300 })
      assert.deepEqual(await hurried.charge(bench.card(scenario).card, context), { kind: 'unknown', why }, scenario)
      const connector = bench.connector()
      await untilLag(connector)
      const found = await connector.query(context.reference)
      assert.ok(queryOutcome.safeParse(found).success)
      assert.ok(found.kind === 'found' && found.outcome.kind === 'approved' && !found.reversed, scenario)
      if (connector.describe().modes.idempotentCharge) {
        const again = await connector.charge(bench.card(scenario).card, context)
        assert.equal(again.kind, 'approved', `${scenario}: the stored answer`)
      }
      assert.equal(bench.timesCharged(context.reference), 1, scenario)
    }
  },

  'reset before accepting: in doubt, because the request had been written; the query finds nothing': async (bench) => {
    const context = money()
    const connector = bench.connector()
    const result = await connector.charge(bench.card('reset-before').card, context)
    assert.deepEqual(result, { kind: 'unknown', why: 'reset' })
    await untilLag(connector)
    assert.deepEqual(await connector.query(context.reference), { kind: 'not-found' })
    assert.equal(bench.timesCharged(context.reference), 0)
  },

  'the attempt deadline shortens the exchange': async (bench) => {
    const context = { ...money(), deadlineMs: 100 }
    const result = await bench.connector({ exchangeMs: 60_000 }).charge(bench.card('silent-after').card, context)
    assert.deepEqual(result, { kind: 'unknown', why: 'timeout' })
  },

  'reversal by our reference: once taken back it stays so; what never was cannot happen afterwards': async (bench) => {
    const connector = bench.connector()
    const context = money()
    await connector.charge(bench.card('approve').card, context)
    for (let round = 0; round < 2; round++) {
      const reversed = await connector.reverse(context.reference)
      assert.ok(reverseOutcome.safeParse(reversed).success)
      assert.equal(reversed, 'reversed', `round ${round}`)
    }
    await untilLag(connector)
    const found = await connector.query(context.reference)
    assert.ok(found.kind === 'found' && found.reversed)
    const early = money()
    assert.equal(await connector.reverse(early.reference), 'nothing-to-reverse')
    const late = await connector.charge(bench.card('approve').card, early)
    assert.notEqual(late.kind, 'approved')
    assert.equal(bench.timesCharged(early.reference), 0)
  },

  'nothing listening, no such name, no TLS: certainly not sent; query and reversal cannot tell': async (bench) => {
    const port = await freePort()
    const deaf = bench.connector({ url: `http://127.0.0.1:${port}` })
    const sent = await deaf.charge(bench.card('approve').card, money())
    assert.deepEqual(sent, { kind: 'not-sent', why: 'connection-refused' })
    assert.deepEqual(await deaf.query(money().reference), { kind: 'unavailable' })
    assert.equal(await deaf.reverse(money().reference), 'unavailable')
    const nameless = bench.connector({ url: 'https://gateway.invalid' })
    const unnamed = await nameless.charge(bench.card('approve').card, money())
    assert.deepEqual(unnamed, { kind: 'not-sent', why: 'name-not-found' })
  },

  'a wrong credential is a refusal of the account, not of the card, and nothing moves': async (bench) => {
    const context = money()
    const stranger = bench.connector({ credential: 'wrong' })
    const result = await stranger.charge(bench.card('approve').card, context)
    assert.ok(result.kind === 'declined' && result.code === 'config_error')
    assert.equal(bench.timesCharged(context.reference), 0)
    assert.deepEqual(await stranger.query(context.reference), { kind: 'unavailable' })
    assert.equal(await stranger.reverse(context.reference), 'unavailable')
  },

  'a currency that does not exist is refused without asking': async (bench) => {
    const { card, stores } = bench.card('approve')
    const result = await bench.connector().charge(card, { ...money(), currency: 'XXX' })
    assert.ok(result.kind === 'declined' && result.code === 'currency_unsupported')
    assert.ok(wiped(stores))
  },

  'scrubbing leaves no five digits of a card number, no code and no credential': async (bench) => {
    assert.ok(bench.transcripts.length > 0, 'a connector must bring transcripts')
    for (const { wire, secrets } of bench.transcripts) {
      const clean = Buffer.from(bench.connector().scrub(Buffer.from(wire))).toString('latin1')
      assert.equal(clean.length, Buffer.byteLength(wire), 'the length stays')
      for (const secret of secrets) {
        for (let at = 0; at + Math.min(5, secret.length) <= secret.length; at++) {
          assert.ok(!clean.includes(secret.slice(at, at + 5)), 'part of a secret is left')
        }
      }
    }
  },
}

/** Registers one test per duty. `open` starts a fresh gateway for each. */
export function testConnector(name: string, open: () => Promise<ContractBench>): void {
  for (const [duty, check] of Object.entries(contract)) {
    void test(`${name}: ${duty}`, async (t) => {
      const bench = await open()
      try {
        await check(bench, t)
      } finally {
        await bench.close()
      }
    })
  }
}

/** Benches run gateways without an index lag; a connector whose gateway has one brings its own clock. */
async function untilLag(connector: GatewayConnector): Promise<void> {
  assert.ok(connector.describe().modes.queryByReference, 'the suite has no way yet for gateways without query')
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  return typeof address === 'object' && address !== null ? address.port : 1
}
