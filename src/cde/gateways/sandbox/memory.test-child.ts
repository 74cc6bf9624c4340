/**
 * The process whose memory is scanned: takes cards through Captures and charges them. Keys come by stdin as letters
 * (a = 0 … j = 9), so that no form of the number reaches this process other than key by key. Each line is answered:
 * `start <id>`, `keys <letters>`, `charge <id> <url> <exchangeMs>`, `string <letters>` (keeps a copy on purpose), `end`.
 */
import { createInterface } from 'node:readline'
import { setDefaultCACertificates } from 'node:tls'
import { captureSettings } from '../../../wall/settings.ts'
import { Captures } from '../../capture/captures.ts'
import { createSandboxConnector } from './connector.ts'

const CALL = 'ZXWVTSRQPNMLKJHGFD'
const FIELDS = ['cardNumber', 'expiry', 'securityCode']
const kept: string[] = []

const certificate = process.env['TEST_CA']
if (certificate) setDefaultCACertificates([certificate])

const captures = new Captures({
  settings: captureSettings.parse({ fields: FIELDS.map((kind) => ({ name: kind, kind })) }),
  today: () => ({ year: 2026, month: 11 }),
  report: () => {},
})

for await (const line of createInterface({ input: process.stdin })) {
  const [command, ...words] = line.split(' ')
  if (command === 'end') break
  process.stdout.write(`${await perform(command ?? '', words)}\n`)
}
process.exit(0)

async function perform(command: string, words: readonly string[]): Promise<string> {
  const [first = '', url = '', exchangeMs = ''] = words
  switch (command) {
    case 'start':
      captures.start({ captureId: first, callId: CALL, fields: FIELDS, mode: 'continuous' }, 0)
      return 'started'
    case 'keys':
      for (const letter of first) captures.key(CALL, letter.charCodeAt(0) - 97, 0)
      return 'keyed'
    case 'charge':
      return await charge(first, url, Number(exchangeMs))
    case 'string':
      kept.push(Array.from(first, (letter) => String(letter.charCodeAt(0) - 97)).join(''))
      return `keeps ${kept.length}`
    default:
      return 'unknown command'
  }
}

async function charge(id: string, url: string, exchangeMs: number): Promise<string> {
  const card = captures.submit(id)
  if (typeof card === 'string') return card
  const connector = createSandboxConnector({ url, credential: Buffer.from('sk_sandbox_test'), exchangeMs })
  const result = await connector.charge(card, { reference: id, amountMinor: 4_250, currency: 'GBP' })
  captures.finish(id)
  return result.kind
}
