/**
 * The rings of io_uring, mapped and driven from typed arrays: the only file that knows their layout (linux/io_uring.h). Rules:
 * memory that the kernel may know is mapped and never unmapped; an index from the kernel is masked or checked before use; a
 * buffer goes back to the kernel only after every queued send was consumed, and sends never wait (MSG_DONTWAIT), so that a
 * consumed send has left its buffer.
 */
import type { Address } from '../../../lib/address.ts'
import { errnoOf, libc, mapDescriptor, mapMemory, type Region } from './libc.ts'
import { SOCKADDR_OCTETS, writeSockaddr } from './sockaddr.ts'

/** One datagram, or the end of a port's receive. One object serves all. */
export interface Arrival {
  index: number
  generation: number
  /** Octets of the datagram; negative for an errno. */
  length: number
  /** Where it lies in `Ring.octets`. */
  start: number
  /** Where its source's sockaddr lies. */
  sourceAt: number
  /** It was longer than a buffer. */
  isCut: boolean
  /** False: the port's receive has ended. */
  goesOn: boolean
}

const SYS_SETUP = 425
const SYS_ENTER = 426
const SYS_REGISTER = 427
const REGISTER_FILES = 2
const REGISTER_FILES_UPDATE = 6
const REGISTER_PBUF_RING = 22
const ENTER_GETEVENTS = 1
const SETUP_CQSIZE = 1 << 3
const SETUP_COOP_TASKRUN = 1 << 8
const SETUP_SINGLE_ISSUER = 1 << 12
const SETUP_DEFER_TASKRUN = 1 << 13
const OFFSET_SQES = 0x1000_0000
const OP_RECVMSG = 10
const OP_ASYNC_CANCEL = 14
const OP_SEND = 26
const SQE_FIXED_FILE = 1
const SQE_BUFFER_SELECT = 1 << 5
const SQE_SKIP_SUCCESS = 1 << 6
const RECV_MULTISHOT = 2
const CQE_BUFFER = 1
const CQE_MORE = 2
const MSG_TRUNC = 0x20
const MSG_DONTWAIT_NOSIGNAL = 0x40 | 0x4000
const EMFILE = 24

const SQ_ENTRIES = 2_048
const CQ_ENTRIES = 16_384
const SQE_WORDS = 16
const PARAMS_OCTETS = 120
const BUFFERS = 4_096
const BUFFER_OCTETS = 2_048
const BUFFER_GROUP = 1
/** `struct io_uring_recvmsg_out`, then the room for the name, then the payload. */
const RECVMSG_OUT_OCTETS = 16
const PAYLOAD_AT = RECVMSG_OUT_OCTETS + SOCKADDR_OCTETS
const COPIES = 512
const COPY_OCTETS = 1_536
const DESTINATION_OCTETS = 32
/** The generation of a receive is 31 bits; this bit in its place marks what is no receive. */
const NO_RECEIVE = -1

