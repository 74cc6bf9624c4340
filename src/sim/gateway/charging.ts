import { newId } from '../../lib/ids.ts'
import { type RandomBytes, systemRandom } from '../../lib/random.ts'
import { type CardBehaviour, type TestCard, testCards } from './cards.ts'
import type { Charge, Ledger } from './ledger.ts'
import { type Answer, answerOf, type ChargeRequest, refused } from './wire.ts'

/** What becomes of a charge request on the wire. `later` settles the charge and answers. */
export type Reaction =
  | { readonly kind: 'answer'; readonly answer: Answer }
  | { readonly kind: 'answer-later'; readonly later: () => Answer }
  | { readonly kind: 'silence' }
  | { readonly kind: 'reset' }

const answer = (value: Answer): Reaction => ({ kind: 'answer', answer: value })
const cards: ReadonlyMap<string, TestCard> = new Map(testCards.map((card) => [card.number, card]))

/** Takes one charge request into the ledger, as the test card says, and tells what the server does on the wire. */
export function charge(
  ledger: Ledger,
  request: ChargeRequest,
  nowMs: number,
  random: RandomBytes = systemRandom,
): Reaction {
  const known = ledger.find(request.reference)
  if (known) return answer(repeated(known, request))
  if (ledger.isBlocked(request.reference)) return answer(refused('reference_reversed'))
  const card = cards.get(request.card.number)
  const behaviour: CardBehaviour = card?.behaviour ?? 'decline: not_a_test_card'
  if (behaviour === 'reset the connection before accepting') return { kind: 'reset' }
  if (behaviour === 'answer 429 before accepting') return answer(refused('throttled'))
  const entry: Charge = {
    id: `CH${newId(random)}`,
    reference: request.reference,
    askedAmountMinor: request.amountMinor,
    currency: request.currency,
    brand: card?.brand ?? 'unknown',
    lastFour: request.card.number.slice(-4),
    receivedAtMs: nowMs,
    state: 'processing',
    reversed: false,
    amountMinor: request.amountMinor,
    timesCharged: 0,
  }
  return ledger.add(entry) ? react(ledger, entry, behaviour, newId(random).slice(0, 6)) : answer(refused('full'))
}

function react(ledger: Ledger, entry: Charge, behaviour: CardBehaviour, authCode: string): Reaction {
  const approve = (amountMinor = entry.amountMinor): void => ledger.approve(entry, amountMinor, authCode)
  switch (behaviour) {
    case 'approve':
      approve()
      return answer(answerOf(entry))
    case 'approve half of the amount':
      approve(Math.floor(entry.amountMinor / 2))
      return answer(answerOf(entry))
    case 'approve after 3 s':
      return {
        kind: 'answer-later',
        later: () => {
          approve()
          return answerOf(entry)
        },
      }
    case 'never answer after accepting':
      approve()
      return { kind: 'silence' }
    case 'answer 500 after accepting':
      approve()
      return answer(refused('internal'))
    case 'reset the connection after accepting':
      approve()
      return { kind: 'reset' }
    case 'reset the connection before accepting':
    case 'answer 429 before accepting':
      throw new Error('illegal: such a card is never accepted')
    default:
      ledger.decline(entry, behaviour.slice('decline: '.length))
      return answer(answerOf(entry))
  }
}

/** The same reference again: the stored answer, or a refusal when it is another payment. Nothing moves either way. */
function repeated(known: Charge, request: ChargeRequest): Answer {
  const same =
    known.askedAmountMinor === request.amountMinor &&
    known.currency === request.currency &&
    known.lastFour === request.card.number.slice(-4)
  if (!same) return refused('reference_reused')
  return known.state === 'processing' ? refused('in_progress') : answerOf(known)
}
