/**
 * The epoll engine: one `recvfrom` and one `sendto` per packet, both at once. Works wherever libc may be called, also where a
 * container's profile forbids io_uring. Every pointer and offset it gives the kernel is in this file.
 */
import process from 'node:process'
import { type Address, sameAddress } from '../../../lib/address.ts'
import { mediaLimits, relayLimits } from '../../../lib/limits.ts'
import { isUnspecified } from '../ip-host.ts'
import { type Frame, type FrameListener, MediaOpenError, type MediaSocket, type PacketListener } from '../socket.ts'
import type { PolledEngine } from './engine.ts'
import { libc, mapMemory } from './libc.ts'
import { nowhere, OpenPort, type ReusedFrame } from './open-port.ts'
import { SOCKADDR_OCTETS, writeSockaddr } from './sockaddr.ts'
import { bindUdp } from './udp.ts'
import { openWakeFd, takeWakeUps } from './wake-up.ts'

const EPOLL_CLOEXEC = 0o2000000
const EPOLL_CTL_ADD = 1
const EPOLLIN = 1
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
const MEMORY_OCTETS = EVENTS_AT + EVENTS_PER_POLL * EVENT_WORDS * 4

export class EpollEngine implements PolledEngine {
  readonly name = 'epoll'
  readonly wakeFd = openWakeFd()
  readonly #memory = mapMemory(MEMORY_OCTETS)
  readonly #words = new Int32Array(this.#memory.octets.buffer)
  readonly #epoll: number
  readonly #ports: (EpollPort | undefined)[] = []
  readonly #free: number[] = []
  readonly #frame: ReusedFrame = { octets: this.#memory.octets, start: PACKET_AT, length: 0, from: nowhere }
  readonly #counts = { relay_refused: 0, relay_flood_paused: 0, relay_send_failed: 0 }
  #open = true
  /** Whose address stands at DESTINATION_AT. */
  #destination = nowhere
  #destinationLength = 0

