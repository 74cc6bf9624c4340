import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seededRandom } from '../../src/lib/random.ts'
import { parseWav, writeWav } from '../../src/lib/wav.ts'
import { mutate } from './mutate.ts'

const SEED = 20_264
const RUNS = 30_000

test('mutated files are read or refused, and never give more samples than they have octets', () => {
  const random = seededRandom(SEED)
  const valid = writeWav([Int16Array.of(1, 2, 3, 4), Int16Array.of(5, 6, 7, 8)], 8_000)
  for (let run = 0; run < RUNS; run++) {
    const bytes = mutate(valid, random)
    const wav = parseWav(bytes)
    if (typeof wav === 'string') continue
    const samples = wav.samples.reduce((sum, channel) => sum + channel.length, 0)
    assert.ok(samples <= bytes.length, `seed ${SEED} run ${run}`)
    assert.equal(wav.samples.length, wav.channels, `seed ${SEED} run ${run}`)
  }
})
