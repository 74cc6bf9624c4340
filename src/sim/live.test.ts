import assert from 'node:assert/strict'
import { EventEmitter } from 'node:events'
import { test } from 'node:test'
import type { WebSocket } from 'ws'
import { simLimits } from '../lib/limits.ts'
import { LiveHub } from './live.ts'
import { StateHolder } from './state.ts'

class Browser extends EventEmitter {
  send(): void {}
  terminate(): void {}
}
const socket = (browser: Browser): WebSocket => browser as unknown as WebSocket

test('the page is taken for gone when its last browser stays away, and not by a reload', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const live = new LiveHub(new StateHolder('event'))
  let deserted = 0
  live.onDeserted = () => deserted++
  const [first, second, reloaded] = [new Browser(), new Browser(), new Browser()]
  live.join(socket(first))
  live.join(socket(second))
  first.emit('close')
  t.mock.timers.tick(simLimits.desertedMs)
  assert.equal(deserted, 0, 'one browser still listens')
  second.emit('close')
  t.mock.timers.tick(simLimits.desertedMs - 1)
  live.join(socket(reloaded))
  t.mock.timers.tick(simLimits.desertedMs)
  assert.equal(deserted, 0, 'it came back in time')
  reloaded.emit('close')
  t.mock.timers.tick(simLimits.desertedMs)
  assert.equal(deserted, 1)
})
