import type { Arm, Engine } from './arms.js'
import { Child, pathOf } from './child.js'
import type { NodeVersion } from './rivals.js'
import type { ShapeName } from './shapes.js'

/** So that garbage collection has the same rules in all arms; notes.md says why. */
const SETTINGS_OF_V8 = ['--min-semi-space-size=16', '--max-semi-space-size=16', '--no-allocation-site-pretenuring']

export interface Subject {
  readonly node: NodeVersion
  readonly engine: Engine
  readonly shape: ShapeName
  /** Whether V8 has its own settings. */
  readonly isLeftAlone: boolean
}

/** Starts the service of an arm; `sink` is where it exports to, if it does. */
export function startService(arm: Arm, { node, engine, isLeftAlone }: Subject, sink?: Child): Promise<Child> {
  return Child.start(`the arm "${arm.name}"`, arm.service ?? pathOf('./arms/service.js'), {
    execPath: node.path,
    execArgv: [...(isLeftAlone ? [] : SETTINGS_OF_V8), ...(arm.preload === undefined ? [] : ['--import', arm.preload])],
    env: {
      PATH: process.env.PATH,
      NODE_ENV: 'production',
      ...(engine === 'jit' && { BENCH_JIT: '1' }),
      ...(arm.module !== undefined && { BENCH_MODULE: arm.module }),
      ...arm.environment,
      ...arm.exporting?.(`http://127.0.0.1:${sink?.port ?? 0}`)
    }
  })
}
