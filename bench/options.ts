import { parseArgs } from 'node:util'
import { arms, type Arm, type Engine } from './arms.js'
import { nodeVersions, type NodeVersion } from './rivals.js'
import { shapes, type ShapeName } from './shapes.js'

export interface Selection {
  /** All of it, so that the result is worth writing down. */
  readonly isWhole: boolean
  readonly nodes: readonly NodeVersion[]
  readonly engines: readonly Engine[]
  readonly shapes: readonly ShapeName[]
  /** Those named and those that their ratios are to. */
  readonly arms: readonly Arm[]
  readonly withScenarios: boolean
  readonly withProfiles: boolean
  /** Whether V8 keeps its own settings. */
  readonly isLeftAlone: boolean
}

const engines: readonly Engine[] = ['js', 'jit']
const shapeNames = Object.keys(shapes) as ShapeName[]

/** What the command line selects; see README.md. */
export function readOptions(): Selection {
  const text = { type: 'string' } as const
  const flag = { type: 'boolean' } as const
  const { values } = parseArgs({
    options: {
      node: text,
      engines: text,
      shapes: text,
      arms: text,
      scenarios: flag,
      profiles: flag,
      'left-alone': flag
    }
  })
  const named = new Set(select('arms', values.arms, arms, arm => arm.name).flatMap(({ name, base }) => [name, base]))
  const isWhole = Object.keys(values).length === 0
  return {
    isWhole,
    nodes: select('node', values.node, nodeVersions, node => String(node.major)),
    engines: select('engines', values.engines, engines, engine => engine),
    shapes:
      values.scenarios === true || values.profiles === true
        ? []
        : select('shapes', values.shapes, shapeNames, shape => shape),
    arms: arms.filter(arm => named.has(arm.name)),
    withScenarios: isWhole || values.scenarios === true,
    withProfiles: isWhole || values.profiles === true,
    isLeftAlone: values['left-alone'] === true
  }
}

/** What of `all` the list with commas names; all of it without a list. */
function select<Item>(
  option: string,
  list: string | undefined,
  all: readonly Item[],
  nameOf: (item: Item) => string
): readonly Item[] {
  if (list === undefined) return all
  const names = list.split(',')
  const unknown = names.filter(name => !all.some(item => nameOf(item) === name))
  if (unknown.length > 0) {
    throw new Error(`--${option} names ${unknown.join(', ')}: expected some of ${all.map(nameOf).join(',')}`)
  }
  return all.filter(item => names.includes(nameOf(item)))
}
