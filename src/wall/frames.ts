/**
 * Frames on a byte stream between the zones: four octets of length (big-endian), then that many octets of UTF-8 JSON.
 * Sans-I/O: octets in, message objects or one word of a closed list out. Never throws.
 */
import { wallLimits } from '../lib/limits.ts'

export type FrameProblem = 'oversized' | 'not-json'

/** One frame of the message, or `oversized`. @param octetsMax the largest body that the other end takes */
export function writeFrame(
  message: unknown,
  octetsMax: number = wallLimits.messageOctetsMax,
): Uint8Array | 'oversized' {
  const body = Buffer.from(JSON.stringify(message), 'utf8')
  if (body.length > octetsMax) return 'oversized'
  const frame = Buffer.alloc(4 + body.length)
  frame.writeUInt32BE(body.length, 0)
  body.copy(frame, 4)
  return frame
}

/** Collects octets and yields complete frames. After `oversized` the stream is out of step: close it. */
export class FrameReader {
  readonly #octetsMax: number
  #pending: Buffer = Buffer.alloc(0)

  constructor(octetsMax: number = wallLimits.messageOctetsMax) {
    this.#octetsMax = octetsMax
  }

  /** @returns the messages completed by these octets, in order; problems stand in place of the message */
  push(octets: Uint8Array): ({ message: unknown } | { problem: FrameProblem })[] {
    this.#pending = Buffer.concat([this.#pending, octets])
    const out: ({ message: unknown } | { problem: FrameProblem })[] = []
    while (this.#pending.length >= 4) {
      const length = this.#pending.readUInt32BE(0)
      if (length > this.#octetsMax) {
        this.#pending = Buffer.alloc(0)
        out.push({ problem: 'oversized' })
        return out
      }
      if (this.#pending.length < 4 + length) break
      out.push(readJson(this.#pending.subarray(4, 4 + length)))
      this.#pending = this.#pending.subarray(4 + length)
    }
    return out
  }
}

function readJson(body: Buffer): { message: unknown } | { problem: FrameProblem } {
  try {
    return { message: JSON.parse(body.toString('utf8')) as unknown }
  } catch {
    return { problem: 'not-json' }
  }
}
