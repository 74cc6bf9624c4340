/**
 * The io_uring engine: every port has one receive that never ends (multishot), datagrams land in buffers that the kernel takes
 * from a shared ring, and what is forwarded leaves from there with one system call for all. Every pointer, offset and number
 * that it shares with the kernel is in uring-ring.ts.
 */
import { type Address, sameAddress } from '../../../lib/address.ts'
import { mediaLimits, relayLimits } from '../../../lib/limits.ts'
import { isUnspecified } from '../ip-host.ts'
import { type Frame, type FrameListener, MediaOpenError, type MediaSocket, type PacketListener } from '../socket.ts'
import type { Arrival } from './arrival.ts'
import type { PolledEngine } from './engine.ts'
import { libc } from './libc.ts'
import { nowhere, OpenPort, type ReusedFrame } from './open-port.ts'
import { bindUdp } from './udp.ts'
import { Ring } from './uring-ring.ts'
import { openWakeFd } from './wake-up.ts'

export class UringEngine implements PolledEngine {
  readonly name = 'uring'
  readonly wakeFd = openWakeFd()
  readonly #ring: Ring
  readonly #ports: (UringPort | undefined)[] = []
  readonly #free: number[] = []
  /** Ports whose receive has ended, to be started again in the next turn. */
  #deaf: UringPort[] = []
  readonly #frame: ReusedFrame
  readonly #counts = { relay_refused: 0, relay_flood_paused: 0, relay_flood_dropped: 0, relay_receive_restarted: 0 }
  readonly #arrived = (arrival: Arrival): void => this.#take(arrival)
  #generation = 0
  #tick = 0
  #datagrams = 0
  #open = true

  /** @throws where the kernel or a container's profile forbids it */
  constructor() {
    this.#ring = new Ring(relayLimits.portsMax)
    this.#frame = { octets: this.#ring.octets, start: 0, length: 0, from: nowhere }
    this.#ring.listenForWakeUps(this.wakeFd)
  }

  get openPorts(): number {
    return this.#ports.length - this.#free.length
  }

