import type { Address } from '../../lib/address.ts'

/** One bound UDP port. Nothing that arrives or fails on it ever throws. */
export interface MediaSocket {
  readonly local: Address
  /** Sends now or drops: a closed socket, an unusable destination or a full queue is as good as loss on the way. */
  send(packet: Uint8Array, to: Address): void
  /** At once and for good; a second call does nothing. */
  close(): void
}

export type PacketListener = (packet: Uint8Array, from: Address) => void

/** What moves packets. The `dgram` engine is the first of several (DESIGN section 5). */
export interface MediaEngine {
  /**
   * Binds `local` (an IP literal; port 0 takes any) for this process alone.
   * @throws MediaOpenError as the rejection
   */
  open(local: Address, onPacket: PacketListener): Promise<MediaSocket>
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
