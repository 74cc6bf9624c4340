/** What is keyed, over what, through what: each condition with its own seed. */
import { spawnSync } from 'node:child_process'
import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type RandomBytes, randomUnit } from '../../../src/lib/random.ts'
import { parseWav, writeWav } from '../../../src/lib/wav.ts'
import { synthesizeKeys, type ToneSettings, type ToneSpan } from '../../../src/sim/tones.ts'
import type { Impairment } from '../../support/dtmf-call.ts'
import {
  concealed,
  echo,
  interrupted,
  jumpingTimestamp,
  newSsrc,
  redundantAudio,
  type SoundFault,
  type StreamFault,
} from './line-faults.ts'

export interface Condition {
  readonly name: string
  readonly tones: ToneSettings
  /** Level of the tones above the speech under them, each over its own span. */
  readonly overSpeechDb?: number
  /** Arguments of ffmpeg for a codec on the way, and the file's ending. */
  readonly transcoding?: readonly [codec: readonly string[], ending: string]
  readonly network?: Impairment
  readonly packetMs?: number
  /** Events beside or instead of the tones. */
  readonly events?: 'beside' | 'instead' | 'not-negotiated' | 'redundant'
  /** What the line does to the sound, and to the stream. */
  readonly fault?: SoundFault
  readonly streamFault?: StreamFault
  /** Where the standards demand acceptance. */
  readonly isStandard?: boolean
}

const plain: ToneSettings = { toneMs: 60, gapMs: 60 }
const standard = { isStandard: true } as const

export const conditions: readonly Condition[] = [
  ...[15, 23].map((toneMs) => ({ name: `tones of ${toneMs} ms`, tones: { toneMs, gapMs: 40 } })),
  ...[40, 80, 200].map((toneMs) => ({ name: `tones of ${toneMs} ms`, tones: { toneMs, gapMs: 60 }, ...standard })),
  { name: 'tones of 200 ms, gaps of 5 ms', tones: { toneMs: 200, gapMs: 5 } },
  { name: 'gaps of 30 ms', tones: { toneMs: 45, gapMs: 30 } },
  ...[0, -35, -45].map((levelDbm0) => ({ name: `${levelDbm0} dBm0`, tones: { ...plain, levelDbm0 } })),
  ...[-3, -24].map((levelDbm0) => ({ name: `${levelDbm0} dBm0`, tones: { ...plain, levelDbm0 }, ...standard })),
  ...[8, -12].map((twistDb) => ({ name: `twist ${twistDb} dB`, tones: { ...plain, twistDb } })),
  ...[4, -8].map((twistDb) => ({ name: `twist ${twistDb} dB`, tones: { ...plain, twistDb }, ...standard })),
  ...[-1.5, 1.5].map((percent) => ({
    name: `${percent} % off`,
    tones: { ...plain, frequencyError: percent / 100 },
    ...standard,
  })),
  ...[-3.5, -2.5, 2.5, 3.5].map((percent) => ({
    name: `${percent} % off`,
    tones: { ...plain, frequencyError: percent / 100 },
  })),
  { name: '15 ms, twist -12 dB, 1.25 % off, noise 10 dB', tones: { ...hard(), twistDb: -12, frequencyError: 0.0125 } },
  ...[40, 20, 15].map((snrDb) => ({ name: `noise ${snrDb} dB below`, tones: { ...plain, snrDb }, ...standard })),
  ...[10, 6].map((snrDb) => ({ name: `noise ${snrDb} dB below`, tones: { ...plain, snrDb } })),
  ...[15, 20].map((toneMs) => ({ name: `${toneMs} ms, noise 6 dB below`, tones: { toneMs, gapMs: 60, snrDb: 6 } })),
  { name: 'clipped, noise 15 dB below', tones: { ...plain, levelDbm0: 3, snrDb: 15 } },
  ...(['gsm', 'g726', 'g723_1', 'speex', 'opus', 'g722'] as const).map(transcoded),
  ...[10, 30, 40, 60].map((packetMs) => ({ name: `packets of ${packetMs} ms, 3 % lost`, ...lossy(0.03), packetMs })),
  { name: '1 % lost', ...lossy(0.01) },
  { name: '10 % lost', ...lossy(0.1) },
  { name: '5 % lost in bursts of 3', tones: plain, network: { lossShare: 0.05, burst: 3 } },
  { name: 'jitter 30 ms, reordering, duplicates', tones: plain, network: shaken() },
  { name: 'events beside tones', tones: plain, events: 'beside', ...standard },
  { name: 'events instead of tones', tones: plain, events: 'instead', ...standard },
  { name: 'events, 10 % lost', ...lossy(0.1), events: 'instead' },
  { name: 'events of a type that was not negotiated, beside tones', tones: plain, events: 'not-negotiated' },
  { name: 'events as redundant audio data (RFC 2198), beside tones', tones: plain, events: 'redundant' },
  ...[15, 40, 50, 80].flatMap(overSpeech),
  ...[23, 30].flatMap(overSpeech),
  { name: 'tones of 200 ms, gaps of 10 ms', tones: { toneMs: 200, gapMs: 10 } },
  { name: 'echo after 30 ms, 12 dB below', tones: { toneMs: 60, gapMs: 100 }, fault: echo(30, -12) },
  { name: 'echo after 120 ms, 25 dB below', tones: { toneMs: 150, gapMs: 300 }, fault: echo(120, -25) },
  ...[1, 6].map((pieceMs) => ({
    name: `interrupted for 10 ms, ${pieceMs} ms from both ends`,
    tones: { toneMs: 80, gapMs: 80 },
    fault: interrupted(pieceMs, 10),
  })),
  { name: '5 % lost before us, concealed', tones: plain, fault: concealed(0.05) },
  { name: '15 ms, 5 % lost before us, concealed', tones: { toneMs: 15, gapMs: 60 }, fault: concealed(0.05) },
  { name: 'another SSRC in mid tone', tones: plain, streamFault: newSsrc },
  { name: 'timestamps jump in mid tone', tones: plain, streamFault: jumpingTimestamp },
  { name: 'audio also as redundant audio data (RFC 2198)', tones: plain, streamFault: redundantAudio, ...standard },
  ...[10, 30, 40, 60].map((packetMs) => ({ name: `packets of ${packetMs} ms`, tones: plain, packetMs, ...standard })),
  ...(['speexLow', 'codec2'] as const).map(transcoded),
]

