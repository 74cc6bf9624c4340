/** The relay of bench-relay.ts: the very `CallMedia` of the product, two legs each, with the engine that is named. */
import process from 'node:process'
import { systemRandom } from '../../../src/lib/random.ts'
import { type CallMedia, openCallMedia } from '../../../src/cde/call/call-media.ts'
import { MediaPorts } from '../../../src/cde/call/media-ports.ts'
import type { LocalSdp } from '../../../src/cde/call/local-sdp.ts'
import type { AudioSession } from '../../../src/cde/media/audio-session.ts'
import { ownOffer } from '../../../src/cde/media/offer-answer.ts'
import { PortPool } from '../../../src/cde/media/ports.ts'
import { dgramEngine } from '../../../src/cde/media/socket-dgram.ts'
import type { CallPorts } from './relay-under-test.ts'

const [engineName = 'dgram', callsText = '1'] = process.argv.slice(2)
const nowMs = () => performance.now()
const ports = new MediaPorts('127.0.0.1', new PortPool(20_100, 29_999, systemRandom), dgramEngine, nowMs)
const hooks = { onKey() {}, onConflict() {}, onMaskFailed() {} }

const opened: CallPorts[] = []
const calls: CallMedia[] = []
for (let call = 0; call < Number(callsText); call++) {
  const media = await openCallMedia({ ports, replacement: 'flat', jitterMs: 40, random: systemRandom, nowMs }, hooks)
  if (media === 'no-ports') throw new Error(`${engineName}: no ports for call ${call}`)
  media.use({ caller: session(call, 1), agent: session(call, 2) }, nowMs())
  calls.push(media)
  opened.push({ caller: portOf(media.localSdp.caller), agent: portOf(media.localSdp.agent) })
}
setInterval(() => {
  for (const media of calls) media.wake(nowMs())
}, 100)
process.stdout.write(`ready ${JSON.stringify(opened)}\n`)
process.on('SIGTERM', () => process.exit(0))

function session(call: number, side: 1 | 2): AudioSession {
  const n = call + 1
  const remote = { host: `127.${side}.${n >> 8}.${n & 255}`, port: 20_000 }
  const formats = [{ payloadType: 8, codec: 'PCMA', clockHz: 8_000 }] as const
  return { remote, remoteRtcp: { ...remote, port: 20_001 }, formats, direction: 'sendrecv', ptimeMs: 20 }
}

function portOf(leg: LocalSdp): number {
  let port = 0
  leg.describe((local) => {
    port = local.address.port
    return ownOffer(local, 'sendrecv')
  })
  return port
}
