import type { Address } from '../../lib/address.ts'

/** One bound UDP port. Nothing that arrives or fails on it ever throws. */
export interface MediaSocket {
  readonly local: Address
  /** Sends now or drops: a closed socket, an unusable destination or a full queue is as good as loss on the way. */
  send(packet: Uint8Array, to: Address): void
  /** As `send`, of a frame that this engine has just handed over: it leaves from where it lies. */
  forward(frame: Frame, to: Address): void
  /** At once and for good; a second call does nothing. */
  close(): void
}

export type PacketListener = (packet: Uint8Array, from: Address) => void

/**
 * A datagram where it lies in the engine's memory. One object serves all: it is valid only during the call that hands it over.
 * The octets of the datagram may be changed, nothing beside them.
 */
export interface Frame {
  readonly octets: Uint8Array
  readonly start: number
  readonly length: number
  readonly from: Address
}

/** Looks at a datagram first. @returns whether that was all; otherwise the packet listener gets it */
export type FrameListener = (frame: Frame) => boolean

/** What moves packets. The `dgram` engine is the first of several (DESIGN section 5). */
export interface MediaEngine {
  /**
   * Binds `local` (an IP literal; port 0 takes any) for this process alone.
   * @throws MediaOpenError as the rejection
   */
  open(local: Address, onPacket: PacketListener, onFrame?: FrameListener): Promise<MediaSocket>
}

export type MediaOpenReason = 'address-in-use' | 'address-not-here' | 'failed'

export class MediaOpenError extends Error {
  override readonly name = 'MediaOpenError'
  readonly reason: MediaOpenReason

  constructor(reason: MediaOpenReason) {
    super(`media port not opened: ${reason}`)
    this.reason = reason
  }
}
