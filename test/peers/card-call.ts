/**
 * One call with a card in it, through the real product, between real peers: what every test named `card-keyed-…` does.
 * The peers differ, what must be true does not: every field valid, the payment approved, no digit in the agent's recording by
 * two decoders and on the agent's console, and the caller's speech there at its level.
 */
import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { findKeys } from '../../src/cde/dtmf/recording.ts'
import { compareSpan, SAMPLES_PER_MS, type Span } from '../support/audio.ts'
import { type CallAudio, type Carriage, composeCall, loadVoice, readMono } from '../support/call-audio.ts'
import { heardByMultimon } from '../support/multimon.ts'
import {
  allFieldsValid,
  answeredCall,
  type CaptureJson,
  openCapture,
  paymentIn,
  submit,
} from '../support/payment-flow.ts'
import { CALLED_NUMBER, startProduct } from '../support/product.ts'
import { compileSpandsp } from '../support/spandsp.ts'
import type { TemporaryFolder } from '../support/temp-folder.ts'
import { type BaresipOptions, startBaresip } from './baresip.ts'

export const CARD = '4242424242424242'
export const EXPIRY = expiryInTwoYears()
export const SECURITY_CODE = '967'

/** The pause in which the call is armed: the delay that is put in then would fall into speech and blur the comparison. */
const ARMING = { fromMs: 1_500, toMs: 2_300 } as const

/** Mask policy `burst`: the line is flat for 2 s after the last key, while the next field is open. */
const AFTER_KEYS_MS = 2_400

/** Speech, a pause, speech, the card number, speech, expiry and security code, speech: 20 to 25 s. */
export async function cardCallAudio(
  carriage: Carriage,
  pace: { toneMs?: number; pauseMs?: number } = {},
): Promise<CallAudio> {
  const voice = await loadVoice()
  return composeCall(
    [
      { speechMs: ARMING.fromMs },
      { silenceMs: ARMING.toMs - ARMING.fromMs },
      { speechMs: 1_500 },
      { keys: CARD, carriage, ...pace },
      { silenceMs: AFTER_KEYS_MS },
      { speechMs: 2_500 },
      { silenceMs: 300 },
      { keys: EXPIRY + SECURITY_CODE, carriage, ...pace },
      { silenceMs: AFTER_KEYS_MS },
      { speechMs: 3_000 },
      { silenceMs: 1_000 },
    ],
    voice,
  )
}

/** Where the caller dials. */
export interface Target {
  readonly user: string
  readonly port: number
  readonly folder: TemporaryFolder
}

export interface Caller extends AsyncDisposable {
  /** Called once the capture is open; keys what the audio does not key by itself. */
  keys?(): Promise<void>
  /** Resolves when the caller has hung up and is content. */
  over(): Promise<void>
  /** What the caller heard, of callers that record. */
  recording?(): Promise<Int16Array>
}

const AGENT_VOICE = fileURLToPath(new URL('../../assets/voice/agent.wav', import.meta.url))
/** Stretches of what the agent says, in seconds: before, during and after the keys. */
const AGENT_SPEAKS_S = [1, 5, 9]

export interface CardCallOptions {
  /** How the number is configured, and the agent's phone: `required` takes no call without SRTP. */
  readonly agentSrtp?: 'off' | 'offered' | 'required' | 'dtls'
  /** What the product may negotiate; its default when missing. */
  readonly codecs?: readonly string[]
  /** What the agent's phone speaks; PCMA when missing. */
  readonly agentCodec?: BaresipOptions['codec']
}

/**
 * @param call places the call and sends `audio`, which is made by cardCallAudio
 */
