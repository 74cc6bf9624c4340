import type { Address } from '../../../lib/address.ts'
import type { FrameListener, MediaSocket, PacketListener } from '../socket.ts'

/** An engine that works when it is asked to: nothing in it waits, so that whoever asks stays in command of its thread. */
export interface PolledEngine {
  readonly name: 'uring' | 'epoll'
  /** How many ports are open. */
  readonly openPorts: number
  /** @throws MediaOpenError */
  open(local: Address, onPacket: PacketListener, onFrame?: FrameListener): MediaSocket
  /**
   * Hands over what has come, within bounds per port and in all, and sends what was queued.
   * @returns how many datagrams came
   */
  poll(nowMs: number): number
  counters(): Readonly<Record<string, number>>
  /** Closes every port, for good. */
  close(): void
}
