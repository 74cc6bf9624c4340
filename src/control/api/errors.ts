/** Turns everything that can go wrong into our own codes. Nothing of the request is ever in the answer or the log (STYLE rule 10). */
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import { type ErrorCode, TonewallError } from '../../lib/errors.ts'
import type { Log } from '../../lib/log.ts'

export interface ErrorBody {
  error: { code: string; message: string; requestId: string; details?: Record<string, unknown> }
}

export function errorBodyOf(error: TonewallError, requestId: string): ErrorBody {
  const { code, message, details } = error
  const hasDetails = Object.keys(details).length > 0
  return { error: { code, message, requestId, ...(hasDetails && { details: { ...details } }) } }
}

/** One problem of a request: where, in names of our own schema, and which rule. */
interface Problem {
  readonly in: string
  readonly path: string
  readonly rule: string
}

/** The one function that answers for a failure. */
export function answerError(log: Log, error: unknown, request: FastifyRequest, reply: FastifyReply): void {
  const known = translate(error)
  if (known.code === 'INTERNAL') {
    // The name and the first frame say where; the message may quote what was sent, so it stays out.
    log.error({ requestId: request.id, ...whereOf(error) }, 'request failed')
  }
  void reply.code(known.httpStatus).type('application/json').send(errorBodyOf(known, request.id))
}

function translate(error: unknown): TonewallError {
  if (error instanceof TonewallError) return error
  const { statusCode, validation, validationContext } = error as Partial<FastifyError>
  if (validation !== undefined) {
    const where = validationContext ?? 'body'
    return new TonewallError('BODY_INVALID', { problems: validation.map((issue) => problemOf(where, issue)) })
  }
  return new TonewallError(codeOfStatus(statusCode))
}

function codeOfStatus(status: number | undefined): ErrorCode {
  if (status === undefined || status >= 500) return 'INTERNAL'
  if (status === 404 || status === 405 || status === 414) return 'NOT_FOUND'
  if (status === 413) return 'BODY_TOO_LARGE'
  return 'BODY_INVALID'
}

// Rules are zod's issue codes and our own words; a path is made of names of our schemas and small indexes. Anything else is input.
const RULE = /^[a-z][a-z_-]{0,40}$/
const SEGMENT = /^(?:[a-zA-Z]{1,40}|\d{1,3})$/

function problemOf(where: string, issue: object): Problem {
  const { instancePath = '', keyword = '', message = '' } = issue as Partial<Record<string, string>>
  const segments = instancePath.split('/').filter((segment) => segment !== '')
  const safe = segments.every((segment) => SEGMENT.test(segment))
  const rule = keyword === 'custom' ? message : keyword
  return {
    in: where,
    path: safe ? segments.join('.') : '',
    rule: RULE.test(rule) ? rule : 'invalid',
  }
}

/** The error's class and code, and the first frame of ours (or the first at all): enough to find the place, nothing of the data. */
function whereOf(error: unknown): { error: string; code: string; at: string } {
  if (!(error instanceof Error)) return { error: 'unknown', code: '', at: '' }
  const { code } = error as NodeJS.ErrnoException
  const frames = (error.stack ?? '').split('\n').filter((line) => line.startsWith('    at '))
  const frame = frames.find((line) => line.includes('.ts:')) ?? frames[0] ?? ''
  return {
    error: error.constructor.name,
    code: typeof code === 'string' && /^[A-Z_]{1,60}$/.test(code) ? code : '',
    at: /[\w.-]+\.[jt]s:\d+/.exec(frame)?.[0] ?? '',
  }
}
