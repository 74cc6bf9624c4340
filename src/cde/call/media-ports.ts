/** Bound pairs of RTP and RTCP ports: opened for a call, drained after it (MED-11), then closed. */
import type { Address } from '../../lib/address.ts'
import { callLimits } from '../../lib/limits.ts'
import type { PortPool } from '../media/ports.ts'
import {
  type Frame,
  type FrameListener,
  type MediaEngine,
  MediaOpenError,
  type MediaSocket,
  type PacketListener,
} from '../media/socket.ts'

export interface PortPair {
  readonly address: Address
  /** Where this leg's packets go from now on. Until first set they are dropped. */
  listen(onRtp: PacketListener, onRtcp: PacketListener, onRtpFrame?: FrameListener): void
  sendRtp(packet: Uint8Array, to: Address): void
  /** A frame of another pair's port leaves by this one. */
  forwardRtp(frame: Frame, to: Address): void
  sendRtcp(packet: Uint8Array, to: Address): void
  /** The call is over: nothing is heard any more, and the ports rest before they serve another call. */
  release(nowMs: number): void
}

interface BoundPair {
  readonly rtp: MediaSocket
  readonly rtcp: MediaSocket
}

const noListener: PacketListener = () => {}
const noFrameListener: FrameListener = () => false

export class MediaPorts {
  readonly #host: string
  readonly #pool: PortPool
  readonly #engine: MediaEngine
  readonly #nowMs: () => number
  readonly #draining = new Map<number, BoundPair>()

  constructor(host: string, pool: PortPool, engine: MediaEngine, nowMs: () => number) {
    this.#host = host
    this.#pool = pool
    this.#engine = engine
    this.#nowMs = nowMs
  }

  /**
   * @returns a bound pair, or undefined when none is left or none of a few tries could be bound
   * @throws what the engine throws beyond MediaOpenError; the pair rests then as one that could not be bound
   */
  async open(): Promise<PortPair | undefined> {
    for (let tries = 0; tries < callLimits.portTriesMax; tries++) {
      const port = this.#pool.take()
      if (port === undefined) return undefined
      let pair: PortPair | undefined
      try {
        pair = await this.#bind(port)
        if (pair !== undefined) return pair
      } finally {
        if (pair === undefined) this.#pool.unusable(port, this.#nowMs())
      }
    }
    return undefined
  }

  wake(nowMs: number): void {
    for (const port of this.#pool.wake(nowMs)) this.#closeDrained(port)
  }

  nextWakeAtMs(): number | undefined {
    return this.#pool.nextWakeAtMs()
  }

  counters(): Readonly<Record<string, number>> {
    return this.#pool.counters()
  }

  /** Closes what still drains; for the end of the process. */
  close(): void {
    for (const port of [...this.#draining.keys()]) this.#closeDrained(port)
  }

  async #bind(port: number): Promise<PortPair | undefined> {
    let onRtp = noListener
    let onRtcp = noListener
    let onRtpFrame = noFrameListener
    let rtp: MediaSocket | undefined
    try {
      rtp = await this.#engine.open(
        { host: this.#host, port },
        (packet, from) => onRtp(packet, from),
        (frame) => onRtpFrame(frame),
      )
      const rtcp = await this.#engine.open({ host: this.#host, port: port + 1 }, (packet, from) => onRtcp(packet, from))
      const bound: BoundPair = { rtp, rtcp }
      return {
        address: { host: this.#host, port },
        listen(rtpListener, rtcpListener, frameListener = noFrameListener) {
          onRtp = rtpListener
          onRtcp = rtcpListener
          onRtpFrame = frameListener
        },
        sendRtp: (packet, to) => bound.rtp.send(packet, to),
        forwardRtp: (frame, to) => bound.rtp.forward(frame, to),
        sendRtcp: (packet, to) => bound.rtcp.send(packet, to),
        release: (nowMs) => {
          onRtp = () => this.#pool.packetSeen(port, this.#nowMs())
          onRtcp = noListener
          onRtpFrame = noFrameListener
          this.#draining.set(port, bound)
          this.#pool.release(port, nowMs)
        },
      }
    } catch (error) {
      rtp?.close()
      if (error instanceof MediaOpenError) return undefined
      throw error
    }
  }

  #closeDrained(port: number): void {
    const bound = this.#draining.get(port)
    this.#draining.delete(port)
    bound?.rtp.close()
    bound?.rtcp.close()
  }
}
