/**
 * The io_uring engine: every socket has one receive that never ends (multishot), datagrams land in buffers that the kernel takes
 * from a shared ring, and what is forwarded leaves from there with one system call for all. A port whose packets come from
 * where its own go gets a second socket connected to that peer, which costs the kernel less; strangers are still heard by the
 * first. Every pointer, offset and number that is shared with the kernel is in uring-ring.ts and uring-buffers.ts.
 */
import { type Address, sameAddress } from '../../../lib/address.ts'
import { mediaLimits, relayLimits } from '../../../lib/limits.ts'
import { type Frame, type FrameListener, MediaOpenError, type MediaSocket, type PacketListener } from '../socket.ts'
import type { Arrival } from './arrival.ts'
import type { PolledEngine } from './engine.ts'
import { type EngineFlow, EngineFlows, type FlowPort } from './engine-flows.ts'
import { type Libc, libc as systemLibc } from './libc.ts'
import { Allowance, deliverWaiting, isSendable, nowhere, OpenPort, type ReusedFrame } from './open-port.ts'
import { bindUdp, connectUdp } from './udp.ts'
import { Ring } from './uring-ring.ts'
import { openWakeFd } from './wake-up.ts'

const REAPS_MAX = 16

/** ENOBUFS and ECANCELED end a receive and say nothing about the peer; what else a connected socket reports does. */
const transientErrors: ReadonlySet<number> = new Set([105, 125])

