/**
 * The rings of io_uring, mapped and driven from typed arrays; with uring-buffers.ts the only file that knows their layout
 * (linux/io_uring.h). Rules: memory that the kernel may know is mapped and never unmapped; an index from the kernel is masked or
 * checked before use; a buffer goes back to the kernel only after every queued send was consumed, and sends never wait
 * (MSG_DONTWAIT), so that a consumed send has left its buffer.
 *
 * A slot is a place in the kernel's table of files: one socket.
 */
import type { Address } from '../../../lib/address.ts'
import { type Arrival, noArrival } from './arrival.ts'
import { type Libc, mapMemory, type Region } from './libc.ts'
import { SOCKADDR_OCTETS, writeSockaddr } from './sockaddr.ts'
import * as abi from './uring-abi.ts'
import { BUFFER_OCTETS, BUFFER_RING_OCTETS, BUFFERS, ReceiveBuffers } from './uring-buffers.ts'

const MSG_TRUNC = 0x20
const MSG_DONTWAIT_NOSIGNAL = 0x40 | 0x4000
const EMFILE = 24

// Small rings stay in the processor's cache; a fuller turn takes one more system call.
const SQ_ENTRIES = 512
const CQ_ENTRIES = 8_192
const BUFFER_GROUP = 1
const PAYLOAD_AT = abi.RECVMSG_OUT_OCTETS + SOCKADDR_OCTETS
const COPIES = 512
const COPY_OCTETS = 1_536
const DESTINATION_OCTETS = 32
/** The generation of a receive is 31 bits: this marks what is none, and with the next as its slot the read of wake-ups. */
const NO_RECEIVE = -1
const WAKE_UPS = 1
// What a waiting enter reads: its argument, the time in it, and where the count of wake-ups goes.
const WAIT_TIME_AT = 32
const WAKE_COUNT_AT = 48

// The layout of the ring's memory, in octets: buffers, copies, the ring of buffers, what system calls read, destinations.
const COPIES_AT = align(BUFFERS * BUFFER_OCTETS)
const BUFFER_RING_AT = align(COPIES_AT + COPIES * COPY_OCTETS)
const HEADER_AT = BUFFER_RING_AT + BUFFER_RING_OCTETS
const WAIT_AT = HEADER_AT + 64
const DESTINATIONS_AT = WAIT_AT + 64

export class Ring {
  /** Buffers, copies, addresses and parameters: all that the kernel reads or writes besides the rings. */
  readonly octets: Uint8Array<ArrayBuffer>
  readonly words: Int32Array<ArrayBuffer>
  readonly slotsMax: number
  readonly #libc: Libc
  readonly #memory: Region
  readonly #buffers: ReceiveBuffers
  readonly #scratchAt: number
  readonly #fd: number
  readonly #ring: Int32Array<ArrayBuffer>
  readonly #sqes: Int32Array<ArrayBuffer>
  readonly #at: Readonly<Record<'sqHead' | 'sqTail' | 'cqHead' | 'cqTail' | 'cqes', number>>
  readonly #sqMask: number
  readonly #cqMask: number
  readonly #destinationLengths: Uint8Array
  /** The batch in which a slot last queued a send; its address must stand until that is consumed. */
  readonly #queuedIn: Int32Array
  readonly #arrival = noArrival()
  readonly #counts = { relay_ring_full: 0, relay_send_failed: 0, relay_submit_failed: 0, relay_wake_failed: 0 }
  #sqTail: number
  #queued = 0
  #batch = 1
  #copies = 0
  /** True while completions are handed over: their buffers are being read, whatever is submitted meanwhile. */
  #reaping = false
  #isWoken = false
  #wakeFd = -1
  #open = true

