// GraphQL Yoga, in process through yoga.fetch, which is its whole way from request to response text.
import { once } from 'node:events'
import { createServer } from 'node:http'
import { usePrometheus } from '@graphql-yoga/plugin-prometheus'
import { createSchema, createYoga } from 'graphql-yoga'
import { serve } from '../dist/bench/arms/serve.js'
import { resolvers, schema } from '../dist/bench/shapes.js'

const prometheus = () => usePrometheus({ metrics: { graphql_envelop_execute_resolver: true } })
const yoga = createYoga({
  schema: createSchema({ typeDefs: schema, resolvers }),
  logging: false,
  plugins: process.env.BENCH_TRACED === undefined ? [] : [prometheus()]
})
const server = createServer(yoga).listen(0, '127.0.0.1')
await once(server, 'listening')

const headers = { 'content-type': 'application/json' }

await serve(async query => {
  const body = JSON.stringify({ query })
  const response = await yoga.fetch('http://127.0.0.1/graphql', { method: 'POST', headers, body })
  return response.text()
}, server.address().port)
