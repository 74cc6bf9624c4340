/** The real media of one call on ports in memory, with a caller and an agent who send packets to it. */
import { type CallMedia, type CallMediaOptions, openCallMedia } from '../../src/cde/call/call-media.ts'
import type { MediaEvent, MediaTerms } from '../../src/cde/call/media-orders.ts'
import type { MediaPorts } from '../../src/cde/call/media-ports.ts'
import type { Side } from '../../src/cde/call/negotiation.ts'
import type { AudioFormat, AudioSession, Direction } from '../../src/cde/media/audio-session.ts'
import { writeRtp } from '../../src/cde/media/rtp.ts'
import type { Address } from '../../src/lib/address.ts'
import { type RandomBytes, randomUnit } from '../../src/lib/random.ts'
import type { MemoryPorts } from './memory-ports.ts'

export const pcma: AudioFormat = { payloadType: 8, codec: 'PCMA', clockHz: 8_000 }
export const events: AudioFormat = { payloadType: 101, codec: 'telephone-event', clockHz: 8_000 }

export const sides = ['caller', 'agent'] as const

/** A telephone's stream: 20 ms of A-law at a time. */
export class Speaker {
  address: Address
  ssrc: number
  sequence: number
  timestamp: number

  constructor(address: Address, random: RandomBytes) {
    this.address = address
    this.ssrc = Math.floor(randomUnit(random) * 2 ** 32)
    this.sequence = Math.floor(randomUnit(random) * 2 ** 16)
    this.timestamp = Math.floor(randomUnit(random) * 2 ** 32)
  }

  /** Time goes on by one packet, whether it is sent or not. @param units how far, in the codec's RTP clock */
  step(units = 160): void {
    this.sequence = (this.sequence + 1) & 0xffff
    this.timestamp = (this.timestamp + units) >>> 0
  }

  packet(payload: Uint8Array, payloadType = pcma.payloadType): Uint8Array {
    const { ssrc, sequence, timestamp } = this
    return writeRtp({ payloadType, marker: false, sequence, timestamp, ssrc }, payload)
  }
}

export interface MediaCallOptions {
  readonly network: MemoryPorts
  readonly ports: MediaPorts
  readonly random: RandomBytes
  readonly nowMs: () => number
  /** What both sides speak; A-law and events when missing. */
  readonly formats?: readonly AudioFormat[]
  readonly newMasker?: CallMediaOptions['newMasker']
  readonly kernel?: CallMediaOptions['kernel']
  readonly onEvent?: (event: MediaEvent) => void
  readonly onKey?: (key: number) => void
}

export class MediaCall {
  readonly media: CallMedia
  readonly speakers: Readonly<Record<Side, Speaker>>
  readonly #network: MemoryPorts
  readonly #formats: readonly AudioFormat[]

  private constructor(media: CallMedia, { network, random, formats = [pcma, events] }: MediaCallOptions) {
    this.media = media
    this.#formats = formats
    this.#network = network
    const port = 4_000 + 2 * Math.floor(randomUnit(random) * 10_000)
    this.speakers = {
      caller: new Speaker({ host: '198.51.100.1', port }, random),
      agent: new Speaker({ host: '203.0.113.1', port }, random),
    }
  }

  static async open(options: MediaCallOptions): Promise<MediaCall> {
    const { ports, random, nowMs, newMasker, kernel, onEvent = () => {}, onKey = () => {} } = options
    const media = await openCallMedia(
      { ports, replacement: 'flat', jitterMs: 40, random, nowMs, kernel, ...(newMasker && { newMasker }) },
      { onKey: (key) => onKey(key), onEvent },
    )
    if (media === 'no-ports') throw new Error('no ports')
    return new MediaCall(media, options)
  }

  /** What one side's SDP says. */
  session(side: Side, direction: Direction = 'sendrecv'): AudioSession {
    const remote = this.speakers[side].address
    return { remote, remoteRtcp: rtcpOf(remote), formats: this.#formats, direction, ptimeMs: 20 }
  }

  /** An offer was answered: both sides are where they are now. */
  agree(nowMs: number, more: Partial<MediaTerms> = {}): void {
    const sessions = { caller: this.session('caller'), agent: this.session('agent') }
    const plain = { ownFormats: { caller: [], agent: [] }, keys: { caller: undefined, agent: undefined } }
    this.media.use({ sessions, ...plain, ...more }, nowMs)
  }

  /** One packet of a side arrives. */
  says(side: Side, payload: Uint8Array, payloadType?: number): void {
    const speaker = this.speakers[side]
    this.#network.arrive(this.media.addresses[side].port, speaker.packet(payload, payloadType), speaker.address)
  }
}

export function rtcpOf({ host, port }: Address): Address {
  return { host, port: port + 1 }
}
