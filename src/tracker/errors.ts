import { GraphQLError } from 'graphql'

/** Every code that the Tracker itself answers with, and the HTTP status where the whole request is refused for it. */
export const errorStatus = {
  BAD_INPUT: 400,
  NOT_FOUND: 404,
  BAD_REQUEST: 400,
  GRAPHQL_PARSE_FAILED: 400,
  GRAPHQL_VALIDATION_FAILED: 400,
  QUERY_TOO_DEEP: 400,
  TOO_MANY_ALIASES: 400,
  TOO_MANY_DIRECTIVES: 400,
  TOO_MANY_TOKENS: 400,
  TOO_MANY_OPERATIONS: 400,
  TOO_MANY_SUBSCRIPTIONS: 400,
  CSRF_PREVENTED: 400,
  METHOD_NOT_ALLOWED: 405,
  PAYLOAD_TOO_LARGE: 413,
  UNSUPPORTED_MEDIA_TYPE: 415,
  INTERNAL_SERVER_ERROR: 500
} as const satisfies Record<string, number>

export type TrackerErrorCode = keyof typeof errorStatus

/** An error that clients may see as it is. */
export class TrackerError extends GraphQLError {
  constructor(code: TrackerErrorCode, message: string) {
    super(message, { extensions: { code } })
  }
}

export function badInput(message: string): TrackerError {
  return new TrackerError('BAD_INPUT', message)
}

export function notFound(noun: string): TrackerError {
  return new TrackerError('NOT_FOUND', `there is no such ${noun}`)
}

/** What clients see of a fault: nothing. The log has the rest. */
export function internalError(): TrackerError {
  return new TrackerError('INTERNAL_SERVER_ERROR', 'Internal server error')
}