export class Ring {
  /** Buffers, copies, addresses and parameters: all that the kernel reads or writes besides the rings. */
  readonly octets: Uint8Array<ArrayBuffer>
  readonly words: Int32Array<ArrayBuffer>
  readonly filesMax: number
  readonly #memory: Region
  readonly #copiesAt = BUFFERS * BUFFER_OCTETS
  readonly #destinationsAt = this.#copiesAt + COPIES * COPY_OCTETS
  readonly #bufferRingAt: number
  readonly #bufferTails: Uint16Array<ArrayBuffer>
  readonly #headerAt: number
  readonly #scratchAt: number
  readonly #fd: number
  readonly #ring: Int32Array<ArrayBuffer>
  readonly #sqes: Int32Array<ArrayBuffer>
  readonly #at: Readonly<Record<'sqHead' | 'sqTail' | 'cqHead' | 'cqTail' | 'cqes', number>>
  readonly #sqMask: number
  readonly #cqMask: number
  readonly #destinationLengths: Uint8Array
  /** The batch in which a port last queued a send; its address must stand until that is consumed. */
  readonly #queuedIn: Float64Array
  readonly #used = new Uint16Array(BUFFERS)
  readonly #arrival: Arrival = {
    index: 0,
    generation: 0,
    length: 0,
    start: 0,
    sourceAt: 0,
    isCut: false,
    goesOn: false,
  }
  readonly #counts = { relay_ring_full: 0, relay_send_failed: 0, relay_submit_failed: 0 }
  #usedCount = 0
  #bufferTail = 0
  #sqTail: number
  #queued = 0
  #batch = 1
  #copies = 0
  /** True while completions are handed over: their buffers are being read, whatever is submitted meanwhile. */
  #reaping = false
  #open = true

  /** @param filesMax how many ports at most; fewer where the process may open fewer. @throws where it is forbidden */
  constructor(filesMax: number) {
    this.#bufferRingAt = align(this.#destinationsAt + filesMax * DESTINATION_OCTETS)
    this.#headerAt = this.#bufferRingAt + BUFFERS * 16
    this.#scratchAt = this.#headerAt + 64
    this.#memory = mapMemory(align(this.#scratchAt + Math.max(PARAMS_OCTETS, filesMax * 4)))
    this.octets = this.#memory.octets
    this.words = new Int32Array(this.octets.buffer)
    this.#bufferTails = new Uint16Array(this.octets.buffer)
    const params = this.#setUp()
    this.#fd = params.fd
    const sqOctets = params.word(16) + params.word(0) * 4
    const cqOctets = params.word(25) + params.word(1) * 16
    this.#ring = wordsOf(mapDescriptor(this.#fd, Math.max(sqOctets, cqOctets), 0))
    this.#sqes = wordsOf(mapDescriptor(this.#fd, params.word(0) * SQE_WORDS * 4, OFFSET_SQES))
    this.#at = {
      sqHead: params.word(10) >> 2,
      sqTail: params.word(11) >> 2,
      cqHead: params.word(20) >> 2,
      cqTail: params.word(21) >> 2,
      cqes: params.word(25) >> 2,
    }
    this.#sqMask = params.word(0) - 1
    this.#cqMask = params.word(1) - 1
    this.#sqTail = this.#ring[this.#at.sqTail] ?? 0
    const array = params.word(16) >> 2
    for (let i = 0; i <= this.#sqMask; i++) this.#ring[array + i] = i
    this.filesMax = this.#registerFiles(filesMax)
    this.#registerBuffers()
    this.#destinationLengths = new Uint8Array(this.filesMax)
    this.#queuedIn = new Float64Array(this.filesMax)
    // The receives' msghdr: of its fields the kernel wants only the room for the name.
    this.words[(this.#headerAt >> 2) + 2] = SOCKADDR_OCTETS
  }

  get hasQueued(): boolean {
    return this.#queued > 0
  }

  get isEmpty(): boolean {
    return this.#ring[this.#at.cqHead] === Atomics.load(this.#ring, this.#at.cqTail)
  }

  /** Puts a descriptor at an index, −1 to take it away. */
  setFile(index: number, fd: number): boolean {
    if (!this.#open || index < 0 || index >= this.filesMax) return false
    const at = this.#scratchAt >> 2
    this.#writePointer(at + 2, this.#memory.address + this.#scratchAt + 16)
    this.words[at] = index
    this.words[at + 1] = 0
    this.words[at + 4] = fd
    this.#destinationLengths[index] = 0
    return (
      libc.uringRegister(SYS_REGISTER, this.#fd, REGISTER_FILES_UPDATE, this.#memory.address + this.#scratchAt, 1) === 1
    )
  }

  /** Starts the receive of a port that never ends by itself. @returns false when the ring is full */
  receive(index: number, generation: number): boolean {
    const at = this.#entry()
    if (at < 0) return false
    this.#sqes[at] = OP_RECVMSG | ((SQE_FIXED_FILE | SQE_BUFFER_SELECT) << 8) | (RECV_MULTISHOT << 16)
    this.#sqes[at + 1] = index
    this.#pointer(at + 4, this.#memory.address + this.#headerAt)
    this.#sqes[at + 6] = 1
    this.#sqes[at + 8] = index
    this.#sqes[at + 9] = generation
    this.#sqes[at + 10] = BUFFER_GROUP
    return true
  }

  /** Ends it. */
  cancel(index: number, generation: number): void {
    const at = this.#entry()
    if (at < 0) return
    this.#sqes[at] = OP_ASYNC_CANCEL | (SQE_SKIP_SUCCESS << 8)
    this.#sqes[at + 1] = -1
    this.#sqes[at + 4] = index
    this.#sqes[at + 5] = generation
    this.#sqes[at + 9] = NO_RECEIVE
  }

  /** @returns whether it is an address that can be sent to */
  setDestination(index: number, to: Address): boolean {
    // A queued send may still have to read the old one.
    if (this.#queuedIn[index] === this.#batch) this.submit()
    const at = this.#destinationsAt + index * DESTINATION_OCTETS
    const length = writeSockaddr(this.octets, at, to)
    this.#destinationLengths[index] = length
    return length > 0
  }

  /** Queues a send of what lies in a receive buffer or a copy, to the port's destination. */
  send(index: number, start: number, length: number): void {
    const addressOctets = this.#destinationLengths[index] ?? 0
    if (addressOctets === 0 || start < 0 || length < 0 || start + length > this.#destinationsAt) return
    const at = this.#entry()
    if (at < 0) return
    this.#sqes[at] = OP_SEND | ((SQE_FIXED_FILE | SQE_SKIP_SUCCESS) << 8)
    this.#sqes[at + 1] = index
    this.#pointer(at + 2, this.#memory.address + this.#destinationsAt + index * DESTINATION_OCTETS)
    this.#pointer(at + 4, this.#memory.address + start)
    this.#sqes[at + 6] = length
    this.#sqes[at + 7] = MSG_DONTWAIT_NOSIGNAL
    this.#sqes[at + 9] = NO_RECEIVE
    this.#sqes[at + 11] = addressOctets
    this.#queuedIn[index] = this.#batch
  }

  /** Queues a send of a packet that lies elsewhere. @param packet at most COPY_OCTETS */
  sendCopy(index: number, packet: Uint8Array): void {
    if (packet.length > COPY_OCTETS) return
    if (this.#copies === COPIES) this.submit()
    if (this.#copies === COPIES) return void this.#counts.relay_ring_full++
    const start = this.#copiesAt + this.#copies++ * COPY_OCTETS
    this.octets.set(packet, start)
    this.send(index, start, packet.length)
  }

  /** Tells the kernel of all that is queued and lets it deliver what has come. Never waits. */
  submit(): void {
    if (!this.#open) return
    Atomics.store(this.#ring, this.#at.sqTail, this.#sqTail)
    const result = libc.uringEnter(SYS_ENTER, this.#fd, this.#queued, 0, ENTER_GETEVENTS, 0, 0)
    if (result < 0) this.#counts.relay_submit_failed++
    this.#queued = (this.#sqTail - Atomics.load(this.#ring, this.#at.sqHead)) | 0
    if (this.#queued !== 0) return
    this.#batch++
    this.#copies = 0
    if (!this.#reaping) this.#giveBack()
  }

  /** Hands over at most `most` completions. */
  reap(most: number, arrived: (arrival: Arrival) => void): void {
    if (!this.#open) return
    this.#reaping = true
    let head = this.#ring[this.#at.cqHead] ?? 0
    const tail = Atomics.load(this.#ring, this.#at.cqTail)
    for (let count = 0; head !== tail && count < most && this.#usedCount < BUFFERS; count++) {
      const at = this.#at.cqes + (head & this.#cqMask) * 4
      head = (head + 1) | 0
      this.#complete(at, arrived)
    }
    Atomics.store(this.#ring, this.#at.cqHead, head)
    this.#reaping = false
    if (this.#queued === 0) this.#giveBack()
  }

  counters(): Readonly<Record<string, number>> {
    return { ...this.#counts }
  }

  /** The memory stays mapped: the kernel may still write to it for a moment. */
  close(): void {
    if (this.#open) libc.close(this.#fd)
    this.#open = false
  }

  #complete(at: number, arrived: (arrival: Arrival) => void): void {
    const generation = this.#ring[at + 1] ?? 0
    const result = this.#ring[at + 2] ?? 0
    const flags = this.#ring[at + 3] ?? 0
    if (generation === NO_RECEIVE) {
      if (result < 0) this.#counts.relay_send_failed++
      return
    }
    const arrival = this.#arrival
    arrival.index = this.#ring[at] ?? 0
    arrival.generation = generation
    arrival.goesOn = (flags & CQE_MORE) !== 0
    arrival.length = result < 0 ? result : -1
    if ((flags & CQE_BUFFER) !== 0) {
      const buffer = flags >>> 16
      if (buffer >= BUFFERS) return
      this.#used[this.#usedCount++] = buffer
      if (result >= PAYLOAD_AT) this.#describe(buffer * BUFFER_OCTETS, result)
    }
    arrived(arrival)
  }

  /** Reads the `io_uring_recvmsg_out` that the kernel wrote at the head of a buffer. */
  #describe(at: number, result: number): void {
    const arrival = this.#arrival
    const isCut = ((this.words[(at >> 2) + 3] ?? 0) & MSG_TRUNC) !== 0
    arrival.isCut = isCut
    arrival.length = Math.min(result, BUFFER_OCTETS) - PAYLOAD_AT
    arrival.start = at + PAYLOAD_AT
    arrival.sourceAt = at + RECVMSG_OUT_OCTETS
  }

  /** @returns the first word of a zeroed submission entry, −1 when the ring is full */
  #entry(): number {
    if (this.#queued > this.#sqMask) this.submit()
    if (!this.#open || this.#queued > this.#sqMask) {
      this.#counts.relay_ring_full++
      return -1
    }
    const at = (this.#sqTail & this.#sqMask) * SQE_WORDS
    this.#sqTail = (this.#sqTail + 1) | 0
    this.#queued++
    for (let i = 0; i < SQE_WORDS; i++) this.#sqes[at + i] = 0
    return at
  }

  /** Used buffers become the kernel's again. */
  #giveBack(): void {
    if (this.#usedCount === 0) return
    for (let i = 0; i < this.#usedCount; i++) this.#provide(this.#used[i] ?? 0)
    this.#usedCount = 0
    this.#publishBuffers()
  }

  #provide(buffer: number): void {
    const at = (this.#bufferRingAt >> 2) + (this.#bufferTail & (BUFFERS - 1)) * 4
    this.#writePointer(at, this.#memory.address + buffer * BUFFER_OCTETS)
    this.words[at + 2] = BUFFER_OCTETS
    // The upper half of this word of entry 0 is the ring's tail: only the buffer's number is written.
    this.#bufferTails[(at + 3) * 2] = buffer
    this.#bufferTail++
  }

  #publishBuffers(): void {
    Atomics.store(this.#bufferTails, (this.#bufferRingAt >> 1) + 7, this.#bufferTail & 0xffff)
  }

  #registerBuffers(): void {
    const at = this.#scratchAt >> 2
    this.words.fill(0, at, at + 10)
    this.#writePointer(at, this.#memory.address + this.#bufferRingAt)
    this.words[at + 2] = BUFFERS
    this.words[at + 3] = BUFFER_GROUP
    const where = this.#memory.address + this.#scratchAt
    if (libc.uringRegister(SYS_REGISTER, this.#fd, REGISTER_PBUF_RING, where, 1) < 0) this.#refuse('buffers')
    for (let buffer = 0; buffer < BUFFERS; buffer++) this.#provide(buffer)
    this.#publishBuffers()
  }

  /** A table of free places; no larger than the number of files that the process may open. */
  #registerFiles(wanted: number): number {
    const at = this.#scratchAt >> 2
    for (let files = wanted; files >= 64; files >>= 1) {
      this.words.fill(-1, at, at + files)
      const where = this.#memory.address + this.#scratchAt
      if (libc.uringRegister(SYS_REGISTER, this.#fd, REGISTER_FILES, where, files) >= 0) return files
      if (errnoOf() !== EMFILE) break
    }
    return this.#refuse('files')
  }

  #setUp(): { fd: number; word: (index: number) => number } {
    const at = this.#scratchAt >> 2
    this.words[at + 1] = CQ_ENTRIES
    this.words[at + 2] = SETUP_CQSIZE | SETUP_COOP_TASKRUN | SETUP_SINGLE_ISSUER | SETUP_DEFER_TASKRUN
    const fd = libc.uringSetup(SYS_SETUP, SQ_ENTRIES, this.#memory.address + this.#scratchAt)
    if (fd < 0) throw new Error(`io_uring is not to be had: errno ${errnoOf()}`)
    const params = this.words.slice(at, at + PARAMS_OCTETS / 4)
    return { fd, word: (index) => params[index] ?? 0 }
  }

  #refuse(what: string): never {
    const errno = errnoOf()
    libc.close(this.#fd)
    throw new Error(`io_uring refuses ${what}: errno ${errno}`)
  }

  #pointer(at: number, address: number): void {
    this.#sqes[at] = address | 0
    this.#sqes[at + 1] = Math.floor(address / 2 ** 32)
  }

  #writePointer(at: number, address: number): void {
    this.words[at] = address | 0
    this.words[at + 1] = Math.floor(address / 2 ** 32)
  }
}

function align(octets: number): number {
  return Math.ceil(octets / 4_096) * 4_096
}

function wordsOf(region: Region): Int32Array<ArrayBuffer> {
  return new Int32Array(region.octets.buffer)
}
