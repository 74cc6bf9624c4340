import { dtmfLimits } from '../../lib/limits.ts'
import type { UncertainReason } from '../../wall/messages.ts'
import { secretOctets } from '../media/srtp/secret-octets.ts'
import { type Carriage, type Doubt, type KeyCode, NO_KEY } from './key-codes.ts'
import { SlowMode } from './slow-mode.ts'

export interface PressesListener {
  onKey(key: KeyCode, carriage: Carriage): void
  /** A press whose key is not certain: no carriage has it whole, or two carriages name different keys for it. */
  onUncertain(doubt: Doubt): void
}

const SLOTS = dtmfLimits.pressesMax
const CARRIAGES = ['in-band', 'event', 'info'] as const
const IN_BAND = 0
const INFO = 2
const UNDECIDED = -1
/** Twins in two carriages are at most this far apart; INFO takes the signalling's way and may be later. */
const SKEW_SAMPLES = 800
const INFO_SKEW_SAMPLES = 1_600
/** How long a press waits for its twin in the carriage that counts before it counts itself. */
const HOLD_SAMPLES = 800
/** How long after its end a press can still meet its twin. */
const KEEP_SAMPLES = 1_600
const SOURCE_PRESSES = 2
const SWITCH_PRESSES = 2

/** An uncertain press is another one's when it lies in it or beside it: of another carriage, whatever its key. */
const INSIDE_SAMPLES = 320
/** Of the same carriage and the same likely key: the bounce before a press, or the echo after it. */
const BOUNCE_SAMPLES = 480

const REPORTED = 1
const PAIRED = 2
const UNCERTAIN = 4
/** It may be the late double of another press, so that it contradicts nothing that happens at its own time. */
const LATE = 8

/**
 * One press, told once, however many carriages bring it (dtmf reference, 10.1, 10.2, 10.5).
 *
 * Until two presses have come as events (or as INFO) every carriage counts, and the second appearance of a press is
 * recognised as such. After that this carriage is the source: others only confirm it. A press that the source does not
 * bring within 100 ms counts after all, because callers do change phones in mid call; two of them undo the decision.
 *
 * A press whose key is not certain waits as long for one that is and explains it, but not beyond a later press that is told:
 * that may be the end key of its field. Then it is told as uncertain, with no key.
 *
 * Positions are samples on the caller's timeline. Keys stay until the press can have no twin any more, then are wiped.
 */
export class Presses {
  readonly #listener: PressesListener
  readonly #slow: SlowMode
  readonly #key = secretOctets(SLOTS).fill(NO_KEY)
  readonly #carriage = new Uint8Array(SLOTS)
  readonly #from = new Float64Array(SLOTS)
  /** Infinity while the key is down. */
  readonly #to = new Float64Array(SLOTS)
  readonly #state = new Uint8Array(SLOTS)
  readonly #why: UncertainReason[] = Array.from({ length: SLOTS }, () => 'too-short')
  /** When a press that waits is decided. */
  readonly #decideAt = new Float64Array(SLOTS)
  /** Where the latest of the keys told began. */
  #toldFrom = Number.NEGATIVE_INFINITY
  readonly #seen = new Uint32Array(CARRIAGES.length)
  #source = UNDECIDED
  #strays = 0

  /** @param slow knows doubles that are too far from their press to be its twin; it outlives this */
  constructor(listener: PressesListener, slow = new SlowMode(() => {})) {
    this.#listener = listener
    this.#slow = slow
  }

