import {
  Kind,
  type FragmentDefinitionNode,
  type SelectionNode,
  type SelectionSetNode,
  type ValidationContext,
  type ValidationRule
} from 'graphql'
import { TrackerError } from './errors.js'

/**
 * Limits how deeply fields may be nested: `{ a { b } }` is two deep. Mercurius' own `queryDepth` counts inline fragments
 * as levels, and introspection too, which GraphiQL cannot do without; that has a rule of the specification's.
 */
export function createDepthRule(limit: number): ValidationRule {
  return context => {
    const measure = createMeasure(context)
    return {
      OperationDefinition: ({ selectionSet }) => {
        const depth = measure(selectionSet)
        if (depth > limit) {
          context.reportError(new TrackerError('QUERY_TOO_DEEP', `the document nests more than ${limit} levels deep`))
        }
      }
    }
  }
}

/** Measures each fragment once: spread twice in a row of fragments, they would otherwise double the work each time. */
function createMeasure(context: ValidationContext): (selectionSet: SelectionSetNode) => number {
  const fragmentDepths = new Map<string, number>()

  const measure = (selectionSet: SelectionSetNode): number =>
    selectionSet.selections.reduce((deepest, selection) => Math.max(deepest, measureSelection(selection)), 0)

  const measureSelection = (selection: SelectionNode): number => {
    if (selection.kind === Kind.INLINE_FRAGMENT) return measure(selection.selectionSet)
    if (selection.kind === Kind.FRAGMENT_SPREAD) return measureFragment(context.getFragment(selection.name.value))
    if (selection.selectionSet === undefined || selection.name.value.startsWith('__')) return 1
    return 1 + measure(selection.selectionSet)
  }

  const measureFragment = (fragment: FragmentDefinitionNode | null | undefined): number => {
    if (fragment === null || fragment === undefined) return 0
    const name = fragment.name.value
    const known = fragmentDepths.get(name)
    if (known !== undefined) return known
    // A fragment that spreads itself is refused by another rule; here it only must not go on for ever.
    fragmentDepths.set(name, 0)
    const depth = measure(fragment.selectionSet)
    fragmentDepths.set(name, depth)
    return depth
  }

  return measure
}
