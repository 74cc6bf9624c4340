import assert from 'node:assert/strict'
import { test } from 'node:test'
import { TonewallError } from '../../lib/errors.ts'
import { gatewayUrl, headerSecret } from './endpoint.ts'

void test('card data goes by TLS, or stays on this machine', () => {
  for (const good of [
    'https://gateway.example',
    'https://gateway.example/api',
    'http://127.0.0.1:9090',
    'http://[::1]:1/',
  ])
    assert.ok(gatewayUrl(good).href.endsWith('/'), good)
  assert.equal(new URL('v1/charges', gatewayUrl('https://gateway.example/api')).pathname, '/api/v1/charges')
  const wrong = [
    '',
    'gateway',
    'http://gateway.example',
    'http://10.0.0.5',
    'http://127.evil.example',
    'ftp://127.0.0.1',
  ]
  for (const bad of [...wrong, 'https://user:secret@gateway.example', 'https://gateway.example/?key=1'])
    assert.throws(() => gatewayUrl(bad), TonewallError, bad)
})

void test('a credential is one printable line, and a wrong one is not repeated', () => {
  assert.equal(headerSecret(Buffer.from(' sk_sandbox_1\r\n')), 'sk_sandbox_1')
  for (const bad of ['', '\n', 'two words', 'two\r\nx-injected: 1', 'sk\u0000', 'sk_ä', 'x'.repeat(5_000)]) {
    assert.throws(
      () => headerSecret(Buffer.from(bad)),
      (error) => error instanceof TonewallError && (bad.trim() === '' || !JSON.stringify(error).includes(bad)),
    )
  }
})
