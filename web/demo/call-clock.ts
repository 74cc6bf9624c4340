/** The call's state and length in words, for the top of the page. */
import { element } from './dom.ts'
import type { SimState } from './simulators.ts'

const words: Readonly<Record<SimState['call']['state'], string>> = {
  idle: '',
  calling: 'Calling…',
  ringing: 'Ringing…',
  answered: '',
  ended: 'Call ended',
}

export class CallClock {
  readonly #text = element('call-state', HTMLElement)
  #state: SimState['call']['state'] = 'idle'
  #answeredAtMs = 0
  #connected = true

  constructor() {
    setInterval(() => this.#show(), 250)
  }

  stateIs(state: SimState['call']['state']): void {
    if (state === 'answered' && this.#state !== 'answered') this.#answeredAtMs = performance.now()
    this.#state = state
    this.#show()
  }

  connectedIs(connected: boolean): void {
    this.#connected = connected
    this.#show()
  }

  #show(): void {
    this.#text.dataset['state'] = this.#connected ? this.#state : 'away'
    this.#text.textContent = this.#connected ? this.#words() : 'Reconnecting…'
  }

  #words(): string {
    if (this.#state !== 'answered') return words[this.#state]
    const seconds = Math.floor((performance.now() - this.#answeredAtMs) / 1_000)
    return `${String(Math.floor(seconds / 60)).padStart(2, '0')}:${String(seconds % 60).padStart(2, '0')}`
  }
}
