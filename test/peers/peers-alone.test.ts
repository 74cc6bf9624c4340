/**
 * Positive controls: without Tonewall between them, both decoders find every key in the agent's recording when the keys are in
 * the audio, and the recording carries the caller's speech at its level. Without this, "no digit was found" proves nothing.
 */
import assert from 'node:assert/strict'
import test from 'node:test'
import { compareSpan, SAMPLES_PER_MS } from '../support/audio.ts'
import { type CallAudio, type Carriage, composeCall, loadVoice } from '../support/call-audio.ts'
import { agentAndDecoders, missing, missingRawSockets } from '../support/have.ts'
import { heardByMultimon } from '../support/multimon.ts'
import type { EventStyle } from '../support/pcap.ts'
import { compileSpandsp } from '../support/spandsp.ts'
import { temporaryFolder } from '../support/temp-folder.ts'
import { startBaresip } from './baresip.ts'
import { callWithAudioFile, callWithEvents, debianPresses, startSippCallee } from './sipp.ts'

// Every key once, some twice in a row.
const KEYS = '0112345567889*#'

const withoutAgent = missing(...agentAndDecoders)

async function oneCall(carriage: Carriage): Promise<CallAudio> {
  return composeCall([{ speechMs: 2_500 }, { keys: KEYS, carriage }, { speechMs: 2_500 }], await loadVoice())
}

function assertSpeechKept(audio: CallAudio, heard: Int16Array): void {
  for (const span of audio.speech) {
    const found = compareSpan(audio.samples, heard, span, -2_000 * SAMPLES_PER_MS, 2_000 * SAMPLES_PER_MS)
    assert.ok(Math.abs(found.differenceDb) < 1, `speech differs by ${found.differenceDb.toFixed(2)} dB`)
    assert.ok(found.correlation > 0.9, `correlation ${found.correlation.toFixed(3)}`)
  }
}

test('both decoders read all keys that SIPp sends as audio from the recording of an agent without Tonewall', {
  skip: withoutAgent || missing('sip-tester'),
}, async () => {
  await using folder = await temporaryFolder('alone-sipp')
  const audio = await oneCall('in-band')
  await using agent = await startBaresip({ name: 'agent', folder })
  await using caller = await callWithAudioFile({ user: 'agent', port: agent.sipPort, folder }, audio)
  await caller.succeeded()
  await agent.hungUp(5_000)
  const heard = await agent.recording()
  assert.equal((await heardByMultimon(heard)).digits, KEYS)
  const heardBySpandsp = await compileSpandsp(folder)
  assert.equal((await heardBySpandsp(heard)).digits, KEYS)
  assertSpeechKept(audio, heard)
})

test('both decoders read all keys that baresip sends as audio from the recording of an agent without Tonewall', {
  skip: withoutAgent,
}, async () => {
  await using folder = await temporaryFolder('alone-baresip')
  const audio = await oneCall('in-band')
  await using agent = await startBaresip({ name: 'agent', folder })
  await using caller = await startBaresip({ name: 'caller', folder, says: audio.samples, dials: agent.uri })
  await caller.established(5_000)
  // The end of the audio is the end of the call; a second more for what is under way.
  await new Promise((resolve) => setTimeout(resolve, audio.samples.length / SAMPLES_PER_MS + 1_000))
  await caller.command('b')
  await agent.hungUp(5_000)
  const heard = await agent.recording()
  assert.equal((await heardByMultimon(heard)).digits, KEYS)
  const heardBySpandsp = await compileSpandsp(folder)
  assert.equal((await heardBySpandsp(heard)).digits, KEYS)
  assertSpeechKept(audio, heard)
})

test('an agent without Tonewall sees every key that SIPp sends as RFC 4733 events, ours and those Debian ships', {
  skip: withoutAgent || missing('sip-tester') || missingRawSockets(),
}, async () => {
  const styles: EventStyle[] = [
    { audio: 'stops', endSequence: 'counts' },
    { audio: 'beside', endSequence: 'repeats' },
    { audio: 'stops', endSequence: 'counts', recorded: await debianPresses() },
  ]
  for (const style of styles) {
    await using folder = await temporaryFolder('alone-events')
    const keys = '1233#*'
    const audio = composeCall(
      [{ speechMs: 500 }, { keys, carriage: 'event', toneMs: 160, pauseMs: 160 }, { speechMs: 500 }],
      await loadVoice(),
    )
    await using agent = await startBaresip({ name: 'agent', folder })
    await using caller = await callWithEvents({ user: 'agent', port: agent.sipPort, folder }, audio, style)
    await caller.succeeded()
    await agent.hungUp(5_000)
    assert.equal(agent.keysSeen(), keys)
    assertSpeechKept(audio, await agent.recording())
  }
})

test('SIPp addresses ACK and BYE to the Contact through the Record-Route of the callee', {
  skip: missing('sip-tester') || missingRawSockets(),
}, async () => {
  await using folder = await temporaryFolder('alone-sipp-route')
  await using callee = await startSippCallee('callee', folder)
  const audio = composeCall([{ speechMs: 500 }], await loadVoice())
  const style = { audio: 'stops', endSequence: 'counts' } as const
  await using caller = await callWithEvents({ user: 'desk', port: callee.sipPort, folder }, audio, style)
  await caller.succeeded()
  await callee.succeeded()
})
