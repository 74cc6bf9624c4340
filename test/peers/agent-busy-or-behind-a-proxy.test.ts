/** SIPp on both sides: what the agent's side answers reaches the caller, and requests find their way by Contact and Record-Route. */
import test from 'node:test'
import { composeCall, loadVoice } from '../support/call-audio.ts'
import { missing } from '../support/have.ts'
import { CALLED_NUMBER, startProduct } from '../support/product.ts'
import { temporaryFolder } from '../support/temp-folder.ts'
import { callAndBeRefused, callWithAudioFile, startSippCallee } from './sipp.ts'

const skip = missing('sip-tester')

test('a busy agent is a busy line for the caller', { skip }, async () => {
  await using folder = await temporaryFolder('sipp-busy')
  await using agent = await startSippCallee('callee-busy', folder)
  const destination = `sip:desk@127.0.0.1:${agent.sipPort}`
  await using product = await startProduct({ folder, destination, lifeMs: 60_000 })
  await using caller = await callAndBeRefused({ user: CALLED_NUMBER, port: product.sipPort, folder })
  await caller.succeeded()
  await agent.succeeded()
})

test('ACK and BYE reach an agent behind a record-routing proxy, and the User-to-User of the caller with them', {
  skip,
}, async () => {
  await using folder = await temporaryFolder('sipp-routed')
  await using agent = await startSippCallee('callee', folder)
  const destination = `sip:desk@127.0.0.1:${agent.sipPort}`
  await using product = await startProduct({ folder, destination, lifeMs: 60_000 })
  const audio = composeCall([{ speechMs: 1_000 }], await loadVoice())
  await using caller = await callWithAudioFile({ user: CALLED_NUMBER, port: product.sipPort, folder }, audio)
  await caller.succeeded()
  await agent.succeeded()
})
