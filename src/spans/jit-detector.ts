import { InstrumentationBase, InstrumentationNodeModuleDefinition } from '@opentelemetry/instrumentation'

interface GraphQLJit {
  readonly compileQuery: (...given: unknown[]) => unknown
}

/** Notices that graphql-jit compiles a query: from then on the GraphQL instrumentation makes no spans for it. */
export class JitDetector extends InstrumentationBase {
  #compiles: (() => void) | undefined

  constructor(compiles: () => void) {
    super('mercurius-performance/jit-detector', '1', {})
    this.#compiles = compiles
  }

  protected init(): InstrumentationNodeModuleDefinition {
    return new InstrumentationNodeModuleDefinition('graphql-jit', ['*'], (exports: GraphQLJit) => ({
      // Its exports are getters, so that nothing can be put in their place.
      ...exports,
      compileQuery: (...given: unknown[]) => {
        this.#compiles?.()
        this.#compiles = undefined
        return exports.compileQuery(...given)
      }
    }))
  }
}
