/**
 * The card zone's composition root: the only process in which a digit exists. It answers SIP and RTP, opens connections to
 * configured gateways only, has no HTTP server, no database, no disk writes and no logger; what it has to say crosses the
 * wall on file descriptor 3. When control is gone it ends its calls and goes: nobody could close a capture any more.
 */
import { Socket } from 'node:net'
import process from 'node:process'
import { systemClock } from '../lib/clock.ts'
import { wallLimits } from '../lib/limits.ts'
import { systemRandom } from '../lib/random.ts'
import { order, report, type Order, type Report } from '../wall/messages.ts'
import { openWall } from '../wall/transport-socket.ts'
import { CardZone } from './card-zone.ts'
import { dieWithoutMessage } from './fatal.ts'

refuseInspection()
process.on('uncaughtException', dieWithoutMessage)
process.on('unhandledRejection', dieWithoutMessage)
// Ctrl-C and service managers signal the whole group; control alone decides when the CDE stops, after its calls.
for (const signal of ['SIGINT', 'SIGHUP', 'SIGTERM'] as const) process.on(signal, () => {})

/** A dot less on a screen is no loss, nor is a figure less; an answer of a gateway or the end of a call would be. */
const droppable: ReadonlySet<Report['type']> = new Set([
  'field',
  'keys-dropped',
  'slow-mode',
  'counters',
  'call-quality',
])
let refusedMessages = 0
let stopping: Promise<void> | undefined
const zone = new CardZone({
  clock: systemClock,
  random: systemRandom,
  report: (message: Report) => void wall.send(message),
  refusedMessages: () => refusedMessages,
  onMediaLost: () => process.exit(70),
})
const wall = openWall<Order, Report>(new Socket({ fd: 3 }), {
  incoming: order,
  outgoing: report,
  incomingOctetsMax: wallLimits.orderOctetsMax,
  mayDrop: ({ type }) => droppable.has(type),
  onMessage: (message) => {
    if (message.type === 'stop') void (stopping ??= stop())
    else zone.execute(message)
  },
  onRefused: () => refusedMessages++,
  onClosed: () => void (stopping ??= stop()),
})
wall.send({ type: 'ready' })

/** Runs once: control says `stop` and closes the wall, and the process may not go before the first has hung up. */
async function stop(): Promise<void> {
  await zone.close()
  process.exit(0)
}

/** SIGUSR1 would open the inspector on a running Node; a debugger flag at start is refused outright. */
function refuseInspection(): void {
  process.on('SIGUSR1', () => {})
  const inspected = process.execArgv.some((flag) => flag.startsWith('--inspect') || flag.startsWith('--heapsnapshot'))
  if (inspected || process.env['NODE_OPTIONS'] !== undefined) process.exit(78)
}