export class UringEngine implements PolledEngine {
  readonly name = 'uring'
  readonly wakeFd: number
  readonly #libc: Libc
  readonly #ring: Ring
  /** A port's first socket has its index as its slot, the connected one stands `#portsMax` behind it. */
  readonly #portsMax: number
  readonly #ports: (UringPort | undefined)[] = []
  readonly #sockets: (UringSocket | undefined)[] = []
  readonly #free: number[] = []
  /** Sockets whose receive has ended, to be started again in the next turn. */
  #deaf: UringSocket[] = []
  /** Ports that are to get a connected socket at the end of this turn. */
  readonly #settled: UringPort[] = []
  readonly #frame: ReusedFrame
  readonly #counts = {
    relay_refused: 0,
    relay_flood_paused: 0,
    relay_flood_dropped: 0,
    relay_receive_restarted: 0,
    relay_connected: 0,
    relay_disconnected: 0,
  }
  readonly flows = new EngineFlows<UringPort>(() => this.#ports)
  readonly #arrived = (arrival: Arrival): void => this.#take(arrival)
  #generation = 0
  #tick = 0
  #datagrams = 0
  #open = true

  /** @throws where the kernel or a container's profile forbids it */
  constructor(libc: Libc = systemLibc) {
    this.#libc = libc
    this.#ring = new Ring(libc, relayLimits.portsMax * 2)
    this.#portsMax = this.#ring.slotsMax >> 1
    this.#frame = { octets: this.#ring.octets, start: 0, length: 0, from: nowhere }
    this.wakeFd = openWakeFd(libc)
    if (this.wakeFd < 0) this.#ring.close()
    if (this.wakeFd < 0) throw new Error('no eventfd is to be had')
    this.#ring.listenForWakeUps(this.wakeFd)
  }

  get openPorts(): number {
    return this.#ports.length - this.#free.length
  }

  open(local: Address, onPacket: PacketListener, onFrame?: FrameListener): MediaSocket {
    if (!this.#open || this.openPorts >= this.#portsMax) throw new MediaOpenError('failed')
    const port = new OpenPort(bindUdp(this.#libc, local), onPacket, onFrame)
    const index = this.#free.pop() ?? this.#ports.length
    const uringPort = new UringPort(this, index, port)
    this.#ports[index] = uringPort
    if (this.#listen(uringPort, index, port.fd, false) !== undefined) return uringPort
    this.#forget(uringPort)
    throw new MediaOpenError('failed')
  }

  poll(nowMs: number): number {
    if (!this.#open) return 0
    this.#tick = Math.floor(nowMs)
    this.#datagrams = 0
    this.#hearAgain()
    if (this.#ring.isEmpty || this.#ring.hasQueued) this.#ring.submit()
    this.#ring.reap(relayLimits.packetsPerTurnMax, this.#arrived)
    if (this.#settled.length > 0) this.#connectSettled()
    if (this.#ring.hasQueued) this.#ring.submit()
    return this.#datagrams
  }

  wait(timeoutMs: number, gatherMs = 0): boolean {
    if (!this.#open) return false
    if (this.#ring.takeWakeUp()) return true
    // A socket that rests is to be heard again in the next millisecond.
    const boundMs = Math.max(0, Math.min(timeoutMs, this.#deaf.length > 0 ? 1 : relayLimits.waitMsMax))
    const gatheringMs = Math.min(gatherMs, boundMs)
    if (gatheringMs > 0) this.#ring.wait(relayLimits.gatheredPacketsMax, gatheringMs * 1_000)
    if (this.#ring.isEmpty && boundMs > gatheringMs) this.#ring.wait(1, (boundMs - gatheringMs) * 1_000)
    return false
  }

  /** @returns undefined where the ring has no place for it */
  #listen(port: UringPort, slot: number, fd: number, isConnected: boolean): UringSocket | undefined {
    if (!this.#ring.setFile(slot, fd)) return undefined
    this.#generation = (this.#generation + 1) & 0x7fff_ffff
    const socket = new UringSocket(port, slot, fd, this.#generation, isConnected)
    this.#sockets[slot] = socket
    if (!this.#ring.receive(slot, socket.generation, isConnected)) this.#deaf.push(socket)
    this.#ring.submit()
    return socket
  }

  /** A few at a time: where buffers are short, those of all would end again at once. */
  #hearAgain(): void {
    if (this.#deaf.length === 0) return
    const waiting = this.#deaf
    this.#deaf = []
    let restarted = 0
    for (const socket of waiting) {
      if (this.#sockets[socket.slot] !== socket) continue
      const mayHear = socket.pausedTick !== this.#tick && restarted < relayLimits.restartsPerTurnMax
      if (mayHear && this.#ring.receive(socket.slot, socket.generation, socket.isConnected)) restarted++
      else this.#deaf.push(socket)
    }
    this.#counts.relay_receive_restarted += restarted
  }

  #take(arrival: Arrival): void {
    const socket = this.#sockets[arrival.slot]
    if (socket === undefined || socket.generation !== arrival.generation) return this.#wipe(arrival)
    if (!arrival.goesOn) this.#deaf.push(socket)
    const { uringPort, isConnected } = socket
    if (arrival.result < 0 && isConnected && !transientErrors.has(-arrival.result)) return this.#disconnect(uringPort)
    if (arrival.result < 0 || arrival.start < 0) return
    const sourceAt = isConnected ? 0 : this.#ring.readHead(arrival)
    if (sourceAt < 0) return
    this.#datagrams++
    if (arrival.result > mediaLimits.packetOctetsMax) {
      this.#counts.relay_refused++
      return this.#wipe(arrival)
    }
    if (!socket.mayTake(this.#tick)) return this.#flooded(socket, arrival)
    if (isConnected && this.#forwards(uringPort, arrival)) return
    const frame = this.#frame
    frame.start = arrival.start
    frame.length = arrival.result
    if (isConnected) frame.from = uringPort.to
    else frame.from = uringPort.port.sourceAt(this.#ring.octets, this.#ring.words, sourceAt)
    uringPort.port.deliver(frame)
    if (isConnected || !uringPort.mayConnect || !uringPort.port.hearsOnly(uringPort.to)) return
    uringPort.mayConnect = false
    this.#settled.push(uringPort)
  }

  #forwards({ flow }: UringPort, { start, result }: Arrival): boolean {
    if (flow === undefined || !flow.takes(this.#ring.octets, start, result)) return false
    this.#ring.send(flow.out.connected?.slot ?? flow.out.index, start, result)
    return true
  }

  /** The socket's receive is ended until the next millisecond: the rest waits in the kernel's own queue, or is lost there. */
  #flooded(socket: UringSocket, arrival: Arrival): void {
    this.#wipe(arrival)
    this.#counts.relay_flood_dropped++
    if (socket.pausedTick === this.#tick) return
    socket.pausedTick = this.#tick
    this.#counts.relay_flood_paused++
    if (arrival.goesOn) this.#ring.cancel(socket.slot, socket.generation)
  }

  /** What nobody takes may be a key press, too: it does not lie in the ring until its buffer is used again. */
  #wipe({ start, result }: Arrival): void {
    if (start >= 0 && result > 0) this.#ring.octets.fill(0, start, start + result)
  }

  /** Gives ports their connected sockets; where that is refused it is not tried again until the port sends elsewhere. */
  #connectSettled(): void {
    // Each takes the system some 20 µs: the others have to wait for their packets meanwhile.
    const ports = this.#settled.splice(0, relayLimits.connectsPerTurnMax)
    const peers = ports.map(({ to }) => to)
    const fds = ports.map((port) => (this.#isOpen(port) ? connectUdp(this.#libc, port.port, port.to) : undefined))
    // What the first sockets have heard until now comes before what the second ones hear. A plain submission would let the
    // kernel hand over a few only; a wait for many, without the time for it, lets it hand over all that is there.
    this.#ring.wait(relayLimits.packetsPerTurnMax, 0)
    // Reaping submits when the queue is full, and a submission brings more.
    for (let reaps = 0; reaps < REAPS_MAX && !this.#ring.isEmpty; reaps++) {
      this.#ring.reap(relayLimits.packetsPerTurnMax, this.#arrived)
    }
    for (const [index, port] of ports.entries()) this.#connected(port, peers[index], fds[index])
  }

  #connected(port: UringPort, peer: Address | undefined, fd: number | undefined): void {
    if (fd === undefined) return
    const takeFrom = (waiting: number): boolean =>
      deliverWaiting(this.#libc, waiting, port.port, () => this.#isOpen(port))
    const isEmpty = takeFrom(port.port.fd) && takeFrom(fd)
    // A listener may have closed the port, or sent elsewhere.
    if (isEmpty && this.#isOpen(port) && peer !== undefined && sameAddress(port.to, peer)) {
      port.connected = this.#listen(port, this.#portsMax + port.index, fd, true)
    }
    if (port.connected === undefined) return void this.#libc.close(fd)
    this.#counts.relay_connected++
  }

  #isOpen(port: UringPort): boolean {
    return this.#sockets[port.index]?.uringPort === port
  }

  #disconnect(port: UringPort): void {
    port.mayConnect = true
    port.port.startOver()
    const { connected } = port
    if (connected === undefined) return
    port.connected = undefined
    this.#drop(connected)
    this.#counts.relay_disconnected++
  }

  sendFrame(port: UringPort, { octets, start, length }: Frame, to: Address): void {
    if (octets !== this.#ring.octets) this.sendCopy(port, octets.subarray(start, start + length), to)
    else if (this.#aim(port, to)) this.#ring.send(port.connected?.slot ?? port.index, start, length)
  }

  sendCopy(port: UringPort, packet: Uint8Array, to: Address): void {
    if (packet.length > mediaLimits.packetOctetsMax || !this.#aim(port, to)) return
    this.#ring.sendCopy(port.connected?.slot ?? port.index, packet)
  }

  /** Each port sends to one address at a time; it is written where the kernel reads it when it changes. */
  #aim(port: UringPort, to: Address): boolean {
    if (to === port.to) return port.isAimed
    if (sameAddress(to, port.to)) {
      port.to = to
      return port.isAimed
    }
    this.#disconnect(port)
    this.flows.moved(port)
    port.to = to
    port.isAimed = isSendable(to) && this.#ring.setDestination(port.index, to)
    return port.isAimed
  }

  release(port: UringPort): void {
    this.#disconnect(port)
    this.flows.moved(port)
    const socket = this.#sockets[port.index]
    if (socket !== undefined) this.#drop(socket)
    this.#ports[port.index] = undefined
    this.#free.push(port.index)
  }

  /** What was queued leaves first. */
  #drop(socket: UringSocket): void {
    this.#ring.cancel(socket.slot, socket.generation)
    this.#ring.submit()
    this.#ring.withdrawSends(socket.slot)
    this.#ring.setFile(socket.slot, -1)
    this.#sockets[socket.slot] = undefined
    this.#libc.close(socket.fd)
  }

  #forget(port: UringPort): void {
    this.#libc.close(port.port.fd)
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

/** One of the one or two sockets of a port. */
class UringSocket extends Allowance {
  readonly uringPort: UringPort
  readonly slot: number
  readonly fd: number
  /** Tells this socket's completions from those of an earlier one in its slot. */
  readonly generation: number
  readonly isConnected: boolean
  pausedTick = -1

  constructor(uringPort: UringPort, slot: number, fd: number, generation: number, isConnected: boolean) {
    super()
    this.uringPort = uringPort
    this.slot = slot
    this.fd = fd
    this.generation = generation
    this.isConnected = isConnected
  }
}

class UringPort implements MediaSocket, FlowPort<UringPort> {
  readonly index: number
  readonly port: OpenPort
  readonly #engine: UringEngine
  to = nowhere
  isAimed = false
  connected: UringSocket | undefined
  flow: EngineFlow<UringPort> | undefined
  mayConnect = true
  #open = true

  constructor(engine: UringEngine, index: number, port: OpenPort) {
    this.#engine = engine
    this.index = index
    this.port = port
  }

  get local(): Address {
    return this.port.local
  }

  send(packet: Uint8Array, to: Address): void {
    if (this.#open) this.#engine.sendCopy(this, packet, to)
  }

  forward(frame: Frame, to: Address): void {
    if (this.#open) this.#engine.sendFrame(this, frame, to)
  }

  close(): void {
    if (!this.#open) return
    this.#open = false
    this.#engine.release(this)
  }
}
