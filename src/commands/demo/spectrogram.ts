/** A picture of two recordings, one above the other: time to the right, 0–2 kHz upwards, brightness is level. */
import { encode } from 'fast-png'

const WINDOW_SAMPLES = 256
const BINS = 64 // 31.25 Hz each at 8 kHz: 0–2 kHz, where keypad tones live
const ROW_HEIGHT = 4
const GAP_ROWS = 12
const COLUMNS_MAX = 1_800
const FLOOR_DB = -70
const CEILING_DB = -15

/** The widget's accent, so that both faces of the product look alike. */
const DARK = [13, 17, 28] as const
const ACCENT = [64, 145, 255] as const
const LIGHT = [255, 255, 255] as const

/** @param upper and @param lower 8 kHz recordings; @returns a PNG file */
export function spectrogramPng(upper: Int16Array, lower: Int16Array): Uint8Array {
  const samples = Math.max(upper.length, lower.length)
  const hop = Math.max(80, Math.ceil(samples / COLUMNS_MAX))
  const width = Math.max(1, Math.floor(samples / hop))
  const panelHeight = BINS * ROW_HEIGHT
  const height = panelHeight * 2 + GAP_ROWS
  const data = new Uint8Array(width * height * 3).fill(255)
  for (const [panel, recording] of [upper, lower].entries()) {
    const top = panel * (panelHeight + GAP_ROWS)
    for (let column = 0; column < width; column++) {
      const levels = columnLevels(recording, column * hop)
      for (let row = 0; row < panelHeight; row++) {
        const bin = BINS - 1 - Math.floor(row / ROW_HEIGHT)
        paint(data, ((top + row) * width + column) * 3, levels[bin] ?? FLOOR_DB)
      }
    }
  }
  return encode({ width, height, data, channels: 3, depth: 8 })
}

const hann = Float64Array.from(
  { length: WINDOW_SAMPLES },
  (_, n) => 0.5 - 0.5 * Math.cos((2 * Math.PI * n) / WINDOW_SAMPLES),
)
const cosines = Float64Array.from({ length: WINDOW_SAMPLES }, (_, n) => Math.cos((2 * Math.PI * n) / WINDOW_SAMPLES))
const sines = Float64Array.from({ length: WINDOW_SAMPLES }, (_, n) => Math.sin((2 * Math.PI * n) / WINDOW_SAMPLES))

/** Levels in dB of full scale of the lowest bins of one window (a plain DFT: the picture is made once). */
function columnLevels(samples: Int16Array, from: number): Float64Array {
  const levels = new Float64Array(BINS)
  for (let bin = 0; bin < BINS; bin++) {
    let re = 0
    let im = 0
    for (let n = 0; n < WINDOW_SAMPLES; n++) {
      const value = (samples[from + n] ?? 0) * (hann[n] ?? 0)
      const phase = (bin * n) % WINDOW_SAMPLES
      re += value * (cosines[phase] ?? 0)
      im -= value * (sines[phase] ?? 0)
    }
    const amplitude = (Math.hypot(re, im) * 4) / WINDOW_SAMPLES / 32_768
    levels[bin] = 20 * Math.log10(amplitude + 1e-9)
  }
  return levels
}

function paint(data: Uint8Array, at: number, levelDb: number): void {
  const strength = Math.min(1, Math.max(0, (levelDb - FLOOR_DB) / (CEILING_DB - FLOOR_DB)))
  const [from, to, share] = strength < 0.6 ? [DARK, ACCENT, strength / 0.6] : [ACCENT, LIGHT, (strength - 0.6) / 0.4]
  for (let c = 0; c < 3; c++) data[at + c] = Math.round((from[c] ?? 0) + ((to[c] ?? 0) - (from[c] ?? 0)) * share)
}
