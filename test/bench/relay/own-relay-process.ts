/** The relay of bench-relay.ts: the very `CallMedia` of the product, two legs each, with the engine that is named. */
import process from 'node:process'
import { systemRandom } from '../../../src/lib/random.ts'
import { type CallMedia, openCallMedia } from '../../../src/cde/call/call-media.ts'
import { MediaPorts, type PortPair } from '../../../src/cde/call/media-ports.ts'
import type { AudioSession } from '../../../src/cde/media/audio-session.ts'
import { PortPool } from '../../../src/cde/media/ports.ts'
import { polledEngine } from '../../../src/cde/media/relay/choose.ts'
import type { MediaEngine } from '../../../src/cde/media/socket.ts'
import { dgramEngine } from '../../../src/cde/media/socket-dgram.ts'
import { driveEngine } from '../../../src/cde/media/socket-native.ts'
import { systemClock } from '../../../src/lib/clock.ts'
import type { CallPorts } from './relay-under-test.ts'

const [engineName = 'dgram', callsText = '1', tickText = '1'] = process.argv.slice(2)
const nowMs = () => performance.now()
const taken: number[] = []

/** The legs' ports, caller and agent in turn. */
class ListedPorts extends MediaPorts {
  override async open(): Promise<PortPair | undefined> {
    const pair = await super.open()
    if (pair !== undefined) taken.push(pair.address.port)
    return pair
  }
}

const ports = new ListedPorts('127.0.0.1', new PortPool(20_100, 29_999, systemRandom), await engine(), nowMs)
const hooks = { onKey() {}, onConflict() {}, onMaskFailed() {} }

const opened: CallPorts[] = []
const calls: CallMedia[] = []
for (let call = 0; call < Number(callsText); call++) {
  const media = await openCallMedia({ ports, replacement: 'flat', jitterMs: 40, random: systemRandom, nowMs }, hooks)
  if (media === 'no-ports') throw new Error(`${engineName}: no ports for call ${call}`)
  media.use({ caller: session(call, 1), agent: session(call, 2) }, nowMs())
  calls.push(media)
  const [caller = 0, agent = 0] = taken.slice(-2)
  opened.push({ caller, agent })
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

async function engine(): Promise<MediaEngine> {
  if (engineName !== 'uring' && engineName !== 'epoll') return dgramEngine
  const polled = await polledEngine(engineName)
  if (polled === undefined) throw new Error(`${engineName} is not to be had here`)
  return driveEngine(polled, systemClock, Number(tickText))
}
