import { context, SpanStatusCode, type Span } from '@opentelemetry/api'
import type { ExecutionResult } from 'graphql'
import { begin, end } from './context-values.js'
import type { Execution } from './execution.js'
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
  const { isMeasured } = execution
  const began = isMeasured && sink.meter.operations.choose() ? sink.now() : 0
  begin(contextValue, execution)
  const start = sink.now()
  const { operations } = sink
  let result: Result
  operations.executing += 1
  try {
    result = needsContext(sink, execution) ? within(sink, execution, execute) : execute()
  } catch (error) {
    ended(sink, execution, span, began, start, undefined)
    throw error
  } finally {
    operations.executing -= 1
  }
  if (result instanceof Promise) whenSettled(result, sink, execution, span, began, start)
  else ended(sink, execution, span, began, start, result)
  return result
}

/** A function of its own, so that its closures are not made for an operation that does not wait. */
function whenSettled(
  result: Promise<ExecutionResult>,
  sink: ExecutionSink,
  execution: Execution,
  span: Span | undefined,
  began: number,
  start: number
): void {
  result.then(
    value => {
      ended(sink, execution, span, began, start, value)
    },
    () => {
      ended(sink, execution, span, began, start, undefined)
    }
  )
}

/** @param began when our own work for the operation began, where that is metered; 0 where it is not */
function ended(
  sink: ExecutionSink,
  execution: Execution,
  span: Span | undefined,
  began: number,
  start: number,
  result: ExecutionResult | undefined
): void {
  const now = sink.now()
  const failed = hasFailed(result)
  end(execution, sink.operations)
  if (execution.isMeasured) {
    execution.duration = Math.round(now - start)
    record(sink, execution, now, failed)
  }
  endSpan(sink, execution, span, failed)
  execution.letGoOfSpan()
  if (began !== 0) sink.meter.operations.measured(start - began + sink.now() - now)
}

function within<Result>({ contexts }: ExecutionSink, execution: Execution, execute: () => Result): Result {
  if (contexts === undefined) return context.with(execution, execute)
  const before = contexts.enter(execution)
  try {
    return execute()
  } finally {
    contexts.leave(execution, before)
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
function record(sink: ExecutionSink, execution: Execution, endedAt: number, failed: boolean): void {
  try {
    sink.executed(execution, endedAt, failed)
    if (!execution.facts.isOwn) sink.meter.spans += 1
  } catch (error) {
    sink.slowTraces?.ended(execution, undefined)
    sink.caught(error)
    sink.lost()
  }
}

function endSpan(sink: ExecutionSink, { exported }: Execution, span: Span | undefined, failed: boolean): void {
  try {
    exported?.ending()
    if (failed) span?.setStatus({ code: SpanStatusCode.ERROR })
    span?.end()
  } catch (error) {
    // A span processor of the application's may throw.
    sink.caught(error)
  }
}

/** So that SQL which no resolver call sent is told which operation did, and shared context values are told apart. */
function needsContext(sink: ExecutionSink, execution: Execution): boolean {
  return sink.sendsSql || execution.exported !== undefined || execution.sharesWith !== undefined
}