  /**
   * A press has become certain.
   * @param from where it began
   * @param now position that arrives now
   */
  begin(key: KeyCode, carriage: Carriage, from: number, now: number): void {
    this.settle(now)
    const kind = CARRIAGES.indexOf(carriage)
    this.end(carriage, from)
    const slot = this.#take(key, kind, from, kind === INFO ? now : Number.POSITIVE_INFINITY)
    this.#decideAt[slot] = from + HOLD_SAMPLES
    for (let other = 0; other < SLOTS; other++) if (this.#explains(slot, other)) this.#key[other] = NO_KEY
    const meaning = this.#slow.arrives(key, carriage, from)
    if (meaning === 'double') {
      this.#key[slot] = NO_KEY
      return
    }
    // Whether the line makes pairs or the caller keys them is not to be known: then no key is certain.
    if (meaning === 'in-pairs') this.#listener.onUncertain({ why: 'doubled', wasTold: true, isLatest: false })
    this.#count(kind)
    const twin = this.#twinOf(slot)
    if (twin !== -1) {
      const told = ((this.#state[twin] ?? 0) & REPORTED) !== 0
      this.#state[twin] = PAIRED | REPORTED
      this.#state[slot] = PAIRED | REPORTED
      if (kind === this.#source) this.#strays = 0
      if (!told) this.#say(slot)
      this.#slow.areTwins(carriage, from, this.#carriageOf(twin), this.#from[twin] ?? 0)
    } else if (this.#source === UNDECIDED || kind === this.#source) {
      this.#tell(slot)
    }
  }

  /**
   * It was a press, but the key is not certain.
   * @param likely what it may have been: never told, only compared with what other carriages say
   */
  doubt(why: UncertainReason, likely: KeyCode, carriage: Carriage, from: number, to: number, now: number): void {
    this.settle(now)
    const slot = this.#take(likely, CARRIAGES.indexOf(carriage), from, to)
    this.#state[slot] = UNCERTAIN
    this.#why[slot] = why
    // What is told late, as INFO may be, finds it still waiting.
    this.#decideAt[slot] = now + (this.#source === INFO ? INFO_SKEW_SAMPLES : HOLD_SAMPLES)
    for (let other = 0; other < SLOTS; other++) {
      if (this.#explains(other, slot) || this.#isSameDoubt(other, slot)) this.#key[slot] = NO_KEY
    }
  }

  /** The latest press of a carriage is over, or lasts at least this long. */
  end(carriage: Carriage, to: number): void {
    const kind = CARRIAGES.indexOf(carriage)
    for (let slot = 0; slot < SLOTS; slot++) {
      if (this.#key[slot] !== NO_KEY && this.#carriage[slot] === kind && this.#to[slot] === Number.POSITIVE_INFINITY) {
        this.#to[slot] = Math.max(to, this.#from[slot] ?? 0)
      }
    }
  }

  /** Decides what has waited long enough, and wipes what can have no twin any more. */
  settle(now: number): void {
    if (this.#slow.settle(now)) this.#dropDoubles()
    for (let slot = 0; slot < SLOTS; slot++) {
      if (this.#key[slot] === NO_KEY) continue
      const state = this.#state[slot] ?? 0
      if (state === 0 && now >= (this.#decideAt[slot] ?? 0)) this.#decideHeld(slot)
      if (state === UNCERTAIN && now >= (this.#decideAt[slot] ?? 0)) this.#decideDoubt(slot)
      if (this.#isUncertain(slot)) continue
      const isOver = now > (this.#to[slot] ?? 0) + KEEP_SAMPLES
      if (isOver || now > (this.#from[slot] ?? 0) + dtmfLimits.pressMs * 8) {
        if (this.#state[slot] === REPORTED) this.#raiseIfContradicted(slot)
        this.#key[slot] = NO_KEY
      }
    }
  }

  wipe(): void {
    this.#key.fill(NO_KEY)
    this.#slow.forgetPresses()
  }

  /** The caller's formats changed: which carriage counts is open again. */
  forgetSource(): void {
    this.#source = UNDECIDED
    this.#seen.fill(0)
    this.#strays = 0
  }

  #count(kind: number): void {
    this.#seen[kind] = (this.#seen[kind] ?? 0) + 1
    const isExplicit = kind !== IN_BAND
    if (isExplicit && this.#source === UNDECIDED && (this.#seen[kind] ?? 0) >= SOURCE_PRESSES) this.#source = kind
  }

  #take(key: KeyCode, kind: number, from: number, to: number): number {
    const slot = this.#freeSlot()
    this.#key[slot] = key
    this.#carriage[slot] = kind
    this.#from[slot] = from
    this.#to[slot] = to
    this.#state[slot] = 0
    return slot
  }

  /** @returns true when it looks like the double of another carriage's press, which may as yet be chance */
  #tell(slot: number): boolean {
    const isLikelyDouble = this.#isLikelyDouble(slot)
    this.#state[slot] = isLikelyDouble ? REPORTED | LATE : REPORTED
    this.#say(slot)
    return isLikelyDouble
  }

  #say(slot: number): void {
    const key = this.#key[slot] ?? 0
    const carriage = this.#carriageOf(slot)
    const from = this.#from[slot] ?? 0
    this.#decideBefore(from, this.#carriage[slot] === this.#source)
    this.#toldFrom = Math.max(this.#toldFrom, from)
    this.#listener.onKey(key, carriage)
    this.#slow.told(carriage, from)
  }

  #isLikelyDouble(slot: number): boolean {
    return this.#slow.isLikelyDouble(this.#key[slot] ?? 0, this.#carriageOf(slot), this.#from[slot] ?? 0)
  }

  #carriageOf(slot: number): Carriage {
    return CARRIAGES[this.#carriage[slot] ?? 0] ?? 'in-band'
  }

  /** A press outside the source that met no twin in time. */
  #decideHeld(slot: number): void {
    if (!this.#isLikelyDouble(slot) && this.#raiseIfContradicted(slot)) return
    if (this.#tell(slot)) return
    if (++this.#strays >= SWITCH_PRESSES) this.forgetSource()
  }

  /**
   * Presses are told in the order in which they were made: what still waits is decided when a later one is told.
   * @param isOfSource then the source, which keeps its order, has nothing more to say of an earlier one
   */
  #decideBefore(from: number, isOfSource: boolean): void {
    for (let slot = 0; slot < SLOTS; slot++) {
      if (this.#key[slot] === NO_KEY || (this.#from[slot] ?? 0) >= from) continue
      if (this.#isUncertain(slot)) this.#decideDoubt(slot)
      else if (this.#state[slot] === 0 && isOfSource) this.#decideHeld(slot)
    }
  }

  #decideDoubt(slot: number): void {
    const likely = this.#key[slot] ?? 0
    const from = this.#from[slot] ?? 0
    this.#key[slot] = NO_KEY
    if (this.#slow.explains(likely, this.#carriageOf(slot), from)) return
    const isLatest = from > this.#toldFrom
    this.#listener.onUncertain({ why: this.#why[slot] ?? 'too-short', wasTold: false, isLatest })
  }

  /** Whether a press whose key is certain is the one that an uncertain one was a piece of. */
  #explains(certain: number, uncertain: number): boolean {
    if (this.#key[certain] === NO_KEY || this.#key[uncertain] === NO_KEY) return false
    if (this.#isUncertain(certain) || !this.#isUncertain(uncertain)) return false
    const isSameKey = this.#key[certain] === this.#key[uncertain]
    if (this.#carriage[certain] === this.#carriage[uncertain]) {
      return isSameKey && this.#overlap(certain, uncertain, BOUNCE_SAMPLES)
    }
    return this.#overlap(certain, uncertain, isSameKey ? this.#skewOf(certain, uncertain) : INSIDE_SAMPLES)
  }

  /** An event that nobody agreed on has several packets. */
  #isSameDoubt(known: number, slot: number): boolean {
    if (known === slot || this.#key[known] !== this.#key[slot] || !this.#isUncertain(known)) return false
    return this.#overlap(known, slot, BOUNCE_SAMPLES)
  }

  #isUncertain(slot: number): boolean {
    return ((this.#state[slot] ?? 0) & UNCERTAIN) !== 0
  }

  #raiseIfContradicted(slot: number): boolean {
    for (let other = 0; other < SLOTS; other++) {
      if (this.#key[other] === NO_KEY || this.#carriage[other] === this.#carriage[slot]) continue
      if (((this.#state[other] ?? 0) & (PAIRED | UNCERTAIN | LATE)) !== 0 || this.#key[other] === this.#key[slot])
        continue
      if (!this.#overlap(slot, other, 0) || this.#isLikelyDouble(other)) continue
      const wasTold = (((this.#state[slot] ?? 0) | (this.#state[other] ?? 0)) & REPORTED) !== 0
      const isLatest = !wasTold && (this.#from[slot] ?? 0) > this.#toldFrom
      this.#state[slot] = PAIRED | REPORTED
      this.#state[other] = PAIRED | REPORTED
      this.#listener.onUncertain({ why: 'carriages-differ', wasTold, isLatest })
      return true
    }
    return false
  }

  /** The earliest press of another carriage that is the same one, if possible one that has no twin yet; -1 for none. */
  #twinOf(slot: number): number {
    let twin = -1
    for (let other = 0; other < SLOTS; other++) {
      if (this.#key[other] !== this.#key[slot] || this.#carriage[other] === this.#carriage[slot]) continue
      if (this.#isUncertain(other)) continue
      // One press of the source answers for all pieces in which another carriage brings it; otherwise one for one.
      const answersForMany = this.#carriage[other] === this.#source
      const isPaired = this.#isPaired(other)
      if (!answersForMany && isPaired) continue
      if (!this.#overlap(slot, other, this.#skewOf(slot, other))) continue
      const isBetter = twin === -1 || (this.#isPaired(twin) && !isPaired)
      const isEarlier =
        twin !== -1 && this.#isPaired(twin) === isPaired && (this.#from[other] ?? 0) < (this.#from[twin] ?? 0)
      if (isBetter || isEarlier) twin = other
    }
    return twin
  }

  #isPaired(slot: number): boolean {
    return ((this.#state[slot] ?? 0) & PAIRED) !== 0
  }

  /** The line has turned out to send keys twice: what was a double is nobody's twin, and which carriage counts is open again. */
  #dropDoubles(): void {
    for (let slot = 0; slot < SLOTS; slot++) {
      if (this.#slow.isKnownDouble(this.#carriageOf(slot), this.#from[slot] ?? 0)) this.#key[slot] = NO_KEY
    }
    this.forgetSource()
  }

  #skewOf(a: number, b: number): number {
    return this.#carriage[a] === INFO || this.#carriage[b] === INFO ? INFO_SKEW_SAMPLES : SKEW_SAMPLES
  }

  #overlap(a: number, b: number, widened: number): boolean {
    return (this.#from[a] ?? 0) <= (this.#to[b] ?? 0) + widened && (this.#from[b] ?? 0) <= (this.#to[a] ?? 0) + widened
  }

  /** An empty slot, or the one that has been there longest. */
  #freeSlot(): number {
    let oldest = 0
    for (let slot = 0; slot < SLOTS; slot++) {
      if (this.#key[slot] === NO_KEY) return slot
      if ((this.#from[slot] ?? 0) < (this.#from[oldest] ?? 0)) oldest = slot
    }
    return oldest
  }
}
