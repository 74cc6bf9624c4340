/** The scripted demo call: real processes, real sockets, simulated phones. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { writeWav } from '../../lib/wav.ts'
import { type Simulators, startSimulators } from '../../sim/simulators.ts'
import { demoSettings } from '../demo-settings.ts'
import { AgentDesk, fieldOf, type PaymentView } from './agent-desk.ts'
import { checkForLeaks } from './leak-check.ts'
import { startProductProcess } from './product-process.ts'
import { type DemoPayment, demoPayments, digitsKept, keyCodes } from './script.ts'
import { type Span, speechKeptPercent } from './speech-kept.ts'
import { spectrogramPng } from './spectrogram.ts'
import type { Timeline } from './timeline.ts'

const PAGE_PORT = 8_180
const TONE_MS = 80
const KEY_TO_SCREEN_MS_MAX = 150

export interface DemoResult {
  calls: number
  /** Digits that reached a valid field, by how they travelled. */
  captured: Record<string, number>
  /** Digits that were keyed to stay, by how they travelled. */
  keyed: Record<string, number>
  /** Keys that a decoder found in what the agent heard. */
  recovered: number
  decoders: readonly string[]
  speechKeptPercent: number
  payments: { orderReference: string; expected: string; result: string }[]
  keyToScreenMs: { p50: number; p99: number; keys: number }
  files: Record<string, string>
  /** What is not as it should be, in fixed words; empty when all is well. */
  off: string[]
}

/** Runs the demo and writes its recordings into `folder`. @throws when a step fails */
export async function runDemo(folder: string, timeline: Timeline): Promise<DemoResult> {
  rmSync(folder, { recursive: true, force: true })
  const { config, simulators: settings } = await demoSettings(folder, PAGE_PORT)
  const configFile = join(folder, 'tonewall.json')
  writeFileSync(configFile, JSON.stringify(config, null, 2))
  const product = await startProductProcess(configFile, join(folder, 'tonewall.log'))
  if (product === undefined) throw new Error(`Tonewall did not start; see ${join(folder, 'tonewall.log')}`)
  const { http: _noPage, ...withoutPage } = settings
  const simulators = await startSimulators(withoutPage)
  try {
    const demo = new DemoCall(simulators, settings.control?.api ?? '', timeline)
    await demo.run()
    return finish(demo, simulators, folder, timeline)
  } finally {
    await simulators.close()
    await product.close()
  }
}

class DemoCall {
  readonly captured: Record<string, number> = {}
  readonly keyed: Record<string, number> = {}
  readonly payments: DemoResult['payments'] = []
  readonly keyToScreenMs: number[] = []
  /** When keys were down, on the simulators' clock. */
  readonly keySpansMs: Span[] = []
  readonly #simulators: Simulators
  readonly #api: string
  readonly #timeline: Timeline

  constructor(simulators: Simulators, api: string, timeline: Timeline) {
    this.#simulators = simulators
    this.#api = api
    this.#timeline = timeline
  }

  async run(): Promise<void> {
    const { caller } = this.#simulators
    const widgetReady = this.#widget()
    caller.call()
    this.#timeline.say('caller', 'dials')
    const { token, callId } = await widgetReady
    const desk = new AgentDesk(this.#api, token, callId)
    try {
      await desk.listen()
      await until(() => caller.state === 'answered')
      this.#timeline.say('agent', 'answers; both talk')
      caller.speak()
      await wait(4_000)
      for (const payment of demoPayments) await this.#pay(desk, payment)
      // Speech after the last key shows that the call goes on unharmed, and spans the return to zero delay.
      caller.speak()
      await wait(5_000)
      caller.hangUp()
      this.#timeline.say('caller', 'hangs up')
      await wait(200)
    } finally {
      desk.close()
    }
  }

  async #pay(desk: AgentDesk, payment: DemoPayment): Promise<void> {
    const { carriage, mode } = payment
    const captureId = await desk.startCapture(mode)
    this.#timeline.say(
      'agent',
      `starts a capture (${mode === 'field' ? 'field by field' : 'all in one go'}); the line is masked`,
    )
    for (const [i, { field, keys }] of payment.fields.entries()) {
      if (mode === 'field' || i === 0) await desk.request(captureId, field)
      await this.#keyField(desk, payment, field, keys)
      this.keyed[carriage] = (this.keyed[carriage] ?? 0) + digitsKept(keys)
    }
    const result = await desk.charge(captureId, payment.amountMinor, payment.orderReference)
    this.payments.push({ orderReference: payment.orderReference, expected: payment.expected, result: result.state })
    this.#timeline.say('gateway', describe(result))
    await wait(600)
  }

  async #keyField(desk: AgentDesk, { carriage }: DemoPayment, field: string, keys: string): Promise<void> {
    this.#timeline.say(
      'caller',
      `keys ${field} ${CARRIAGE_WORDS[carriage]} (${keys.length} keys${keys.includes('*') ? ', one wrong, corrected with *' : ''})`,
    )
    const done = desk.next((event) => event.type === 'capture.field' && isDone(event.data, field))
    const pressed = this.#pressAll(desk, field, keys, carriage)
    const [event] = await Promise.all([done, pressed])
    const state = fieldOf(event)
    if (state.state !== 'valid') throw new Error(`${field} was not accepted: ${state.error}`)
    this.captured[carriage] = (this.captured[carriage] ?? 0) + state.count
    const shown = state.lastFour === undefined ? '' : `: ${state.brand} ending ${state.lastFour}`
    this.#timeline.say('screen', `${'•'.repeat(state.count)} ${field} valid${shown}`)
  }

  async #pressAll(desk: AgentDesk, field: string, keys: string, carriage: DemoPayment['carriage']): Promise<void> {
    for (const key of keyCodes(keys)) await this.#press(desk, field, key, carriage)
  }

  /** One key, and how long it took until the agent's stream showed the next dot (or, for `*`, an empty field). */
  async #press(desk: AgentDesk, field: string, key: number, carriage: DemoPayment['carriage']): Promise<void> {
    const startMs = performance.now()
    const shown = desk.next((event) => event.type === 'capture.field' && fieldOf(event).field === field)
    const pressed = this.#simulators.caller.key(key, carriage, TONE_MS)
    const event = await shown
    this.keyToScreenMs.push(event.atMs - startMs)
    if (!(await pressed)) throw new Error('the simulated phone refused a key')
    this.keySpansMs.push({ startMs, endMs: performance.now() })
  }

  #widget(): Promise<{ token: string; callId: string }> {
    return new Promise((resolve) => {
      const stop = this.#simulators.onState(({ widget }) => {
        if (widget === undefined) return
        stop()
        resolve(widget)
      })
    })
  }
}

