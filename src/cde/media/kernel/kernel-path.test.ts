import assert from 'node:assert/strict'
import { test } from 'node:test'
import { kernelLimits } from '../../../lib/limits.ts'
import { KernelPath, type PathEffect } from './kernel-path.ts'

/** So many plain packets of each side as are needed, and what the last one brings. */
function plain(path: KernelPath, nowMs = 0): PathEffect | undefined {
  let effect: PathEffect | undefined
  for (let count = 0; count < kernelLimits.plainPacketsMin; count++) {
    assert.equal(effect, undefined)
    assert.equal(path.plain('caller', nowMs), undefined)
    effect = path.plain('agent', nowMs)
  }
  return effect
}

function inKernel(): KernelPath {
  const path = new KernelPath()
  assert.equal(plain(path), 'set')
  path.answered(true, 0)
  return path
}

test('a call goes into the kernel when both directions have been plain for long enough', () => {
  const path = new KernelPath()
  for (let count = 0; count < 10 * kernelLimits.plainPacketsMin; count++) {
    assert.equal(path.plain('caller', 0), undefined)
  }
  for (let count = 1; count < kernelLimits.plainPacketsMin; count++) assert.equal(path.plain('agent', 0), undefined)
  assert.equal(path.plain('agent', 0), 'set')
  assert.equal(path.plain('agent', 0), undefined)
})

test('what changes on the way begins the waiting anew', () => {
  const path = new KernelPath()
  for (let count = 1; count < kernelLimits.plainPacketsMin; count++) {
    path.plain('caller', 0)
    path.plain('agent', 0)
  }
  assert.equal(path.leave(), undefined)
  assert.equal(path.plain('caller', 0), undefined)
  assert.equal(path.plain('agent', 0), undefined)
})

test('a kernel that refuses is asked again half a minute later', () => {
  const path = new KernelPath()
  plain(path)
  path.answered(false, 1_000)
  assert.equal(path.plain('caller', kernelLimits.retryMs), undefined)
  assert.equal(path.plain('caller', 1_000 + kernelLimits.retryMs), 'set')
})

test('nothing is in the kernel: the line is secured as soon as it is armed, each time', () => {
  const path = new KernelPath()
  assert.equal(path.arm(), 'secured')
  assert.equal(path.arm(), 'secured')
})

test('the line is secured when the entries are gone and a packet has come that the kernel would have taken', () => {
  const path = inKernel()
  assert.equal(path.packetSeen(1), undefined)
  assert.equal(path.arm(), 'remove')
  assert.equal(path.packetSeen(128), undefined)
  assert.equal(path.packetSeen(129), 'secured')
  assert.equal(path.packetSeen(130), undefined)
})

test('armed again before it is secured: said once, when it is', () => {
  const path = inKernel()
  assert.equal(path.arm(), 'remove')
  assert.equal(path.arm(), undefined)
  assert.equal(path.packetSeen(1), 'secured')
})

test('armed on its way back: nothing is left to remove, but the packet is waited for', () => {
  const path = inKernel()
  assert.equal(path.leave(), 'remove')
  assert.equal(path.leave(), undefined)
  assert.equal(path.arm(), undefined)
  assert.equal(path.packetSeen(1), 'secured')
})

test('a call that was armed once never goes into the kernel again', () => {
  const path = inKernel()
  path.arm()
  path.packetSeen(1)
  assert.equal(plain(path), undefined)
  assert.equal(path.state, 'user')
})

test('a call that left for another reason goes back when it is plain again', () => {
  const path = inKernel()
  path.leave()
  assert.equal(plain(path), undefined)
  assert.equal(path.packetSeen(5), undefined)
  assert.equal(path.plain('caller', 0), 'set')
})