export async function takeCardCall(
  folder: TemporaryFolder,
  audio: CallAudio,
  call: (target: Target) => Promise<Caller>,
  options: CardCallOptions = {},
): Promise<void> {
  const { agentSrtp = 'off', codecs, agentCodec } = options
  const decoders = await startDecoders(folder)
  const agentSays = await readMono(AGENT_VOICE)
  await using agent = await startBaresip({
    name: 'agent',
    folder,
    says: agentSays,
    ...(agentSrtp !== 'off' && { srtp: agentSrtp }),
    ...(agentCodec !== undefined && { codec: agentCodec }),
  })
  await using product = await startProduct({
    folder,
    destination: agent.uri,
    srtp: agentSrtp,
    lifeMs: 90_000,
    ...(codecs !== undefined && { codecs }),
  })
  await using caller = await call({ user: CALLED_NUMBER, port: product.sipPort, folder })
  const callId = await answeredCall(product)
  await sleep(ARMING.fromMs)
  const captureId = await openCapture(product, callId)
  await caller.keys?.()
  assertCardCaptured(await allFieldsValid(product, captureId, audio.samples.length / SAMPLES_PER_MS))
  const payment = await submit(product, captureId, 'order-1')
  await paymentIn(product, payment.paymentId, ['approved'], 10_000)
  assert.deepEqual(
    product.gateway.ledger().map(({ state, timesCharged }) => ({ state, timesCharged })),
    [{ state: 'approved', timesCharged: 1 }],
  )
  await caller.over()
  await agent.hungUp(5_000)
  assert.equal(agent.decodes(), agentCodec ?? 'PCMA')
  assert.equal(agent.srtpSuite() !== undefined, agentSrtp !== 'off', 'SRTP with the agent')
  const heard = await agent.recording()
  for (const { name, count } of decoders)
    assert.equal(await count(heard), 0, `${name} finds digits in what the agent heard`)
  assert.equal(agent.keysSeen().length, 0, 'the phone of the agent was sent key events')
  assertSpeechKept(audio.samples, audio.speech, heard)
  const agentSpans = AGENT_SPEAKS_S.map((from) => ({ fromSample: from * 8_000, toSample: (from + 3) * 8_000 }))
  if (caller.recording !== undefined) assertSpeechKept(agentSays, agentSpans, await caller.recording())
}

interface Decoder {
  readonly name: string
  readonly count: (samples: Int16Array) => Promise<number>
}

/** Each is blind somewhere (tone length, level, twist), and not in the same place; the third is the product's own. */
async function startDecoders(folder: TemporaryFolder): Promise<readonly Decoder[]> {
  const heardBySpandsp = await compileSpandsp(folder)
  return [
    { name: 'multimon-ng', count: async (samples) => (await heardByMultimon(samples)).count },
    { name: 'spandsp', count: async (samples) => (await heardBySpandsp(samples)).count },
    { name: 'the reporter', count: async (samples) => findKeys(samples, 8_000).length },
  ]
}

function assertCardCaptured(capture: CaptureJson): void {
  const seen = capture.fields.map(({ field, state, count, brand, lastFour }) => ({
    field,
    state,
    count,
    brand,
    lastFour,
  }))
  const valid = { state: 'valid', brand: undefined, lastFour: undefined }
  assert.deepEqual(seen, [
    { field: 'cardNumber', state: 'valid', count: CARD.length, brand: 'visa', lastFour: CARD.slice(-4) },
    { field: 'expiry', count: EXPIRY.length, ...valid },
    { field: 'securityCode', count: SECURITY_CODE.length, ...valid },
  ])
}

/** Each stretch of speech, found in the recording by itself: the delay changes when the call is armed. */
function assertSpeechKept(said: Int16Array, spans: readonly Span[], heard: Int16Array): void {
  const searchSamples = 3_000 * SAMPLES_PER_MS
  for (const [i, span] of spans.entries()) {
    const found = compareSpan(said, heard, span, -searchSamples, searchSamples)
    const facts = `speech ${i + 1}: ${found.differenceDb.toFixed(2)} dB, correlation ${found.correlation.toFixed(3)}`
    assert.ok(Math.abs(found.differenceDb) <= 1, facts)
    assert.ok(found.correlation > 0.9, facts)
  }
}

function expiryInTwoYears(): string {
  return `09${String((new Date().getUTCFullYear() + 2) % 100).padStart(2, '0')}`
}
