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
    nesting.started(this.#takeBack)
    if (execution === undefined) return isQuery
    const now = systemClock.monotonic()
    ;(span as Tagged)[SENDER] = { execution, call, startedAt: now, endedAt: 0 }
    call?.touched()
    if (isQuery) {
      this.#addStatements(execution, call, 1)
      call?.queryStarted(now)
    }
    return isQuery
  }

  /** To be called for each span that ends, before anything else is done with it. */
  ended(span: ReadableSpan): void {
    const { [NESTING]: nesting, [SENDER]: sender } = span as Tagged
    nesting?.ended()
    if (sender === undefined) return
    const now = systemClock.monotonic()
    if (nesting?.isCounted === true) sender.call?.queryEnded(now)
    else sender.endedAt = now - endedAgo(span, now - sender.startedAt)
  }

  /**
   * The same, after everything else. Whoever holds on to the span holds on to nothing of ours but the operation, which a span
   * inside it that is started later belongs to as well, and what runs around it.
   */
  over(span: ReadableSpan): void {
    const tagged = span as Tagged
    if (tagged[NESTING] === undefined) return
    tagged[NESTING] = tagged[NESTING].over(span)
    tagged[SENDER] = undefined
  }

  /** Whether a query that has ended counts. To be asked once: from then on none inside or around it does. */
  isStatement(span: ReadableSpan): boolean {
    // Without, it started while nothing was measured.
    return (span as Tagged)[NESTING]?.counts(this.#takeBack) ?? true
  }

  /** Whether it was counted as it started, and still is. */
  isCounted(span: ReadableSpan): boolean {
    return (span as Tagged)[NESTING]?.isCounted === true
  }

  /** Takes note of a query of `duration` nanoseconds that was not counted as it started. */
  found({ execution, call, endedAt }: Sender, duration: number): void {
    this.#addStatements(execution, call, 1)
    call?.queryFound(endedAt - duration, endedAt)
  }

  /** One that was counted as it started does not count, since one inside or around it does. */
  readonly #takeBack = (span: ReadableSpan): void => {
    const { [OPERATION]: operation, [SENDER]: sender } = span as Tagged
    if (operation !== undefined) operation.statements -= 1
    if (sender === undefined) return
    this.#addStatements(sender.execution, sender.call, -1)
    sender.call?.queryTakenBack()
  }

  #addStatements(execution: Execution, call: ResolverCall | undefined, count: 1 | -1): void {
    execution.statements += count
    if (call?.isOver && execution.isMeasured) this.#sentLate(call.name, count)
  }
}
