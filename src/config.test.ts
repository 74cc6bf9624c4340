import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { loadConfig, parseConfig } from './config.ts'

const example = JSON.parse(readFileSync(new URL('../examples/tonewall.json', import.meta.url), 'utf8')) as Record<
  string,
  unknown
>

function folderWithSecrets(): string {
  const folder = mkdtempSync(join(tmpdir(), 'tonewall-config-'))
  writeFileSync(join(folder, 'main.key'), 'a-key-of-enough-characters')
  writeFileSync(join(folder, 'short.key'), 'crm')
  return folder
}

const usable = {
  ...example,
  gateways: [{ ...(example['gateways'] as object[])[0], credentialFile: './main.key' }],
  apiKeys: [{ name: 'crm', merchant: 'acme', keyFile: './main.key' }],
}

function problemsOf(change: Record<string, unknown>): string {
  const folder = folderWithSecrets()
  try {
    const parsed = parseConfig({ ...usable, ...change }, folder)
    assert.ok('problems' in parsed, 'the configuration was accepted')
    return parsed.problems.map(({ path, problem, example: shown }) => `${path}: ${problem}; ${shown ?? ''}`).join('\n')
  } finally {
    rmSync(folder, { recursive: true })
  }
}

test('the example configuration is valid, and its file names are relative to the file', () => {
  const folder = folderWithSecrets()
  writeFileSync(join(folder, 'tonewall.json'), JSON.stringify(usable))
  const loaded = loadConfig(join(folder, 'tonewall.json'))
  assert.ok('config' in loaded, JSON.stringify(loaded))
  assert.equal(loaded.config.gateways[0]?.credentialFile, join(folder, 'main.key'))
  rmSync(folder, { recursive: true })
})

test('defaults: three card fields, # ends, * clears', () => {
  const folder = folderWithSecrets()
  const { capture: _dropped, ...rest } = usable as Record<string, unknown>
  const parsed = parseConfig(rest, folder)
  assert.ok('config' in parsed)
  assert.deepEqual(
    parsed.config.capture.fields.map(({ name }) => name),
    ['cardNumber', 'expiry', 'securityCode'],
  )
  assert.equal(parsed.config.capture.endKey, '#')
  rmSync(folder, { recursive: true })
})

test('SRTP keys towards a peer in another network need a word of allowance', () => {
  const number = { id: 'sales', merchant: 'acme', called: '+442079460000', srtp: 'required' }
  for (const destination of ['sip:sales@10.0.0.5:5060', 'sip:10.0.0.5;transport=udp', 'sip:[2001:db8::5]:5060']) {
    assert.match(problemsOf({ numbers: [{ ...number, destination }], allowClearKeys: [] }), /^numbers\[0\]\.srtp: /)
  }
  const folder = folderWithSecrets()
  const accepted: [string, string[]][] = [
    ['sip:127.0.0.1:5060', []],
    ['sip:[::1]:5060', []],
    ['sip:pbx.example', []],
    ['sip:a@[2001:db8::5]:5060', ['2001:db8::5']],
  ]
  const dtls = { ...number, destination: 'sip:sales@10.0.0.5:5060', srtp: 'dtls' }
  assert.ok('config' in parseConfig({ ...usable, numbers: [dtls], allowClearKeys: [] }, folder), 'no key is in SIP')
  for (const [destination, allowClearKeys] of accepted) {
    const parsed = parseConfig({ ...usable, numbers: [{ ...number, destination }], allowClearKeys }, folder)
    assert.ok('config' in parsed, destination)
  }
  rmSync(folder, { recursive: true })
  assert.match(
    problemsOf({ numbers: [{ ...number, destination: 'sip:a@127.0.0.1', srtp: 'yes' }] }),
    /off, offered, required or/,
  )
})

test('DTLS is refused at the start where the media may not load what does it', () => {
  const number = { id: 'sales', merchant: 'acme', called: '+442079460000', destination: 'sip:127.0.0.1', srtp: 'dtls' }
  const media = { host: '127.0.0.1', engine: 'dgram', kernel: 'off' }
  assert.match(problemsOf({ numbers: [number], media }), /^numbers\[0\]\.srtp: .*"media\.engine"/)
})

test('NAT is a word per number', () => {
  const number = { id: 'sales', merchant: 'acme', called: '+442079460000', destination: 'sip:a@127.0.0.1' }
  assert.match(problemsOf({ numbers: [{ ...number, nat: true }] }), /^numbers\[0\]\.nat: must be none, caller/)
})

