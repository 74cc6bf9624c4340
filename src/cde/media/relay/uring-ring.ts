/**
 * The rings of io_uring, mapped and driven from typed arrays: the only file that knows their layout (linux/io_uring.h). Rules:
 * memory that the kernel may know is mapped and never unmapped; an index from the kernel is masked or checked before use; a
 * buffer goes back to the kernel only after every queued send was consumed, and sends never wait (MSG_DONTWAIT), so that a
 * consumed send has left its buffer.
 */
import type { Address } from '../../../lib/address.ts'
import { type Arrival, noArrival } from './arrival.ts'
import { errnoOf, libc, mapDescriptor, mapMemory, type Region } from './libc.ts'
import { SOCKADDR_OCTETS, writeSockaddr } from './sockaddr.ts'
import * as abi from './uring-abi.ts'

const MSG_TRUNC = 0x20
const MSG_DONTWAIT_NOSIGNAL = 0x40 | 0x4000
const EMFILE = 24

const SQ_ENTRIES = 2_048
const CQ_ENTRIES = 16_384
const BUFFERS = 4_096
const BUFFER_OCTETS = 2_048
const BUFFER_GROUP = 1
const PAYLOAD_AT = abi.RECVMSG_OUT_OCTETS + SOCKADDR_OCTETS
const COPIES = 512
const COPY_OCTETS = 1_536
const DESTINATION_OCTETS = 32
/** The generation of a receive is 31 bits: this marks what is none, and with the next as its index the read of wake-ups. */
const NO_RECEIVE = -1
const WAKE_UPS = 1
// What a waiting enter reads: its argument, the time in it, and where the count of wake-ups goes.
const WAIT_TIME_AT = 32
const WAKE_COUNT_AT = 48

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
  readonly #waitAt: number
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
  readonly #arrival = noArrival()
  readonly #counts = { relay_ring_full: 0, relay_send_failed: 0, relay_submit_failed: 0, relay_wake_failed: 0 }
  #usedCount = 0
  #bufferTail = 0
  #sqTail: number
  #queued = 0
  #batch = 1
  #copies = 0
  /** True while completions are handed over: their buffers are being read, whatever is submitted meanwhile. */
  #reaping = false
  #isWoken = false
  #wakeFd = -1
  #open = true

  /** @param filesMax how many ports at most; fewer where the process may open fewer. @throws where it is forbidden */
  constructor(filesMax: number) {
    this.#bufferRingAt = align(this.#destinationsAt + filesMax * DESTINATION_OCTETS)
    this.#headerAt = this.#bufferRingAt + BUFFERS * 16
    this.#waitAt = this.#headerAt + 64
    this.#scratchAt = this.#waitAt + 64
    this.#memory = mapMemory(align(this.#scratchAt + Math.max(abi.PARAMS_OCTETS, filesMax * 4)))
    this.octets = this.#memory.octets
    this.words = new Int32Array(this.octets.buffer)
    this.#bufferTails = new Uint16Array(this.octets.buffer)
    const params = this.#setUp()
    this.#fd = params.fd
    const sqOctets = params.word(16) + params.word(0) * 4
    const cqOctets = params.word(25) + params.word(1) * 16
    this.#ring = wordsOf(mapDescriptor(this.#fd, Math.max(sqOctets, cqOctets), 0))
    this.#sqes = wordsOf(mapDescriptor(this.#fd, params.word(0) * abi.SQE_WORDS * 4, abi.OFFSET_SQES))
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
    writePointer(this.words, (this.#waitAt >> 2) + 4, this.#memory.address + this.#waitAt + WAIT_TIME_AT)
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
    writePointer(this.words, at + 2, this.#memory.address + this.#scratchAt + 16)
    this.words[at] = index
    this.words[at + 1] = 0
    this.words[at + 4] = fd
    this.#destinationLengths[index] = 0
    return (
      libc.uringRegister(
        abi.SYS_REGISTER,
        this.#fd,
        abi.REGISTER_FILES_UPDATE,
        this.#memory.address + this.#scratchAt,
        1,
      ) === 1
    )
  }

  /** Starts the receive of a port that never ends by itself. @returns false when the ring is full */
  receive(index: number, generation: number): boolean {
    const at = this.#entry()
    if (at < 0) return false
    this.#sqes[at] = abi.OP_RECVMSG | ((abi.SQE_FIXED_FILE | abi.SQE_BUFFER_SELECT) << 8) | (abi.RECV_MULTISHOT << 16)
    this.#sqes[at + 1] = index
    writePointer(this.#sqes, at + 4, this.#memory.address + this.#headerAt)
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
    this.#sqes[at] = abi.OP_ASYNC_CANCEL | (abi.SQE_SKIP_SUCCESS << 8)
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
    this.#sqes[at] = abi.OP_SEND | ((abi.SQE_FIXED_FILE | abi.SQE_SKIP_SUCCESS) << 8)
    this.#sqes[at + 1] = index
    writePointer(this.#sqes, at + 2, this.#memory.address + this.#destinationsAt + index * DESTINATION_OCTETS)
    writePointer(this.#sqes, at + 4, this.#memory.address + start)
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
    if (this.#open) this.#enter(0, 0)
  }

  /** From now on whoever writes to the eventfd `fd` ends a wait. */
  listenForWakeUps(fd: number): void {
    const at = this.#entry()
    if (at < 0) return
    this.#sqes[at] = abi.OP_READ
    this.#sqes[at + 1] = fd
    writePointer(this.#sqes, at + 4, this.#memory.address + this.#waitAt + WAKE_COUNT_AT)
    this.#sqes[at + 6] = 8
    this.#sqes[at + 8] = WAKE_UPS
    this.#sqes[at + 9] = NO_RECEIVE
    this.#wakeFd = fd
  }

  /** @returns whether there was a wake-up since it was last asked */
  takeWakeUp(): boolean {
    const isWoken = this.#isWoken
    this.#isWoken = false
    return isWoken
  }

  /** Submits what is queued and blocks until so many completions wait to be handed over or the time is over. */
  wait(completions: number, timeoutUs: number): void {
    if (!this.#open) return
    const at = (this.#waitAt + WAIT_TIME_AT) >> 2
    this.words[at] = Math.floor(timeoutUs / 1e6)
    this.words[at + 2] = (timeoutUs % 1e6) * 1_000
    this.#enter(completions, this.#memory.address + this.#waitAt)
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

  /** @param argument the address of a `struct io_uring_getevents_arg` that says how long to wait, 0 for not at all */
  #enter(completions: number, argument: number): void {
    Atomics.store(this.#ring, this.#at.sqTail, this.#sqTail)
    const flags = abi.ENTER_GETEVENTS | (argument === 0 ? 0 : abi.ENTER_EXT_ARG)
    const size = argument === 0 ? 0 : abi.GETEVENTS_ARG_OCTETS
    const result = libc.uringEnter(abi.SYS_ENTER, this.#fd, this.#queued, completions, flags, argument, size)
    // That the time is over is reported as an error too.
    if (result < 0 && argument === 0) this.#counts.relay_submit_failed++
    this.#queued = (this.#sqTail - Atomics.load(this.#ring, this.#at.sqHead)) | 0
    if (this.#queued !== 0) return
    this.#batch++
    this.#copies = 0
    if (!this.#reaping) this.#giveBack()
  }

  #complete(at: number, arrived: (arrival: Arrival) => void): void {
    const generation = this.#ring[at + 1] ?? 0
    const result = this.#ring[at + 2] ?? 0
    const flags = this.#ring[at + 3] ?? 0
    if (generation === NO_RECEIVE) {
      if (this.#ring[at] === WAKE_UPS) this.#woken(result)
      else if (result < 0) this.#counts.relay_send_failed++
      return
    }
    const arrival = this.#arrival
    arrival.index = this.#ring[at] ?? 0
    arrival.generation = generation
    arrival.goesOn = (flags & abi.CQE_MORE) !== 0
    arrival.length = result < 0 ? result : -1
    if ((flags & abi.CQE_BUFFER) !== 0) {
      const buffer = flags >>> 16
      if (buffer >= BUFFERS) return
      this.#used[this.#usedCount++] = buffer
      if (result >= PAYLOAD_AT) this.#describe(buffer * BUFFER_OCTETS, result)
    }
    arrived(arrival)
  }

  /** A read that failed is not repeated: it would fail for ever, and waits are short. */
  #woken(result: number): void {
    if (result < 0) return void this.#counts.relay_wake_failed++
    this.#isWoken = true
    this.listenForWakeUps(this.#wakeFd)
  }

  /** Reads the `io_uring_recvmsg_out` that the kernel wrote at the head of a buffer. */
  #describe(at: number, result: number): void {
    const arrival = this.#arrival
    const isCut = ((this.words[(at >> 2) + 3] ?? 0) & MSG_TRUNC) !== 0
    arrival.isCut = isCut
    arrival.length = Math.min(result, BUFFER_OCTETS) - PAYLOAD_AT
    arrival.start = at + PAYLOAD_AT
    arrival.sourceAt = at + abi.RECVMSG_OUT_OCTETS
  }

  /** @returns the first word of a zeroed submission entry, −1 when the ring is full */
  #entry(): number {
    if (this.#queued > this.#sqMask) this.submit()
    if (!this.#open || this.#queued > this.#sqMask) {
      this.#counts.relay_ring_full++
      return -1
    }
    const at = (this.#sqTail & this.#sqMask) * abi.SQE_WORDS
    this.#sqTail = (this.#sqTail + 1) | 0
    this.#queued++
    for (let i = 0; i < abi.SQE_WORDS; i++) this.#sqes[at + i] = 0
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
    writePointer(this.words, at, this.#memory.address + buffer * BUFFER_OCTETS)
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
    writePointer(this.words, at, this.#memory.address + this.#bufferRingAt)
    this.words[at + 2] = BUFFERS
    this.words[at + 3] = BUFFER_GROUP
    const where = this.#memory.address + this.#scratchAt
    if (libc.uringRegister(abi.SYS_REGISTER, this.#fd, abi.REGISTER_PBUF_RING, where, 1) < 0) this.#refuse('buffers')
    for (let buffer = 0; buffer < BUFFERS; buffer++) this.#provide(buffer)
    this.#publishBuffers()
  }

  /** A table of free places; no larger than the number of files that the process may open. */
  #registerFiles(wanted: number): number {
    const at = this.#scratchAt >> 2
    for (let files = wanted; files >= 64; files >>= 1) {
      this.words.fill(-1, at, at + files)
      const where = this.#memory.address + this.#scratchAt
      if (libc.uringRegister(abi.SYS_REGISTER, this.#fd, abi.REGISTER_FILES, where, files) >= 0) return files
      if (errnoOf() !== EMFILE) break
    }
    return this.#refuse('files')
  }

  #setUp(): { fd: number; word: (index: number) => number } {
    const at = this.#scratchAt >> 2
    this.words[at + 1] = CQ_ENTRIES
    this.words[at + 2] = abi.SETUP_CQSIZE | abi.SETUP_COOP_TASKRUN | abi.SETUP_SINGLE_ISSUER | abi.SETUP_DEFER_TASKRUN
    const fd = libc.uringSetup(abi.SYS_SETUP, SQ_ENTRIES, this.#memory.address + this.#scratchAt)
    if (fd < 0) throw new Error(`io_uring is not to be had: errno ${errnoOf()}`)
    const params = this.words.slice(at, at + abi.PARAMS_OCTETS / 4)
    return { fd, word: (index) => params[index] ?? 0 }
  }

  #refuse(what: string): never {
    const errno = errnoOf()
    libc.close(this.#fd)
    throw new Error(`io_uring refuses ${what}: errno ${errno}`)
  }
}

function writePointer(words: Int32Array, at: number, address: number): void {
  words[at] = address | 0
  words[at + 1] = Math.floor(address / 2 ** 32)
}

function align(octets: number): number {
  return Math.ceil(octets / 4_096) * 4_096
}

function wordsOf(region: Region): Int32Array<ArrayBuffer> {
  return new Int32Array(region.octets.buffer)
}
