/**
 * Hours of calls on a virtual clock, and nothing is left of them: every table is empty, every port closed, and the memory that
 * each further call adds cannot be told from nothing. (`npm run bench:memory` runs a whole day.)
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { measureGrowth } from '../bench/memory/growth.ts'

const settings = { seed: 7, everyMs: 400, talkMs: 2_000, stretches: 10, stretchMs: 30_000, leakOctets: 0 }
/**
 * A table that forgets its call loses tens of thousands (a call's media alone are 30,000). In so short a run the engine itself
 * still adds some hundred, for code that it compiles anew.
 */
const OCTETS_PER_CALL = 1_000

const isGrowing = ({ slope, slopeError }: { slope: number; slopeError: number }): boolean =>
  slope - slopeError > OCTETS_PER_CALL

test('calls that come and go leave nothing behind', { timeout: 240_000 }, () => {
  const { heldAtMost, heapPerCall, externalPerCall, counts, heapOctets } = measureGrowth(settings)
  const facts = JSON.stringify({ seed: settings.seed, heapPerCall, externalPerCall, counts, heapOctets })
  assert.equal(heldAtMost, 0, facts)
  assert.ok(
    counts.calls > 500 && counts.captures > 200 && counts.offers > 100 && counts.keys > 100 && counts.secured > 100,
    facts,
  )
  assert.ok(!isGrowing(heapPerCall) && !isGrowing(externalPerCall), facts)
})

test('the same, with 3,000 octets of each call kept on purpose, is seen to grow', { timeout: 240_000 }, () => {
  const { heapPerCall, counts } = measureGrowth({ ...settings, leakOctets: 3_000 })
  assert.ok(isGrowing(heapPerCall), JSON.stringify({ seed: settings.seed, heapPerCall, counts }))
})
