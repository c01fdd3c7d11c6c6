import { SpanKind, TraceFlags, type Attributes, type Span as ApiSpan } from '@opentelemetry/api'
import type { ReadableSpan } from '@opentelemetry/sdk-trace'
import { isOperationType } from '../lib/names.js'
import { SOURCE, type Tagged } from './tags.js'

/**
 * The vocabulary of the spans we understand: those of @opentelemetry/instrumentation-graphql and -pg, with the database
 * attributes of the semantic conventions before and after they became stable. No other file but `scrub.ts` names an attribute.
 */

/** The name that our own instrumentation gives its spans as scope. */
export const INSTRUMENTATION_NAME = 'mercurius-performance'
export const INSTRUMENTATION_VERSION = '1'
export const INSTRUMENTATION_SCOPE = { name: INSTRUMENTATION_NAME, version: INSTRUMENTATION_VERSION }

/** A span as it starts has its name and not yet all attributes. */
export type StartingSpan = Pick<ReadableSpan, 'name'>

export function startsOperation(span: StartingSpan): boolean {
  return span.name === 'graphql.execute'
}

/** Whether it is to be exported, as the sampler has decided. */
export function isSampled(span: Pick<ApiSpan, 'spanContext'>): boolean {
  return (span.spanContext().traceFlags & TraceFlags.SAMPLED) !== 0
}

export function startsQuery(span: StartingSpan): boolean {
  return span.name.startsWith('pg.query')
}

/**
 * What the span of a query is called: OpenTelemetry's name for it, with `operation` in the place of what its instrumentation
 * takes for one, which is the SQL up to the first space with all literals in it. Without an operation it is no query, or
 * nobody knows which.
 */
export function queryNameOf(
  { name, attributes }: Pick<ReadableSpan, 'name' | 'attributes'>,
  operation = name.startsWith('pg.query:') ? 'UNKNOWN' : undefined
): string {
  if (operation === undefined) return name
  const prepared = attributes['db.postgresql.plan']
  const database = attributes['db.namespace'] ?? attributes['db.name']
  const command = typeof prepared === 'string' && prepared !== '' ? prepared : operation
  return `pg.query:${command}${typeof database === 'string' && database !== '' ? ` ${database}` : ''}`
}

/**
 * Whether a span that starts is one of a request or of a part of an operation, which `ExecutionInstrumentation` measures by
 * itself, so that only a trace needs it.
 */
export function isOnlyTraced(name: string, kind: SpanKind, attributes: Attributes): boolean {
  return kind === SpanKind.SERVER || tracedParts.has(name) || 'graphql.operation.type' in attributes
}

const tracedParts = new Set(['graphql.parse', 'graphql.validate', 'graphql.execute'])

export interface ResolverSpan {
  readonly parentType: string
  readonly field: string
}

/** The field that a resolver span timed; undefined for any other span. */
export function resolverOf({ attributes }: ReadableSpan): ResolverSpan | undefined {
  const field = attributes['graphql.field.name']
  const parentType = attributes['graphql.parent.name']
  return typeof field === 'string' && typeof parentType === 'string' ? { parentType, field } : undefined
}

export interface OperationSpan {
  /** `query`, `mutation` or `subscription`. */
  readonly type: string
  /** Undefined for an anonymous operation. */
  readonly name: string | undefined
}

/** The operation that an execution span ran; undefined for any other span and for an operation of no type that there is. */
export function operationOf({ attributes }: ReadableSpan): OperationSpan | undefined {
  const type = attributes['graphql.operation.type']
  if (!isOperationType(type)) return undefined
  const name = attributes['graphql.operation.name']
  return { type, name: typeof name === 'string' ? name : undefined }
}

/** What the span of an operation says of it. */
export function operationAttributes(type: string, name: string | undefined, source: string): Attributes {
  return {
    'graphql.operation.type': type,
    ...(name === undefined ? {} : { 'graphql.operation.name': name }),
    'graphql.source': source
  }
}

/** Puts the text of an operation without its comments on the span of one, where OpenTelemetry's instrumentation has made it. */
export function setSource(span: ApiSpan | undefined, source: string): void {
  const readable = span as (Partial<ReadableSpan> & Tagged) | undefined
  if (readable?.attributes === undefined || !('graphql.operation.type' in readable.attributes)) return
  span?.setAttribute('graphql.source', source)
  readable[SOURCE] = true
}

/** On an operation's span: how many of its resolver calls have no span, since others had used up the limit. */
export const DROPPED_RESOLVER_SPANS = 'graphql.resolver.dropped_spans'

/**
 * On the span of an operation that was not sampled: how many spans that ended inside it are missing, and why it was exported
 * all the same, `failed` or `slow`.
 */
const DROPPED_SPANS = 'mercurius_performance.dropped_spans'
const KEPT_FOR = 'mercurius_performance.kept_for'

/** What the span of an operation says of it that was exported although it was not sampled. */
export function keptOperationAttributes(
  { type, name, source }: OperationSpan & { readonly source: string },
  { droppedCalls, droppedSpans }: { readonly droppedCalls: number; readonly droppedSpans: number },
  failed: boolean
): Attributes {
  return {
    ...operationAttributes(type, name, source),
    ...(droppedCalls > 0 && { [DROPPED_RESOLVER_SPANS]: droppedCalls }),
    ...(droppedSpans > 0 && { [DROPPED_SPANS]: droppedSpans }),
    [KEPT_FOR]: failed ? 'failed' : 'slow'
  }
}

/** What the span of a resolver says of it. */
export function resolverAttributes(parentType: string, field: string, fieldType: string): Attributes {
  return { 'graphql.field.name': field, 'graphql.field.type': fieldType, 'graphql.parent.name': parentType }
}

/** The GraphQL text of an operation or resolver span, its literals already replaced. */
export function graphqlSourceOf({ attributes }: { readonly attributes: Attributes }): string {
  const source = attributes['graphql.source']
  return typeof source === 'string' ? source : ''
}

/** Whether it is a span of PostgreSQL: of a query or of a connection attempt. */
export function isOfPostgres({ attributes }: Pick<ReadableSpan, 'attributes'>): boolean {
  return (attributes['db.system.name'] ?? attributes['db.system']) === 'postgresql'
}

/** The SQL text of a query span; undefined for any other span, such as one of a connection attempt. */
export function sqlTextOf(span: ReadableSpan): string | undefined {
  if (!isOfPostgres(span)) return undefined
  const { attributes } = span
  const text = attributes['db.query.text'] ?? attributes['db.statement']
  return typeof text === 'string' ? text : undefined
}

/** Of the semantic conventions, which have no name yet for rows that were changed and not returned. */
const RETURNED_ROWS = 'db.response.returned_rows'
const CHANGED_ROWS = 'mercurius_performance.changed_rows'

/** What the span of a query says of its rows; undefined stands for what its result does not tell. */
export function rowAttributes(returned: number | undefined, changed: number | undefined): Attributes {
  return { [RETURNED_ROWS]: returned, [CHANGED_ROWS]: changed }
}

/** How many rows a query returned or changed; null where its span does not say. */
export function rowsOf({ attributes }: ReadableSpan): number | null {
  const returned = attributes[RETURNED_ROWS]
  const changed = attributes[CHANGED_ROWS]
  if (!isCount(returned)) return isCount(changed) ? changed : null
  return isCount(changed) ? returned + changed : returned
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && value >= 0
}
