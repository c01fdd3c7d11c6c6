import type { ReadableSpan } from '@opentelemetry/sdk-trace'
import type { Nesting } from './nesting.js'
import type { ResolverCall } from './resolvers/call.js'
import type { Execution } from './resolvers/execution.js'
import type { RunningOperation } from './running-operation.js'

export const OPERATION = Symbol('mercurius-performance.operation')
export const SENDER = Symbol('mercurius-performance.sender')
export const NESTING = Symbol('mercurius-performance.nesting')
/** On a span whose `graphql.source` is ours. */
export const SOURCE = Symbol('mercurius-performance.source')
/** On a span that was measured while it was about to end. */
export const ENDED = Symbol('mercurius-performance.ended')

/**
 * What is known of a span that runs. The span itself carries it: a WeakMap of spans grows with traffic until a full garbage
 * collection and does not shrink again.
 */
export interface Tagged {
  /** The operation that it belongs to. */
  [OPERATION]?: RunningOperation
  /** Undefined once it is over: work that starts itself anew has a span inside that of the one before. */
  [SENDER]?: Sender | undefined
  /** Its own while it runs; then that of what runs around it. */
  [NESTING]?: Nesting | undefined
  [SOURCE]?: true
  [ENDED]?: true
}

/** Inside what a span runs: an operation that is measured itself and, where it is known, one of its resolver calls. */
export interface Sender {
  readonly execution: Execution
  readonly call: ResolverCall | undefined
  /** Monotonic nanoseconds, as the next. */
  readonly startedAt: number
  /** Only where it was not counted as a query. */
  endedAt: number
}

/** Inside what a span runs. */
export function senderOf(span: ReadableSpan): Sender | undefined {
  return (span as Tagged)[SENDER]
}
