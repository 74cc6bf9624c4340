/**
 * The epoll engine: a read and a send per packet, both at once. Works wherever libc may be called, also where a container's
 * profile forbids io_uring. As in engine-uring.ts a settled port has a second socket, connected to its peer. Every pointer and
 * offset that it gives the kernel is in this file.
 */
import process from 'node:process'
import { type Address, sameAddress } from '../../../lib/address.ts'
import { mediaLimits, relayLimits } from '../../../lib/limits.ts'
import { type Frame, type FrameListener, MediaOpenError, type MediaSocket, type PacketListener } from '../socket.ts'
import type { PolledEngine } from './engine.ts'
import { type EngineFlow, EngineFlows, type FlowPort } from './engine-flows.ts'
import { type Libc, libc as systemLibc, mapMemory } from './libc.ts'
import { Allowance, deliverWaiting, isSendable, nowhere, OpenPort, type ReusedFrame } from './open-port.ts'
import { SOCKADDR_OCTETS, writeSockaddr } from './sockaddr.ts'
import { bindUdp, connectUdp } from './udp.ts'
import { openWakeFd, takeWakeUps } from './wake-up.ts'

const EPOLL_CLOEXEC = 0o2000000
const EPOLL_CTL_ADD = 1
const EPOLLIN = 1
const EAGAIN = 11
const MSG_NOSIGNAL = 0x4000
const EVENTS_PER_POLL = 1_024
const READS_PER_EVENT = 4
/** In the place of a port's index: somebody called `wakeUp`. */
const WAKE_UPS = -1
// `struct epoll_event` is packed on x64 and only there.
const EVENT_WORDS = process.arch === 'x64' ? 3 : 4
const EVENT_DATA_WORD = EVENT_WORDS - 2

// The layout of the engine's memory, in octets.
const PACKET_AT = 0
const PACKET_ROOM = 2_048
const SOURCE_AT = PACKET_AT + PACKET_ROOM
const SOURCE_LENGTH_AT = SOURCE_AT + 32
const COPY_AT = SOURCE_AT + 64
const DESTINATION_AT = COPY_AT + PACKET_ROOM
const EVENTS_AT = DESTINATION_AT + 32
const ADDED_EVENT_AT = EVENTS_AT + EVENTS_PER_POLL * EVENT_WORDS * 4
const MEMORY_OCTETS = ADDED_EVENT_AT + EVENT_WORDS * 4

