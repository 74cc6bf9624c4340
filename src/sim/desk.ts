/** Plays the contact-centre desk: asks control for the access that the agent's payment widget needs for one call. */
import { readFile } from 'node:fs/promises'
import { setTimeout as wait } from 'node:timers/promises'
import { z } from 'zod'
import type { Header } from '../cde/sip/message.ts'
import { ID_PATTERN } from '../lib/ids.ts'
import { simLimits } from '../lib/limits.ts'
import type { SimulatorSettings } from './settings.ts'
import type { WidgetAccess } from './state.ts'

/** One desk, one call at a time. */
export class Desk {
  readonly #control: SimulatorSettings['control']
  readonly #onWidget: (widget: WidgetAccess) => void
  #call = new AbortController()

  /** @param control undefined: this desk only reads call ids */
  constructor(control: SimulatorSettings['control'], onWidget: (widget: WidgetAccess) => void) {
    this.#control = control
    this.#onWidget = onWidget
  }

  /** The agent's phone rings. @param onCallId told of the id that Tonewall gave the call, when it gave one */
  callRings(headers: readonly Header[], onCallId: (callId: string) => void): void {
    this.callEnded()
    this.#call = new AbortController()
    const callId = headers.find(({ name }) => name.toLowerCase() === 'x-tonewall-call')?.value
    // The id comes from the network and will go into a path: only our own form is let through.
    if (callId === undefined || !ID_PATTERN.test(callId)) return
    onCallId(callId)
    void this.#fetch(callId, this.#call.signal)
  }

  /** Stops asking. */
  callEnded(): void {
    this.#call.abort()
  }

  async #fetch(callId: string, signal: AbortSignal): Promise<void> {
    if (this.#control === undefined) return
    const { api, apiKeyFile } = this.#control
    // Without a readable key there is no widget; the page says so by its absence.
    const apiKey = await readFile(apiKeyFile, 'utf8').catch(() => undefined)
    if (apiKey === undefined) return
    const widget = await fetchWidgetAccess(callId, { api, apiKey: apiKey.trim(), signal })
    if (widget !== undefined && !signal.aborted) this.#onWidget(widget)
  }
}

const answer = z.object({ token: z.string().min(1).max(512), callId: z.string().regex(ID_PATTERN) })

export interface DeskOptions {
  /** Control's address, for instance `http://127.0.0.1:8080`. */
  readonly api: string
  readonly apiKey: string
  /** Ends the tries: the call is over or the simulators stop. */
  readonly signal: AbortSignal
  /** Wait before the second try; it doubles from then on. */
  readonly firstRetryMs?: number
}

/**
 * @param callId in the form of our ids
 * @returns undefined when control refuses or all tries failed
 */
export async function fetchWidgetAccess(callId: string, options: DeskOptions): Promise<WidgetAccess | undefined> {
  let retryMs = options.firstRetryMs ?? 200
  for (let tries = 1; tries <= simLimits.widgetTokenTries; tries++) {
    const outcome = await tryOnce(callId, options)
    if (outcome !== 'again') return outcome === 'refused' ? undefined : outcome
    if (tries === simLimits.widgetTokenTries || options.signal.aborted) break
    await wait(retryMs, undefined, { signal: options.signal }).catch(() => {})
    retryMs *= 2
  }
  return undefined
}

/** `again`: control may not know the call yet, or is busy; anything else that is no success is final. */
async function tryOnce(callId: string, options: DeskOptions): Promise<WidgetAccess | 'again' | 'refused'> {
  const { api, apiKey, signal } = options
  try {
    const response = await fetch(new URL(`/v1/calls/${callId}/widget-tokens`, api), {
      method: 'POST',
      headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' },
      body: '{}',
      redirect: 'error',
      signal: AbortSignal.any([signal, AbortSignal.timeout(simLimits.widgetTokenTimeoutMs)]),
    })
    if (response.status === 404 || response.status === 429 || response.status >= 500) return 'again'
    if (response.status !== 201) return 'refused'
    const checked = answer.safeParse(await response.json())
    return checked.success && checked.data.callId === callId ? { api, token: checked.data.token, callId } : 'refused'
  } catch {
    return 'again'
  }
}