function overSpeech(toneMs: number): Condition[] {
  return [20, 15, 10, 6, 3, 0].map((overSpeechDb) => ({
    name: `${toneMs} ms, ${overSpeechDb} dB over speech`,
    // Further apart than a burst lasts: every key is a first one.
    tones: { toneMs, gapMs: 2_900 },
    overSpeechDb,
  }))
}

function hard(): ToneSettings {
  return { toneMs: 15, gapMs: 60, snrDb: 10 }
}

function lossy(lossShare: number): { tones: ToneSettings; network: Impairment } {
  return { tones: plain, network: { lossShare } }
}

function shaken(): Impairment {
  return { jitterMs: 30, swapShare: 0.05, duplicateShare: 0.1 }
}

function transcoded(codec: 'gsm' | 'g726' | 'g723_1' | 'speex' | 'opus' | 'g722' | 'speexLow' | 'codec2'): Condition {
  const encoders: Record<typeof codec, [string, readonly string[], string]> = {
    gsm: ['GSM full rate, 13 kbit/s', ['-c:a', 'libgsm', '-ar', '8000'], 'gsm'],
    g726: ['G.726, 16 kbit/s', ['-c:a', 'g726', '-b:a', '16k', '-ar', '8000'], 'wav'],
    g723_1: ['G.723.1, 6.3 kbit/s', ['-c:a', 'g723_1', '-b:a', '6300', '-ar', '8000'], 'wav'],
    speex: ['Speex, 8 kbit/s', ['-c:a', 'libspeex', '-b:a', '8k', '-ar', '8000'], 'ogg'],
    opus: ['Opus, 8 kbit/s', ['-c:a', 'libopus', '-b:a', '8k', '-application', 'voip'], 'ogg'],
    speexLow: ['Speex, 6 kbit/s', ['-c:a', 'libspeex', '-b:a', '6k', '-ar', '8000'], 'ogg'],
    codec2: ['Codec 2, 3.2 kbit/s', ['-c:a', 'libcodec2', '-mode', '3200', '-ar', '8000'], 'c2'],
    g722: ['G.722, 64 kbit/s', ['-c:a', 'g722', '-ar', '16000'], 'wav'],
  }
  const [name, args, ending] = encoders[codec]
  return { name: `through ${name}`, tones: { toneMs: 80, gapMs: 80 }, transcoding: [args, ending] }
}

const SPEECH =
  '/usr/share/asterisk/sounds/{en_US_f_Allison,es_MX_f_Allison,fr_CA_f_June,it_IT_m_Carlo,ru_RU_f_IvrvoiceRU}/*.wav'
const SPEECH_RMS_MIN = 1_000
const PEAK_RMS_MAX = 6_000

