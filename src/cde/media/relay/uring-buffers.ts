/**
 * The ring of receive buffers that io_uring takes from by itself (linux/io_uring.h, `struct io_uring_buf_ring`): the kernel
 * takes them at the head, we give back what was read at the tail.
 */
import type { Region } from './libc.ts'

export const BUFFERS = 2_048
/**
 * Room for `io_uring_recvmsg_out`, a name, and more than the longest packet. An odd number of cache lines: buffers a power of two
 * apart would share a few sets of the processor's cache, and push each other out.
 */
export const BUFFER_OCTETS = 1_600
/** `struct io_uring_buf`. */
const ENTRY_OCTETS = 16
export const BUFFER_RING_OCTETS = BUFFERS * ENTRY_OCTETS

export class ReceiveBuffers {
  readonly #memory: Region
  readonly #words: Int32Array<ArrayBuffer>
  readonly #halves: Uint16Array<ArrayBuffer>
  readonly #ringAt: number
  readonly #used = new Uint16Array(BUFFERS)
  #usedCount = 0
  #tail = 0

  /** @param memory the buffers stand at its beginning, in octets 0 to BUFFERS × BUFFER_OCTETS @param ringAt a page's beginning */
  constructor(memory: Region, ringAt: number) {
    this.#memory = memory
    this.#words = new Int32Array(memory.octets.buffer)
    this.#halves = new Uint16Array(memory.octets.buffer)
    this.#ringAt = ringAt
    for (let buffer = 0; buffer < BUFFERS; buffer++) this.#provide(buffer)
    this.#publish()
  }

  get isAllUsed(): boolean {
    return this.#usedCount === BUFFERS
  }

  /** The kernel has filled a buffer; it is ours until `giveBack`. @returns where it begins, −1 for none of ours */
  take(buffer: number): number {
    if (buffer >= BUFFERS || this.isAllUsed) return -1
    this.#used[this.#usedCount++] = buffer
    return buffer * BUFFER_OCTETS
  }

  /** All that were taken become the kernel's again. */
  giveBack(): void {
    if (this.#usedCount === 0) return
    for (let i = 0; i < this.#usedCount; i++) this.#provide(this.#used[i] ?? 0)
    this.#usedCount = 0
    this.#publish()
  }

  #provide(buffer: number): void {
    const at = (this.#ringAt >> 2) + (this.#tail & (BUFFERS - 1)) * (ENTRY_OCTETS / 4)
    const address = this.#memory.address + buffer * BUFFER_OCTETS
    this.#words[at] = address | 0
    this.#words[at + 1] = Math.floor(address / 2 ** 32)
    this.#words[at + 2] = BUFFER_OCTETS
    // The upper half of this word of entry 0 is the ring's tail: only the buffer's number is written.
    this.#halves[(at + 3) * 2] = buffer
    this.#tail = (this.#tail + 1) & 0xffff
  }

  #publish(): void {
    Atomics.store(this.#halves, (this.#ringAt >> 1) + 7, this.#tail)
  }
}
