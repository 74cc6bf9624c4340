// RFC 3389: the payload, and noise of the level and shape it asks for.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seededRandom } from '../../../lib/random.ts'
import { ComfortNoise, readComfortNoise, writeComfortNoise } from './comfort-noise.ts'

const SEED = 3_389

function noise(levelDbov: number, reflections: readonly number[] = [], seed = SEED): Int16Array {
  const generator = new ComfortNoise(seededRandom(seed))
  generator.shape({ levelDbov, reflections })
  const samples = new Int16Array(16_000)
  for (let at = 0; at < samples.length; at += 160) generator.write(samples.subarray(at, at + 160))
  return samples
}

const levelDbov = (samples: Int16Array): number => {
  const power = samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length
  return -10 * Math.log10(power / 32_768 ** 2)
}

const correlation = (samples: Int16Array, lag: number): number => {
  let [product, power] = [0, 0]
  for (let i = lag; i < samples.length; i++) {
    product += (samples[i] ?? 0) * (samples[i - lag] ?? 0)
    power += (samples[i] ?? 0) ** 2
  }
  return product / power
}

test('the level is what was asked for, white or shaped', () => {
  for (const level of [30, 45, 60]) {
    for (const reflections of [[], [-0.7], [0.4, 0.5, -0.3]]) {
      const measured = levelDbov(noise(level, reflections))
      assert.ok(Math.abs(measured - level) < 0.7, `seed ${SEED}: ${level} became ${measured}`)
    }
  }
})

test('white noise is white, a negative first coefficient makes it low, a positive one high', () => {
  for (const lag of [1, 2, 5, 40]) assert.ok(Math.abs(correlation(noise(40), lag)) < 0.04, `seed ${SEED} lag ${lag}`)
  assert.ok(Math.abs(correlation(noise(40, [-0.7]), 1) - 0.7) < 0.05)
  assert.ok(Math.abs(correlation(noise(40, [0.5]), 1) + 0.5) < 0.05)
})

test('two lines do not make the same noise, and the quietest level is silence', () => {
  assert.notDeepEqual(noise(40, [], 1), noise(40, [], 2))
  assert.ok(noise(127).every((sample) => sample === 0))
  assert.ok(noise(40, [], 0).some((sample) => sample !== 0))
})

test('coefficients at the very edge stay within 16 bits', () => {
  const shape = readComfortNoise(new Uint8Array(40).fill(255))
  assert.ok(shape !== 'empty')
  assert.equal(shape.reflections.length, 10)
  assert.ok(shape.reflections.every((k) => Math.abs(k) < 1))
  noise(0, shape.reflections)
})

test('the payload is a level and coefficients around 127', () => {
  assert.equal(readComfortNoise(new Uint8Array(0)), 'empty')
  assert.deepEqual(readComfortNoise(Uint8Array.of(0x80 | 60, 127)), { levelDbov: 60, reflections: [0] })
  assert.deepEqual([...writeComfortNoise(54.6)], [55])
  assert.deepEqual([...writeComfortNoise(200), ...writeComfortNoise(-3)], [127, 0])
})
