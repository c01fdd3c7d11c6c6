import { performance } from 'node:perf_hooks'
import {
  SpanKind,
  SpanStatusCode,
  type Attributes,
  type AttributeValue,
  type Exception,
  type HrTime,
  type Link,
  type Span,
  type SpanContext,
  type SpanStatus,
  type TimeInput
} from '@opentelemetry/api'
import {
  hrTimeToMilliseconds,
  isAttributeValue,
  isTimeInput,
  millisToHrTime,
  sanitizeAttributes,
  timeInputToHrTime
} from '@opentelemetry/core'
import type { ReadableSpan, TimedEvent } from '@opentelemetry/sdk-trace'
import { newSpanId } from './span-id.js'
import { INSTRUMENTATION_SCOPE } from '../sample.js'

/** As many attributes, events and links as a span of the SDK holds by default. */
const LIMIT = 128

/** What all spans of one resolver share. */
export interface SpanKindOfResolver {
  readonly name: string
  readonly attributes: Attributes
}

/** Called once for each span, when it has ended. */
export type SpanEnded = (span: ResolverSpan) => void

/**
 * The span of a resolver call, for the exporters of the SDK. Its parent is sampled, so no sampler is asked; its id
 * and its times are worked out when somebody wants them, which for the times of a span that an exporter drops is nobody. An operation has
 * up to a thousand of them, and one of the SDK's own costs as much as everything else that is done for the call.
 */
export class ResolverSpan implements Span, ReadableSpan {
  name: string
  readonly kind = SpanKind.INTERNAL
  readonly instrumentationScope: ReadableSpan['instrumentationScope'] = INSTRUMENTATION_SCOPE
  status: SpanStatus = UNSET
  attributes: Attributes
  events: TimedEvent[] = NONE
  links: Link[] = NONE
  ended = false
  droppedAttributesCount = 0
  droppedEventsCount = 0
  droppedLinksCount = 0
  readonly #parent: Span & ReadableSpan
  readonly #whenEnded: SpanEnded
  /** Milliseconds, as `performance.now()` counts them; and how many more of them the wall clock shows. */
  #from = performance.now()
  #until = 0
  readonly #wallOffset: number
  #context: SpanContext | undefined
  #hasOwnAttributes = false
  #isRenamed = false

  constructor(
    { name, attributes }: SpanKindOfResolver,
    parent: Span & ReadableSpan,
    wallOffset: number,
    whenEnded: SpanEnded
  ) {
    this.name = name
    this.attributes = attributes
    this.#parent = parent
    this.#wallOffset = wallOffset
    this.#whenEnded = whenEnded
  }

  spanContext(): SpanContext {
    return (this.#context ??= this.#newContext())
  }

  get parentSpanContext(): SpanContext {
    return this.#parent.spanContext()
  }

  get resource(): ReadableSpan['resource'] {
    return this.#parent.resource
  }

  get startTime(): HrTime {
    return millisToHrTime(this.#from + this.#wallOffset)
  }

  get endTime(): HrTime {
    return millisToHrTime(this.#until + this.#wallOffset)
  }

  get duration(): HrTime {
    return millisToHrTime(Math.max(0, this.#until - this.#from))
  }

  /** Whether anything was put on it that our own instrumentation did not put there. */
  get isTouched(): boolean {
    return (
      this.#hasOwnAttributes || this.#isRenamed || this.events !== NONE || this.links !== NONE || this.status !== UNSET
    )
  }

  isRecording(): boolean {
    return !this.ended
  }

  setAttribute(key: string, value: AttributeValue | null | undefined): this {
    if (this.ended || key === '' || value === null || value === undefined || !isAttributeValue(value)) return this
    if (!this.#hasOwnAttributes) this.attributes = { ...this.attributes }
    this.#hasOwnAttributes = true
    if (!Object.hasOwn(this.attributes, key) && Object.keys(this.attributes).length >= LIMIT) {
      this.droppedAttributesCount += 1
    } else {
      this.attributes[key] = value
    }
    return this
  }

  setAttributes(attributes: Attributes): this {
    for (const key in attributes) this.setAttribute(key, attributes[key])
    return this
  }

  addEvent(name: string, attributesOrTime?: Attributes | TimeInput, time?: TimeInput): this {
    if (this.ended) return this
    const isTime = isTimeInput(attributesOrTime)
    const at = isTime && !isTimeInput(time) ? attributesOrTime : time
    const given = Object.entries(sanitizeAttributes(isTime ? undefined : attributesOrTime))
    const event = {
      name,
      attributes: Object.fromEntries(given.slice(0, LIMIT)),
      time: isTimeInput(at) ? timeInputToHrTime(at) : this.#wallTime(),
      droppedAttributesCount: Math.max(0, given.length - LIMIT)
    }
    if (this.events.length >= LIMIT) this.droppedEventsCount += 1
    this.events = [...this.events.slice(1 - LIMIT), event]
    return this
  }

  /** The text of an error does not leave the process, only its kind. */
  recordException(exception: Exception | null | undefined, time?: TimeInput): void {
    if (exception === null || exception === undefined) return
    const { code, name } = typeof exception === 'string' ? {} : exception
    const type = code === undefined || code === '' || code === 0 ? name : code
    this.addEvent('exception', { 'exception.type': String(type ?? 'Error') }, time)
  }

  addLink({ context, attributes }: Link): this {
    if (this.ended) return this
    if (this.links.length >= LIMIT) this.droppedLinksCount += 1
    const link = attributes === undefined ? { context } : { context, attributes: sanitizeAttributes(attributes) }
    this.links = [...this.links.slice(1 - LIMIT), link]
    return this
  }

  addLinks(links: Link[]): this {
    for (const link of links) this.addLink(link)
    return this
  }

  setStatus({ code, message }: SpanStatus): this {
    if (this.ended || code === SpanStatusCode.UNSET || this.status.code === SpanStatusCode.OK) return this
    this.status = code === SpanStatusCode.ERROR && message !== undefined ? { code, message } : { code }
    return this
  }

  updateName(name: string): this {
    if (this.ended) return this
    this.name = name
    this.#isRenamed = true
    return this
  }

  end(time?: TimeInput): void {
    if (this.ended) return
    this.#until = isTimeInput(time)
      ? hrTimeToMilliseconds(timeInputToHrTime(time)) - this.#wallOffset
      : performance.now()
    this.#whenEnded(this)
    this.ended = true
  }

  #newContext(): SpanContext {
    const { traceId, traceFlags, traceState } = this.#parent.spanContext()
    const spanId = newSpanId()
    return traceState === undefined ? { traceId, spanId, traceFlags } : { traceId, spanId, traceFlags, traceState }
  }

  #wallTime(): HrTime {
    return millisToHrTime(performance.now() + this.#wallOffset)
  }
}

const UNSET: SpanStatus = { code: SpanStatusCode.UNSET }
/** Never changed: whoever adds something puts a list of its own in the place. */
const NONE: never[] = []
