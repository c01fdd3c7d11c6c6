import { context, SpanStatusCode, type Span } from '@opentelemetry/api'
import { isTimed } from '../self-measurement.js'
import type { RareParts, ResolverCall } from './call.js'
import type { Execution } from './execution.js'
import type { CallWriter, ResolverSink } from './sinks.js'
import type { SpanKindOfResolver } from './span.js'

/** Calls in a row without a promise and without a span, after which a resolver is taken for one that only computes. */
const QUIET_CALLS = 32
/** In the place of how many there were, once it has made one: it is never again taken to only compute. */
const NEVER_QUIET = -1

/** Times the calls of one resolver and hands them on when they are over. */
export class CallRecorder {
  /** `Type.field`. */
  readonly name: string
  /** What every exported span of it says. */
  readonly kind: SpanKindOfResolver
  readonly #writer: CallWriter
  readonly #sink: ResolverSink
  /** The newest call whose cost is metered, and the nanoseconds of ours that went before it. */
  #metered: ResolverCall | undefined
  #meteredBefore = 0
  /** Calls without a promise or a span so far. */
  #quietCalls = 0

  constructor(name: string, kind: SpanKindOfResolver, sink: ResolverSink) {
    this.name = name
    this.kind = kind
    this.#writer = sink.callWriter(name)
    this.#sink = sink
  }

  /** Whether the resolver has only computed so far, often enough to take it for one that always will. */
  get isQuiet(): boolean {
    return this.#quietCalls >= QUIET_CALLS
  }

  /** Takes note that the resolver does more than to compute. */
  mayWait(): void {
    this.#quietCalls = NEVER_QUIET
  }

  /** The call is over at once, without a promise. */
  returned(call: ResolverCall): void {
    this.ended(call, false)
    // While measuring is off nobody says that it starts spans.
    const quiet = this.#quietCalls
    if (quiet >= 0 && quiet < QUIET_CALLS && call.execution.isMeasured) this.#quietCalls = quiet + 1
    if (call.isKnown || call.hasContext) return
    // A fault may have left it there.
    if (call === this.#metered) this.#metered = undefined
    this.#sink.operations.spare.put(call)
  }

  ended(call: ResolverCall, failed: boolean): void {
    call.isOver = true
    if (call.start >= 0 || call.execution.isMeasured) this.#take(call, failed)
    const span = call.rare?.exportedSpan
    if (span !== undefined) this.#endSpan(span, failed)
  }

  /** Asks for what a lazy result has to give, which sends its SQL only then, as a part of the call. */
  asking<Result>(call: ResolverCall, ask: () => Result): Result {
    const { operations } = this.#sink
    const { call: outer, inContext } = operations
    operations.running(call)
    try {
      return call.hasContext ? context.with<[], () => Result>(call, ask) : ask()
    } finally {
      operations.call = outer
      operations.inContext = inContext
    }
  }

  /**
   * To be called last before the resolver itself runs.
   *
   * @param began when our own work for the call began, where that is metered; 0 where it is not
   */
  started(call: ResolverCall, began: number): void {
    if (!isTimed(this.#sink.detail)) {
      // What it costs not to be timed belongs to the cost of calls too.
      if (began !== 0) this.#meter(call, this.#sink.now() - began)
      return
    }
    if (call.rare !== undefined && !call.execution.isMeasured) return
    call.start = this.#sink.now()
    call.rare?.parent?.nestedStarted(call.start)
    if (began !== 0) this.#meter(call, call.start - began)
  }

  /** The context of a call could only be entered after it had started; that took our time, and not the resolver's. */
  entered(call: ResolverCall): void {
    if (call.start < 0) return
    const now = this.#sink.now()
    if (call === this.#metered) this.#meteredBefore += now - call.start
    call.start = now
  }

  #meter(call: ResolverCall, before: number): void {
    this.#metered = call
    this.#meteredBefore = before
  }

  #take(call: ResolverCall, failed: boolean): void {
    try {
      if (call.start >= 0) this.#record(call, failed)
      else if (call === this.#metered) this.#countMetered(call, failed)
      else this.#count(call, failed)
      this.#sink.meter.spans += 1
      this.#sink.succeeded()
    } catch (error) {
      this.#sink.caught(error)
      this.#sink.lost()
    }
  }

  #record(call: ResolverCall, failed: boolean): void {
    const now = this.#sink.now()
    const duration = Math.round(now - call.start)
    const { execution, waits, rare } = call
    // What others wait for comes first, and what can fail last.
    execution.kept?.ended(call, now, duration, failed)
    if (rare !== undefined) this.#recordRare(execution, rare, duration, now)
    if (waits === undefined) {
      this.#writer.write(now, duration, failed, call.argsCount, execution.trace, 0, 0, duration)
    } else {
      const sqlTime = Math.min(duration, Math.round(waits.sql.until(now)))
      const selfTime = Math.max(0, duration - Math.round(waits.all.until(now)))
      this.#writer.write(now, duration, failed, call.argsCount, execution.trace, waits.statements, sqlTime, selfTime)
    }
    if (duration >= this.#sink.loggedFrom) this.#sink.log(this.name, duration, failed, execution.trace)
    if (call !== this.#metered) return
    this.#metered = undefined
    this.#sink.meter.calls.measured(this.#meteredBefore + this.#sink.now() - now)
  }

  #count({ execution, waits, rare }: ResolverCall, failed: boolean): void {
    const { kept } = execution
    if (kept !== undefined) kept.droppedCalls += 1
    if (rare?.path !== undefined) execution.resolved(rare.path, undefined)
    this.#sink.counted(this.name, failed, waits?.statements ?? 0)
  }

  /** A call that is only counted reads no clock, so that what the readings take is taken off. */
  #countMetered(call: ResolverCall, failed: boolean): void {
    const { calls } = this.#sink.meter
    this.#metered = undefined
    const began = this.#sink.now()
    this.#count(call, failed)
    const ended = this.#sink.now()
    const reading = this.#sink.now() - ended
    calls.measured(this.#meteredBefore + ended - began - 2 * reading)
  }

  #recordRare(execution: Execution, { parent, path }: RareParts, duration: number, now: number): void {
    parent?.nestedEnded(now)
    if (path !== undefined) execution.resolved(path, { executionTime: duration / 1e9, resolverName: this.name })
  }

  #endSpan(span: Span, failed: boolean): void {
    try {
      if (failed) span.setStatus({ code: SpanStatusCode.ERROR })
      span.end()
    } catch (error) {
      // A span processor of the application's may throw.
      this.#sink.caught(error)
    }
  }
}
