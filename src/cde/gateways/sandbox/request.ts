import type { CardData } from '../../capture/card-data.ts'
import type { Digits } from '../../capture/digits.ts'
import type { ChargeContext } from '../connector.ts'
import { renderTemplate, type SecretSlot, type TemplatePart, writeAsciiDigits } from '../template.ts'

export const CHARGE_PATH = 'v1/charges'
export const REVERSE_PATH = 'v1/charges/reverse'

/**
 * The body of `POST /v1/charges`. `channel` marks a telephone order (MOTO): no 3-D Secure data goes with it.
 * @returns 'no-card' when the digits have been wiped already; nothing may be sent then
 */
export function buildCharge(card: CardData, context: ChargeContext): Uint8Array<ArrayBuffer> | 'too-long' | 'no-card' {
  if (card.cardNumber.count === 0 || card.expiry.count === 0) return 'no-card'
  return renderTemplate([
    `{"reference":${JSON.stringify(context.reference)},"amountMinor":${JSON.stringify(context.amountMinor)},`,
    `"currency":${JSON.stringify(context.currency)},"channel":"telephone","card":{"number":"`,
    slot(card.cardNumber),
    '","expiry":"',
    slot(card.expiry),
    ...(card.securityCode ? ['","securityCode":"', slot(card.securityCode)] : []),
    '"}',
    ...extraFields(card.extra ?? new Map()),
    '}',
  ])
}

/** The body of `POST /v1/charges/reverse`. */
export function buildReverse(reference: string): Uint8Array<ArrayBuffer> | 'too-long' {
  return renderTemplate([JSON.stringify({ reference })])
}

/** The path of `GET /v1/charges?reference=`. */
export function queryPath(reference: string): string {
  return `${CHARGE_PATH}?reference=${encodeURIComponent(reference)}`
}

function extraFields(extra: ReadonlyMap<string, Digits>): TemplatePart[] {
  const members = [...extra].flatMap(([name, digits], i): TemplatePart[] => [
    `${i === 0 ? '' : ','}${JSON.stringify(name)}:"`,
    slot(digits),
    '"',
  ])
  return members.length === 0 ? [] : [',"extra":{', ...members, '}']
}

function slot(digits: Digits): SecretSlot {
  return {
    octets: digits.count,
    write: (into) => digits.reveal((values) => writeAsciiDigits(values, into)),
  }
}
