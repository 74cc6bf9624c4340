/** baresip as the caller of a card call: tones out of its sound file, or keys pressed on it while it talks on. */
import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { SAMPLES_PER_MS } from '../support/audio.ts'
import type { CallAudio } from '../support/call-audio.ts'
import { type BaresipOptions, startBaresip } from './baresip.ts'
import { CARD, type Caller, EXPIRY, SECURITY_CODE, type Target } from './card-call.ts'

type Srtp = BaresipOptions['srtp']

/** Says the audio, keys in it included, and hangs up when it is over. */
export async function callSaying(
  target: Target,
  audio: CallAudio,
  srtp?: Srtp,
  codec?: BaresipOptions['codec'],
): Promise<Caller & { press(key: string): Promise<void> }> {
  const dials = `sip:${target.user}@127.0.0.1:${target.port}`
  const spoken = { ...(srtp !== undefined && { srtp }), ...(codec !== undefined && { codec }) }
  const phone = await startBaresip({ name: 'caller', folder: target.folder, says: audio.samples, dials, ...spoken })
  await phone.established(10_000)
  const saidAllAtMs = performance.now() + audio.samples.length / SAMPLES_PER_MS
  return {
    press: (key) => phone.press(key),
    async over() {
      await sleep(Math.max(0, saidAllAtMs - performance.now()))
      await phone.command('b')
      await phone.hungUp(5_000)
      assert.equal(phone.decodes(), codec ?? 'PCMA')
      assert.equal(phone.srtpSuite() !== undefined, srtp !== undefined, 'SRTP with the caller')
    },
    recording: () => phone.recording(),
    [Symbol.asyncDispose]: () => phone[Symbol.asyncDispose](),
  }
}

/** As `callSaying`; the keys are pressed in the silence that the audio has for them, and travel as RFC 4733 events. */
export async function callPressing(
  target: Target,
  audio: CallAudio,
  srtp?: Srtp,
  codec?: BaresipOptions['codec'],
): Promise<Caller> {
  const phone = await callSaying(target, audio, srtp, codec)
  const answeredAtMs = performance.now()
  const untilSilence = (press: number): number => (audio.presses[press]?.fromSample ?? 0) / SAMPLES_PER_MS
  return {
    ...phone,
    async keys() {
      for (const [i, key] of Array.from(CARD + EXPIRY + SECURITY_CODE).entries()) {
        await sleep(Math.max(0, answeredAtMs + untilSilence(i) - performance.now()))
        await phone.press(key)
      }
    },
  }
}
