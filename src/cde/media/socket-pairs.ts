import type { Address } from '../../lib/address.ts'
import type { Clock } from '../../lib/clock.ts'
import { mediaLimits } from '../../lib/limits.ts'
import type { PortPool } from './ports.ts'
import { type MediaEngine, MediaOpenError, type MediaSocket, type PacketListener } from './socket.ts'

/** The ports of one leg: RTP on the even one, RTCP on the odd one above it. */
export interface SocketPair {
  /** Where RTP is received; RTCP is on the next port. */
  readonly local: Address
  sendRtp(packet: Uint8Array, to: Address): void
  sendRtcp(packet: Uint8Array, to: Address): void
  /** From here on nothing is heard or sent; the ports drain (MED-11). A second call does nothing. */
  release(): void
}

export interface PairListener {
  readonly onRtp: PacketListener
  readonly onRtcp: PacketListener
}

/** Opens and drains the port pairs of one local address. One coarse timer serves all that drain. */
export class SocketPairs {
  readonly #options: {
    readonly engine: MediaEngine
    readonly pool: PortPool
    readonly host: string
    readonly clock: Clock
  }
  readonly #bound = new Map<number, readonly MediaSocket[]>()
  #timer: NodeJS.Timeout | undefined
  #closed = false

  constructor(options: { engine: MediaEngine; pool: PortPool; host: string; clock: Clock }) {
    this.#options = options
  }

  /** @returns a bound pair, 'no-ports' when the pool is empty or what it gave could not be bound */
  async open(listener: PairListener): Promise<SocketPair | 'no-ports'> {
    for (let tries = 0; tries < mediaLimits.portTriesMax && !this.#closed; tries++) {
      const port = this.#options.pool.take()
      if (port === undefined) return 'no-ports'
      const pair = await this.#bind(port, listener)
      if (pair !== undefined) return pair
    }
    return 'no-ports'
  }

  /** Closes every socket, draining ones too: for the end of the process. */
  close(): void {
    this.#closed = true
    clearTimeout(this.#timer)
    for (const sockets of this.#bound.values()) for (const socket of sockets) socket.close()
    this.#bound.clear()
  }

  async #bind(port: number, listener: PairListener): Promise<SocketPair | undefined> {
    const { engine, pool, host, clock } = this.#options
    let live: PairListener | undefined = listener
    const heard = (deliver: (to: PairListener) => void): void => {
      if (live === undefined) pool.packetSeen(port, clock.monotonicMs())
      else deliver(live)
    }
    const opened = await Promise.allSettled([
      engine.open({ host, port }, (packet, from) => heard(({ onRtp }) => onRtp(packet, from))),
      engine.open({ host, port: port + 1 }, (packet, from) => heard(({ onRtcp }) => onRtcp(packet, from))),
    ])
    const sockets = opened.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))
    const [rtp, rtcp] = sockets
    if (rtp === undefined || rtcp === undefined || this.#closed) {
      for (const socket of sockets) socket.close()
      pool.unusable(port, clock.monotonicMs())
      this.#watch()
      rethrowUnknown(opened)
      return undefined
    }
    this.#bound.set(port, [rtp, rtcp])
    return {
      local: rtp.local,
      sendRtp: (packet, to) => {
        if (live !== undefined) rtp.send(packet, to)
      },
      sendRtcp: (packet, to) => {
        if (live !== undefined) rtcp.send(packet, to)
      },
      release: () => {
        live = undefined
        pool.release(port, clock.monotonicMs())
        this.#watch()
      },
    }
  }

  /** Sets the timer for the next pair that may be quiet. It holds no process open. */
  #watch(): void {
    if (this.#timer !== undefined || this.#closed) return
    const wakeAtMs = this.#options.pool.nextWakeAtMs()
    if (wakeAtMs === undefined) return
    this.#timer = setTimeout(
      () => {
        this.#timer = undefined
        this.#closeQuiet()
        this.#watch()
      },
      Math.max(mediaLimits.portWakeMs, wakeAtMs - this.#options.clock.monotonicMs()),
    ).unref()
  }

  #closeQuiet(): void {
    for (const port of this.#options.pool.wake(this.#options.clock.monotonicMs())) {
      for (const socket of this.#bound.get(port) ?? []) socket.close()
      this.#bound.delete(port)
    }
  }
}

/** A port in use is met every day and tried past; anything but an open error is a fault of ours and must show. */
function rethrowUnknown(opened: readonly PromiseSettledResult<MediaSocket>[]): void {
  for (const result of opened) {
    if (result.status === 'rejected' && !(result.reason instanceof MediaOpenError)) throw result.reason
  }
}
