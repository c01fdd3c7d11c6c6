import { parse } from 'graphql'
import { test } from 'tap'
import { openSocket, type Protocol } from './socket.js'
import { codesOf, get, post, startTracker, type GraphQLAnswer } from './tracker.js'

const repeat = (count: number, text: (index: number) => string): string =>
  Array.from({ length: count }, (_, i) => text(i)).join(' ')

/** The selection of a project, nested `levels` deep: issue and project in turn. */
const nested = (levels: number): string =>
  repeat(levels - 1, i => (i % 2 === 0 ? 'comments { ' : 'issue { ')) + 'id' + ' }'.repeat(levels - 1)

interface Selection {
  /** Of an Issue. */
  readonly selection: string
  readonly fragments?: string
}

/** Each limit: what just passes it and what just does not. */
const limits: { code: string; passes: Selection; fails: Selection[] }[] = [
  {
    code: 'QUERY_TOO_DEEP',
    passes: { selection: `... on Issue { ...A }`, fragments: `fragment A on Issue { ${nested(9)} }` },
    fails: [{ selection: nested(10) }, { selection: '...A', fragments: `fragment A on Issue { ${nested(10)} }` }]
  },
  {
    code: 'TOO_MANY_ALIASES',
    passes: { selection: repeat(15, i => `a${i}: id`) },
    fails: [
      { selection: repeat(16, i => `a${i}: id`) },
      { selection: repeat(16, i => `a${i}: __typename`) },
      {
        // Twice two times four.
        selection: '...A ...A',
        fragments: `fragment A on Issue { ...B ...B } fragment B on Issue { ${repeat(4, i => `a${i}: id`)} }`
      }
    ]
  },
  {
    code: 'TOO_MANY_DIRECTIVES',
    passes: { selection: repeat(50, () => 'title @include(if: true)') },
    fails: [
      { selection: repeat(51, () => 'title @include(if: true)') },
      { selection: '...A', fragments: `fragment A on Issue { ${repeat(51, () => 'id @skip(if: false)')} }` }
    ]
  },
  {
    code: 'TOO_MANY_TOKENS',
    passes: { selection: repeat(980, i => (i % 2 === 0 ? 'id' : 'title')) },
    fails: [{ selection: repeat(1_000, i => (i % 2 === 0 ? 'id' : 'title')) }]
  }
]

