export interface WelcomeOptions {
  readonly url: string
  readonly production: boolean
  /** Whether PERFORMANCE_ADMIN_TOKEN came from the environment, where the reader has it too. */
  readonly tokenIsGiven: boolean
}

const QUERY = '{ _performanceMetrics { resolvers(limit: 5) { name count p95Time } cache { hits misses } } }'

/** What `npm start` prints when the server answers. Never the token of a production server. */
export function welcome({ url, production, tokenIsGiven }: WelcomeOptions): string {
  if (production) return `The Tracker API answers at ${url}/graphql`
  return [
    `The Tracker API answers at ${url}/graphql`,
    `GraphiQL is at ${url}/graphiql`,
    '',
    'Ask what it costs:',
    metricsCommand(`${url}/graphql`, tokenIsGiven ? undefined : process.env.PERFORMANCE_ADMIN_TOKEN)
  ].join('\n')
}

/** A `curl` that works when pasted: with the token where it is given, else into a shell that has the variable. */
export function metricsCommand(url: string, token?: string): string {
  // The variable may list several tokens; the shell takes the first.
  const authorization = `"Authorization: Bearer ${token ?? '${PERFORMANCE_ADMIN_TOKEN%%,*}'}"`
  return `curl -s ${url} -H 'content-type: application/json' -H ${authorization} -d '${JSON.stringify({ query: QUERY })}'`
}
