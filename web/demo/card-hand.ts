/**
 * The caller with a card in hand: keys what the agent's panel asks for, one key after another, at a person's pace.
 * Sans-I/O: it is told which field is open and what time it is, and says which key to press now.
 */
import { type DemoCard, keysFor } from './cards.ts'

const FIRST_KEY_MS = 700
const BETWEEN_KEYS_MS = 240

export class CardHand {
  #card: DemoCard | undefined
  #open: string | undefined
  #keys = ''
  #nextAtMs = 0
  readonly #done = new Set<string>()

  get card(): DemoCard | undefined {
    return this.#card
  }

  /** `waiting` until the agent asks for something. */
  get state(): 'empty' | 'waiting' | 'keying' {
    if (this.#card === undefined) return 'empty'
    return this.#keys === '' ? 'waiting' : 'keying'
  }

  /** Takes a card, or puts it away. */
  hold(card: DemoCard | undefined, today: Date, nowMs: number): void {
    this.#card = card
    this.#keys = ''
    this.#done.clear()
    if (card !== undefined && this.#open !== undefined) this.#begin(this.#open, today, nowMs)
  }

  /** The agent's panel has changed: this field waits for keys, is complete, or needs to be keyed anew. */
  fieldIs(field: string, state: string, today: Date, nowMs: number): void {
    if (state === 'requested') {
      this.#open = field
      this.#begin(field, today, nowMs)
    } else if (state !== 'collecting' && this.#open === field) {
      this.#open = undefined
      this.#keys = ''
    }
    if (state === 'valid') this.#done.add(field)
    // The card goes back into the pocket when all of it is keyed.
    if (this.#done.size === 3) this.hold(undefined, today, nowMs)
  }

  /** The agent has put the card aside, or the call is over. */
  captureEnded(): void {
    this.#open = undefined
    this.#keys = ''
    this.#done.clear()
  }

  /** @returns the key to press now, or undefined */
  press(nowMs: number): string | undefined {
    if (this.#keys === '' || nowMs < this.#nextAtMs) return undefined
    const key = this.#keys.charAt(0)
    this.#keys = this.#keys.slice(1)
    this.#nextAtMs = nowMs + BETWEEN_KEYS_MS
    return key
  }

  #begin(field: string, today: Date, nowMs: number): void {
    if (this.#card === undefined) return
    this.#keys = keysFor(this.#card, field, today)
    this.#nextAtMs = nowMs + FIRST_KEY_MS
  }
}
