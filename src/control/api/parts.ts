import type { FastifyBaseLogger, FastifyInstance, RawServerDefault } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Clock } from '../../lib/clock.ts'
import type { Log } from '../../lib/log.ts'
import type { RandomBytes } from '../../lib/random.ts'
import type { CdePort } from '../../wall/port.ts'
import type { Captures } from '../calls/captures.ts'
import type { Events } from '../events.ts'
import type { Resolver } from '../payments/resolver.ts'
import type { Store } from '../store/open.ts'
import type { Streams } from './streams.ts'

/** What the routes work with. */
export interface ApiParts {
  readonly store: Store
  readonly port: CdePort
  readonly events: Events
  readonly captures: Captures
  readonly resolver: Resolver
  readonly streams: Streams
  readonly clock: Clock
  readonly random: RandomBytes
  readonly log: Log
  /** Resolves when the last run is written off: requests that come earlier wait for it. */
  readonly started: Promise<void>
  readonly allowedOrigins: readonly string[]
  /** Of the key that reads the metrics, as letters. */
  readonly metricsKeyHash: string | undefined
  /** The built widget's script, or undefined when there is none. */
  readonly readWidget: () => Promise<Uint8Array | undefined>
}

/** A fastify instance whose routes are typed by their zod schemas. */
export type Api = FastifyInstance<RawServerDefault, IncomingMessage, ServerResponse, FastifyBaseLogger, ZodTypeProvider>
