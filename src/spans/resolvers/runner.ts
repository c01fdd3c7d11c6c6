import { context, SpanStatusCode, type Span } from '@opentelemetry/api'
import type { ExecutionResult } from 'graphql'
import { DROPPED_RESOLVER_SPANS } from '../sample.js'
import { begin, end, type Execution } from './execution.js'
import type { ExecutionSink } from './sinks.js'

type Outcome = ExecutionResult | Promise<ExecutionResult>

/**
 * Runs `execute` as `execution`, whose resolvers are given `contextValue`, and hands it to `sink` when it is over.
 *
 * @param span the operation's span, where it has to be ended here
 */
export function run<Result extends Outcome>(
  sink: ExecutionSink,
  execution: Execution,
  contextValue: unknown,
  span: Span | undefined,
  execute: () => Result
): Result {
  const { operations } = sink
  const { isMeasured } = execution
  const began = isMeasured && sink.meter.operations.choose() ? sink.now() : 0
  const ended = (result: ExecutionResult | undefined): void => {
    const now = sink.now()
    const failed = hasFailed(result)
    end(execution, operations)
    if (isMeasured) record(sink, execution, now, Math.round(now - start), failed)
    endSpan(sink, execution, span, failed)
    if (began !== 0) sink.meter.operations.measured(start - began + sink.now() - now)
  }
  let result: Result
  begin(contextValue, execution)
  const start = sink.now()
  operations.executing += 1
  try {
    result = needsContext(sink, execution) ? within(sink, execution, execute) : execute()
  } catch (error) {
    ended(undefined)
    throw error
  } finally {
    operations.executing -= 1
  }
  if (result instanceof Promise) {
    result.then(ended, () => {
      ended(undefined)
    })
  } else {
    ended(result)
  }
  return result
}

function within<Result>({ contexts }: ExecutionSink, execution: Execution, execute: () => Result): Result {
  if (contexts === undefined) return context.with(execution, execute)
  const before = contexts.enter(execution)
  try {
    return execute()
  } finally {
    contexts.leave(before)
  }
}

function hasFailed(result: ExecutionResult | undefined): boolean {
  try {
    return result === undefined || (result.errors?.length ?? 0) > 0
  } catch {
    // An executor of the application's own may answer with anything.
    return true
  }
}

/** What is exported of an operation does not depend on whether it could be recorded. */
function record(sink: ExecutionSink, execution: Execution, endedAt: number, duration: number, failed: boolean): void {
  try {
    execution.endedAt = endedAt
    execution.duration = duration
    sink.executed(execution, duration, failed)
    if (!execution.facts.isOwn) sink.meter.spans += 1
  } catch (error) {
    sink.slowTraces?.ended(execution, false, false)
    sink.caught(error)
    sink.lost()
  }
}

function endSpan(
  sink: ExecutionSink,
  { exportedSpan, droppedCalls }: Execution,
  span: Span | undefined,
  failed: boolean
): void {
  try {
    if (droppedCalls > 0) exportedSpan?.setAttribute(DROPPED_RESOLVER_SPANS, droppedCalls)
    if (failed) span?.setStatus({ code: SpanStatusCode.ERROR })
    span?.end()
  } catch (error) {
    // A span processor of the application's may throw.
    sink.caught(error)
  }
}

/** So that SQL which no resolver call sent is told which operation did, and shared context values are told apart. */
function needsContext(sink: ExecutionSink, execution: Execution): boolean {
  return sink.sendsSql || execution.exportedSpan !== undefined || execution.sharesWith !== undefined
}
