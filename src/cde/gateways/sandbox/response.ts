import { type Outcome, outcome, type QueryOutcome, type ReverseOutcome } from '../../../wall/messages.ts'
import type { ChargeContext } from '../connector.ts'
import { declineOf, failureOf } from './errors.ts'

/** A charge as the sandbox tells of it. Members that we do not use are left alone. */
interface ChargeAnswer {
  readonly id: unknown
  readonly state: 'processing' | 'approved' | 'declined'
  readonly reversed: boolean
  readonly captured: unknown
  readonly amountMinor: unknown
  readonly currency: unknown
  readonly authCode: unknown
  readonly declineWord: string | undefined
}

/** The answer to `POST /v1/charges`. Approved only if it is our reference, our amount and our currency. */
export function parseCharge(
  status: number,
  body: Uint8Array,
  asked: Pick<ChargeContext, 'reference' | 'amountMinor' | 'currency'>,
): Outcome {
  const json = readJson(body)
  if (status !== 200) return failureOf(status, errorWord(json))
  const answer = chargeOf(json, asked.reference)
  if (!answer) return { kind: 'unknown', why: 'unparseable' }
  const told = outcomeOf(answer)
  if (told.kind !== 'approved') return told
  // A reversed charge that is told again moves nothing; whoever asked for it again has lost count.
  if (answer.reversed) return { kind: 'unknown', why: 'in-progress' }
  const sameMoney = told.amountMinor === asked.amountMinor && answer.currency === asked.currency
  return sameMoney ? told : { kind: 'unknown', why: 'amount-differs' }
}

/** The answer to `GET /v1/charges?reference=`. "Not found" only in the sandbox's own words, not from some proxy. */
export function parseQuery(status: number, body: Uint8Array, reference: string): QueryOutcome {
  const json = readJson(body)
  if (status === 404 && errorWord(json) === 'charge_not_found') return { kind: 'not-found' }
  const answer = chargeOf(json, reference)
  if (status !== 200 || !answer) return { kind: 'unavailable' }
  return { kind: 'found', outcome: outcomeOf(answer), reversed: answer.reversed }
}

/** The answer to `POST /v1/charges/reverse`. */
export function parseReverse(status: number, body: Uint8Array, reference: string): ReverseOutcome {
  const json = readJson(body)
  if (status === 404 && errorWord(json) === 'charge_not_found') return 'nothing-to-reverse'
  const answer = chargeOf(json, reference)
  if (status !== 200 || !answer) return 'unavailable'
  if (answer.reversed) return 'reversed'
  return answer.state === 'declined' ? 'nothing-to-reverse' : 'unavailable'
}

function outcomeOf(answer: ChargeAnswer): Outcome {
  if (answer.state === 'processing') return { kind: 'unknown', why: 'in-progress' }
  if (answer.state === 'declined') return declineOf(answer.declineWord ?? 'card_declined')
  // The wall's own schema judges types and lengths and refuses texts that look like a card number.
  const approved = outcome.safeParse({
    kind: 'approved',
    gatewayId: answer.id,
    ...(answer.authCode === undefined ? {} : { authCode: answer.authCode }),
    captured: answer.captured,
    amountMinor: answer.amountMinor,
  })
  return approved.success ? approved.data : { kind: 'unknown', why: 'unparseable' }
}

/** The charge that an answer tells of, or undefined when it is none or not of our reference. */
function chargeOf(json: unknown, reference: string): ChargeAnswer | undefined {
  const told = members(json)
  const state = told['state']
  const reversed = told['reversed']
  if (told['reference'] !== reference || typeof reversed !== 'boolean') return undefined
  if (state !== 'processing' && state !== 'approved' && state !== 'declined') return undefined
  return {
    id: told['id'],
    state,
    reversed,
    captured: told['captured'],
    amountMinor: told['amountMinor'],
    currency: told['currency'],
    authCode: told['authCode'],
    declineWord: wordOf(told['declineCode']),
  }
}

/** The sandbox's error word, or undefined when the body is none of its error answers. */
function errorWord(json: unknown): string | undefined {
  return wordOf(members(members(json)['error'])['code'])
}

function wordOf(value: unknown): string | undefined {
  return typeof value === 'string' && /^[a-z_]{1,40}$/.test(value) ? value : undefined
}

function members(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? { ...value } : {}
}

function readJson(body: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body))
  } catch {
    return undefined
  }
}
