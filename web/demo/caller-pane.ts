/** The caller's phone: keypad, call, speak, the carriage of keys, and the cards in the caller's pocket. */
import { CardHand } from './card-hand.ts'
import { type DemoCard, demoCards } from './cards.ts'
import { element } from './dom.ts'
import { type Carriage, order, type SimState } from './simulators.ts'

const PRESS_SHOWN_MS = 160
/** The caller says something once the agent has greeted, so that speech is seen passing both sides alike. */
const FIRST_WORDS_MS = 2_500

export class CallerPane {
  readonly #hand = new CardHand()
  readonly #keypad = element('keypad', HTMLElement)
  readonly #call = element('caller-call', HTMLButtonElement)
  readonly #speak = element('caller-speak', HTMLButtonElement)
  readonly #start = element('start-call', HTMLButtonElement)
  readonly #hint = element('caller-hint', HTMLElement)
  readonly #cardButtons = new Map<DemoCard, HTMLButtonElement>()
  #state: SimState['call']['state'] = 'idle'
  #carriage: Carriage = 'in-band'

  constructor() {
    this.#wireKeypad()
    this.#listCards()
    this.#start.addEventListener('click', () => void order('/caller/call', {}))
    this.#call.addEventListener('click', () => void order(this.#live ? '/caller/hang-up' : '/caller/call', {}))
    this.#speak.addEventListener('click', () => void order('/caller/speak', {}))
    element('carriages', HTMLElement).addEventListener('change', (event) => {
      if (event.target instanceof HTMLInputElement) this.#carriage = event.target.value as Carriage
    })
    setInterval(() => this.#keyCard(), 40)
  }

  stateIs(state: SimState['call']['state']): void {
    if (state === 'answered' && this.#state !== 'answered') {
      setTimeout(() => this.#state === 'answered' && void order('/caller/speak', {}), FIRST_WORDS_MS)
    }
    this.#state = state
    if (state === 'ended') this.captureEnded()
    this.#call.textContent = this.#live ? 'Hang up' : 'Call'
    this.#call.classList.toggle('end', this.#live)
    this.#start.textContent = state === 'idle' ? 'Start the call' : 'Call again'
    this.#speak.disabled = state !== 'answered'
    this.#keypad.classList.toggle('off', state !== 'answered')
    this.#tell()
  }

  /** What the agent's panel asks for, heard by the caller as the agent's request. */
  fieldIs(field: string, state: string): void {
    this.#hand.fieldIs(field, state, new Date(), performance.now())
    this.#tell()
  }

  captureEnded(): void {
    this.#hand.captureEnded()
    this.#tell()
  }

  get #live(): boolean {
    return this.#state === 'calling' || this.#state === 'ringing' || this.#state === 'answered'
  }

  #wireKeypad(): void {
    for (const button of this.#keypad.querySelectorAll('button')) {
      const key = button.dataset['key'] ?? ''
      // On a telephone the tone starts when the key goes down; a click without pointer comes from the keyboard.
      button.addEventListener('pointerdown', (event) => event.button === 0 && this.#press(key))
      button.addEventListener('click', (event) => event.detail === 0 && this.#press(key))
    }
    document.addEventListener('keydown', (event) => {
      const typing = event.composedPath()[0] instanceof HTMLInputElement && !isChoice(event.composedPath()[0])
      if (typing || event.repeat || event.ctrlKey || event.metaKey || event.altKey) return
      if (/^[0-9*#]$/.test(event.key)) this.#press(event.key)
    })
  }

  #press(key: string): void {
    if (this.#state !== 'answered') return
    void order('/caller/key', { key, carriage: this.#carriage })
    const button = this.#keypad.querySelector(`[data-key="${key}"]`)
    button?.classList.add('down')
    setTimeout(() => button?.classList.remove('down'), PRESS_SHOWN_MS)
  }

  #listCards(): void {
    const list = element('cards', HTMLElement)
    for (const [index, card] of demoCards.entries()) {
      const button = document.createElement('button')
      button.dataset['testid'] = `card-${index + 1}`
      const [number, about] = [document.createElement('span'), document.createElement('small')]
      number.textContent = card.number
      about.textContent = card.declined ? `${card.name}, declined` : card.name
      button.append(number, about)
      button.addEventListener('click', () => this.#pick(card))
      this.#cardButtons.set(card, button)
      list.append(button)
    }
  }

  #pick(card: DemoCard): void {
    this.#hand.hold(this.#hand.card === card ? undefined : card, new Date(), performance.now())
    this.#tell()
  }

  #keyCard(): void {
    const key = this.#state === 'answered' ? this.#hand.press(performance.now()) : undefined
    if (key === undefined) return
    this.#press(key)
    if (this.#hand.state !== 'keying') this.#tell()
  }

  #tell(): void {
    for (const [card, button] of this.#cardButtons) {
      button.setAttribute('aria-pressed', String(card === this.#hand.card))
    }
    this.#hint.textContent = this.#hintText()
  }

  #hintText(): string {
    if (this.#hand.state === 'keying') return 'Keying…'
    if (this.#hand.state === 'waiting') {
      return this.#state === 'answered' ? 'Ready. Now the agent presses Request.' : 'Ready. Start the call.'
    }
    return 'Pick one: it is keyed when the agent asks.'
  }
}

/** Radio buttons take no digits, so keys go to the phone while one has the focus. */
function isChoice(target: EventTarget | undefined): boolean {
  return target instanceof HTMLInputElement && target.type === 'radio'
}
