import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseCharge, parseQuery, parseReverse } from '../../src/cde/gateways/sandbox/response.ts'
import { scrubWire } from '../../src/cde/gateways/scrub.ts'
import { seededRandom } from '../../src/lib/random.ts'
import { outcome, queryOutcome, reverseOutcome } from '../../src/wall/messages.ts'
import { below, mutate } from './mutate.ts'

const asked = { reference: 'BCDFGHJKLMNPQRSTVW', amountMinor: 4_250, currency: 'GBP' }
const charge = {
  id: 'CHBCDF',
  reference: asked.reference,
  state: 'approved',
  reversed: false,
  captured: true,
  amountMinor: 4_250,
  currency: 'GBP',
  authCode: 'ABCDEF',
}
const answers = [
  charge,
  { ...charge, state: 'declined', declineCode: 'expired_card' },
  { error: { code: 'insufficient_funds' } },
  { error: { code: 'charge_not_found' } },
].map((json) => Buffer.from(JSON.stringify(json)))
const statuses = [200, 201, 302, 400, 402, 404, 409, 429, 500, 0]

void test('a damaged answer is always an outcome, and never an approval of other money', () => {
  for (let seed = 1; seed <= 20_000; seed++) {
    const random = seededRandom(seed)
    const body = mutate(answers[below(answers.length, random)] ?? Buffer.alloc(0), random)
    const status = below(2, random) === 0 ? 200 : (statuses[below(statuses.length, random)] ?? 200)
    const told = parseCharge(status, body, asked)
    assert.ok(outcome.safeParse(told).success, `seed ${seed}`)
    if (told.kind === 'approved') assert.equal(told.amountMinor, asked.amountMinor, `seed ${seed}`)
    if (told.kind === 'approved') assert.equal(status, 200, `seed ${seed}`)
    assert.ok(queryOutcome.safeParse(parseQuery(status, body, asked.reference)).success, `seed ${seed}`)
    assert.ok(reverseOutcome.safeParse(parseReverse(status, body, asked.reference)).success, `seed ${seed}`)
  }
})

void test('a damaged request is scrubbed all the same: no five digits of its number in a row', () => {
  const number = '5105105105105100'
  const request = Buffer.from(`{"reference":"BCDF","card":{"number":"${number}","expiry":"1234","securityCode":"987"}}`)
  const secrets = { jsonMembers: ['number', 'expiry', 'securityCode'], headers: ['authorization'] }
  for (let seed = 1; seed <= 5_000; seed++) {
    const random = seededRandom(seed)
    // The member's name stays whole: what is cut or doubled is what stands behind it.
    const at = request.indexOf(number)
    const wire = Buffer.concat([request.subarray(0, at), mutate(request.subarray(at), random)])
    const clean = Buffer.from(scrubWire(wire, secrets))
    assert.equal(clean.length, wire.length, `seed ${seed}`)
    const value = clean.subarray(at, at + (wire.indexOf('"', at) === -1 ? wire.length : wire.indexOf('"', at) - at))
    assert.ok(!/\d{5}/.test(value.toString('latin1')), `seed ${seed}`)
    assert.equal(
      Buffer.from(scrubWire(clean, secrets)).compare(clean),
      0,
      `seed ${seed}: scrubbing twice changes nothing`,
    )
  }
})
