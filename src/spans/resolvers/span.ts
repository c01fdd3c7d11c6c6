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
import { isAttributeValue, millisToHrTime, timeInputToHrTime } from '@opentelemetry/core'
import type { ReadableSpan, TimedEvent } from '@opentelemetry/sdk-trace'
import { newSpanId } from './span-id.js'
import { INSTRUMENTATION_NAME, INSTRUMENTATION_VERSION } from '../sample.js'

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
 * The span of a resolver call, for the exporters of the SDK. Its parent is sampled, so no sampler is asked; its id and
 * its times are worked out when somebody wants them, which for a span that an exporter drops is nobody. An operation has
 * up to a thousand of them, and one of the SDK's own costs as much as everything else that is done for the call.
 */
export class ResolverSpan implements Span, ReadableSpan {
  name: string
  readonly kind = SpanKind.INTERNAL
  readonly instrumentationScope = SCOPE
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
    return this.#hasOwnAttributes || this.events !== NONE || this.links !== NONE || this.status !== UNSET
  }

  isRecording(): boolean {
    return !this.ended
  }

  setAttribute(key: string, value: AttributeValue): this {
    if (this.ended || key === '' || !isAttributeValue(value)) return this
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
    for (const [key, value] of Object.entries(attributes)) if (value !== undefined) this.setAttribute(key, value)
    return this
  }

  addEvent(name: string, attributesOrTime?: Attributes | TimeInput, time?: TimeInput): this {
    if (this.ended) return this
    const isTime =
      typeof attributesOrTime !== 'object' || Array.isArray(attributesOrTime) || attributesOrTime instanceof Date
    const at = isTime ? (attributesOrTime ?? time) : time
    const given = isTime ? {} : attributesOrTime
    const attributes = Object.fromEntries(
      Object.entries(given)
        .filter(([, value]) => isAttributeValue(value))
        .slice(0, LIMIT)
    )
    const event = {
      name,
      attributes,
      time: at === undefined ? this.#wallTime() : timeInputToHrTime(at),
      droppedAttributesCount: 0
    }
    if (this.events.length >= LIMIT) this.droppedEventsCount += 1
    this.events = [...this.events.slice(this.events.length >= LIMIT ? 1 : 0), event]
    return this
  }

  /** The text of an error does not leave the process, only its kind. */
  recordException(exception: Exception, time?: TimeInput): void {
    const type = typeof exception === 'string' ? undefined : (exception.code ?? exception.name)
    this.addEvent('exception', { 'exception.type': String(type ?? 'Error') }, time)
  }

  addLink(link: Link): this {
    if (this.ended) return this
    if (this.links.length >= LIMIT) this.droppedLinksCount += 1
    else
      this.links = [...this.links, { context: link.context, ...(link.attributes && { attributes: link.attributes }) }]
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
    if (!this.ended) this.name = name
    return this
  }

  end(): void {
    if (this.ended) return
    this.#until = performance.now()
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

const SCOPE: ReadableSpan['instrumentationScope'] = { name: INSTRUMENTATION_NAME, version: INSTRUMENTATION_VERSION }
const UNSET: SpanStatus = { code: SpanStatusCode.UNSET }
/** Never changed: whoever adds something puts a list of its own in the place. */
const NONE: never[] = []
