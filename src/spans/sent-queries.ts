import type { ReadableSpan } from '@opentelemetry/sdk-trace'
import { systemClock } from '../lib/clock.js'
import { endedAgo } from './ended/measurements.js'
import { Nesting } from './nesting.js'
import type { ResolverCall } from './resolvers/call.js'
import type { Execution } from './resolvers/execution.js'
import { NESTING, OPERATION, SENDER, type Sender, type Tagged } from './tags.js'

/** Counts the queries for the operations and the resolver calls that send them, each once however many spans it has. */
export class SentQueries {
  readonly #sentLate: (name: string, statements: number) => void

  /** `sentLate` is told the resolver of each query that is sent after its call was recorded; -1 takes one back. */
  constructor(sentLate: (name: string, statements: number) => void) {
    this.#sentLate = sentLate
  }

  /**
   * To be called for each span that starts and is none of an operation; `call` and `execution` are those that it is sent
   * by. Returns whether it is a query already.
   */
  started(
    span: ReadableSpan,
    around: Tagged | undefined,
    execution: Execution | undefined,
    call: ResolverCall | undefined
  ): boolean {
    const nesting = new Nesting(span, around?.[NESTING])
    ;(span as Tagged)[NESTING] = nesting
    const isQuery = nesting.isOfPg
    if (isQuery) nesting.counts(this.#takeBack)
    if (execution === undefined) return isQuery
    ;(span as Tagged)[SENDER] = { execution, call, isQuery, endedAt: 0 }
    call?.touched()
    if (isQuery) {
      this.#addStatements(execution, call, 1)
      call?.queryStarted(systemClock.monotonic())
    }
    return isQuery
  }

  /** To be called for each span that ends, before anything else is done with it. */
  ended(span: ReadableSpan): void {
    const sender = (span as Tagged)[SENDER]
    if (sender === undefined) return
    if (sender.isQuery) sender.call?.queryEnded(systemClock.monotonic())
    else sender.endedAt = systemClock.monotonic() - endedAgo(span)
  }

  /** The same, after everything else. Whoever holds on to the span holds on to nothing of ours. */
  over(span: ReadableSpan): void {
    const tagged = span as Tagged
    if (tagged[NESTING] === undefined) return
    tagged[NESTING].over()
    tagged[NESTING] = undefined
    tagged[SENDER] = undefined
  }

  /** Whether a query that has ended counts, and none inside or around it does. */
  isStatement(span: ReadableSpan): boolean {
    const nesting = (span as Tagged)[NESTING]
    // Without, it started while nothing was measured.
    if (nesting === undefined) return true
    if (nesting.isOfPg || nesting.holdsQuery) return !nesting.holdsQuery
    if (nesting.isInsideOfPg) return false
    nesting.counts(this.#takeBack)
    return true
  }

  /** Takes note of a query of `duration` nanoseconds whose span did not tell, as it started, that it is one. */
  found({ execution, call, endedAt }: Sender, duration: number): void {
    this.#addStatements(execution, call, 1)
    call?.queryFound(endedAt - duration, endedAt)
  }

  /** One that was counted as it started has another one inside it, which counts instead. */
  readonly #takeBack = (span: ReadableSpan): void => {
    const { [OPERATION]: operation, [SENDER]: sender } = span as Tagged
    if (operation !== undefined) operation.statements -= 1
    if (sender === undefined) return
    sender.isQuery = false
    this.#addStatements(sender.execution, sender.call, -1)
    sender.call?.queryTakenBack()
  }

  #addStatements(execution: Execution, call: ResolverCall | undefined, count: 1 | -1): void {
    execution.statements += count
    if (call?.isOver && execution.isMeasured) this.#sentLate(call.name, count)
  }
}