  open(local: Address, onPacket: PacketListener, onFrame?: FrameListener): MediaSocket {
    if (!this.#open || this.openPorts >= this.#ring.filesMax) throw new MediaOpenError('failed')
    const { fd, local: bound } = bindUdp(local)
    const index = this.#free.pop() ?? this.#ports.length
    this.#generation = (this.#generation + 1) & 0x7fff_ffff
    const port = new UringPort(this, index, this.#generation, new OpenPort(fd, bound, onPacket, onFrame))
    this.#ports[index] = port
    if (!this.#ring.setFile(index, fd)) {
      this.#forget(port)
      throw new MediaOpenError('failed')
    }
    this.#ring.receive(index, port.generation)
    this.#ring.submit()
    return port
  }

  poll(nowMs: number): number {
    if (!this.#open) return 0
    this.#tick = Math.floor(nowMs)
    this.#datagrams = 0
    this.#hearAgain()
    if (this.#ring.isEmpty || this.#ring.hasQueued) this.#ring.submit()
    this.#ring.reap(relayLimits.packetsPerTurnMax, this.#arrived)
    if (this.#ring.hasQueued) this.#ring.submit()
    return this.#datagrams
  }

  wait(timeoutMs: number, gatherMs = 0): void {
    if (!this.#open || this.#ring.takeWakeUp()) return
    // A port that rests is to be heard again in the next millisecond.
    const boundMs = Math.max(0, Math.min(timeoutMs, this.#deaf.length > 0 ? 1 : relayLimits.waitMsMax))
    const gatheringMs = Math.min(gatherMs, boundMs)
    if (gatheringMs > 0) this.#ring.wait(relayLimits.gatheredPacketsMax, gatheringMs * 1_000)
    if (this.#ring.isEmpty && boundMs > gatheringMs) this.#ring.wait(1, (boundMs - gatheringMs) * 1_000)
  }

  #hearAgain(): void {
    if (this.#deaf.length === 0) return
    const waiting = this.#deaf
    this.#deaf = []
    for (const port of waiting) {
      if (this.#ports[port.index] !== port) continue
      if (port.pausedTick === this.#tick) this.#deaf.push(port)
      else if (this.#ring.receive(port.index, port.generation)) this.#counts.relay_receive_restarted++
      else this.#deaf.push(port)
    }
  }

  #take(arrival: Arrival): void {
    const port = this.#ports[arrival.index]
    if (port === undefined || port.generation !== arrival.generation) return
    if (!arrival.goesOn) this.#deaf.push(port)
    if (arrival.length < 0) return
    this.#datagrams++
    if (arrival.isCut || arrival.length > mediaLimits.packetOctetsMax) {
      this.#counts.relay_refused++
      return
    }
    if (!port.port.mayTake(this.#tick)) return this.#flooded(port, arrival)
    const frame = this.#frame
    frame.start = arrival.start
    frame.length = arrival.length
    frame.from = port.port.sourceAt(this.#ring.octets, this.#ring.words, arrival.sourceAt)
    port.port.deliver(frame)
  }

  /** The port's receive is ended until the next millisecond: the rest waits in the kernel's own queue, or is lost there. */
  #flooded(port: UringPort, { goesOn }: Arrival): void {
    this.#counts.relay_flood_dropped++
    if (port.pausedTick === this.#tick) return
    port.pausedTick = this.#tick
    this.#counts.relay_flood_paused++
    if (goesOn) this.#ring.cancel(port.index, port.generation)
  }

  sendFrame(port: UringPort, { octets, start, length }: Frame, to: Address): void {
    if (!this.#aim(port, to)) return
    if (octets === this.#ring.octets) this.#ring.send(port.index, start, length)
    else this.#ring.sendCopy(port.index, octets.subarray(start, start + length))
  }

  sendCopy(port: UringPort, packet: Uint8Array, to: Address): void {
    if (packet.length <= mediaLimits.packetOctetsMax && this.#aim(port, to)) this.#ring.sendCopy(port.index, packet)
  }

  /** Each port sends to one address at a time; it is written where the kernel reads it when it changes. */
  #aim(port: UringPort, to: Address): boolean {
    if (to === port.to || sameAddress(to, port.to)) return port.isAimed
    port.to = to
    port.isAimed = this.#ring.setDestination(port.index, to)
    return port.isAimed
  }

  release(port: UringPort): void {
    this.#ring.cancel(port.index, port.generation)
    this.#ring.submit()
    this.#ring.setFile(port.index, -1)
    this.#forget(port)
  }

  #forget(port: UringPort): void {
    libc.close(port.port.fd)
    this.#ports[port.index] = undefined
    this.#free.push(port.index)
  }

  counters(): Readonly<Record<string, number>> {
    return { ...this.#counts, ...this.#ring.counters() }
  }

  close(): void {
    for (const port of this.#ports) port?.close()
    if (this.#open) this.#ring.close()
    this.#open = false
  }
}

class UringPort implements MediaSocket {
  readonly index: number
  /** Tells this port's completions from those of an earlier one with its index. */
  readonly generation: number
  readonly port: OpenPort
  readonly #engine: UringEngine
  to = nowhere
  isAimed = false
  pausedTick = -1
  #open = true

  constructor(engine: UringEngine, index: number, generation: number, port: OpenPort) {
    this.#engine = engine
    this.index = index
    this.generation = generation
    this.port = port
  }

  get local(): Address {
    return this.port.local
  }

  send(packet: Uint8Array, to: Address): void {
    if (this.#open && isSendable(to)) this.#engine.sendCopy(this, packet, to)
  }

  forward(frame: Frame, to: Address): void {
    if (this.#open && isSendable(to)) this.#engine.sendFrame(this, frame, to)
  }

  close(): void {
    if (!this.#open) return
    this.#open = false
    this.#engine.release(this)
  }
}

function isSendable({ host, port }: Address): boolean {
  return !isUnspecified(host) && port >= 1 && port <= 65_535
}
