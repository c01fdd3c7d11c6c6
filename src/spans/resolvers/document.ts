import type {
  DocumentNode,
  FieldNode,
  FragmentDefinitionNode,
  InlineFragmentNode,
  Location,
  OperationDefinitionNode,
  SelectionNode,
  SelectionSetNode,
  Token
} from 'graphql'
import { isOperationType, isOwnField, TIMING_FIELD } from '../../lib/names.js'
import { boundedName, copyOf, shortHash } from '../../lib/text.js'

const NAME_LIMIT = 128

/** What a document says about an operation in it, worked out once. */
export interface OperationFacts {
  /** `query`, `mutation` or `subscription`. */
  readonly type: string
  /** As the client wrote it; undefined for an anonymous operation. */
  readonly name: string | undefined
  /** The name of its series: the name, bounded, or a hash of the document. */
  readonly seriesName: string
  /** What tells its series from all others: type and name. */
  readonly key: string
  /** The document with its literals replaced, as OpenTelemetry's GraphQL instrumentation writes it. */
  readonly source: string
  /** Whether it asks the monitor and nothing else. */
  readonly isOwn: boolean
  /** Whether `_performance` is selected anywhere. */
  readonly wantsTimings: boolean
}

/** The facts of documents; they are forgotten with the documents. */
export class Documents {
  readonly #facts = new WeakMap<DocumentNode, Map<string, OperationFacts>>()

  /** The facts of the operation that would run; undefined where none would, or none of a type that there is. */
  factsOf(document: DocumentNode, operationName: string | null | undefined): OperationFacts | undefined {
    const known = this.#facts.get(document)?.get(operationName ?? '')
    if (known !== undefined) return known
    const operation = operationIn(document, operationName)
    if (operation === undefined) return undefined
    const facts = readFacts(document, operation)
    if (facts === undefined) return undefined
    const ofDocument = this.#facts.get(document) ?? new Map<string, OperationFacts>()
    this.#facts.set(document, ofDocument.set(operationName ?? '', facts))
    return facts
  }
}

/** The name of an anonymous operation: a hash of its text, in which literals are already replaced. */
export function anonymousName(source: string): string {
  return `anonymous ${shortHash(source.replaceAll(/\s+/g, ' '))}`
}

function operationIn(
  { definitions }: DocumentNode,
  operationName: string | null | undefined
): OperationDefinitionNode | undefined {
  return definitions
    .filter((definition): definition is OperationDefinitionNode => kindOf(definition) === 'OperationDefinition')
    .find(({ name }) => !operationName || name?.value === operationName)
}

function readFacts(document: DocumentNode, operation: OperationDefinitionNode): OperationFacts | undefined {
  const given: unknown = operation.name?.value
  if (!isOperationType(operation.operation) || (given !== undefined && typeof given !== 'string')) return undefined
  const name = given === undefined ? undefined : copyOf(given)
  const source = sourceOf(document)
  const seriesName = name === undefined ? anonymousName(source) : boundedName(name, NAME_LIMIT)
  const roots = rootFields(document, operation.selectionSet)
  return {
    type: operation.operation,
    name,
    seriesName,
    key: `${operation.operation} ${seriesName}`,
    source,
    isOwn:
      roots.some(field => isOwnField('', field)) &&
      roots.every(field => isOwnField('', field) || field === '__typename'),
    // A document without its text may select anything.
    wantsTimings: textOf(document)?.source.body.includes(TIMING_FIELD) ?? true
  }
}

function rootFields(document: DocumentNode, root: SelectionSetNode): string[] {
  const fragments = new Map(
    document.definitions
      .filter((definition): definition is FragmentDefinitionNode => kindOf(definition) === 'FragmentDefinition')
      .map(fragment => [fragment.name.value, fragment.selectionSet])
  )
  const seen = new Set<string>()
  const fieldsIn = ({ selections }: SelectionSetNode): string[] =>
    selections.flatMap(selection => {
      if (isField(selection)) return [selection.name.value]
      if (isInlineFragment(selection)) return fieldsIn(selection.selectionSet)
      const fragment = fragments.get(selection.name.value)
      if (fragment === undefined || seen.has(selection.name.value)) return []
      seen.add(selection.name.value)
      return fieldsIn(fragment)
    })
  return fieldsIn(root)
}

/** The kinds of graphql-js are enums; importing them would load it before it can be instrumented. */
function kindOf({ kind }: { readonly kind: string }): string {
  return kind
}

function isField(selection: SelectionNode): selection is FieldNode {
  return kindOf(selection) === 'Field'
}

function isInlineFragment(selection: SelectionNode): selection is InlineFragmentNode {
  return kindOf(selection) === 'InlineFragment'
}

const literals = new Set<string>(['Int', 'Float', 'String', 'BlockString'])

/**
 * Where the parser found the document; undefined for one that did not come from it, such as a syntax tree that a client
 * sent as JSON: what stands there is the client's, and no text.
 */
function textOf({ loc }: DocumentNode): Location | undefined {
  if (loc === undefined || Object.getPrototypeOf(loc) === Object.prototype) return undefined
  // Some libraries take the tokens away to save memory.
  return 'startToken' in loc ? loc : undefined
}

/** The text of the document, token by token, with every literal as `*`; empty where there is none. */
function sourceOf(document: DocumentNode): string {
  const loc = textOf(document)
  const parts: string[] = []
  let line = 1
  for (let token: Token | null = loc?.startToken.next ?? null; token !== null; token = token.next) {
    const kind = kindOf(token)
    if (kind === '<EOF>') break
    // What a client writes there is as free as a literal.
    if (kind === 'Comment') continue
    if (token.line > line) {
      parts.push('\n'.repeat(token.line - line), ' '.repeat(token.column - 1))
      line = token.line
    } else {
      parts.push(' '.repeat(Math.max(0, token.start - (token.prev?.end ?? 0))))
    }
    const value = literals.has(kind) ? '*' : token.value || kind
    parts.push(kind === 'String' ? `"${value}"` : value)
  }
  return parts.join('')
}
