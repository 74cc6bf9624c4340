/**
 * What is on the event streams: the JSON behind `data:` of each message, one shape per type. Control writes events as they come
 * (`../events.ts`); these describe them to readers, and a test holds the two together. A reader must let unknown types pass.
 */
import { z } from 'zod'
import { callEndReasons, captureCloseReasons, captureModes, configuredName, results } from '../../wall/messages.ts'
import { uncertainReasons } from '../../wall/messages.ts'
import { call, capture, field, id, named, payment, time } from './schemas.ts'

/** @param shape what the type has beside its number, its time and its name */
const ofCall = <T extends string, S extends z.ZodRawShape>(type: T, shape: S) =>
  z.strictObject({ seq: z.number().int(), at: time, type: z.literal(type), callId: id, ...shape })
const ofMerchant = <T extends string>(type: T) =>
  z.strictObject({ seq: z.number().int(), at: time, type: z.literal(type) })

export const event = named(
  'Event',
  z.discriminatedUnion('type', [
    ofCall('call.started', { number: configuredName, headers: call.shape.headers }),
    ofCall('call.answered', {}),
    ofCall('call.ended', { result: z.enum(results), reason: z.enum(callEndReasons) }),
    /** The final figures; they may follow the call's end. */
    ofCall('call.quality', { quality: call.shape.quality.unwrap() }),
    /** While a capture is open, nothing comes from the caller, or it comes again. */
    ofCall('caller.silent', {}),
    ofCall('caller.heard', {}),
    /** The line sends every key twice, and each is counted once from now on; or does so no more. */
    ofCall('line.slow', { on: z.boolean() }),
    ofCall('capture.started', { captureId: id, mode: z.enum(captureModes), capture }),
    /** Nothing of the caller reaches the agent unmasked, in no way. */
    ofCall('capture.secured', { captureId: id }),
    ofCall('capture.field', { captureId: id, field }),
    /** A key was pressed, but which one is not certain; `at` is its place in the field, counted from 1, when known. */
    ofCall('key.uncertain', {
      captureId: id,
      field: configuredName,
      why: z.enum(uncertainReasons),
      at: z.number().int().optional(),
    }),
    ofCall('capture.closed', { captureId: id, reason: z.enum([...captureCloseReasons, 'not-started']) }),
    ofCall('capture.lost', { captureId: id, reason: z.literal('lost') }),
    /** Keys that no field had asked for: masked, counted, dropped. */
    ofCall('keys.dropped', { count: z.number().int() }),
    ofCall('payment.changed', { payment }),
    ofMerchant('cde.up'),
    ofMerchant('cde.down'),
  ]),
)
