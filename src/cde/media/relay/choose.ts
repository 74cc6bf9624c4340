import type { PolledEngine } from './engine.ts'

export type EngineName = 'uring' | 'epoll'

/**
 * The engine of that name, where it may run: a native addon must load, and the kernel must do what is asked of it.
 * @returns undefined otherwise
 */
export async function polledEngine(name: EngineName): Promise<PolledEngine | undefined> {
  try {
    if (name === 'epoll') return new (await import('./engine-epoll.ts')).EpollEngine()
    return new (await import('./engine-uring.ts')).UringEngine()
  } catch {
    return undefined
  }
}
