/** A media thread's composition root: its engine, its ports, its calls, and the turns in which they live. */
import process from 'node:process'
import { parentPort, workerData } from 'node:worker_threads'
import { Alarm } from '../../lib/alarm.ts'
import { systemClock } from '../../lib/clock.ts'
import { threadLimits } from '../../lib/limits.ts'
import { systemRandom } from '../../lib/random.ts'
import { MediaPorts } from '../call/media-ports.ts'
import { dieWithoutMessage } from '../fatal.ts'
import { openDtls } from '../media/dtls/open.ts'
import { chooseEngine, type ChosenEngine } from '../media/engines.ts'
import type { FlowForwarder } from '../media/flow-forwarder.ts'
import { openKernelForwarder } from '../media/kernel/open.ts'
import { PortPool } from '../media/ports.ts'
import { dropStartRights } from '../start-rights.ts'
import { MediaHost } from './media-host.ts'
import type { FromThread, ThreadSettings, ToThread } from './messages.ts'
import { TurnClock } from './turn-clock.ts'
import { Turns } from './turns.ts'

process.on('uncaughtException', dieWithoutMessage)
process.on('unhandledRejection', dieWithoutMessage)

const settings = workerData as ThreadSettings
const clock = new TurnClock(systemClock)
const { nowMs } = clock
const tell = (message: FromThread, transfer: readonly ArrayBuffer[] = []): void =>
  parentPort?.postMessage(message, transfer)

const chosen = await chooseEngine(settings.engine)
const associate = await openDtls(settings.identity)
dropStartRights()
const kernel = await openKernelForwarder(settings.kernel ?? 'off', settings.host, systemRandom)
if (typeof chosen === 'string') tell({ type: 'not-ready', problem: chosen })
else if (typeof kernel === 'string') tell({ type: 'not-ready', problem: kernel })
else run(chosen, kernel)

function run({ name, engine, polled }: ChosenEngine, kernel: FlowForwarder | undefined): void {
  const mayEngine = settings.kernel === 'engine' || settings.kernel === 'auto'
  const forwarder = kernel ?? (mayEngine ? polled?.flows : undefined)
  const { host, portMin, portMax, jitterMs, replacement } = settings
  const ports = new MediaPorts(host, new PortPool(portMin, portMax, systemRandom), engine, nowMs)
  const media = new MediaHost(
    { ports, replacement, jitterMs, random: systemRandom, nowMs, kernel: forwarder, associate },
    tell,
  )
  const tellCounters = (): void =>
    tell({ type: 'counters', counters: { ...media.recentCounters(), ...polled?.counters() } })
  setInterval(tellCounters, threadLimits.countersEveryMs).unref()

  const life = polled === undefined ? eventLoopLife(media) : polledLife(media, polled)
  parentPort?.on('message', (message: ToThread) => {
    media.execute(message)
    if (message.type !== 'stop') return life.changed()
    life.stop()
    polled?.close()
    forwarder?.close()
    tell({ type: 'stopped' })
  })
  const abilities = { isForwardingInKernel: kernel !== undefined, hasDtls: associate !== undefined }
  tell({ type: 'ready', engine: name, wakeFd: polled?.wakeFd, ...abilities })
}

interface Life {
  /** A message came: something may be due earlier now. */
  changed(): void
  stop(): void
}

function polledLife(media: MediaHost, engine: NonNullable<ChosenEngine['polled']>): Life {
  const turns = new Turns({
    engine,
    clock,
    wake: (atMs) => {
      if ((media.nextWakeAtMs() ?? Number.POSITIVE_INFINITY) <= atMs) media.wake(atMs)
      return media.nextWakeAtMs()
    },
  })
  return { changed: () => turns.start(), stop: () => turns.stop() }
}

/** Node's own sockets: packets come as events, and the rest is a timer's. */
function eventLoopLife(media: MediaHost): Life {
  const alarm = new Alarm(
    systemClock,
    () => media.nextWakeAtMs(),
    (atMs) => media.wake(atMs),
  )
  return { changed: () => alarm.reschedule(), stop: () => alarm.stop() }
}
