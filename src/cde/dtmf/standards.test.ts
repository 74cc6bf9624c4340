/**
 * Each number of the receiver's table (dtmf reference, 2): taken where Q.24 (NTT, AT&T) or ES 201 235-3 demand acceptance, no
 * key where they demand rejection. Where they disagree, the wider acceptance counts, and of the rejections all that leave it alone.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { randomUnit, seededRandom } from '../../lib/random.ts'
import { addNoise } from '../../sim/tones.ts'
import { findKeys } from './recording.ts'
import { columnHz, rowHz } from './tone-pairs.ts'

const SEED = 2_401
const ALL = Array.from({ length: 16 }, (_, key) => key)
const OFFSETS = [0, 7, 13, 21, 29, 38]
const MS = 8

interface Signal {
  readonly toneMs?: number
  readonly pauseMs?: number
  /** Of both tones together, before twist. */
  readonly levelDbm0?: number
  /** Level of the column above the row; the weaker of the two is at `levelDbm0` less this. */
  readonly twistDb?: number
  readonly rowHzOff?: (hz: number) => number
  readonly columnHzOff?: (hz: number) => number
  readonly interruptionMs?: number
  readonly snrDb?: number
}

const peakOf = (dbm0: number): number => 32_767 * 10 ** ((dbm0 - 3.14) / 20)

/** The keys one after another, each tone with a phase of its own. */
function signal(keys: readonly number[], by: Signal, offset: number): Int16Array {
  const { toneMs = 60, pauseMs = 60, levelDbm0 = -13, twistDb = 0, interruptionMs = 0 } = by
  const random = seededRandom(SEED + offset)
  const period = Math.round((toneMs + pauseMs) * MS)
  const sound = new Float64Array(800 + offset + keys.length * period + 1_600)
  const columnPeak = peakOf(levelDbm0 + Math.min(0, twistDb))
  const rowPeak = peakOf(levelDbm0 - Math.max(0, twistDb))
  for (const [index, key] of keys.entries()) {
    const from = 800 + offset + index * period
    const row = rowHz(key) + (by.rowHzOff?.(rowHz(key)) ?? 0)
    const column = columnHz(key) + (by.columnHzOff?.(columnHz(key)) ?? 0)
    const [rowPhase, columnPhase] = [2 * Math.PI * randomUnit(random), 2 * Math.PI * randomUnit(random)]
    for (let i = 0; i < toneMs * MS; i++) {
      const turn = (2 * Math.PI * i) / 8_000
      sound[from + i] = rowPeak * Math.cos(row * turn + rowPhase) + columnPeak * Math.cos(column * turn + columnPhase)
    }
    const middle = from + Math.round((toneMs - interruptionMs) * (MS / 2))
    sound.fill(0, middle, middle + interruptionMs * MS)
  }
  if (by.snrDb !== undefined) {
    addNoise(sound, Math.sqrt((rowPeak ** 2 + columnPeak ** 2) / 2 / 10 ** (by.snrDb / 10)), random)
  }
  return Int16Array.from(sound, (value) => Math.max(-32_768, Math.min(32_767, Math.round(value))))
}

function heard(by: Signal, keys: readonly number[] = ALL): number[][] {
  return OFFSETS.map((offset) => findKeys(signal(keys, by, offset), 8_000).map(({ key }) => key))
}

function accepts(name: string, by: Signal, keys: readonly number[] = ALL): void {
  for (const got of heard(by, keys)) assert.deepEqual(got, keys, `${name}, seed ${SEED}`)
}

function rejects(name: string, by: Signal): void {
  for (const got of heard(by)) assert.deepEqual(got, [], `${name}, seed ${SEED}`)
}

test('frequency: each tone ±1.8 % (NTT) and ±(1.5 % + 2 Hz) (ETSI, which holds ±1.5 % of AT&T) off is taken', () => {
  for (const sign of [-1, 1]) {
    for (const [name, off] of [
      ['1.8 %', (hz: number) => sign * 0.018 * hz],
      ['1.5 % + 2 Hz', (hz: number) => sign * (0.015 * hz + 2)],
    ] as const) {
      accepts(`row ${sign} ${name}`, { rowHzOff: off })
      accepts(`column ${sign} ${name}`, { columnHzOff: off })
      accepts(`both ${sign} ${name}`, { rowHzOff: off, columnHzOff: off })
      accepts(`apart ${sign} ${name}`, { rowHzOff: off, columnHzOff: (hz) => -off(hz) })
    }
  }
})

