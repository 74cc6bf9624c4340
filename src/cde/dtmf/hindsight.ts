import { BLOCK_SAMPLES, BLOCKS_MAX, type ToneBank, TONES_HZ } from './tone-bank.ts'

const RATE_HZ = 8_000
const TONES = TONES_HZ.length
/** Of a bank's ring of inner products. */
const LAST_INDEX = BLOCKS_MAX * TONES - 1
/** 15 ms, as what the masker decides on. */
const WINDOW_BLOCKS = 6
/** 20 ms: from the end of a window to that of the ones it is compared with; 5 ms lie between them. */
export const HINDSIGHT_BLOCKS = 8

// How far each tone turns from the window's middle to each block's.
const TURNS = TONES_HZ.flatMap((hz) =>
  Array.from(
    { length: WINDOW_BLOCKS },
    (_, block) => (2 * Math.PI * hz * (block - (WINDOW_BLOCKS - 1) / 2) * BLOCK_SAMPLES) / RATE_HZ,
  ),
)
const TURN_COSINE = Float64Array.from(TURNS, (turn) => Math.cos(turn))
const TURN_SINE = Float64Array.from(TURNS, (turn) => Math.sin(turn))

/**
 * By how many dB both tones of a pair stand out of what came 20 ms before and 20 ms after: the weaker tone, on the poorer
 * side. A voice holds its harmonics longer than that; a short tone begins and ends.
 * @param ago how many blocks before the newest the window ends: HINDSIGHT_BLOCKS at least
 */
export function contrastDb(bank: ToneBank, ago: number, pair: number): number {
  return Math.min(contrastOf(bank, ago, pair >> 2), contrastOf(bank, ago, 4 + (pair & 3)))
}

function contrastOf(bank: ToneBank, ago: number, tone: number): number {
  const around = Math.max(powerOf(bank, ago + HINDSIGHT_BLOCKS, tone), powerOf(bank, ago - HINDSIGHT_BLOCKS, tone))
  return 10 * Math.log10((powerOf(bank, ago, tone) + 1) / (around + 1))
}

/** Power of one tone in the window that ends `ago` blocks before the newest. */
function powerOf(bank: ToneBank, ago: number, tone: number): number {
  bank.project(ago, WINDOW_BLOCKS)
  const { cosine, sine } = bank
  let at = bank.slot(ago + WINDOW_BLOCKS - 1) * TONES + tone
  let re = 0
  let im = 0
  for (let turn = tone * WINDOW_BLOCKS; turn < (tone + 1) * WINDOW_BLOCKS; turn++) {
    const along = cosine[at] as number
    const across = sine[at] as number
    const c = TURN_COSINE[turn] as number
    const s = TURN_SINE[turn] as number
    re += along * c - across * s
    im -= across * c + along * s
    at = (at + TONES) & LAST_INDEX
  }
  return (re * re + im * im) / ((WINDOW_BLOCKS * BLOCK_SAMPLES) / 2)
}