export class EpollEngine implements PolledEngine {
  readonly name = 'epoll'
  readonly wakeFd: number
  readonly #libc: Libc
  readonly #memory = mapMemory(MEMORY_OCTETS)
  readonly #words = new Int32Array(this.#memory.octets.buffer)
  readonly #epoll: number
  readonly #sockets: (EpollSocket | undefined)[] = []
  readonly #free: number[] = []
  readonly #frame: ReusedFrame = { octets: this.#memory.octets, start: PACKET_AT, length: 0, from: nowhere }
  readonly #counts = {
    relay_refused: 0,
    relay_flood_paused: 0,
    relay_send_failed: 0,
    relay_connected: 0,
    relay_disconnected: 0,
  }
  readonly #ports = new Set<EpollPort>()
  readonly flows = new EngineFlows<EpollPort>(() => this.#ports)
  #open = true

  /** @throws where the system refuses */
  constructor(libc: Libc = systemLibc) {
    this.#libc = libc
    this.#epoll = libc.epollCreate(EPOLL_CLOEXEC)
    if (this.#epoll < 0) throw new Error('epoll is not to be had')
    this.wakeFd = openWakeFd(libc)
    if (this.wakeFd >= 0 && this.#register(this.wakeFd, WAKE_UPS)) return
    // Nobody knows of it yet.
    if (this.wakeFd >= 0) libc.close(this.wakeFd)
    libc.close(this.#epoll)
    throw new Error('epoll takes no eventfd')
  }

  get openPorts(): number {
    return this.#ports.size
  }

  open(local: Address, onPacket: PacketListener, onFrame?: FrameListener): MediaSocket {
    if (!this.#open || this.openPorts >= relayLimits.portsMax) throw new MediaOpenError('failed')
    const port = new OpenPort(bindUdp(this.#libc, local), onPacket, onFrame)
    const epollPort = new EpollPort(this, port)
    epollPort.first = this.#listen(epollPort, port.fd, false)
    if (epollPort.first === undefined) {
      this.#libc.close(port.fd)
      throw new MediaOpenError('failed')
    }
    this.#ports.add(epollPort)
    return epollPort
  }

  wait(timeoutMs: number, gatherMs = 0): boolean {
    if (!this.#open) return false
    const boundMs = Math.max(0, Math.min(timeoutMs, relayLimits.waitMsMax))
    const gatheringMs = Math.min(gatherMs, boundMs)
    if (gatheringMs > 0) this.#libc.usleep(Math.round(gatheringMs * 1_000))
    const ready = this.#ready(Math.ceil(boundMs - gatheringMs))
    for (let event = 0; event < ready; event++) {
      if (this.#indexOf(event) !== WAKE_UPS) continue
      takeWakeUps(this.wakeFd)
      return true
    }
    return false
  }

  poll(nowMs: number): number {
    if (!this.#open) return 0
    const tick = Math.floor(nowMs)
    const ready = this.#ready(0)
    let datagrams = 0
    for (let event = 0; event < ready; event++) {
      const socket = this.#sockets[this.#indexOf(event)]
      if (socket !== undefined) datagrams += this.#readSome(socket, tick)
    }
    return datagrams
  }

  #ready(timeoutMs: number): number {
    return this.#libc.epollWait(this.#epoll, this.#memory.address + EVENTS_AT, EVENTS_PER_POLL, timeoutMs)
  }

  #indexOf(event: number): number {
    return this.#words[EVENTS_AT / 4 + event * EVENT_WORDS + EVENT_DATA_WORD] ?? WAKE_UPS
  }

  #register(fd: number, index: number): boolean {
    const words = this.#words
    // Behind the events, which may be under way.
    words[ADDED_EVENT_AT / 4] = EPOLLIN
    words[ADDED_EVENT_AT / 4 + EVENT_DATA_WORD] = index
    words[ADDED_EVENT_AT / 4 + EVENT_DATA_WORD + 1] = 0
    return this.#libc.epollControl(this.#epoll, EPOLL_CTL_ADD, fd, this.#memory.address + ADDED_EVENT_AT) === 0
  }

  #listen(port: EpollPort, fd: number, isConnected: boolean): EpollSocket | undefined {
    const index = this.#free.pop() ?? this.#sockets.length
    const socket = new EpollSocket(port, index, fd, isConnected)
    this.#sockets[index] = socket
    if (this.#register(fd, index)) return socket
    this.#forget(index)
    return undefined
  }

  #readSome(socket: EpollSocket, tick: number): number {
    let datagrams = 0
    while (datagrams < READS_PER_EVENT && this.#read(socket, tick)) datagrams++
    return datagrams
  }

  /** @returns whether there was a datagram; a listener may have closed any port meanwhile */
  #read(socket: EpollSocket, tick: number): boolean {
    const { epollPort, index, isConnected } = socket
    if (this.#sockets[index] !== socket) return false
    if (!socket.mayTake(tick)) {
      this.#counts.relay_flood_paused++
      return false
    }
    const length = isConnected ? this.#receive(socket.fd) : this.#receiveFrom(socket.fd)
    // What a connected socket reports, other than that nothing is there, is about its peer: it may be gone.
    if (length < 0 && isConnected && this.#libc.errno() !== EAGAIN) this.#disconnect(epollPort)
    if (length < 0) return false
    if (length > mediaLimits.packetOctetsMax) {
      this.#counts.relay_refused++
      this.#memory.octets.fill(0, PACKET_AT, PACKET_AT + length)
      return true
    }
    if (isConnected && this.#forwards(epollPort, length)) return true
    const frame = this.#frame
    frame.length = length
    if (isConnected) frame.from = epollPort.to
    else frame.from = epollPort.port.sourceAt(this.#memory.octets, this.#words, SOURCE_AT)
    epollPort.port.deliver(frame)
    if (!isConnected && epollPort.port.hearsOnly(epollPort.to)) this.#connect(epollPort)
    return true
  }

  #forwards({ flow }: EpollPort, length: number): boolean {
    if (flow === undefined || !flow.takes(this.#memory.octets, PACKET_AT, length)) return false
    this.#sendAt(flow.out, PACKET_AT, length, flow.out.to)
    return true
  }

  #receive(fd: number): number {
    return this.#libc.recv(fd, this.#memory.address + PACKET_AT, PACKET_ROOM, 0)
  }

  #receiveFrom(fd: number): number {
    const { address } = this.#memory
    this.#words[SOURCE_LENGTH_AT / 4] = SOCKADDR_OCTETS
    return this.#libc.recvfrom(fd, address + PACKET_AT, PACKET_ROOM, 0, address + SOURCE_AT, address + SOURCE_LENGTH_AT)
  }

  /** Gives a port its connected socket; where that is refused it is not tried again until the port sends elsewhere. */
  #connect(port: EpollPort): void {
    if (!port.mayConnect || port.first === undefined) return
    port.mayConnect = false
    const peer = port.to
    const fd = connectUdp(this.#libc, port.port, peer)
    if (fd === undefined) return
    // What the first socket has heard until now comes before what the second one hears.
    const takeFrom = (waiting: number): boolean => deliverWaiting(this.#libc, waiting, port.port, () => port.isOpen)
    const isEmpty = takeFrom(port.port.fd) && takeFrom(fd)
    // A listener may have closed the port, or sent elsewhere.
    if (isEmpty && port.isOpen && sameAddress(port.to, peer)) port.connected = this.#listen(port, fd, true)
    if (port.connected === undefined) return void this.#libc.close(fd)
    this.#counts.relay_connected++
  }

  #disconnect(port: EpollPort): void {
    port.mayConnect = true
    port.port.startOver()
    const { connected } = port
    if (connected === undefined) return
    port.connected = undefined
    this.#drop(connected)
    this.#counts.relay_disconnected++
  }

  sendFrame(port: EpollPort, { octets, start, length }: Frame, to: Address): void {
    if (octets !== this.#memory.octets) this.sendCopy(port, octets.subarray(start, start + length), to)
    else if (start >= PACKET_AT && length >= 0 && start + length <= PACKET_AT + PACKET_ROOM) {
      this.#sendAt(port, start, length, to)
    }
  }

  sendCopy(port: EpollPort, packet: Uint8Array, to: Address): void {
    if (packet.length > mediaLimits.packetOctetsMax) return
    this.#memory.octets.set(packet, COPY_AT)
    this.#sendAt(port, COPY_AT, packet.length, to)
  }

  /** Sends what lies in the engine's memory. */
  #sendAt(port: EpollPort, start: number, length: number, to: Address): void {
    if (to !== port.to) this.#aim(port, to)
    if (!port.isAimed) return
    const { address, octets } = this.#memory
    if (port.connected !== undefined) {
      const sent = this.#libc.send(port.connected.fd, address + start, length, MSG_NOSIGNAL)
      if (sent < 0) this.#counts.relay_send_failed++
      return
    }
    octets.set(port.sockaddr, DESTINATION_AT)
    const at = address + DESTINATION_AT
    const sent = this.#libc.sendto(port.port.fd, address + start, length, MSG_NOSIGNAL, at, port.sockaddrOctets)
    if (sent < 0) this.#counts.relay_send_failed++
  }

  #aim(port: EpollPort, to: Address): void {
    const isSame = sameAddress(to, port.to)
    port.to = to
    if (isSame) return
    this.#disconnect(port)
    this.flows.moved(port)
    port.sockaddrOctets = isSendable(to) ? writeSockaddr(port.sockaddr, 0, to) : 0
    port.isAimed = port.sockaddrOctets > 0
  }

  release(port: EpollPort): void {
    this.#disconnect(port)
    this.flows.moved(port)
    if (port.first !== undefined) this.#drop(port.first)
    port.first = undefined
    this.#ports.delete(port)
  }

  #drop(socket: EpollSocket): void {
    // Closing takes the descriptor out of the epoll set; nobody else holds it.
    this.#libc.close(socket.fd)
    this.#forget(socket.index)
  }

  #forget(index: number): void {
    this.#sockets[index] = undefined
    this.#free.push(index)
  }

  counters(): Readonly<Record<string, number>> {
    return { ...this.#counts }
  }

  close(): void {
    for (const port of this.#ports) port.close()
    if (this.#open) this.#libc.close(this.#epoll)
    this.#open = false
  }
}

/** One of the one or two sockets of a port. */
class EpollSocket extends Allowance {
  readonly epollPort: EpollPort
  readonly index: number
  readonly fd: number
  readonly isConnected: boolean

  constructor(epollPort: EpollPort, index: number, fd: number, isConnected: boolean) {
    super()
    this.epollPort = epollPort
    this.index = index
    this.fd = fd
    this.isConnected = isConnected
  }
}

class EpollPort implements MediaSocket, FlowPort<EpollPort> {
  readonly port: OpenPort
  readonly #engine: EpollEngine
  first: EpollSocket | undefined
  connected: EpollSocket | undefined
  flow: EngineFlow<EpollPort> | undefined
  mayConnect = true
  to = nowhere
  isAimed = false
  readonly sockaddr = new Uint8Array(SOCKADDR_OCTETS)
  sockaddrOctets = 0
  isOpen = true

  constructor(engine: EpollEngine, port: OpenPort) {
    this.#engine = engine
    this.port = port
  }

  get local(): Address {
    return this.port.local
  }

  send(packet: Uint8Array, to: Address): void {
    if (this.isOpen) this.#engine.sendCopy(this, packet, to)
  }

  forward(frame: Frame, to: Address): void {
    if (this.isOpen) this.#engine.sendFrame(this, frame, to)
  }

  close(): void {
    if (!this.isOpen) return
    this.isOpen = false
    this.#engine.release(this)
  }
}
