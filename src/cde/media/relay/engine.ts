import type { Address } from '../../../lib/address.ts'
import type { FlowForwarder } from '../flow-forwarder.ts'
import type { FrameListener, MediaSocket, PacketListener } from '../socket.ts'

/**
 * An engine that works when it is asked to, so that whoever asks stays in command of its thread. Only `wait` waits: it is for a
 * thread of the engine's own, which then repeats
 *
 * ```
 * take the thread's messages
 * if (engine.poll(now) === 0) engine.wait(untilTheNextTimerMs, relayLimits.tickMs)
 * ```
 *
 * An engine belongs to the thread that made it; only `wakeUp(engine.wakeFd)` may be called from another.
 */
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
  /** For `wakeUp` in wake-up.ts; valid for as long as the process lives. */
  readonly wakeFd: number
  /**
   * Blocks the thread until something has come, somebody called `wakeUp` since the last wait, or the time is over; never for
   * longer than `relayLimits.waitMsMax`. What has come is left for `poll`.
   * @param gatherMs for so long, within the time, packets may gather, so that one wake of the thread serves many; 0 for none
   * @returns true when somebody called `wakeUp`; each call of it is told once, at the latest by the second wait after it
   */
  wait(timeoutMs: number, gatherMs?: number): boolean
  /** Forwards by itself what nobody has to look at. */
  readonly flows: FlowForwarder
  counters(): Readonly<Record<string, number>>
  /** Closes every port, for good. */
  close(): void
}
