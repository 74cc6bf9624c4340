/** What lines do to tones and streams on the way, beside noise and loss. Positions in samples of 8 kHz. */
import { parseRtp, writeRtp } from '../../../src/cde/media/rtp.ts'
import { type RandomBytes, randomUnit } from '../../../src/lib/random.ts'
import type { ToneSpan } from '../../../src/sim/tones.ts'
import type { TimedPacket } from '../../support/dtmf-call.ts'

export interface KeyedSound {
  readonly samples: Int16Array
  /** Where a key can be read. */
  readonly spans: readonly ToneSpan[]
}

export type SoundFault = (sound: KeyedSound, random: RandomBytes) => KeyedSound
export type StreamFault = (
  packets: readonly TimedPacket[],
  spans: readonly ToneSpan[],
  random: RandomBytes,
) => TimedPacket[]

const SAMPLES_PER_MS = 8
const FRAME_SAMPLES = 160

/** The far end comes back: the tone is to be read until its echo is over, so the delay must be shorter than it. */
export function echo(delayMs: number, db: number): SoundFault {
  return ({ samples, spans }) => {
    const delay = delayMs * SAMPLES_PER_MS
    const gain = 10 ** (db / 20)
    return {
      samples: samples.map((sample, i) => clipped(sample + gain * (samples[i - delay] ?? 0))),
      spans: spans.map(({ from, to }) => ({ from, to: to + delay })),
    }
  }
}

/** A legal interruption, so long after the tone began and so long before it ends. */
export function interrupted(pieceMs: number, interruptionMs: number): SoundFault {
  return ({ samples, spans }) => {
    const cut = samples.slice()
    const [piece, gap] = [pieceMs * SAMPLES_PER_MS, interruptionMs * SAMPLES_PER_MS]
    for (const { from, to } of spans) {
      cut.fill(0, from + piece, from + piece + gap)
      cut.fill(0, to - piece - gap, to - piece)
    }
    return { samples: cut, spans }
  }
}

/** Frames of 20 ms lost before they reach us, where a gateway repeats the last one ever more softly (as G.711 Appendix I does). */
export function concealed(lossShare: number): SoundFault {
  return ({ samples, spans }, random) => {
    const heard = samples.slice()
    for (let at = FRAME_SAMPLES; at + FRAME_SAMPLES <= heard.length; at += FRAME_SAMPLES) {
      if (randomUnit(random) >= lossShare) continue
      for (let i = at; i < at + FRAME_SAMPLES; i++) heard[i] = 0.7 * (heard[i - FRAME_SAMPLES] ?? 0)
    }
    // The end of a tone may be repeated once.
    return { samples: heard, spans: spans.map(({ from, to }) => ({ from, to: to + FRAME_SAMPLES })) }
  }
}

/** A new source in the middle of every other tone. */
export const newSsrc: StreamFault = (packets, spans, random) =>
  changedInMidTone(packets, spans, (rtp) => ({
    ...rtp,
    ssrc: (rtp.ssrc + 1) >>> 0,
    sequence: (rtp.sequence + Math.floor(randomUnit(random) * 60_000)) & 0xffff,
  }))

/** The sender's clock jumps by minutes in the middle of every other tone. */
export const jumpingTimestamp: StreamFault = (packets, spans, random) =>
  changedInMidTone(packets, spans, (rtp) => ({
    ...rtp,
    timestamp: (rtp.timestamp + 100_000 + Math.floor(randomUnit(random) * 1e9)) >>> 0,
  }))

/** The audio once more, as redundant audio data (RFC 2198) of a type that nobody agreed on. */
export const redundantAudio: StreamFault = (packets) => {
  let before = new Uint8Array(0)
  return packets.flatMap(({ atMs, packet }) => {
    const rtp = parseRtp(packet)
    if (typeof rtp === 'string') return [{ atMs, packet }]
    // RFC 2198 3: a block header of four octets for the packet before, one octet for the primary.
    const blockHeader = [0x80 | rtp.payloadType, FRAME_SAMPLES >> 6, (FRAME_SAMPLES << 2) & 0xff, before.length]
    const payload = Uint8Array.from([...blockHeader, rtp.payloadType, ...before, ...rtp.payload])
    before = Uint8Array.from(rtp.payload)
    return [
      { atMs, packet },
      { atMs: atMs + 1, packet: writeRtp({ ...rtp, payloadType: 100 }, payload) },
    ]
  })
}

interface Header {
  readonly payloadType: number
  readonly marker: boolean
  readonly sequence: number
  readonly timestamp: number
  readonly ssrc: number
}

/** From the middle of every other tone on, headers are what `change` makes of those before. */
function changedInMidTone(
  packets: readonly TimedPacket[],
  spans: readonly ToneSpan[],
  change: (header: Header) => Header,
): TimedPacket[] {
  const changesAtMs = spans
    .filter((_, index) => index % 2 === 1)
    .map(({ from, to }) => Math.floor((from + to) / 2 / SAMPLES_PER_MS))
  let offset = { sequence: 0, timestamp: 0, ssrc: 0 }
  return packets.map(({ atMs, packet }) => {
    const rtp = parseRtp(packet)
    if (typeof rtp === 'string') return { atMs, packet }
    if ((changesAtMs[0] ?? Number.POSITIVE_INFINITY) <= atMs) {
      changesAtMs.shift()
      const { sequence, timestamp, ssrc } = change({ ...rtp, ...offset })
      offset = { sequence, timestamp, ssrc }
    }
    const header = {
      ...rtp,
      sequence: (rtp.sequence + offset.sequence) & 0xffff,
      timestamp: (rtp.timestamp + offset.timestamp) >>> 0,
      ssrc: (rtp.ssrc + offset.ssrc) >>> 0,
    }
    return { atMs, packet: writeRtp(header, rtp.payload) }
  })
}

function clipped(value: number): number {
  return Math.max(-32_768, Math.min(32_767, Math.round(value)))
}