  /** @param slots how many at most; fewer where the process may open fewer. @throws where it is forbidden */
  constructor(libc: Libc, slots: number) {
    this.#libc = libc
    this.#scratchAt = DESTINATIONS_AT + slots * DESTINATION_OCTETS
    this.#memory = mapMemory(align(this.#scratchAt + Math.max(abi.PARAMS_OCTETS, slots * 4)))
    this.octets = this.#memory.octets
    this.words = new Int32Array(this.octets.buffer)
    const params = this.#setUp()
    this.#fd = params.fd
    const sqOctets = params.word(16) + params.word(0) * 4
    const cqOctets = params.word(25) + params.word(1) * 16
    this.#ring = wordsOf(libc.mapDescriptor(this.#fd, Math.max(sqOctets, cqOctets), 0))
    this.#sqes = wordsOf(libc.mapDescriptor(this.#fd, params.word(0) * abi.SQE_WORDS * 4, abi.OFFSET_SQES))
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
    this.slotsMax = this.#registerFiles(slots)
    this.#buffers = this.#registerBuffers()
    this.#destinationLengths = new Uint8Array(this.slotsMax)
    this.#queuedIn = new Int32Array(this.slotsMax)
    // The receives' msghdr: of its fields the kernel wants only the room for the name.
    this.words[(HEADER_AT >> 2) + 2] = SOCKADDR_OCTETS
    writePointer(this.words, (WAIT_AT >> 2) + 4, this.#memory.address + WAIT_AT + WAIT_TIME_AT)
  }

  get hasQueued(): boolean {
    return this.#queued > 0
  }

  get isEmpty(): boolean {
    return this.#ring[this.#at.cqHead] === Atomics.load(this.#ring, this.#at.cqTail)
  }

  /** Puts a descriptor in a slot, −1 to take it away. */
  setFile(slot: number, fd: number): boolean {
    if (!this.#open || slot < 0 || slot >= this.slotsMax) return false
    const at = this.#scratchAt >> 2
    writePointer(this.words, at + 2, this.#memory.address + this.#scratchAt + 16)
    this.words[at] = slot
    this.words[at + 1] = 0
    this.words[at + 4] = fd
    this.#destinationLengths[slot] = 0
    return this.#register(abi.REGISTER_FILES_UPDATE, this.#scratchAt, 1) === 1
  }

  /**
   * Starts the receive of a slot that never ends by itself.
   * @param isConnected then no source is written before each datagram
   * @returns false when the ring is full
   */
  receive(slot: number, generation: number, isConnected: boolean): boolean {
    const at = this.#entry()
    if (at < 0) return false
    const operation = isConnected ? abi.OP_RECV : abi.OP_RECVMSG
    this.#sqes[at] = operation | ((abi.SQE_FIXED_FILE | abi.SQE_BUFFER_SELECT) << 8) | (abi.RECV_MULTISHOT << 16)
    this.#sqes[at + 1] = slot
    if (!isConnected) {
      writePointer(this.#sqes, at + 4, this.#memory.address + HEADER_AT)
      this.#sqes[at + 6] = 1
    }
    this.#sqes[at + 8] = slot
    this.#sqes[at + 9] = generation
    this.#sqes[at + 10] = BUFFER_GROUP
    return true
  }

  /** Ends it. */
  cancel(slot: number, generation: number): void {
    const at = this.#entry()
    if (at < 0) return
    this.#sqes[at] = abi.OP_ASYNC_CANCEL | (abi.SQE_SKIP_SUCCESS << 8)
    this.#sqes[at + 1] = -1
    this.#sqes[at + 4] = slot
    this.#sqes[at + 5] = generation
    this.#sqes[at + 9] = NO_RECEIVE
  }

  /** @returns whether it is an address that can be sent to */
  setDestination(slot: number, to: Address): boolean {
    // A queued send may still have to read the old one.
    if (this.#queuedIn[slot] === this.#batch) this.submit()
    this.withdrawSends(slot)
    const length = writeSockaddr(this.octets, DESTINATIONS_AT + slot * DESTINATION_OCTETS, to)
    this.#destinationLengths[slot] = length
    return length > 0
  }

  /** Queues a send of what lies in a receive buffer or a copy, to the slot's destination; without one, its socket is connected. */
  send(slot: number, start: number, length: number): void {
    if (start < 0 || length < 0 || start + length > BUFFER_RING_AT) return
    const at = this.#entry()
    if (at < 0) return
    const addressOctets = this.#destinationLengths[slot] ?? 0
    this.#sqes[at] = abi.OP_SEND | ((abi.SQE_FIXED_FILE | abi.SQE_SKIP_SUCCESS) << 8)
    this.#sqes[at + 1] = slot
    if (addressOctets > 0) {
      writePointer(this.#sqes, at + 2, this.#memory.address + DESTINATIONS_AT + slot * DESTINATION_OCTETS)
      this.#sqes[at + 11] = addressOctets
      this.#queuedIn[slot] = this.#batch
    }
    writePointer(this.#sqes, at + 4, this.#memory.address + start)
    this.#sqes[at + 6] = length
    this.#sqes[at + 7] = MSG_DONTWAIT_NOSIGNAL
    this.#sqes[at + 9] = NO_RECEIVE
  }

  /** Queues a send of a packet that lies elsewhere. @param packet at most COPY_OCTETS */
  sendCopy(slot: number, packet: Uint8Array): void {
    if (packet.length > COPY_OCTETS) return
    // Both places are sure before one is taken: what is submitted in between gives the copies' places free.
    if (this.#copies === COPIES || this.#queued > this.#sqMask) this.submit()
    if (this.#copies === COPIES || this.#queued > this.#sqMask) return void this.#counts.relay_ring_full++
    const start = COPIES_AT + this.#copies++ * COPY_OCTETS
    this.octets.set(packet, start)
    this.send(slot, start, packet.length)
  }

  /**
   * Makes nothing of the sends of a slot that the kernel did not take when they were submitted: they would leave for the slot's
   * next destination, or by its next socket.
   */
  withdrawSends(slot: number): void {
    for (let back = this.#queued; back > 0; back--) {
      const at = ((this.#sqTail - back) & this.#sqMask) * abi.SQE_WORDS
      if (((this.#sqes[at] ?? 0) & 0xff) !== abi.OP_SEND || this.#sqes[at + 1] !== slot) continue
      this.#sqes.fill(0, at, at + abi.SQE_WORDS)
      this.#sqes[at] = abi.OP_NOP | (abi.SQE_SKIP_SUCCESS << 8)
      this.#sqes[at + 9] = NO_RECEIVE
      this.#counts.relay_send_failed++
    }
  }

  /** Tells the kernel of all that is queued and lets it deliver what has come. Never waits. */
  submit(): void {
    if (this.#open) this.#enter(0, 0)
  }

  /** From now on whoever writes to the eventfd `fd` ends a wait. */
  listenForWakeUps(fd: number): void {
    this.#wakeFd = fd
    const at = this.#entry()
    if (at < 0) return
    this.#sqes[at] = abi.OP_READ
    this.#sqes[at + 1] = fd
    writePointer(this.#sqes, at + 4, this.#memory.address + WAIT_AT + WAKE_COUNT_AT)
    this.#sqes[at + 6] = 8
    this.#sqes[at + 8] = WAKE_UPS
    this.#sqes[at + 9] = NO_RECEIVE
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
    const at = (WAIT_AT + WAIT_TIME_AT) >> 2
    this.words[at] = Math.floor(timeoutUs / 1e6)
    this.words[at + 2] = (timeoutUs % 1e6) * 1_000
    this.#enter(completions, this.#memory.address + WAIT_AT)
  }

  /** Hands over at most `most` completions. */
  reap(most: number, arrived: (arrival: Arrival) => void): void {
    if (!this.#open) return
    this.#reaping = true
    let head = this.#ring[this.#at.cqHead] ?? 0
    const tail = Atomics.load(this.#ring, this.#at.cqTail)
    for (let count = 0; head !== tail && count < most && !this.#buffers.isAllUsed; count++) {
      const at = this.#at.cqes + (head & this.#cqMask) * 4
      head = (head + 1) | 0
      this.#complete(at, arrived)
    }
    Atomics.store(this.#ring, this.#at.cqHead, head)
    this.#reaping = false
    if (this.#queued === 0) this.#buffers.giveBack()
  }

  counters(): Readonly<Record<string, number>> {
    return { ...this.#counts }
  }

  /** The memory stays mapped: the kernel may still write to it for a moment. */
  close(): void {
    if (this.#open) this.#libc.close(this.#fd)
    this.#open = false
  }

  /** @param argument the address of a `struct io_uring_getevents_arg` that says how long to wait, 0 for not at all */
  #enter(completions: number, argument: number): void {
    Atomics.store(this.#ring, this.#at.sqTail, this.#sqTail)
    const flags = abi.ENTER_GETEVENTS | (argument === 0 ? 0 : abi.ENTER_EXT_ARG)
    const size = argument === 0 ? 0 : abi.GETEVENTS_ARG_OCTETS
    const result = this.#libc.uringEnter(abi.SYS_ENTER, this.#fd, this.#queued, completions, flags, argument, size)
    // That the time is over is reported as an error too.
    if (result < 0 && argument === 0) this.#counts.relay_submit_failed++
    this.#queued = (this.#sqTail - Atomics.load(this.#ring, this.#at.sqHead)) | 0
    if (this.#queued !== 0) return
    this.#batch = (this.#batch + 1) | 0
    this.#copies = 0
    if (!this.#reaping) this.#buffers.giveBack()
  }

  #complete(at: number, arrived: (arrival: Arrival) => void): void {
    const slot = this.#ring[at] ?? 0
    const generation = this.#ring[at + 1] ?? 0
    const result = this.#ring[at + 2] ?? 0
    const flags = this.#ring[at + 3] ?? 0
    if (generation === NO_RECEIVE) {
      if (slot === WAKE_UPS) this.#woken(result)
      else if (result < 0) this.#counts.relay_send_failed++
      return
    }
    const arrival = this.#arrival
    arrival.slot = slot
    arrival.generation = generation
    arrival.goesOn = (flags & abi.CQE_MORE) !== 0
    arrival.result = result
    arrival.start = -1
    if ((flags & abi.CQE_BUFFER) !== 0) {
      arrival.start = this.#buffers.take(flags >>> 16)
      if (arrival.start < 0) return
    }
    arrived(arrival)
  }

  /**
   * Of a receive that was not connected: steps over the `io_uring_recvmsg_out` and the name that the kernel wrote first.
   * @returns where the source stands, −1 for no datagram
   */
  readHead(arrival: Arrival): number {
    const { start } = arrival
    if (arrival.result < PAYLOAD_AT) return -1
    const isCut = ((this.words[(start >> 2) + 3] ?? 0) & MSG_TRUNC) !== 0
    arrival.result = isCut ? BUFFER_OCTETS : Math.min(arrival.result, BUFFER_OCTETS) - PAYLOAD_AT
    arrival.start = start + PAYLOAD_AT
    return start + abi.RECVMSG_OUT_OCTETS
  }

  /** A read that failed is not repeated: it would fail for ever, and waits are short. */
  #woken(result: number): void {
    if (result < 0) return void this.#counts.relay_wake_failed++
    this.#isWoken = true
    this.listenForWakeUps(this.#wakeFd)
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

  #registerBuffers(): ReceiveBuffers {
    const at = this.#scratchAt >> 2
    this.words.fill(0, at, at + 10)
    writePointer(this.words, at, this.#memory.address + BUFFER_RING_AT)
    this.words[at + 2] = BUFFERS
    this.words[at + 3] = BUFFER_GROUP
    if (this.#register(abi.REGISTER_PBUF_RING, this.#scratchAt, 1) < 0) this.#refuse('buffers')
    return new ReceiveBuffers(this.#memory, BUFFER_RING_AT)
  }

  /** A table of free places; no larger than the number of files that the process may open. */
  #registerFiles(wanted: number): number {
    const at = this.#scratchAt >> 2
    for (let files = wanted; files >= 64; files >>= 1) {
      this.words.fill(-1, at, at + files)
      if (this.#register(abi.REGISTER_FILES, this.#scratchAt, files) >= 0) return files
      if (this.#libc.errno() !== EMFILE) break
    }
    return this.#refuse('files')
  }

  #register(operation: number, at: number, count: number): number {
    return this.#libc.uringRegister(abi.SYS_REGISTER, this.#fd, operation, this.#memory.address + at, count)
  }

  #setUp(): { fd: number; word: (index: number) => number } {
    const at = this.#scratchAt >> 2
    this.words[at + 1] = CQ_ENTRIES
    this.words[at + 2] = abi.SETUP_CQSIZE | abi.SETUP_COOP_TASKRUN | abi.SETUP_SINGLE_ISSUER | abi.SETUP_DEFER_TASKRUN
    const fd = this.#libc.uringSetup(abi.SYS_SETUP, SQ_ENTRIES, this.#memory.address + this.#scratchAt)
    if (fd < 0) throw new Error(`io_uring is not to be had: errno ${this.#libc.errno()}`)
    const params = this.words.slice(at, at + abi.PARAMS_OCTETS / 4)
    return { fd, word: (index) => params[index] ?? 0 }
  }

  #refuse(what: string): never {
    const errno = this.#libc.errno()
    this.#libc.close(this.#fd)
    throw new Error(`io_uring refuses ${what}: errno ${errno}`)
  }
}

function align(octets: number): number {
  return Math.ceil(octets / 4_096) * 4_096
}

function wordsOf(region: Region): Int32Array<ArrayBuffer> {
  return new Int32Array(region.octets.buffer)
}

function writePointer(words: Int32Array, at: number, address: number): void {
  words[at] = address | 0
  words[at + 1] = Math.floor(address / 2 ** 32)
}
