/** One key press of a simulated phone, cut into steps of 20 ms. Sans-I/O. */
import type { Carriage, KeyCode } from '../cde/dtmf/key-codes.ts'
import { parseRtp } from '../cde/media/rtp.ts'
import type { RandomBytes } from '../lib/random.ts'
import { FRAME_MS, FRAME_SAMPLES, RATE_HZ } from './audio-source.ts'
import { eventPackets, synthesizeKeys } from './tones.ts'

// Between two presses; receivers must tell them apart from 30 ms on (ITU-T Q.24), a hasty finger makes more.
const PAUSE_FRAMES = 3

/** An RFC 4733 packet without the fields that the stream gives it. */
export interface EventStep {
  readonly marker: boolean
  /** From the key's going down to the start of the (segment of the) event: what the RTP timestamp says. */
  readonly startUnits: number
  readonly payload: Uint8Array
}

export interface PressStep {
  /** The key's sound in these 20 ms; undefined in the pause. For keys sent as events or INFO it is for listeners only. */
  readonly tone: Int16Array | undefined
  readonly events: readonly EventStep[]
  /** The last step: the next press may follow. */
  readonly over: boolean
}

export class Press {
  readonly carriage: Carriage
  readonly #tone: Int16Array
  readonly #events: readonly (EventStep & { readonly frame: number })[]
  readonly #frames: number
  #frame = 0

  constructor(key: KeyCode, carriage: Carriage, holdMs: number, random: RandomBytes) {
    this.carriage = carriage
    const sound = { toneMs: holdMs, gapMs: 0, leadSamples: 0, tailSamples: 0 }
    this.#tone = synthesizeKeys([key], sound, random).samples
    this.#events = carriage === 'event' ? eventSteps(key, (holdMs * RATE_HZ) / 1_000) : []
    this.#frames = Math.ceil(holdMs / FRAME_MS) + PAUSE_FRAMES
  }

  step(): PressStep {
    const frame = this.#frame++
    const tone = this.#tone.subarray(frame * FRAME_SAMPLES, (frame + 1) * FRAME_SAMPLES)
    return {
      tone: tone.length > 0 ? tone : undefined,
      events: this.#events.filter((event) => event.frame === frame),
      over: this.#frame >= this.#frames,
    }
  }
}

/** A packet leaves with the audio packet that ends at its time. */
function eventSteps(key: KeyCode, durationUnits: number): (EventStep & { frame: number })[] {
  // The sequence is made at timestamp 0; the sender puts it into its own stream.
  const settings = { payloadType: 0, ssrc: 0, sequence: 0, timestamp: 0, durationUnits, updateUnits: FRAME_SAMPLES }
  return eventPackets(key, settings).flatMap(({ atUnits, packet }) => {
    const rtp = parseRtp(packet)
    if (typeof rtp === 'string') return []
    const frame = Math.max(0, Math.ceil(atUnits / FRAME_SAMPLES) - 1)
    return [{ frame, marker: rtp.marker, startUnits: rtp.timestamp, payload: rtp.payload }]
  })
}

/** RFC-less but universal `application/dtmf-relay`: the key and its length in ms. Octets, because a key is never text with us. */
export function infoBody(key: KeyCode, holdMs: number): Uint8Array {
  const rest = new TextEncoder().encode(`\r\nDuration=${Math.round(holdMs)}\r\n`)
  const name = new TextEncoder().encode('Signal=')
  const body = new Uint8Array(name.length + 1 + rest.length)
  body.set(name)
  body[name.length] = KEY_OCTETS[key] ?? 0
  body.set(rest, name.length + 1)
  return body
}

const KEY_OCTETS = new TextEncoder().encode('0123456789*#ABCD')
