/**
 * Everything around Tonewall, on real sockets: a carrier with a caller's phone, an agent's phone, the sandbox gateway, the
 * desk, and the page's server. Used by `npm start`, the terminal demo, tests and probes.
 */
import { readFile } from 'node:fs/promises'
import { dgramEngine } from '../cde/media/socket-dgram.ts'
import type { Address } from '../lib/address.ts'
import { systemClock } from '../lib/clock.ts'
import { type RandomBytes, seededRandom, systemRandom } from '../lib/random.ts'
import { dial } from './carrier.ts'
import { Desk } from './desk.ts'
import { type SandboxGateway, startSandboxGateway } from './gateway/server.ts'
import { SimulatedCaller, SimulatedPhone } from './handles.ts'
import { LiveHub } from './live.ts'
import { Phone, type PhoneEvent, type PhoneOptions } from './phone.ts'
import { type PageOrders, startSimServer } from './server.ts'
import { type SimulatorSettings, type SimulatorSettingsInput, simulatorSettings } from './settings.ts'
import { type SimState, StateHolder } from './state.ts'
import { loadVoices } from './voice.ts'

export type SimEvent = PhoneEvent & { readonly phone: 'caller' | 'agent' }
export type { SandboxGateway } from './gateway/server.ts'

export interface Simulators {
  readonly caller: SimulatedCaller
  readonly agent: SimulatedPhone
  readonly gateway: SandboxGateway | undefined
  /** Where the page is served, with the real port. */
  readonly http: Address | undefined
  state(): SimState
  /** @returns a function that takes the listener off again; so does onEvent's */
  onState(listener: (state: SimState) => void): () => void
  onEvent(listener: (event: SimEvent) => void): () => void
  close(): Promise<void>
}

/**
 * Starts all that the settings name.
 * @throws when the settings are wrong (ZodError) or a part cannot start; what was started is closed again
 */
export async function startSimulators(input: SimulatorSettingsInput): Promise<Simulators> {
  const settings = simulatorSettings.parse(input)
  const voices = await loadVoices(settings.assets)
  const state = new StateHolder(settings.carriage)
  const live = new LiveHub(state)
  const listeners = new Set<(event: SimEvent) => void>()
  const tell = (event: SimEvent): void => {
    for (const listener of listeners) listener(event)
  }

  await using parts = new AsyncDisposableStack()
  const gateway = await startGateway(settings, parts)
  const desk = new Desk(settings.control, (widget) => state.widgetIs(widget))
  parts.defer(() => desk.callEnded())

  const agentPhone = await Phone.open({
    ...phoneOptions(settings, 1),
    name: 'Tonewall simulated agent',
    host: settings.agentSip.host,
    sipPort: settings.agentSip.port,
    onEvent: (event) => {
      if (event.type === 'incoming') desk.callRings(event.headers, (callId) => state.callHasId(callId))
      if (event.type === 'call-over') desk.callEnded()
      if (event.type === 'state' && event.state === 'answered') agent.speak()
      tell({ ...event, phone: 'agent' })
    },
    onFrame: (_monitor, heard) => live.frame(1, heard),
  })
  parts.defer(() => agentPhone.close())
  const agent = new SimulatedPhone(agentPhone, voices.agent)

  const callerPhone = await Phone.open({
    ...phoneOptions(settings, 2),
    name: 'Tonewall simulated carrier',
    host: settings.callerHost,
    sipPort: settings.callerSipPort,
    onEvent: (event) => {
      if (event.type === 'state') state.callIs(event.state)
      tell({ ...event, phone: 'caller' })
    },
    onFrame: (monitor) => live.frame(0, monitor),
  })
  parts.defer(() => callerPhone.close())
  const dialNumber = (number = settings.calledNumber): void => {
    void callerPhone.call(dial({ ...settings, calledNumber: number, carrier: callerPhone.sip }))
  }
  const caller = new SimulatedCaller(callerPhone, voices.caller, dialNumber, () => state.value.carriage)

  const http = await startPage(settings, pageOrders(caller, agent, state, live), live, parts)
  const started = parts.move()
  return {
    caller,
    agent,
    gateway,
    http,
    state: () => state.value,
    onState: (listener) => state.onChange(listener),
    onEvent: (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    close: () => started.disposeAsync(),
  }
}

async function startGateway(
  { gateway }: SimulatorSettings,
  parts: AsyncDisposableStack,
): Promise<SandboxGateway | undefined> {
  if (gateway === undefined) return undefined
  const { keyFile, ...options } = gateway
  const key = (await readFile(keyFile, 'utf8')).trim()
  const started = await startSandboxGateway({ ...options, key })
  parts.defer(() => started.close())
  return started
}

async function startPage(
  { http, webRoot, control }: SimulatorSettings,
  orders: PageOrders,
  live: LiveHub,
  parts: AsyncDisposableStack,
): Promise<Address | undefined> {
  if (http === undefined) return undefined
  const apiOrigin = control === undefined ? undefined : new URL(control.api).origin
  const server = await startSimServer({ ...http, webRoot, apiOrigin, orders, live })
  parts.defer(() => server.close())
  return server.local
}

type CommonOptions = Omit<PhoneOptions, 'name' | 'host' | 'sipPort' | 'onEvent' | 'onFrame'>

function phoneOptions(settings: SimulatorSettings, which: number): CommonOptions {
  const { codecs, talkOver, ringMs, seed } = settings
  const random: RandomBytes = seed === undefined ? systemRandom : seededRandom(seed + which)
  return { clock: systemClock, random, media: dgramEngine, codecs, withEvents: true, talkOver, ringMs }
}

function pageOrders(caller: SimulatedCaller, agent: SimulatedPhone, state: StateHolder, live: LiveHub): PageOrders {
  // A call that was made without a page, by a script, is not the page's to end.
  let watchedAtStart = false
  live.onDeserted = () => {
    if (watchedAtStart) caller.hangUp()
  }
  return {
    call: (number) => {
      const started = caller.call(number)
      if (started) watchedAtStart = live.watched
      return started
    },
    hangUp: () => caller.hangUp(),
    key: (key, carriage, holdMs) => {
      if (carriage !== undefined) state.carriageIs(carriage)
      return caller.press(key, carriage, holdMs) !== undefined
    },
    callerSpeaks: () => caller.speak(),
    agentSpeaks: () => agent.speak(),
    state: () => state.value,
  }
}
