import { z } from 'zod'
import { type Outcome, outcome, type QueryOutcome, type ReverseOutcome } from '../../../wall/messages.ts'
import type { ChargeContext } from '../connector.ts'
import { declineOf, failureOf } from './errors.ts'

const word = z.string().regex(/^[a-z_]{1,40}$/)

/** A charge as the sandbox tells of it. Members that we do not use are left alone. */
const chargeAnswer = z.object({
  id: z.string(),
  reference: z.string(),
  state: z.enum(['processing', 'approved', 'declined']),
  reversed: z.boolean(),
  captured: z.boolean(),
  amountMinor: z.number(),
  currency: z.string(),
  authCode: z.string().optional(),
  declineCode: word.optional(),
})
type ChargeAnswer = z.infer<typeof chargeAnswer>

const errorAnswer = z.object({ error: z.object({ code: word }) })

/** The answer to `POST /v1/charges`. Approved only if it is our reference, our amount and our currency. */
export function parseCharge(
  status: number,
  body: Uint8Array,
  asked: Pick<ChargeContext, 'reference' | 'amountMinor' | 'currency'>,
): Outcome {
  const json = readJson(body)
  if (status !== 200) return failureOf(status, errorWord(json))
  const answer = chargeAnswer.safeParse(json)
  if (!answer.success || answer.data.reference !== asked.reference) return { kind: 'unknown', why: 'unparseable' }
  const told = outcomeOf(answer.data)
  if (told.kind !== 'approved') return told
  // A reversed charge that is told again moves nothing; whoever asked for it again has lost count.
  if (answer.data.reversed) return { kind: 'unknown', why: 'in-progress' }
  const sameMoney = told.amountMinor === asked.amountMinor && answer.data.currency === asked.currency
  return sameMoney ? told : { kind: 'unknown', why: 'amount-differs' }
}

/** The answer to `GET /v1/charges?reference=`. "Not found" only in the sandbox's own words, not from some proxy. */
export function parseQuery(status: number, body: Uint8Array, reference: string): QueryOutcome {
  const json = readJson(body)
  if (status === 404 && errorWord(json) === 'charge_not_found') return { kind: 'not-found' }
  const answer = chargeAnswer.safeParse(json)
  if (status !== 200 || !answer.success || answer.data.reference !== reference) return { kind: 'unavailable' }
  return { kind: 'found', outcome: outcomeOf(answer.data), reversed: answer.data.reversed }
}

/** The answer to `POST /v1/charges/reverse`. */
export function parseReverse(status: number, body: Uint8Array, reference: string): ReverseOutcome {
  const json = readJson(body)
  if (status === 404 && errorWord(json) === 'charge_not_found') return 'nothing-to-reverse'
  const answer = chargeAnswer.safeParse(json)
  if (status !== 200 || !answer.success || answer.data.reference !== reference) return 'unavailable'
  if (answer.data.reversed) return 'reversed'
  return answer.data.state === 'declined' ? 'nothing-to-reverse' : 'unavailable'
}

function outcomeOf(answer: ChargeAnswer): Outcome {
  if (answer.state === 'processing') return { kind: 'unknown', why: 'in-progress' }
  if (answer.state === 'declined') return declineOf(answer.declineCode ?? 'card_declined')
  // The wall's own schema judges lengths and refuses texts that look like a card number.
  const approved = outcome.safeParse({
    kind: 'approved',
    gatewayId: answer.id,
    ...(answer.authCode === undefined ? {} : { authCode: answer.authCode }),
    captured: answer.captured,
    amountMinor: answer.amountMinor,
  })
  return approved.success ? approved.data : { kind: 'unknown', why: 'unparseable' }
}

function errorWord(json: unknown): string | undefined {
  const answer = errorAnswer.safeParse(json)
  return answer.success ? answer.data.error.code : undefined
}

function readJson(body: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body))
  } catch {
    return undefined
  }
}
