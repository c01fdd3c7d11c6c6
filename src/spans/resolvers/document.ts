import type { DocumentNode, OperationDefinitionNode } from 'graphql'
import { isOperationType, isOwnField, TIMING_FIELD } from '../../lib/names.js'
import { boundedName, copyOf, shortHash } from '../../lib/text.js'
import { kindOf, sourceOf, textOf } from './document-text.js'
import type { OperationWriter } from './sinks.js'

const NAME_LIMIT = 128

/** What a document says about an operation in it, worked out once. */
export interface OperationFacts {
  /** `query`, `mutation` or `subscription`. */
  readonly type: string
  /** As the client wrote it; undefined for an anonymous operation. */
  readonly name: string | undefined
  /** The name of its series: the name, bounded, or a hash of the document. */
  readonly seriesName: string
  /** The document with its literals replaced, as OpenTelemetry's GraphQL instrumentation writes it. */
  readonly source: string
  /** Whether it asks the monitor and nothing else. */
  readonly isOwn: boolean
  /** Whether `_performance` is selected anywhere. */
  readonly wantsTimings: boolean
  /** Where its executions are recorded. */
  readonly writer: OperationWriter
}

/** Where the executions of an operation are recorded, by the name of its series and its type. */
type WriterOf = (name: string, type: string) => OperationWriter

/** The facts of documents; they are forgotten with the documents. */
export class Documents {
  readonly #writerOf: WriterOf
  readonly #facts = new WeakMap<DocumentNode, Map<string, OperationFacts>>()

  constructor(writerOf: WriterOf) {
    this.#writerOf = writerOf
  }

  /**
   * The facts of the operation that would run; undefined where none would, or none of a type that there is. Never throws:
   * a client may send a syntax tree, and that no document can be read is no fault of the monitor's.
   */
  factsOf(document: DocumentNode, operationName: string | null | undefined): OperationFacts | undefined {
    const known = this.#facts.get(document)?.get(operationName ?? '')
    if (known !== undefined) return known
    const facts = read(document, operationName, this.#writerOf)
    if (facts === undefined) return undefined
    const ofDocument = this.#facts.get(document) ?? new Map<string, OperationFacts>()
    this.#facts.set(document, ofDocument.set(operationName ?? '', facts))
    return facts
  }
}

/** What the series of an operation is called that the client has named: the name, bounded. */
export function boundedOperationName(name: string): string {
  return boundedName(name, NAME_LIMIT)
}

/** The name of an anonymous operation: a hash of its text, in which literals are already replaced. */
export function anonymousName(source: string): string {
  return `anonymous ${shortHash(source.replaceAll(/\s+/g, ' '))}`
}

function read(
  document: DocumentNode,
  operationName: string | null | undefined,
  writerOf: WriterOf
): OperationFacts | undefined {
  try {
    const operation = operationIn(document, operationName)
    return operation && readFacts(document, operation, writerOf)
  } catch {
    // What cannot be read here cannot be executed either.
    return undefined
  }
}

function operationIn(
  { definitions }: DocumentNode,
  operationName: string | null | undefined
): OperationDefinitionNode | undefined {
  return definitions
    .filter((definition): definition is OperationDefinitionNode => kindOf(definition) === 'OperationDefinition')
    .find(({ name }) => !operationName || name?.value === operationName)
}

function readFacts(
  document: DocumentNode,
  operation: OperationDefinitionNode,
  writerOf: WriterOf
): OperationFacts | undefined {
  const given: unknown = operation.name?.value
  if (!isOperationType(operation.operation) || (given !== undefined && typeof given !== 'string')) return undefined
  const name = given === undefined ? undefined : copyOf(given)
  const source = sourceOf(document)
  const seriesName = name === undefined ? anonymousName(source) : boundedOperationName(name)
  const roots = rootFields(document, operation)
  return {
    type: operation.operation,
    name,
    seriesName,
    source,
    isOwn:
      roots.some(field => isOwnField('', field, false)) &&
      roots.every(field => isOwnField('', field, false) || field === '__typename'),
    // A document without its text may select anything.
    wantsTimings: textOf(document)?.source.body.includes(TIMING_FIELD) ?? true,
    writer: writerOf(seriesName, operation.operation)
  }
}

/** A node of a document as far as it can be relied on: in a tree that a client has sent anything may be missing. */
interface LooseNode {
  readonly kind?: unknown
  readonly name?: { readonly value?: unknown } | null
  readonly selectionSet?: { readonly selections?: unknown } | null
}

function rootFields(document: DocumentNode, operation: LooseNode): string[] {
  const fragments = new Map(
    (document.definitions as readonly LooseNode[])
      .filter(({ kind }) => kind === 'FragmentDefinition')
      .map(fragment => [nameOf(fragment), fragment])
  )
  const seen = new Set<LooseNode>()
  const fields: string[] = []
  // A list and no function that calls itself: engines execute trees of more levels than that would have room for.
  const open = [operation]
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    for (const selection of selectionsOf(node)) {
      if (selection.kind === 'Field') fields.push(nameOf(selection))
      else if (selection.kind === 'InlineFragment') open.push(selection)
      // Engines pass over kinds that they do not know.
      if (selection.kind !== 'FragmentSpread') continue
      const fragment = fragments.get(nameOf(selection))
      if (fragment === undefined || seen.has(fragment)) continue
      seen.add(fragment)
      open.push(fragment)
    }
  }
  return fields
}

function selectionsOf({ selectionSet }: LooseNode): readonly LooseNode[] {
  const selections = selectionSet?.selections
  return Array.isArray(selections) ? (selections as LooseNode[]) : []
}

function nameOf({ name }: LooseNode): string {
  return String(name?.value)
}