/** Every eighth prompt of each language that is installed, one after another. */
export function speechSamples(): Int16Array {
  const files = globSync(SPEECH)
    .sort()
    .filter((_, index) => index % 8 === 0)
  const clips = files.flatMap((file) => {
    const wav = parseWav(readFileSync(file))
    return typeof wav === 'string' || wav.rateHz !== 8_000 ? [] : [wav.samples[0] ?? new Int16Array(0)]
  })
  const samples = new Int16Array(clips.reduce((sum, { length }) => sum + length, 0))
  clips.reduce((at, clip) => {
    samples.set(clip, at)
    return at + clip.length
  }, 0)
  return samples
}

/** Puts speech under all of it: each tone's span gets a stretch in which someone speaks, `db` below the tone. */
export function addSpeech(
  samples: Int16Array,
  spans: readonly ToneSpan[],
  db: number,
  speech: Int16Array,
  random: RandomBytes,
): void {
  for (const [index, { from, to }] of spans.entries()) {
    const start = index === 0 ? 0 : Math.floor(((spans[index - 1]?.to ?? 0) + from) / 2)
    const end = Math.floor((to + (spans[index + 1]?.from ?? samples.length)) / 2)
    const tone = rms(samples.subarray(from, to))
    const { at, level } = speakingAt(speech, from - start, to - from, end - from, random)
    const scale = Math.min(1, PEAK_RMS_MAX / tone, (PEAK_RMS_MAX * 10 ** (db / 20)) / tone)
    const gain = (tone * scale) / 10 ** (db / 20) / level
    for (let i = start; i < end; i++) {
      const value = (samples[i] ?? 0) * scale + (speech[at + i - from] ?? 0) * gain
      samples[i] = Math.max(-32_768, Math.min(32_767, Math.round(value)))
    }
  }
}

function speakingAt(speech: Int16Array, before: number, length: number, after: number, random: RandomBytes) {
  for (;;) {
    const at = before + Math.floor(randomUnit(random) * (speech.length - before - after))
    const level = rms(speech.subarray(at, at + length))
    if (level > SPEECH_RMS_MIN) return { at, level }
  }
}

function rms(samples: Int16Array): number {
  return Math.sqrt(samples.reduce((sum, value) => sum + value * value, 0) / samples.length)
}

/** There and back through a codec of ffmpeg. @returns undefined where ffmpeg or the codec is missing */
export function transcode(
  samples: Int16Array,
  [codec, ending]: readonly [readonly string[], string],
): Int16Array | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'tonewall-leak-'))
  const file = (name: string): string => join(folder, name)
  const ffmpeg = (...args: string[]): boolean =>
    spawnSync('ffmpeg', ['-y', '-loglevel', 'error', ...args], { stdio: 'ignore' }).status === 0
  try {
    writeFileSync(file('in.wav'), writeWav([samples], 8_000))
    const isThere = ffmpeg('-i', file('in.wav'), ...codec, file(`coded.${ending}`))
    const isBack = isThere && ffmpeg('-i', file(`coded.${ending}`), '-ar', '8000', '-c:a', 'pcm_s16le', file('out.wav'))
    if (!isBack) return undefined
    const wav = parseWav(readFileSync(file('out.wav')))
    return typeof wav === 'string' ? undefined : wav.samples[0]
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** The condition's keys as sound, with the codec's delay taken into the spans. */
export function keyedSound(
  condition: Condition,
  keys: readonly number[],
  speech: Int16Array,
  random: RandomBytes,
): { samples: Int16Array; spans: readonly ToneSpan[] } | undefined {
  const leadSamples = 1_600 + Math.floor(randomUnit(random) * 160)
  const { samples, spans } = synthesizeKeys(keys, { ...condition.tones, leadSamples, tailSamples: 4_000 }, random)
  if (condition.overSpeechDb !== undefined) addSpeech(samples, spans, condition.overSpeechDb, speech, random)
  if (condition.fault !== undefined) return condition.fault({ samples, spans }, random)
  if (condition.transcoding === undefined) return { samples, spans }
  const coded = transcode(samples, condition.transcoding)
  if (coded === undefined) return undefined
  const delay = codecDelay(samples, coded)
  return { samples: coded, spans: spans.map(({ from, to }) => ({ from: from + delay, to: to + delay })) }
}

/** The lag at which the energies of both agree best, in steps of 1 ms up to 120 ms. */
function codecDelay(before: Int16Array, after: Int16Array): number {
  const envelope = (samples: Int16Array): number[] =>
    Array.from({ length: Math.floor(samples.length / 8) }, (_, i) => rms(samples.subarray(i * 8, i * 8 + 8)))
  const [a, b] = [envelope(before), envelope(after)]
  let best = { lag: 0, product: -1 }
  for (let lag = 0; lag < 120; lag++) {
    const product = a.reduce((sum, value, i) => sum + value * (b[i + lag] ?? 0), 0)
    if (product > best.product) best = { lag, product }
  }
  return best.lag * 8
}
