import { isSpanContextValid, trace, TraceFlags } from '@opentelemetry/api'
import {
  InstrumentationBase,
  InstrumentationNodeModuleDefinition,
  InstrumentationNodeModuleFile
} from '@opentelemetry/instrumentation'
import { GRAPHQL_VERSIONS, once } from './resolvers/modules.js'
import { INSTRUMENTATION_NAME, INSTRUMENTATION_VERSION } from './sample.js'

/** What OpenTelemetry's GraphQL instrumentation makes spans of, and where graphql has it. */
const TRACED = [
  ['execution/execute', 'execute'],
  ['language/parser', 'parse'],
  ['validation/validate', 'validate']
] as const

/**
 * Whether the code that runs belongs to a trace that is not exported. What a caller from outside has decided says nothing
 * yet: not every sampler follows it.
 */
export function isUnsampled(): boolean {
  const active = trace.getActiveSpan()?.spanContext()
  if (active === undefined || active.isRemote === true || !isSpanContextValid(active)) return false
  return (active.traceFlags & TraceFlags.SAMPLED) === 0
}

/**
 * A way round OpenTelemetry's GraphQL instrumentation for what is not exported: even then it puts the text of each document
 * together, token by token. To be registered after it, so as to be outside of it.
 */
export class UnsampledShortcut extends InstrumentationBase {
  constructor() {
    super(`${INSTRUMENTATION_NAME}/unsampled`, INSTRUMENTATION_VERSION, {})
  }

  protected init(): InstrumentationNodeModuleDefinition {
    const files = TRACED.map(([file, name]) => shortened(file, name))
    return new InstrumentationNodeModuleDefinition('graphql', GRAPHQL_VERSIONS, undefined, undefined, files)
  }
}

type AnyFunction = (this: unknown, ...given: unknown[]) => unknown
/** As the instrumentations of OpenTelemetry leave it behind. */
type Wrapped = AnyFunction & { readonly __original?: AnyFunction }
type Exports = Record<string, unknown>

function shortened(file: string, name: string): InstrumentationNodeModuleFile {
  return new InstrumentationNodeModuleFile(
    `graphql/${file}.js`,
    GRAPHQL_VERSIONS,
    (exports: Exports) => {
      const traced = exports[name] as Wrapped
      const { __original: untraced } = traced
      if (untraced === undefined) return exports
      const either: AnyFunction = function (...given) {
        return isUnsampled() ? untraced.apply(this, given) : traced.apply(this, given)
      }
      exports[name] = once(traced as AnyFunction, () => either)
      return exports
    },
    () => undefined
  )
}
