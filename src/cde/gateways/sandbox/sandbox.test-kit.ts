import { startSandboxGateway } from '../../../sim/gateway/server.ts'
import { Digits } from '../../capture/digits.ts'
import { knownBrand } from '../../capture/rules.ts'
import type { CardData } from '../connector.ts'
import type { ConnectorOverrides, ContractBench, Scenario } from '../contract.test-suite.ts'
import { createSandboxConnector } from './connector.ts'

export const KEY = 'sk_sandbox_test'

const numbers: Readonly<Record<Scenario, string>> = {
  approve: '4242424242424242',
  decline: '4000000000000002',
  slow: '4012888888881881',
  'other-amount': '4000056655665556',
  'silent-after': '4000000000000077',
  'error-after': '4000000000005126',
  'reset-after': '4000000000000259',
  'reset-before': '4000000000000341',
}

/** A card of a published number, with the memory in which its digits live. */
export function testCard(number: string, expiry = '1234', securityCode = '123'): ReturnType<ContractBench['card']> {
  const stores: ArrayBuffer[] = []
  const digits = (text: string): Digits => {
    const kept = new Digits((octets) => {
      const store = new ArrayBuffer(octets)
      stores.push(store)
      return store
    })
    for (const digit of text) kept.push(Number(digit))
    return kept
  }
  const cardNumber = digits(number)
  const card: CardData = {
    cardNumber,
    expiry: digits(expiry),
    securityCode: digits(securityCode),
    brand: cardNumber.reveal(knownBrand) ?? 'visa',
    lastFour: number.slice(-4),
  }
  return { card, stores }
}

/** The sandbox connector with a real sandbox gateway behind it. */
export async function openSandboxBench(): Promise<ContractBench> {
  const gateway = await startSandboxGateway({ host: '127.0.0.1', port: 0, key: KEY, slowMs: 400 })
  const home = `http://127.0.0.1:${gateway.address.port}`
  return {
    connector: ({ url = home, exchangeMs = 5_000, credential = KEY }: ConnectorOverrides = {}) =>
      createSandboxConnector({ url, exchangeMs, credential: Buffer.from(`${credential}\n`) }),
    card: (scenario) => testCard(numbers[scenario]),
    timesCharged: (reference) => gateway.ledger().find((entry) => entry.reference === reference)?.timesCharged ?? 0,
    transcripts: [
      {
        wire:
          `POST /v1/charges HTTP/1.1\r\nAuthorization: Bearer ${KEY}\r\ncontent-type: application/json\r\n\r\n` +
          '{"reference":"BCDFGHJKLMNPQRSTVW","amountMinor":4250,"card":{"number":"4242424242424242","expiry":"1234","securityCode":"987"}}',
        secrets: [KEY, '4242424242424242', '1234', '987'],
      },
      {
        wire: '{"error":{"code":"invalid_number","echo":"4000 0566 5566 5556","again":"4000-0566-5566-5556"}}',
        secrets: ['4000 0566 5566 5556', '4000-0566-5566-5556', '4000056655665556'],
      },
      { wire: '{"securityCode" : 987, "number": "42424242', secrets: ['987', '42424242'] },
    ],
    close: () => gateway.close(),
  }
}