test('limits on documents hold on every transport', async t => {
  const { app, url } = await startTracker(t)

  const query = ({ selection, fragments = '' }: Selection): string => `{ issue(id: 1) { ${selection} } } ${fragments}`
  const name = (code: string, { selection, fragments = '' }: Selection): string =>
    `${code}: ${selection.slice(0, 40)} ${fragments}`
  const subscription = ({ selection, fragments = '' }: Selection): string =>
    `subscription { commentAdded(issueId: 1) { issue { ${selection} } } } ${fragments}`
  const http: Record<string, (document: string) => Promise<GraphQLAnswer>> = {
    POST: document => post(url, { query: document }),
    GET: document => get(url, { query: document }),
    'application/graphql': document => post(url, document, { 'content-type': 'application/graphql' })
  }
  for (const [transport, send] of Object.entries(http)) {
    t.test(transport, async t => {
      for (const { code, passes, fails } of limits) {
        t.same(codesOf(await send(query(passes))), [], name(code, passes))
        for (const selection of fails) {
          const started = performance.now()
          const answer = await send(query(selection))
          t.equal(answer.status, 400, code)
          t.ok(codesOf(answer).includes(code), name(code, selection))
          t.notOk('data' in answer)
          t.ok(performance.now() - started < 500, 'refused at once')
        }
      }
    })
  }

  for (const protocol of ['graphql-ws', 'graphql-transport-ws'] as Protocol[]) {
    t.test(`WebSocket, ${protocol}`, async t => {
      const socket = await openSocket(t, url, protocol)
      for (const { code, fails } of limits) {
        for (const selection of fails) {
          const answer = await socket.subscribe({
            query: subscription(selection)
          })
          t.equal(answer?.type, 'error', name(code, selection))
          t.ok(codesOf({ errors: answer?.payload as never }).includes(code), code)
        }
      }
    })
  }

  t.test('fragments that double at every step are refused at once', async t => {
    const chain = repeat(60, i => `fragment F${i} on Issue { ...F${i + 1} ...F${i + 1} }`)
    const started = performance.now()
    const answer = await post(url, {
      query: `{ issue(id: 1) { ...F0 } } ${chain} fragment F60 on Issue { a: id b: id }`
    })
    t.equal(answer.status, 400)
    t.ok(performance.now() - started < 500)
    t.equal(
      (await post(url, { query: '{ issue(id: 1) { ...A } } fragment A on Issue { ...A }' })).status,
      400,
      'in a circle'
    )
  })

  t.test('a syntax tree in place of a document is refused', async t => {
    const tree = JSON.stringify(parse('{ labels { name } }'))
    const sources = [
      tree,
      JSON.stringify(parse(query({ selection: repeat(500, () => 'id') }), { noLocation: true })),
      'null',
      '[]',
      '0',
      '"{ labels { name } }"',
      '{}',
      '{"kind":"Document"}',
      '{"kind":"Document","definitions":[{}]}'
    ]
    for (const source of sources) {
      for (const send of [http.POST, http.GET]) {
        if (send === http.GET && source.length > 10_000) continue
        const answer = await send?.(source)
        t.equal(answer?.status, 400, source.slice(0, 60))
        t.match(answer?.errors?.[0]?.extensions?.code, /^(GRAPHQL_PARSE_FAILED|TOO_MANY_TOKENS)$/)
        t.notMatch(JSON.stringify(answer), /TypeError|undefined|reading '|JSON at|Unexpected token/)
      }
    }
    t.equal((await post(url, { query: JSON.parse(tree) as unknown })).status, 400, 'as an object')
    const socket = await openSocket(t, url)
    for (const source of [tree, JSON.parse(tree) as unknown, 'null', null, 5, []]) {
      const answer = await socket.subscribe({ query: source })
      t.equal(answer?.type, 'error')
      t.match(codesOf({ errors: answer?.payload as never }), [/^(GRAPHQL_PARSE_FAILED|BAD_REQUEST)$/])
    }
  })

  t.test('requests that are no GraphQL requests are refused with a code', async t => {
    const json = { 'content-type': 'application/json' }
    const cases: [name: string, body: string, headers: Record<string, string>, status: number, code: string][] = [
      ['a batch', '[{"query":"{ __typename }"}]', json, 400, 'BAD_REQUEST'],
      ['no JSON', '{"query"', json, 400, 'BAD_REQUEST'],
      ['no query', '{}', json, 400, 'BAD_REQUEST'],
      ['no object', 'null', json, 400, 'BAD_REQUEST'],
      ['a poisoned object', '{"query":"{ __typename }","variables":{"__proto__":{}}}', json, 400, 'BAD_REQUEST'],
      ['variables that are none', '{"query":"{ __typename }","variables":"x"}', json, 400, 'BAD_REQUEST'],
      [
        'an unknown operation',
        '{"query":"query A { __typename }","operationName":"B"}',
        json,
        400,
        'GRAPHQL_VALIDATION_FAILED'
      ],
      [
        'a bad variable',
        '{"query":"query ($id: ID!) { issue(id: $id) { id } }","variables":{"id":[]}}',
        json,
        400,
        'GRAPHQL_VALIDATION_FAILED'
      ],
      [
        'a missing variable',
        '{"query":"query ($id: ID!) { issue(id: $id) { id } }"}',
        json,
        400,
        'GRAPHQL_VALIDATION_FAILED'
      ],
      [
        'a simple form, as other sites can send it',
        'query=%7B__typename%7D',
        { 'content-type': 'text/plain' },
        400,
        'CSRF_PREVENTED'
      ],
      [
        'XML',
        '<query/>',
        { 'content-type': 'text/xml', 'mercurius-require-preflight': '1' },
        415,
        'UNSUPPORTED_MEDIA_TYPE'
      ],
      [
        'too large a body',
        JSON.stringify({ query: `# ${'x'.repeat(70_000)}\n{ __typename }` }),
        json,
        413,
        'PAYLOAD_TOO_LARGE'
      ]
    ]
    for (const [name, body, headers, status, code] of cases) {
      const answer = await post(url, body, headers)
      t.equal(answer.status, status, name)
      t.same(codesOf(answer), [code], name)
    }
    const csrf = await fetch(`${url}?query=%7B__typename%7D`)
    t.equal(csrf.status, 400, 'a plain GET, as an image or a link can send it')
    t.match(await csrf.json(), { errors: [{ extensions: { code: 'CSRF_PREVENTED' } }] })
    const urls: [parameters: Record<string, string>, status: number, code: string][] = [
      [{ query: 'mutation { addLabelToIssue(issueId: 1, labelId: 1) { id } }' }, 405, 'METHOD_NOT_ALLOWED'],
      [{ query: 'query A { __typename }', operationName: 'B' }, 400, 'BAD_REQUEST'],
      [{ query: 'query A { __typename } query B { __typename }' }, 400, 'BAD_REQUEST'],
      [{ query: '{ __typename }', variables: '{x' }, 400, 'BAD_REQUEST']
    ]
    for (const [parameters, status, code] of urls) {
      const answer = await get(url, parameters)
      t.equal(answer.status, status, JSON.stringify(parameters))
      t.same(codesOf(answer), [code])
    }
  })

  t.test('malformed documents never fail the server', async t => {
    const seed =
      'query Q($a: Int = 1) { issue(id: 1) { ...F @skip(if: true) comments(first: $a) { id } } } fragment F on Issue { id }'
    let state = 7
    const random = (limit: number): number => (state = (state * 48_271) % 2_147_483_647) % limit
    const alphabet = '{}()[]$!:=@|.,"\\#\u0000\ud800 \n'
    for (let round = 0; round < 300; round++) {
      const characters = Array.from(seed)
      for (let change = 0; change <= random(4); change++)
        characters[random(characters.length)] = alphabet[random(alphabet.length)] ?? ''
      const answer = await post(url, { query: characters.join('') })
      if (answer.status >= 500 || codesOf(answer).includes('INTERNAL_SERVER_ERROR')) t.fail(characters.join(''))
    }
    t.pass('300 documents')
  })

  t.test('clients that are slow or idle have bounds too', async t => {
    t.match(app.server, { requestTimeout: 30_000, headersTimeout: 10_000, keepAliveTimeout: 10_000, timeout: 60_000 })
  })
})
