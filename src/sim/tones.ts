/** Key presses as sound and as RFC 4733 packets, for simulators and tests. Everything random comes from the caller's seed. */
import { columnHz, rowHz } from '../cde/dtmf/tone-pairs.ts'
import { writeRtp } from '../cde/media/rtp.ts'
import { type RandomBytes, randomUnit } from '../lib/random.ts'

export interface ToneSettings {
  readonly toneMs: number
  /** Silence after each tone. */
  readonly gapMs: number
  /** Level of the stronger tone; 0 dBm0 is 3.14 dB below full scale (A-law's overload point). */
  readonly levelDbm0?: number
  /** Level of the column tone above the row tone; negative makes the column weaker. */
  readonly twistDb?: number
  /** Both tones are off by this share: 0.015 is +1.5 %. */
  readonly frequencyError?: number
  /** White noise under everything, relative to the power of both tones together; none when missing. */
  readonly snrDb?: number
  /** Silence before the first tone. */
  readonly leadSamples?: number
  /** Silence after the last gap. */
  readonly tailSamples?: number
}

/** Where a tone sounds: `from` inclusive, `to` exclusive, in samples. */
export interface ToneSpan {
  readonly from: number
  readonly to: number
}

export interface Tones {
  /** 8 kHz */
  readonly samples: Int16Array
  /** One per key, in order. */
  readonly spans: readonly ToneSpan[]
}

const SAMPLES_PER_MS = 8
const RATE_HZ = 8_000
const OVERLOAD_DBM0 = 3.14

/**
 * Keys one after another at 8 kHz, both tones of each with random phase.
 * @param keys key codes 0–15
 */
export function synthesizeKeys(keys: Iterable<number>, settings: ToneSettings, random: RandomBytes): Tones {
  const toneSamples = Math.round(settings.toneMs * SAMPLES_PER_MS)
  const gapSamples = Math.round(settings.gapMs * SAMPLES_PER_MS)
  const sequence = [...keys]
  const lead = settings.leadSamples ?? 800
  const sound = new Float64Array(lead + sequence.length * (toneSamples + gapSamples) + (settings.tailSamples ?? 1_600))
  const [rowPeak, columnPeak] = peaks(settings)
  const spans: ToneSpan[] = []
  for (const [index, key] of sequence.entries()) {
    const from = lead + index * (toneSamples + gapSamples)
    const to = from + toneSamples
    addTone(sound.subarray(from, to), rowHz(key) * (1 + (settings.frequencyError ?? 0)), rowPeak, random)
    addTone(sound.subarray(from, to), columnHz(key) * (1 + (settings.frequencyError ?? 0)), columnPeak, random)
    spans.push({ from, to })
  }
  if (settings.snrDb !== undefined) {
    const tonePower = (rowPeak ** 2 + columnPeak ** 2) / 2
    addNoise(sound, Math.sqrt(tonePower / 10 ** (settings.snrDb / 10)), random)
  }
  return { samples: Int16Array.from(sound, toSample), spans }
}

/** White noise of the given RMS (16-bit scale) on top of `sound`. */
export function addNoise(sound: Float64Array, rms: number, random: RandomBytes): void {
  for (let i = 0; i < sound.length; i++) sound[i] = (sound[i] ?? 0) + rms * gaussian(random)
}

function peaks(settings: ToneSettings): readonly [row: number, column: number] {
  const strong = 32_767 * 10 ** (((settings.levelDbm0 ?? -13) - OVERLOAD_DBM0) / 20)
  const twistDb = settings.twistDb ?? 0
  const weak = strong * 10 ** (-Math.abs(twistDb) / 20)
  return twistDb < 0 ? [strong, weak] : [weak, strong]
}

function addTone(sound: Float64Array, hz: number, peak: number, random: RandomBytes): void {
  const phase = 2 * Math.PI * randomUnit(random)
  const radiansPerSample = (2 * Math.PI * hz) / RATE_HZ
  for (let i = 0; i < sound.length; i++) sound[i] = (sound[i] ?? 0) + peak * Math.cos(radiansPerSample * i + phase)
}

/** Box and Muller's way to the normal distribution. */
function gaussian(random: RandomBytes): number {
  const radius = Math.sqrt(-2 * Math.log(1 - randomUnit(random)))
  return radius * Math.cos(2 * Math.PI * randomUnit(random))
}

function toSample(value: number): number {
  return Math.max(-32_768, Math.min(32_767, Math.round(value)))
}

export interface EventSettings {
  readonly payloadType: number
  readonly ssrc: number
  /** Sequence number of the first packet. */
  readonly sequence: number
  /** When the key goes down, in RTP time. */
  readonly timestamp: number
  /** How long it is held, in timestamp units. */
  readonly durationUnits: number
  /** Between updates; 160 is 20 ms at 8 kHz. */
  readonly updateUnits?: number
  /** Minus dBm0, 0–63. */
  readonly volumeDb?: number
}

/** One packet of a key press and when it leaves. */
export interface EventPacket {
  /** Since the key went down, in timestamp units. */
  readonly atUnits: number
  readonly packet: Uint8Array
}

const END_PACKETS = 3
const SEGMENT_UNITS_MAX = 0xffff

/**
 * The RFC 4733 packets of one key press: the first at once, updates while the key is down, the last one three times.
 * A press longer than 0xFFFF units is split into segments (2.5.1.3).
 */
export function eventPackets(key: number, settings: EventSettings): EventPacket[] {
  const { updateUnits = 160, volumeDb = 10 } = settings
  const packets: EventPacket[] = []
  const add = (atUnits: number, startUnits: number, durationUnits: number, end: boolean): void => {
    const payload = eventPayload(key, end, volumeDb, durationUnits)
    packets.push({
      atUnits,
      packet: writeRtp(
        {
          payloadType: settings.payloadType,
          marker: packets.length === 0,
          sequence: (settings.sequence + packets.length) & 0xffff,
          timestamp: (settings.timestamp + startUnits) >>> 0,
          ssrc: settings.ssrc,
        },
        payload,
      ),
    })
  }
  let startUnits = 0
  for (let atUnits = updateUnits; atUnits < settings.durationUnits; atUnits += updateUnits) {
    if (atUnits - startUnits > SEGMENT_UNITS_MAX) {
      add(atUnits, startUnits, SEGMENT_UNITS_MAX, false)
      startUnits += SEGMENT_UNITS_MAX
    }
    add(atUnits, startUnits, atUnits - startUnits, false)
  }
  for (let i = 0; i < END_PACKETS; i++) {
    add(settings.durationUnits + i * updateUnits, startUnits, settings.durationUnits - startUnits, true)
  }
  return packets
}

/** RFC 4733 2.3: event, E bit and volume, duration. */
export function eventPayload(key: number, end: boolean, volumeDb: number, durationUnits: number): Uint8Array {
  return Uint8Array.of(key, (end ? 0x80 : 0) | (volumeDb & 0x3f), (durationUnits >> 8) & 0xff, durationUnits & 0xff)
}
