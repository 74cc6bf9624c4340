/**
 * One call with a card in it, through the real product, between real peers: what every test named `card-keyed-…` does.
 * The peers differ, what must be true does not: every field valid, the payment approved, no digit in the agent's recording by
 * two decoders and on the agent's console, and the caller's speech there at its level.
 */
import assert from 'node:assert/strict'
import { compareSpan, levelDb, SAMPLES_PER_MS } from '../support/audio.ts'
import { type CallAudio, type Carriage, composeCall, loadVoice } from '../support/call-audio.ts'
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
import { type Baresip, startBaresip } from './baresip.ts'

export const CARD = '4242424242424242'
export const EXPIRY = expiryInTwoYears()
export const SECURITY_CODE = '967'

/** Speech, the card number, speech, expiry and security code, speech: 15 to 20 s. */
export async function cardCallAudio(
  carriage: Carriage,
  pace: { toneMs?: number; pauseMs?: number } = {},
): Promise<CallAudio> {
  const voice = await loadVoice()
  return composeCall(
    [
      { speechMs: 3_000 },
      { keys: CARD, carriage, ...pace },
      { silenceMs: 300 },
      { speechMs: 2_500 },
      { silenceMs: 300 },
      { keys: EXPIRY + SECURITY_CODE, carriage, ...pace },
      { silenceMs: 300 },
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
}

/** @param call places the call and sends `audio`, which must begin with three seconds of speech */
export async function takeCardCall(
  folder: TemporaryFolder,
  audio: CallAudio,
  call: (target: Target) => Promise<Caller>,
): Promise<void> {
  const heardBySpandsp = await compileSpandsp(folder)
  await using agent = await startBaresip({ name: 'agent', folder })
  await using product = await startProduct({ folder, destination: agent.uri, lifeMs: 90_000 })
  await using caller = await call({ user: CALLED_NUMBER, port: product.sipPort, folder })
  const callId = await answeredCall(product)
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
  const heard = await agent.recording()
  await assertNoDigit(agent, heard, heardBySpandsp)
  assertSpeechKept(audio, heard)
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

async function assertNoDigit(
  agent: Baresip,
  heard: Int16Array,
  heardBySpandsp: Awaited<ReturnType<typeof compileSpandsp>>,
): Promise<void> {
  assert.equal((await heardByMultimon(heard)).count, 0, 'multimon-ng finds digits in the recording of the agent')
  assert.equal((await heardBySpandsp(heard)).count, 0, 'spandsp finds digits in the recording of the agent')
  assert.equal(agent.keysSeen().length, 0, 'the phone of the agent was sent key events')
}

/** Each stretch of speech, found in the recording by itself: the delay changes when the call is armed. */
function assertSpeechKept(audio: CallAudio, heard: Int16Array): void {
  const searchSamples = 3_000 * SAMPLES_PER_MS
  for (const [i, span] of audio.speech.entries()) {
    const found = compareSpan(audio.samples, heard, span, -searchSamples, searchSamples)
    const facts = `speech ${i + 1}: ${found.differenceDb.toFixed(2)} dB, correlation ${found.correlation.toFixed(3)}`
    assert.ok(Math.abs(found.differenceDb) <= 1, facts)
    assert.ok(found.correlation > 0.9, facts)
  }
  // Something to compare with: the same measure sees speech that is not there.
  assert.ok(levelDb(audio.samples, audio.speech[0]) > -40, 'the source has no speech')
}

function expiryInTwoYears(): string {
  return `09${String((new Date().getUTCFullYear() + 2) % 100).padStart(2, '0')}`
}
