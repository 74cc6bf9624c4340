/**
 * The attempt machine against a model gateway: requests and answers lost, late and repeated, the CDE dying at any moment, the agent taking
 * the card again as soon as the screen allows. Whatever the seed: the customer has paid once if and only if the order is approved.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { randomUnit, type RandomBytes, seededRandom } from '../../lib/random.ts'
import { ModelGateway } from '../testing/model-gateway.test-kit.ts'
import { type Attempt, type AttemptInput, stepAttempt } from './attempt.ts'

const LAG_MS = 5_000
const AMOUNT = 4_250

interface Try {
  readonly reference: string
  attempt: Attempt
}

interface Happening {
  readonly atMs: number
  readonly run: (nowMs: number) => void
}

const FRESH: Attempt = {
  state: 'SUBMITTING',
  why: null,
  step: null,
  tries: 0,
  asked_at_ms: null,
  next_try_at_ms: null,
  unknown_since_ms: null,
  query_lag_ms: LAG_MS,
  amount_minor: AMOUNT,
  auth_code: null,
  gateway_id: null,
  decline_code: null,
  decline_advice: null,
}

class Run {
  readonly tries: Try[] = []
  readonly trace: string[] = []
  readonly #random: RandomBytes
  readonly #gateway: ModelGateway
  #queue: Happening[] = []
  #cdeLife = 0
  #crashes = 0

  constructor(seed: number) {
    this.#random = seededRandom(seed)
    const faults = { lagMs: LAG_MS, lost: 0.15, unanswered: 0.25, declined: 0.2, unavailable: 0.25, veryLate: 0.04 }
    this.#gateway = new ModelGateway(this.#random, faults)
  }

  #later(atMs: number, run: (nowMs: number) => void): void {
    this.#queue.push({ atMs, run })
  }

  #input(one: Try, input: AttemptInput, nowMs: number): void {
    const result = stepAttempt(one.attempt, input, nowMs)
    const outcome = 'outcome' in input ? JSON.stringify(input.outcome) : ''
    this.trace.push(`${nowMs} ${one.reference} ${input.type} ${outcome} → ${JSON.stringify(result)}`)
    if ('ignored' in result) return
    one.attempt = { ...one.attempt, ...result.change }
    const { state, next_try_at_ms: nextMs } = one.attempt
    if (state === 'UNKNOWN' && nextMs !== null) this.#later(nextMs, (atMs) => this.#ask(one, nextMs, atMs))
    if (['DECLINED', 'NOT_SENT', 'REVERSED'].includes(state) && this.tries.length < 4) {
      this.#later(nowMs + 1_000, (atMs) => this.#takeAgain(atMs))
    }
  }

  #takeAgain(nowMs: number): void {
    // R1: refused while any attempt of the order is, or may be, a charge.
    const blocked = this.tries.some(({ attempt }) => !['DECLINED', 'NOT_SENT', 'REVERSED'].includes(attempt.state))
    if (!blocked) this.submit(nowMs)
  }

  submit(nowMs: number): void {
    const one: Try = { reference: `R${this.tries.length}`, attempt: FRESH }
    this.tries.push(one)
    const life = this.#cdeLife
    const answer = this.#gateway.charge(one.reference, AMOUNT, nowMs)
    const timeOut = { kind: 'unknown', why: 'timeout' } as const
    const { atMs, outcome, insists } = answer ?? { atMs: nowMs + 4_000, outcome: timeOut, insists: false }
    // The CDE gives up before a very late charge, and says so.
    if (insists) this.#later(nowMs + 4_000, (at) => this.#input(one, { type: 'answered', outcome: timeOut }, at))
    // The CDE that sent it may be dead by then; but now and then its last word still gets through, late.
    const lateMs = randomUnit(this.#random) < 0.1 ? Math.floor(randomUnit(this.#random) * 60_000) : 0
    this.#later(atMs + lateMs, (at) => {
      if (insists || life === this.#cdeLife || lateMs > 0) this.#input(one, { type: 'answered', outcome }, at)
    })
    if (randomUnit(this.#random) < 0.4 && this.#crashes < 6) {
      this.#later(nowMs + Math.floor(randomUnit(this.#random) * 6_000), (at) => this.#crash(at))
    }
  }

  #crash(nowMs: number): void {
    this.#cdeLife++
    this.#crashes++
    this.trace.push(`${nowMs} CDE dies`)
    for (const one of this.tries) this.#input(one, { type: 'lost' }, nowMs)
  }

  #ask(one: Try, expectedMs: number, nowMs: number): void {
    if (one.attempt.state !== 'UNKNOWN' || one.attempt.next_try_at_ms !== expectedMs) return
    this.#input(one, { type: 'due' }, nowMs)
    if (one.attempt.state !== 'UNKNOWN') return
    const life = this.#cdeLife
    const { step } = one.attempt
    const atMs = nowMs + Math.floor(randomUnit(this.#random) * 3_000)
    const input: AttemptInput =
      step === 'reverse'
        ? { type: 'reversed', outcome: this.#gateway.reverse(one.reference, nowMs) }
        : { type: 'queried', outcome: this.#gateway.query(one.reference, nowMs) }
    this.#later(atMs, (at) => life === this.#cdeLife && this.#input(one, input, at))
    if (randomUnit(this.#random) < 0.1 && this.#crashes < 6) this.#later(nowMs + 100, (at) => this.#crash(at))
  }

  /** Plays until nothing is left to happen. */
  play(): void {
    this.submit(1_000_000)
    for (let steps = 0; this.#queue.length > 0; steps++) {
      assert.ok(steps < 5_000, 'it never comes to rest')
      this.#queue.sort((a, b) => a.atMs - b.atMs)
      const next = this.#queue.shift()
      next?.run(next.atMs)
    }
  }

  problems(): string[] {
    const found: string[] = []
    const held = this.tries.filter(({ reference }) => this.#gateway.holds(reference))
    if (held.length > 1) found.push('charged twice')
    for (const { reference, attempt } of this.tries) {
      const holds = this.#gateway.holds(reference)
      if (attempt.state === 'APPROVED' && !holds) found.push(`${reference} recorded, not taken`)
      if (attempt.state === 'NEEDS_REVIEW') found.push(`${reference} given up`)
      if (attempt.state === 'UNKNOWN' || attempt.state === 'SUBMITTING') found.push(`${reference} never resolved`)
      if (attempt.state !== 'APPROVED' && holds) found.push(`${reference} taken, not recorded`)
    }
    return found
  }
}

test('no double charge and no unrecorded charge, whatever is lost, late or dies', () => {
  const ends = new Map<string, number>()
  for (let seed = 1; seed <= 10_000; seed++) {
    const run = new Run(seed)
    run.play()
    assert.deepEqual(run.problems(), [], `seed ${seed}\n${run.trace.join('\n')}`)
    for (const { attempt } of run.tries) ends.set(attempt.state, (ends.get(attempt.state) ?? 0) + 1)
  }
  // The runs reach what they are meant to reach.
  for (const state of ['APPROVED', 'DECLINED', 'REVERSED']) assert.ok((ends.get(state) ?? 0) > 300, `${state} is rare`)
})
