import { context } from '@opentelemetry/api'
import type { RunningOperations } from '../operations.js'
import { EXECUTION_KEY } from './contexts.js'
import type { Execution } from './execution.js'
import { Stamp } from './stamp.js'

/** The execution that calls a resolver with this context value; undefined where none does that is measured. */
export function executionOf(contextValue: unknown): Execution | undefined {
  const marked = isMarkable(contextValue) ? executionIn(Stamp.onMarked(contextValue)) : undefined
  if (marked?.sharers === 0) return marked
  const active = context.active().getValue(EXECUTION_KEY) as Execution | undefined
  return active?.sharesWith === (marked ?? null) ? active : marked
}

/**
 * Lets resolvers that are given `contextValue` find `execution`. Where the value cannot tell, since it is no object or
 * another execution runs on it, the execution has to run in its own OpenTelemetry context: `sharesWith` is set then.
 */
export function begin(contextValue: unknown, execution: Execution): void {
  execution.isRunning = true
  if (!isMarkable(contextValue)) {
    execution.sharesWith = null
    return
  }
  const marked = Stamp.on(contextValue) as Execution | null | undefined
  if (marked === undefined) {
    Stamp.first(contextValue, execution)
  } else if (marked === null || (!marked.isRunning && marked.sharers === 0)) {
    Stamp.put(contextValue, execution)
  } else {
    execution.sharesWith = marked
    marked.sharers += 1
  }
}

/** Takes the mark of an operation that is over off a context value that another one is executed with, unmeasured. */
export function forget(contextValue: unknown): void {
  if (!isMarkable(contextValue)) return
  const marked = markOn(contextValue)
  if (marked !== undefined && !marked.isRunning && marked.sharers === 0) Stamp.put(contextValue, null)
}

export function end(execution: Execution, { spare }: RunningOperations): void {
  execution.isRunning = false
  spare.forget(execution)
  if (execution.sharesWith) execution.sharesWith.sharers -= 1
}

/** The execution that a context value was given to last; undefined also where that mark was taken off. */
function markOn(contextValue: object): Execution | undefined {
  return executionIn(Stamp.on(contextValue))
}

function executionIn(note: unknown): Execution | undefined {
  return (note as Execution | null | undefined) ?? undefined
}

function isMarkable(contextValue: unknown): contextValue is object {
  return (typeof contextValue === 'object' && contextValue !== null) || typeof contextValue === 'function'
}