const CARRIAGE_WORDS = { 'in-band': 'as tones in the audio', event: 'as RFC 4733 events', info: 'by SIP INFO' } as const

function isDone(data: Readonly<Record<string, unknown>>, field: string): boolean {
  const state = data['field'] as { field: string; state: string }
  return state.field === field && (state.state === 'valid' || state.state === 'error')
}

function describe(payment: PaymentView): string {
  const why = payment.decline === undefined ? '' : ` (${payment.decline.code})`
  return `${payment.state}${why}${payment.authCode === undefined ? '' : `, authorisation ${payment.authCode}`}`
}

function finish(demo: DemoCall, simulators: Simulators, folder: string, timeline: Timeline): DemoResult {
  const caller = simulators.caller.recordings().monitor
  const agent = simulators.agent.recordings().heard
  if (caller === undefined || agent === undefined) throw new Error('there is no recording')
  const startMs = Math.min(caller.startedAtMs, agent.startedAtMs)
  const said = aligned(caller.samples, caller.startedAtMs - startMs)
  const heard = aligned(agent.samples, agent.startedAtMs - startMs)
  mkdirSync(folder, { recursive: true })
  const files = {
    caller: join(folder, 'caller.wav'),
    agent: join(folder, 'agent.wav'),
    picture: join(folder, 'spectrograms.png'),
  }
  writeFileSync(files.caller, writeWav([said], 8_000))
  writeFileSync(files.agent, writeWav([heard], 8_000))
  writeFileSync(files.picture, spectrogramPng(said, heard))
  timeline.say('demo', `wrote ${Object.values(files).join(', ')}`)

  const spans = demo.keySpansMs.map((span) => ({ startMs: span.startMs - startMs, endMs: span.endMs - startMs }))
  const { decoders, recovered } = checkForLeaks(heard)
  const audible = checkForLeaks(said).recovered
  timeline.say(
    'demo',
    `decoders (${decoders.join(', ')}) find ${audible} keys in caller.wav and ${recovered} in agent.wav`,
  )
  const { captured, keyed, payments } = demo
  const latencies = demo.keyToScreenMs.sort((a, b) => a - b)
  const at = (share: number): number =>
    Math.round(latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * share))] ?? 0)
  const kept = Math.round(speechKeptPercent(said, heard, spans) * 10) / 10
  const off: string[] = []
  if (recovered > 0) off.push('a key can be recovered from what the agent heard')
  // A check that hears nothing in the caller's recording either has proved nothing.
  if (audible === 0) off.push('the decoders are deaf')
  const asScripted =
    payments.length === demoPayments.length && payments.every(({ expected, result }) => expected === result)
  if (!asScripted) off.push('a payment is not as scripted')
  if (!Object.entries(keyed).every(([carriage, count]) => captured[carriage] === count))
    off.push('a digit was not captured')
  if (at(0.99) > KEY_TO_SCREEN_MS_MAX) off.push('keys reach the screen late')
  const keyToScreenMs = { p50: at(0.5), p99: at(0.99), keys: latencies.length }
  return {
    calls: 1,
    captured,
    keyed,
    recovered,
    decoders,
    speechKeptPercent: kept,
    payments,
    keyToScreenMs,
    files,
    off,
  }
}

function aligned(samples: Int16Array, delayMs: number): Int16Array {
  const out = new Int16Array(samples.length + Math.round(delayMs * 8))
  out.set(samples, out.length - samples.length)
  return out
}

async function until(condition: () => boolean): Promise<void> {
  for (let tries = 0; tries < 500; tries++) {
    if (condition()) return
    await wait(20)
  }
  throw new Error('a step of the demo did not happen in time')
}
