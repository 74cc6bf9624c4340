import process from 'node:process'

/**
 * Resolves when the operator or the service manager asks the process to end. Asking twice (Ctrl-C reaches the whole group,
 * and the launcher passes it on) must not cut the orderly end short: calls are being hung up.
 */
export function interrupted(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => resolve())
  })
}
