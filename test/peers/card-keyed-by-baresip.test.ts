/** A softphone as caller: tones out of its sound file, and keys pressed on it, which it sends as RFC 4733 events beside the audio. */
import { setTimeout as sleep } from 'node:timers/promises'
import test from 'node:test'
import { SAMPLES_PER_MS } from '../support/audio.ts'
import type { CallAudio } from '../support/call-audio.ts'
import { agentAndDecoders, missing } from '../support/have.ts'
import { temporaryFolder } from '../support/temp-folder.ts'
import { startBaresip } from './baresip.ts'
import { CARD, type Caller, cardCallAudio, EXPIRY, SECURITY_CODE, takeCardCall, type Target } from './card-call.ts'

const skip = missing(...agentAndDecoders)

async function call(target: Target, audio: CallAudio): Promise<Caller & { press(key: string): Promise<void> }> {
  const dials = `sip:${target.user}@127.0.0.1:${target.port}`
  const phone = await startBaresip({ name: 'caller', folder: target.folder, says: audio.samples, dials })
  await phone.established(10_000)
  const saidAllAtMs = performance.now() + audio.samples.length / SAMPLES_PER_MS
  return {
    press: (key) => phone.press(key),
    async over() {
      await sleep(Math.max(0, saidAllAtMs - performance.now()))
      await phone.command('b')
      await phone.hungUp(5_000)
    },
    recording: () => phone.recording(),
    [Symbol.asyncDispose]: () => phone[Symbol.asyncDispose](),
  }
}

test('a card keyed as tones in the audio by baresip is captured and paid, and the agent hears no digit', {
  skip,
}, async () => {
  await using folder = await temporaryFolder('baresip-audio')
  const audio = await cardCallAudio('in-band')
  await takeCardCall(folder, audio, (target) => call(target, audio))
})

test('a card keyed on baresip while the caller talks on is captured and paid, and the agent hears no digit', {
  skip,
}, async () => {
  await using folder = await temporaryFolder('baresip-events')
  // The same script with silence for the keys; they are pressed here, at the pace of a quick hand.
  const audio = await cardCallAudio('event', { toneMs: 100, pauseMs: 120 })
  await takeCardCall(folder, audio, async (target) => {
    const phone = await call(target, audio)
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
  })
})
