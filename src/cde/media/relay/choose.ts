import type { PolledEngine } from './engine.ts'
import type { Libc } from './libc.ts'

export type EngineName = 'uring' | 'epoll'

/**
 * The engine of that name, where it may run: a native addon must load, and the kernel must do what is asked of it.
 * @param libc in place of the system's calls
 * @returns undefined otherwise
 */
export async function polledEngine(name: EngineName, libc?: Libc): Promise<PolledEngine | undefined> {
  try {
    if (name === 'epoll') return new (await import('./engine-epoll.ts')).EpollEngine(libc)
    return new (await import('./engine-uring.ts')).UringEngine(libc)
  } catch {
    return undefined
  }
}