test('frequency: one tone ±3.0 % (NTT) or ±3.5 % (AT&T) off, and more, is no key', () => {
  for (const share of [0.03, 0.035, 0.045]) {
    for (const sign of [-1, 1]) {
      const off = (hz: number): number => sign * share * hz
      rejects(`row ${sign * share}`, { rowHzOff: off })
      rejects(`column ${sign * share}`, { columnHzOff: off })
      rejects(`both ${sign * share}`, { rowHzOff: off, columnHzOff: off })
    }
  }
})

test('level: 0 dBm (AT&T), -3 dBm (NTT) down to -24 and -25 dBm per tone is taken; -55 dBm (AT&T) is no key', () => {
  for (const levelDbm0 of [0, -3, -10, -24, -25]) accepts(`${levelDbm0} dBm`, { levelDbm0 })
  rejects('-55 dBm', { levelDbm0: -55 })
})

test('level: NTT would ignore -29 dBm; trunks lose more than that, so it is taken (a deviation that AT&T allows)', () => {
  accepts('-29 dBm', { levelDbm0: -29 })
})

test('twist: ±5 dB (NTT), +4 to -8 dB (AT&T) and ±6 dB (ETSI) is taken', () => {
  for (const twistDb of [-8, -6, -5, 4, 5, 6]) accepts(`${twistDb} dB`, { twistDb })
})

test('duration: 40 ms is a key, also with 10 dB of level to spare; 24 (NTT), 23 (AT&T) and 20 ms (ETSI) are none', () => {
  for (const levelDbm0 of [-3, -13, -25]) accepts(`40 ms, ${levelDbm0} dBm`, { toneMs: 40, levelDbm0 })
  for (const toneMs of [24, 23, 20]) rejects(`${toneMs} ms`, { toneMs })
})

test('pause: 30 ms (NTT) and 40 ms (AT&T, ETSI) between equal keys make two of them, of 40 ms and of longer tones', () => {
  for (const pauseMs of [30, 40]) {
    for (const toneMs of [40, 60, 200]) {
      accepts(`${pauseMs} ms after ${toneMs} ms`, { toneMs, pauseMs }, [5, 5, 5, 0, 0, 11, 11])
    }
  }
})

test('interruption: 10 ms (NTT, AT&T) and 20 ms (ETSI) within a key do not make two of it', () => {
  for (const interruptionMs of [5, 10, 20]) {
    accepts(`${interruptionMs} ms`, { toneMs: 80 + interruptionMs, interruptionMs })
  }
})

test('rate: 120 ms (NTT) and 93 ms (AT&T) from key to key, equal or not', () => {
  const keys = [4, 2, 2, 9, 9, 9, 0, 1]
  for (const periodMs of [120, 93]) accepts(`${periodMs} ms`, { toneMs: 40, pauseMs: periodMs - 40 }, keys)
})

test('another key begins without a pause worth the name, as handsets do that send 200 ms with gaps of 5 to 10 ms', () => {
  for (const pauseMs of [0, 5, 10]) accepts(`${pauseMs} ms`, { toneMs: 200, pauseMs })
})

test('noise: 15 dB below the tones takes nothing away', () => {
  accepts('15 dB', { snrDb: 15 })
  accepts('15 dB, 50 ms', { snrDb: 15, toneMs: 50 })
})

test('the corners of what must be taken, all at once: weak, twisted, off frequency and short', () => {
  for (const twistDb of [4, -8]) {
    for (const sign of [-1, 1]) {
      const off = (hz: number): number => sign * 0.015 * hz
      const by = { levelDbm0: -17, twistDb, toneMs: 40, pauseMs: 40, rowHzOff: off, columnHzOff: off }
      accepts(`twist ${twistDb}, ${sign * 1.5} %`, by)
    }
  }
})
