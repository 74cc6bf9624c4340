import assert from 'node:assert/strict'
import { test } from 'node:test'
import { randomUnit, seededRandom } from '../../../src/lib/random.ts'
import { Fft } from './fft.ts'

/** The definition itself, in N² steps. */
function directPowers(input: Float64Array, size: number): Float64Array {
  return Float64Array.from({ length: size / 2 }, (_, k) => {
    let re = 0
    let im = 0
    for (let n = 0; n < input.length; n++) {
      re += (input[n] ?? 0) * Math.cos((2 * Math.PI * k * n) / size)
      im -= (input[n] ?? 0) * Math.sin((2 * Math.PI * k * n) / size)
    }
    return re ** 2 + im ** 2
  })
}

test('the fast transform equals the direct one for noise of every size, padded or not', () => {
  for (const size of [2, 4, 16, 64, 256, 512]) {
    for (const length of [size, Math.ceil(size / 2)]) {
      const seed = size + length
      const random = seededRandom(seed)
      const input = Float64Array.from({ length }, () => randomUnit(random) * 2 - 1)
      const power = new Float64Array(size / 2)
      new Fft(size).powers(input, power)
      const direct = directPowers(input, size)
      for (let k = 0; k < power.length; k++) {
        assert.ok(Math.abs((power[k] ?? 0) - (direct[k] ?? 0)) < 1e-8 * size, `seed ${seed}, size ${size}, bin ${k}`)
      }
    }
  }
})

test('one object can be used again and forgets the former input', () => {
  const fft = new Fft(8)
  const power = new Float64Array(4)
  fft.powers(new Float64Array(8).fill(1), power)
  fft.powers(new Float64Array(8), power)
  assert.deepEqual([...power], [0, 0, 0, 0])
})

test('a size that is no power of two is refused', () => {
  for (const size of [0, 1, 3, 100, 131_072]) assert.throws(() => new Fft(size), RangeError)
})
