import assert from 'node:assert/strict'
import { test } from 'node:test'
import { newPayment } from '../../src/control/api/schemas.ts'
import { type Setup, setupProblem } from './setup.ts'

const good: Setup = {
  api: 'https://tonewall.example',
  token: 'a-token',
  call: 'BCDFGHJKLMNPQRSTVW',
  orderReference: 'A-17',
  amountMinor: 4250,
  currency: 'GBP',
  gatewayAccount: '',
  amountEditable: false,
}
const problemOf = (change: Partial<Setup>): string | undefined => setupProblem({ ...good, ...change })?.attribute

test('what is set up well has no problem, also behind a path and with an amount left to the agent', () => {
  assert.equal(problemOf({}), undefined)
  assert.equal(problemOf({ api: 'http://127.0.0.1:8080/' }), undefined)
  assert.equal(problemOf({ api: 'https://proxy.example/tonewall' }), undefined)
  assert.equal(problemOf({ amountMinor: 0, amountEditable: true }), undefined)
  assert.equal(problemOf({ gatewayAccount: 'main' }), undefined)
})

test('a missing attribute is named', () => {
  for (const name of ['api', 'token', 'call'] as const) assert.equal(problemOf({ [name]: '' }), name)
  const { sentence, blind } = setupProblem({ ...good, orderReference: '' }) ?? {}
  assert.equal(sentence, 'This panel is not set up: order-reference is missing')
  assert.equal(blind, true)
  assert.equal(problemOf({ amountMinor: 0 }), 'amount-minor')
})

test('an amount in pounds, a wish in words and a negative amount are refused, never rounded', () => {
  for (const amountMinor of [42.5, Number.NaN, -1, 1e12, Number.POSITIVE_INFINITY]) {
    assert.equal(problemOf({ amountMinor }), 'amount-minor')
    assert.equal(problemOf({ amountMinor, amountEditable: true }), 'amount-minor')
  }
})

test('an address that is none, small letters and a made-up currency are refused', () => {
  for (const api of ['tonewall.example', 'ftp://tonewall.example', '/v1', 'https://x.example/?a=1', 'https://u@x']) {
    assert.equal(problemOf({ api }), 'api')
  }
  for (const currency of ['gbp', 'XXX', 'GB', '']) assert.equal(problemOf({ currency }), 'currency')
  for (const call of ['17', 'bcdfghjklmnpqrstvw']) assert.equal(problemOf({ call }), 'call')
  assert.equal(problemOf({ token: 'two words' }), 'token')
})

test('a wrong amount does not hide the call, a wrong connection does', () => {
  assert.equal(setupProblem({ ...good, amountMinor: 0.5 })?.blind, false)
  assert.equal(setupProblem({ ...good, call: 'x' })?.blind, true)
})

test('references and account names are taken and refused exactly as by the API', () => {
  const references = ['A', 'a/b_c.d-e', '-a', ' a', 'a b', 'é', 'x'.repeat(64), 'x'.repeat(65), '4242424242424242']
  for (const orderReference of references) {
    const body = { amountMinor: 1, currency: 'GBP', orderReference }
    assert.equal(problemOf({ orderReference }) === undefined, newPayment.safeParse(body).success, orderReference)
  }
  for (const gatewayAccount of ['main', 'Main', 'a-1', '1a', 'a'.repeat(40), 'a'.repeat(41), 'a b']) {
    const body = { amountMinor: 1, currency: 'GBP', orderReference: 'A', gatewayAccount }
    assert.equal(problemOf({ gatewayAccount }) === undefined, newPayment.safeParse(body).success, gatewayAccount)
  }
})
