import assert from 'node:assert/strict'
import { test } from 'node:test'
import { wipeCard } from '../../src/cde/capture/card-data.ts'
import { Bench, CALL, CAPTURE } from '../../src/cde/capture/captures.test-kit.ts'
import { findCardNumber } from '../../src/lib/luhn-scan.ts'
import { type RandomBytes, seededRandom } from '../../src/lib/random.ts'
import { report } from '../../src/wall/messages.ts'
import { below } from './mutate.ts'

const FIELDS = ['cardNumber', 'expiry', 'securityCode', 'account', 'consent', 'unknown']
const INPUTS = [
  '4242424242424242',
  '378282246310005',
  '4242424242424241',
  '1234',
  '123',
  '1',
  '0',
  '999999999999',
  '#',
  '*',
]

const doubts = [
  { why: 'too-short', wasTold: false, isLatest: true },
  { why: 'too-near', wasTold: false, isLatest: false },
  { why: 'carriages-differ', wasTold: true, isLatest: false },
] as const

/** One thing that an agent, a caller or time may do; whole numbers and codes among them, so that captures get far. */
function act(bench: Bench, random: RandomBytes): void {
  const field = FIELDS[below(FIELDS.length, random)] ?? ''
  const { captures, nowMs } = bench
  const acts: (() => void)[] = [
    () => bench.start(below(2, random) === 0 ? 'field' : 'continuous', FIELDS.slice(0, 1 + below(6, random))),
    () => captures.request(CAPTURE, field, nowMs),
    () => captures.reset(CAPTURE, below(3, random) === 0 ? undefined : field, nowMs),
    () => captures.doubt(CALL, doubts[below(doubts.length, random)] ?? doubts[0], nowMs),
    () => captures.key(CALL, below(20, random) - 2, nowMs),
    () =>
      captures.doubled(
        CALL,
        Array.from({ length: below(4, random) }, (_, i) => 2 * i + below(2, random)),
        nowMs,
      ),
    () => bench.untilTimer(),
    () => {
      const card = captures.submit(CAPTURE)
      // As a connector does: the card is its own from here on.
      if (typeof card === 'object') wipeCard(card)
    },
    () => captures.finish(CAPTURE),
  ]
  const rare = [() => captures.cancel(CAPTURE), () => captures.callEnded(CALL), () => captures.maskFailed(CALL)]
  if (below(60, random) === 0) rare[below(rare.length, random)]?.()
  else if (below(2, random) === 0) bench.keys(INPUTS[below(INPUTS.length, random)] ?? '')
  else acts[below(acts.length, random)]?.()
}

void test('whatever agent, caller and time do: no exception, only reports that fit the wall, and nothing left at the end', () => {
  const seen = new Set<string>()
  for (let seed = 1; seed <= 400; seed++) {
    const random = seededRandom(seed)
    const bench = new Bench()
    for (let step = 0; step < 120; step++) {
      bench.nowMs += below(3_000, random)
      assert.doesNotThrow(() => act(bench, random), `seed ${seed}, step ${step}`)
    }
    bench.captures.finish(CAPTURE)
    bench.captures.callEnded(CALL)
    for (const said of bench.reports) {
      assert.ok(report.safeParse(said).success, `seed ${seed}: ${JSON.stringify(said)}`)
      assert.equal(findCardNumber(JSON.stringify(said)), -1, `seed ${seed}`)
      seen.add(said.type === 'field' ? `${said.state} ${said.error ?? ''}` : said.type)
      if (said.type === 'field' && said.uncertain !== undefined) seen.add(`${said.state} uncertain`)
      if (said.type === 'capture-closed') seen.add(said.reason)
    }
    assert.ok(bench.wiped(), `seed ${seed}`)
    assert.equal(bench.captures.openCaptureOf(CALL), undefined, `seed ${seed}`)
  }
  // The fuzz is worth its time only while it reaches every corner.
  for (const corner of [
    'valid ',
    'error check-digit',
    'error too-long',
    'error uncertain-key',
    'collecting uncertain',
    'submitted',
    'timed-out',
  ])
    assert.ok(seen.has(corner), corner)
})
