import type { FastifyBaseLogger } from 'fastify'
import { GraphQLError, type ExecutionResult, type FormattedExecutionResult } from 'graphql'
import type { MercuriusContext } from 'mercurius'
import { errorStatus, internalError, TrackerError, type TrackerErrorCode } from './errors.js'

type FailedExecution = ExecutionResult & Required<Pick<ExecutionResult, 'errors'>>

interface FormattedResponse {
  readonly statusCode: number
  readonly response: FormattedExecutionResult
}

/**
 * Decides what clients see of errors. A request that was executed answers 200, whatever its fields met; one that was
 * refused answers 4xx. Faults are logged and masked.
 */
export function formatErrors(execution: FailedExecution, context: MercuriusContext): FormattedResponse {
  const log = (context as Partial<MercuriusContext>).reply?.log ?? context.app.log
  const errors = execution.errors.flatMap(unwrap).map(error => toPublicError(error, log))
  const wasExecuted = 'data' in execution
  return {
    statusCode: wasExecuted ? 200 : Math.max(...errors.map(statusOf)),
    response: { ...(wasExecuted && { data: execution.data ?? null }), errors: errors.map(error => error.toJSON()) }
  }
}

/** The Tracker's own errors as they are, anything else as a fault. */
export function maskError(error: unknown, path: readonly (string | number)[], log: FastifyBaseLogger): Error {
  if (error instanceof TrackerError || isForClients(codeOf(error))) return error as Error
  logFault(error, path, log)
  return internalError()
}

/** Mercurius wraps what validation found in one error of its own. */
function unwrap(error: GraphQLError): GraphQLError[] {
  const wrapped = (error.originalError as { errors?: unknown } | undefined)?.errors
  if (frameworkCode(error) !== 'MER_ERR_GQL_VALIDATION' || !Array.isArray(wrapped)) return [error]
  return wrapped.map(inner => (inner instanceof GraphQLError ? inner : wrap(inner)))
}

function wrap(error: unknown): GraphQLError {
  const originalError = error instanceof Error ? error : new Error(String(error))
  return new GraphQLError(originalError.message, { originalError })
}

/** The error as clients may see it: always with a code. Faults are logged. */
export function toPublicError(error: GraphQLError, log: FastifyBaseLogger): GraphQLError {
  if (error.extensions.code !== undefined && isOurs(error)) return error
  const refusal = refusalByFramework(error)
  if (refusal !== undefined) return refusal
  if (isOfGraphQL(error)) return withCode(error)
  logFault(error.originalError ?? error, error.path ?? [], log)
  return copy(error, internalError())
}

function isOurs(error: GraphQLError): boolean {
  return error instanceof TrackerError || error.originalError instanceof TrackerError || isForClients(codeOf(error))
}

/** Errors of the fields of mercurius-performance; what its pool met is a fault like any other of the database. */
function isForClients(code: string): boolean {
  return /^MPERF_(?:FORBIDDEN|ARGUMENT_INVALID|HISTORY_OFF|HISTORY_UNAVAILABLE)$/.test(code)
}

/** Made by graphql-js about the document or its variables; what has a path came out of a resolver or its value. */
function isOfGraphQL(error: GraphQLError): boolean {
  return error.path === undefined && (error.originalError === undefined || error.originalError instanceof GraphQLError)
}

function withCode(error: GraphQLError): GraphQLError {
  if (!error.message.startsWith('Syntax Error')) {
    return copy(error, { message: error.message, extensions: { code: 'GRAPHQL_VALIDATION_FAILED' } })
  }
  return error.message.endsWith(' tokens. Parsing aborted.')
    ? copy(error, new TrackerError('TOO_MANY_TOKENS', error.message.replace('contains more that', 'has more than')))
    : copy(error, { message: error.message, extensions: { code: 'GRAPHQL_PARSE_FAILED' } })
}

/** Errors of Fastify and Mercurius about the request. Their texts are theirs, not an engine's or a parser's. */
const frameworkCodes: Readonly<Record<string, TrackerErrorCode>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: 'PAYLOAD_TOO_LARGE',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'UNSUPPORTED_MEDIA_TYPE',
  MER_ERR_GQL_CSRF_PREVENTION: 'CSRF_PREVENTED',
  MER_ERR_METHOD_NOT_ALLOWED: 'METHOD_NOT_ALLOWED'
}

function refusalByFramework(error: GraphQLError): TrackerError | undefined {
  const code = frameworkCode(error)
  const known = frameworkCodes[code]
  if (known !== undefined) return new TrackerError(known, error.message)
  // Thrown for `variables` in a URL that are no JSON; the text is the engine's.
  if (error.originalError instanceof SyntaxError)
    return new TrackerError('BAD_REQUEST', 'the request is not valid JSON')
  if (isUnknownOperation(error)) return new TrackerError('BAD_REQUEST', 'operationName: expected one of the operations')
  const status = (error.originalError as { statusCode?: unknown } | undefined)?.statusCode
  const isRefusal = /^(?:FST|MER)_ERR_/.test(code) && typeof status === 'number' && status >= 400 && status < 500
  return isRefusal ? new TrackerError('BAD_REQUEST', error.message) : undefined
}

/** For a GET whose operation is not in the document, Mercurius reads a property of null. */
function isUnknownOperation({ path, originalError }: GraphQLError): boolean {
  const isOutsideOfResolvers = path === undefined && originalError instanceof TypeError
  return isOutsideOfResolvers && originalError.message.endsWith("null (reading 'operation')")
}

function frameworkCode(error: GraphQLError): string {
  const code = (error.originalError as { code?: unknown } | undefined)?.code
  return typeof code === 'string' ? code : ''
}

function codeOf(error: unknown): string {
  const code = (error as { extensions?: { code?: unknown } | undefined } | null | undefined)?.extensions?.code
  return typeof code === 'string' ? code : ''
}

function copy(
  { nodes, source, positions, path }: GraphQLError,
  { message, extensions }: Pick<GraphQLError, 'message' | 'extensions'>
): GraphQLError {
  return new GraphQLError(message, {
    nodes: nodes ?? null,
    source: source ?? null,
    positions: positions ?? null,
    path: path ?? null,
    extensions
  })
}

function statusOf(error: GraphQLError): number {
  const status: Readonly<Record<string, number>> = errorStatus
  return status[codeOf(error)] ?? 400
}

/** No message: Postgres quotes values in its own. The stack without its first line says where, which is what one needs. */
function logFault(error: unknown, path: readonly (string | number)[], log: FastifyBaseLogger): void {
  const { name, code, stack }: Error & { code?: unknown } = error instanceof Error ? error : new Error()
  const frames = stack?.split('\n').filter(frame => /^\s+at /.test(frame))
  log.error(
    { error: { name, code, path: path.join('.'), stack: frames?.slice(0, 10).join('\n') } },
    'a resolver or the server failed'
  )
}
