/** What the page knows about the simulated call. No key and no audio is in it. */
import type { Carriage } from '../cde/dtmf/key-codes.ts'
import type { PhoneState } from './phone.ts'

export interface WidgetAccess {
  readonly api: string
  readonly token: string
  readonly callId: string
}

export interface SimState {
  readonly call: { readonly state: PhoneState; readonly callId?: string }
  /** What the agent's payment widget needs; there once the desk has fetched it. */
  readonly widget?: WidgetAccess
  /** How keys are sent when nothing else is said. */
  readonly carriage: Carriage
}

/** Holds the state and tells listeners of every change. */
export class StateHolder {
  #state: SimState
  readonly #listeners = new Set<(state: SimState) => void>()

  constructor(carriage: Carriage) {
    this.#state = { call: { state: 'idle' }, carriage }
  }

  get value(): SimState {
    return this.#state
  }

  onChange(listener: (state: SimState) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  callIs(state: PhoneState): void {
    // A new attempt begins without the call id and the widget of the last.
    if (state === 'calling') this.#set({ call: { state }, carriage: this.#state.carriage })
    else this.#set({ ...this.#state, call: { ...this.#state.call, state } })
  }

  callHasId(callId: string): void {
    this.#set({ ...this.#state, call: { ...this.#state.call, callId } })
  }

  widgetIs(widget: WidgetAccess): void {
    if (this.#state.call.callId === widget.callId) this.#set({ ...this.#state, widget })
  }

  carriageIs(carriage: Carriage): void {
    if (carriage !== this.#state.carriage) this.#set({ ...this.#state, carriage })
  }

  #set(state: SimState): void {
    this.#state = state
    for (const listener of this.#listeners) listener(state)
  }
}