  /** @throws where the system refuses */
  constructor() {
    this.#epoll = libc.epollCreate(EPOLL_CLOEXEC)
    if (this.#epoll < 0) throw new Error('epoll is not to be had')
    if (!this.#listenTo(this.wakeFd, WAKE_UPS)) throw new Error('epoll takes no eventfd')
  }

  get openPorts(): number {
    return this.#ports.length - this.#free.length
  }

  open(local: Address, onPacket: PacketListener, onFrame?: FrameListener): MediaSocket {
    if (!this.#open || this.openPorts >= relayLimits.portsMax) throw new MediaOpenError('failed')
    const { fd, local: bound } = bindUdp(local)
    const index = this.#free.pop() ?? this.#ports.length
    const port = new EpollPort(this, index, new OpenPort(fd, bound, onPacket, onFrame))
    this.#ports[index] = port
    if (this.#listenTo(fd, index)) return port
    this.release(port)
    throw new MediaOpenError('failed')
  }

  wait(timeoutMs: number, gatherMs = 0): void {
    if (!this.#open) return
    const boundMs = Math.max(0, Math.min(timeoutMs, relayLimits.waitMsMax))
    const gatheringMs = Math.min(gatherMs, boundMs)
    if (gatheringMs > 0) libc.usleep(Math.round(gatheringMs * 1_000))
    const events = this.#memory.address + EVENTS_AT
    const ready = libc.epollWait(this.#epoll, events, EVENTS_PER_POLL, Math.ceil(boundMs - gatheringMs))
    for (let event = 0; event < ready; event++) if (this.#indexOf(event) === WAKE_UPS) takeWakeUps(this.wakeFd)
  }

  #listenTo(fd: number, index: number): boolean {
    const words = this.#words
    words[EVENTS_AT / 4] = EPOLLIN
    words[EVENTS_AT / 4 + EVENT_DATA_WORD] = index
    words[EVENTS_AT / 4 + EVENT_DATA_WORD + 1] = 0
    return libc.epollControl(this.#epoll, EPOLL_CTL_ADD, fd, this.#memory.address + EVENTS_AT) === 0
  }

  #indexOf(event: number): number {
    return this.#words[EVENTS_AT / 4 + event * EVENT_WORDS + EVENT_DATA_WORD] ?? WAKE_UPS
  }

  poll(nowMs: number): number {
    if (!this.#open) return 0
    const tick = Math.floor(nowMs)
    const events = libc.epollWait(this.#epoll, this.#memory.address + EVENTS_AT, EVENTS_PER_POLL, 0)
    let datagrams = 0
    for (let event = 0; event < events; event++) {
      const index = this.#indexOf(event)
      for (let read = 0; read < READS_PER_EVENT && this.#read(index, tick); read++) datagrams++
    }
    return datagrams
  }

  /** @returns whether there was a datagram; a listener may have closed any port meanwhile */
  #read(index: number, tick: number): boolean {
    const port = this.#ports[index]?.port
    if (port === undefined) return false
    if (!port.mayTake(tick)) {
      this.#counts.relay_flood_paused++
      return false
    }
    const { address, octets } = this.#memory
    this.#words[SOURCE_LENGTH_AT / 4] = SOCKADDR_OCTETS
    const length = libc.recvfrom(
      port.fd,
      address + PACKET_AT,
      PACKET_ROOM,
      0,
      address + SOURCE_AT,
      address + SOURCE_LENGTH_AT,
    )
    if (length < 0) return false
    if (length > mediaLimits.packetOctetsMax) {
      this.#counts.relay_refused++
      return true
    }
    this.#frame.start = PACKET_AT
    this.#frame.length = length
    this.#frame.from = port.sourceAt(octets, this.#words, SOURCE_AT)
    port.deliver(this.#frame)
    return true
  }

  /** Sends what lies in the engine's memory. */
  sendAt(port: OpenPort, start: number, length: number, to: Address): void {
    const { address, octets } = this.#memory
    if (to !== this.#destination && !sameAddress(to, this.#destination)) {
      this.#destinationLength = writeSockaddr(octets, DESTINATION_AT, to)
    }
    this.#destination = to
    if (this.#destinationLength === 0) return
    const at = address + DESTINATION_AT
    const sent = libc.sendto(port.fd, address + start, length, MSG_NOSIGNAL, at, this.#destinationLength)
    if (sent < 0) this.#counts.relay_send_failed++
  }

  sendFrame(port: OpenPort, { octets, start, length }: Frame, to: Address): void {
    if (octets !== this.#memory.octets) this.sendCopy(port, octets.subarray(start, start + length), to)
    else if (start >= PACKET_AT && length >= 0 && start + length <= PACKET_AT + PACKET_ROOM) {
      this.sendAt(port, start, length, to)
    }
  }

  sendCopy(port: OpenPort, packet: Uint8Array, to: Address): void {
    if (packet.length > mediaLimits.packetOctetsMax) return
    this.#memory.octets.set(packet, COPY_AT)
    this.sendAt(port, COPY_AT, packet.length, to)
  }

  release(port: EpollPort): void {
    // Closing takes the descriptor out of the epoll set; nobody else holds it.
    libc.close(port.port.fd)
    this.#ports[port.index] = undefined
    this.#free.push(port.index)
  }

  counters(): Readonly<Record<string, number>> {
    return { ...this.#counts }
  }

  close(): void {
    for (const port of this.#ports) port?.close()
    if (this.#open) libc.close(this.#epoll)
    this.#open = false
  }
}

class EpollPort implements MediaSocket {
  readonly port: OpenPort
  readonly index: number
  readonly #engine: EpollEngine
  #open = true

  constructor(engine: EpollEngine, index: number, port: OpenPort) {
    this.#engine = engine
    this.index = index
    this.port = port
  }

  get local(): Address {
    return this.port.local
  }

  send(packet: Uint8Array, to: Address): void {
    if (this.#open && isSendable(to)) this.#engine.sendCopy(this.port, packet, to)
  }

  forward(frame: Frame, to: Address): void {
    if (this.#open && isSendable(to)) this.#engine.sendFrame(this.port, frame, to)
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
