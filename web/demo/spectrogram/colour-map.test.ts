import assert from 'node:assert/strict'
import { test } from 'node:test'
import { colourMap, parseRgb, type Rgb, toLch, toRgb } from './colour-map.ts'

const DARK: Rgb = [16, 21, 22]
const LIGHT: Rgb = [255, 255, 255]
const ACCENT: Rgb = [79, 217, 180]

const at = (map: Uint8ClampedArray, i: number): Rgb => [map[i * 4] ?? 0, map[i * 4 + 1] ?? 0, map[i * 4 + 2] ?? 0]

test('colours survive the way to OKLCh and back', () => {
  for (const rgb of [DARK, LIGHT, ACCENT, [255, 0, 0], [1, 2, 3], [12, 200, 90]] as Rgb[]) {
    assert.deepEqual(toRgb(toLch(rgb)), rgb)
  }
})

test('silence has the colour of the ground and lightness changes evenly to the other end', () => {
  for (const [ground, peak] of [
    [DARK, LIGHT],
    [LIGHT, DARK],
  ] as const) {
    const map = colourMap(ground, ACCENT, peak)
    assert.deepEqual(at(map, 0), ground)
    const lightness = Array.from({ length: 256 }, (_, i) => toLch(at(map, i)).l)
    const whole = (lightness[255] ?? 0) - (lightness[0] ?? 0)
    for (let i = 0; i < 256; i++) {
      const even = (lightness[0] ?? 0) + (whole * i) / 255
      assert.ok(Math.abs((lightness[i] ?? 0) - even) < 0.03, `entry ${i}`)
    }
  }
})

test('computed colours are read', () => {
  assert.deepEqual(parseRgb('rgb(79, 217, 180)'), ACCENT)
  assert.deepEqual(parseRgb('rgba(79, 217, 180, 0.5)'), ACCENT)
  assert.deepEqual(parseRgb('oklch(0.5 0.1 170)'), [0, 0, 0])
})
