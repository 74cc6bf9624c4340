/** The relay of bench-relay.ts: the product's own media thread, with unarmed calls of two legs each and the engine that is named. */
import process from 'node:process'
import type { NegotiatedMedia } from '../../../src/cde/call/negotiated-media.ts'
import type { AudioSession } from '../../../src/cde/media/audio-session.ts'
import type { EngineChoice } from '../../../src/cde/media/engines.ts'
import { MediaThreads } from '../../../src/cde/threads/media-threads.ts'
import { systemRandom } from '../../../src/lib/random.ts'
import { benchNet, type CallPorts, type Forwarding } from './relay-under-test.ts'

const [engineName = 'dgram', callsText = '1', host = '127.0.0.1', kernel = 'off'] = process.argv.slice(2)
const net = benchNet(host)
const engine = engineName as EngineChoice
const threads = new MediaThreads({
  settings: {
    engine,
    host,
    portMin: 20_100,
    portMax: 29_999,
    jitterMs: 40,
    replacement: 'flat',
    kernel: kernel as Forwarding,
  },
  threads: 1,
  codecs: ['PCMA'],
  nowMs: () => performance.now(),
  random: systemRandom,
  onLost: () => process.exit(70),
})
const started = await threads.start()
if (started !== engine) throw new Error(`${engineName}: ${started}`)

const clear = { policy: 'off', keysAllowed: false } as const
const opened: CallPorts[] = []
const calls: NegotiatedMedia[] = []
for (let call = 0; call < Number(callsText); call++) {
  const media = await threads.open({ onKey() {}, onEvent() {} }, { caller: clear, agent: clear })
  if (typeof media === 'string') throw new Error(`${engineName}: ${media} for call ${call}`)
  media.use({ caller: session(call, 1), agent: session(call, 2) })
  calls.push(media)
  opened.push({ caller: media.addresses.caller.port, agent: media.addresses.agent.port })
}
process.stdout.write(`ready ${JSON.stringify(opened)}\n`)
process.on('SIGTERM', () => void threads.stop().then(() => process.exit(0)))

function session(call: number, side: 1 | 2): AudioSession {
  const remote = { host: net.leg(call, side), port: 20_000 }
  const formats = [{ payloadType: 8, codec: 'PCMA', clockHz: 8_000 }] as const
  return { remote, remoteRtcp: { ...remote, port: 20_001 }, formats, direction: 'sendrecv', ptimeMs: 20 }
}
