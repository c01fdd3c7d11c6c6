import type { Context, Span } from '@opentelemetry/api'
import type { ContextFrame } from '../context-frames.js'
import type { EnterableContext } from '../context-manager.js'
import { CALL_KEY, LayeredContext, SPAN_KEY } from './contexts.js'
import type { Execution, Path } from './execution.js'
import type { CallRecorder } from './recorder.js'
import { Waits } from './waits.js'

/**
 * A running call of a resolver. It is itself the OpenTelemetry context in which the resolver runs, so that whatever
 * starts a span inside, such as a query, can be told which resolver sent it. All times are monotonic nanoseconds.
 */
export class ResolverCall implements EnterableContext {
  execution: Execution
  recorder: CallRecorder
  argsCount = 0
  /** Negative unless it is timed, and not only counted. */
  start = -1
  /** Whether it runs in itself as context. */
  readonly hasContext: boolean
  isOver = false
  /** Whether anybody may know of it when it is over; if not, another call may use the object again. */
  isKnown = false
  /** What it waited for; undefined until there is something. */
  waits: Waits | undefined = undefined
  frame: ContextFrame | undefined = undefined
  frameAround: ContextFrame | undefined = undefined
  /** What few calls have. Many calls wait at the same time, so that each byte of one is copied by garbage collection. */
  rare: RareParts | undefined = undefined

  constructor(execution: Execution, recorder: CallRecorder, hasContext: boolean) {
    this.execution = execution
    this.recorder = recorder
    this.hasContext = hasContext
  }

  /** Makes it ready for another call. It keeps its execution, since most often the next one belongs to it too. */
  reset(): void {
    this.argsCount = 0
    this.start = -1
    this.isOver = false
    this.rare = undefined
  }

  /** `Type.field`. */
  get name(): string {
    return this.recorder.name
  }

  getValue(key: symbol): unknown {
    // A call that is not exported leaves its children to the operation.
    if (key === SPAN_KEY) return this.rare?.exportedSpan ?? this.execution.span
    return key === CALL_KEY ? this : this.execution.getValue(key)
  }

  setValue(key: symbol, value: unknown): Context {
    return new LayeredContext(this, new Map([[key, value]]))
  }

  deleteValue(key: symbol): Context {
    return new LayeredContext(this, new Map([[key, undefined]]))
  }

  /** The same as of an execution. */
  letGo(): Execution {
    if (this.rare?.parent?.isOver === true) this.rare.parent = undefined
    return this.execution
  }

  /** Takes note that something in it starts spans, such as a connection attempt. */
  touched(): void {
    this.recorder.mayWait()
  }

  queryStarted(at: number): void {
    const waits = (this.waits ??= new Waits())
    waits.statements += 1
    waits.sql.started(at)
    waits.all.started(at)
  }

  queryEnded(at: number): void {
    this.waits?.sql.ended(at)
    this.waits?.all.ended(at)
  }

  /** One that was counted as it started counts no more. */
  queryTakenBack(): void {
    if (this.waits === undefined) return
    this.waits.statements -= 1
    this.waits.sql.takenBack()
    this.waits.all.takenBack()
  }

  /** Takes note of one that is known only now that it is over. */
  queryFound(from: number, to: number): void {
    const waits = (this.waits ??= new Waits())
    waits.statements += 1
    waits.sql.found(from, to)
    waits.all.found(from, to)
  }

  nestedStarted(at: number): void {
    ;(this.waits ??= new Waits()).all.started(at)
  }

  nestedEnded(at: number): void {
    this.waits?.all.ended(at)
  }
}

export interface RareParts {
  /** The call inside which this one runs, where a resolver executes a document or calls a resolver. */
  parent: ResolverCall | undefined
  /** Where in the answer it is, where the document asks for timings. */
  readonly path: Path | undefined
  /** Its span of the SDK, where it is exported. */
  readonly exportedSpan: Span | undefined
  /** The context that was active before it; that of its execution for a call without rare parts. Undefined once it has left. */
  before: Context | undefined
}