test('a wrong or missing setting is named with its path, its problem and an example; the value is not repeated', () => {
  assert.match(
    problemsOf({ sip: { host: 'pbx', port: 5060 } }),
    /^sip\.host: must be an IP address of this machine; "192\.0\.2\.10"$/m,
  )
  assert.match(problemsOf({ numbers: [] }), /^numbers: must list at least one number; \[\{/m)
  assert.match(problemsOf({ sip: undefined }), /^sip: is missing; it must say where SIP listens/m)
  const bad = [{ id: 'sales', merchant: 'acme', called: '+44', destination: 'secret-value' }]
  const said = problemsOf({ numbers: bad })
  assert.match(said, /^numbers\[0\]\.destination: must be a SIP URI; "sip:sales@10\.0\.0\.5:5060"$/m)
  assert.doesNotMatch(said, /secret-value/)
  assert.match(
    problemsOf({ media: { host: '192.0.2.10', portMin: 20_000, portMax: 20_001 } }),
    /^media: .*portMin \+ 3/m,
  )
})

test('a gateway on plain http elsewhere is refused', () => {
  const gateway = { ...usable.gateways[0], url: 'http://gateway.example.com' }
  assert.match(problemsOf({ gateways: [gateway] }), /^gateways\[0\]\.url: must be an https address/m)
})

test('an exchange with a gateway must be over before the gateway is asked again', () => {
  const lasting = (exchangeMs: number) => ({ gateways: [{ ...usable.gateways[0], exchangeMs }] })
  const folder = folderWithSecrets()
  assert.ok('config' in parseConfig({ ...usable, ...lasting(25_000) }, folder))
  rmSync(folder, { recursive: true })
  assert.match(problemsOf(lasting(25_001)), /^gateways\[0\]\.exchangeMs: must be 1000 to 25000 milliseconds/m)
})

test('a misspelt setting is shown, a secret in a wrong place is not', () => {
  assert.match(problemsOf({ sipp: {} }), /^sipp: is not a setting/m)
  const said = problemsOf({ '4242424242424242': 1 })
  assert.match(said, /a name that is not letters/)
  assert.doesNotMatch(said, /4242/)
})

test('references between settings and files are checked', () => {
  assert.match(
    problemsOf({ apiKeys: [{ name: 'crm', merchant: 'other', keyFile: './main.key' }] }),
    /^apiKeys\[0\]\.merchant: is no id/m,
  )
  assert.match(
    problemsOf({ apiKeys: [{ name: 'crm', merchant: 'acme', keyFile: './none' }] }),
    /^apiKeys\[0\]\.keyFile: names a file that does not exist/m,
  )
  const twice = { id: 'acme', name: 'A' }
  assert.match(problemsOf({ merchants: [twice, twice] }), /^merchants\[1\]\.id: is used twice/m)
})

test('what could not work, or would leave a door open, is refused', () => {
  assert.match(problemsOf({ trustedPeers: undefined }), /^trustedPeers: is missing/m)
  assert.match(problemsOf({ trustedPeers: [] }), /^trustedPeers: /m)
  assert.match(problemsOf({ trustedPeers: ['10.0.0.5/24'] }), /^trustedPeers\[0\]: must be an IP address or network/m)
  assert.match(problemsOf({ media: { host: '0.0.0.0' } }), /^media\.host: /m)
  assert.match(problemsOf({ capture: { endKey: '*' } }), /^capture\.clearKey: must differ/m)
  const key = (keyFile: string) => ({ apiKeys: [{ name: 'crm', merchant: 'acme', keyFile }] })
  assert.match(problemsOf(key('./short.key')), /^apiKeys\[0\]\.keyFile: holds a key of less than 16/m)
  assert.match(problemsOf(key('.')), /^apiKeys\[0\]\.keyFile: .*cannot be read/m)
  const to = (destination: string) => ({
    numbers: [{ id: 'sales', merchant: 'acme', called: '+442079460000', destination }],
  })
  assert.match(problemsOf(to('sips:sales@10.0.0.5')), /^numbers\[0\]\.destination: asks for a transport/m)
  assert.match(problemsOf(to('sip:sales@10.0.0.5;transport=tcp')), /asks for a transport/)
  assert.match(problemsOf(to('sip:sales@10.0.0.5:99999')), /port that is not/)
  const http = { host: '127.0.0.1', port: 8080, allowedOrigins: ['https://crm.example.com/'] }
  assert.match(problemsOf({ http }), /^http\.allowedOrigins\[0\]: must be a web origin/m)
  const twice = ['+44-1000', '441000'].map((called, i) => ({ ...to('sip:a@10.0.0.5').numbers[0], id: `n${i}`, called }))
  assert.match(problemsOf({ numbers: twice }), /^numbers\[1\]\.called: is used twice/m)
})

test('no file, or no JSON', () => {
  assert.ok('problems' in loadConfig('/nonexistent/tonewall.json'))
  const folder = folderWithSecrets()
  writeFileSync(join(folder, 'tonewall.json'), '{,')
  const loaded = loadConfig(join(folder, 'tonewall.json'))
  assert.ok('problems' in loaded && /is not JSON/.test(loaded.problems[0]?.problem ?? ''))
  rmSync(folder, { recursive: true })
})

test('only codecs that the masked line can carry may be negotiated', () => {
  const media = (codecs: unknown): string => problemsOf({ media: { ...(usable as { media?: object }).media, codecs } })
  assert.match(media(['PCMA', 'G729']), /^media\.codecs.*: must be PCMA, PCMU, G722 or opus; "G722"/)
  assert.match(media([]), /^media\.codecs: must list one to four codecs/)
})
