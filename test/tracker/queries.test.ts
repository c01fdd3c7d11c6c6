import { test } from 'tap'
import { codesOf, startTracker } from './tracker.js'

test('queries and mutations of the Tracker', async t => {
  const { ask, pool } = await startTracker(t)

  t.test('every type and field answers', async t => {
    const { status, errors, data } = await ask(`{
      project(id: 1) {
        id key name description createdAt
        issues(status: OPEN, first: 2) { totalCount edges { cursor node { id status } } pageInfo { hasNextPage endCursor } }
        statistics { openIssues issuesInProgress closedIssues comments lastActivity }
      }
      issue(id: 1) {
        title body status priority createdAt updatedAt commentCount
        project { id } author { username } assignee { name } labels { id name color }
        comments(first: 3) { id body createdAt author { name } issue { id } }
      }
      user(id: 7) { id username name createdAt assignedIssues(first: 1) { totalCount } recentComments(first: 2) { id } }
      labels { id name color }
    }`)
    t.equal(errors, undefined)
    t.equal(status, 200)
    t.match(data, {
      project: {
        key: 'ATL1',
        name: 'Atlas Server',
        createdAt: '2026-01-01T01:41:00.000Z',
        issues: { totalCount: Number }
      },
      issue: { project: { id: /^\d+$/ }, comments: [{ issue: { id: '1' } }] },
      user: { id: '7', username: /^[a-z]+\.[a-z]+\.7$/ }
    })
    t.equal((data as unknown as { labels: unknown[] }).labels.length, 12)
  })

  t.test('all comments of an issue can be read, some at a time', async t => {
    const { rows } = await pool.query<{ id: number; count: number }>(
      'SELECT issue_id AS id, count(*)::integer AS count FROM comments GROUP BY 1 HAVING count(*) > 4 LIMIT 1'
    )
    const [{ id, count } = { id: 0, count: 0 }] = rows
    const read = async (after: string | null, first: number): Promise<string[]> => {
      const { data } = await ask(
        'query ($id: ID!, $after: ID, $first: Int) { issue(id: $id) { comments(first: $first, after: $after) { id } } }',
        { id, after, first }
      )
      return (data as unknown as { issue: { comments: { id: string }[] } }).issue.comments.map(comment => comment.id)
    }
    const all = await read(null, 100)
    t.equal(all.length, count)
    const seen: string[] = []
    for (let page = await read(null, 2); page.length > 0; page = await read(page.at(-1) ?? null, 2)) seen.push(...page)
    t.strictSame(seen, all)
  })

  t.test('a cached field answers whatever fragments its selection is made of', async t => {
    const { errors, data } = await ask('{ labels { ... on Label { ... on Label { name } } } }')
    t.equal(errors, undefined)
    t.match(data, { labels: [{ name: 'blocked' }] })
  })

  t.test('pages follow one another without gap or overlap', async t => {
    for (const list of ['issues', 'projects', 'users']) {
      const seen: string[] = []
      let after: string | null = null
      do {
        const { data } = await ask(
          `query ($after: String) {
            list: ${list}(first: 100, after: $after) { edges { node { id } } pageInfo { hasNextPage endCursor } }
          }`,
          { after }
        )
        const { edges, pageInfo } = (data as unknown as { list: Page }).list
        seen.push(...edges.map(edge => edge.node.id))
        after = pageInfo.hasNextPage ? pageInfo.endCursor : null
      } while (after !== null)
      const { rows } = await pool.query<{ count: number }>(`SELECT count(*)::integer AS count FROM ${list}`)
      t.equal(seen.length, rows[0]?.count, list)
      t.equal(new Set(seen).size, seen.length, list)
    }
  })

  t.test('filters narrow the list, alone and together', async t => {
    const cases: [filter: string, condition: string][] = [
      ['projectId: 2', 'project_id = 2'],
      ['status: IN_PROGRESS', "status = 'IN_PROGRESS'"],
      ['assigneeId: 3', 'assignee_id = 3'],
      ['labelId: 4', 'id IN (SELECT issue_id FROM issue_labels WHERE label_id = 4)'],
      ['search: "SAFARI"', "title LIKE '%Safari%'"],
      ['search: "%"', 'false'],
      ['projectId: 1, status: OPEN, search: "login"', "project_id = 1 AND status = 'OPEN' AND title LIKE '%login%'"],
      ['projectId: "no-such"', 'false']
    ]
    for (const [filter, condition] of cases) {
      const { data } = await ask(`{ issues(filter: { ${filter} }, first: 100) { totalCount edges { node { id } } } }`)
      const { rows } = await pool.query<{ ids: string[] | null }>(
        `SELECT array_agg(id::text ORDER BY id DESC) AS ids FROM issues WHERE ${condition}`
      )
      const expected = rows[0]?.ids ?? []
      const list = (data as unknown as { issues: Page & { totalCount: number } }).issues
      t.equal(list.totalCount, expected.length, filter)
      t.same(
        list.edges.map(edge => edge.node.id),
        expected.slice(0, 100),
        filter
      )
    }
  })

  t.test('what does not exist is null', async t => {
    for (const id of ['0', '99999', '99999999999999', 'abc', '-1', '1 OR true']) {
      const { data, errors } = await ask(
        'query ($id: ID!) { project(id: $id) { id } issue(id: $id) { id } user(id: $id) { id } }',
        { id }
      )
      t.equal(errors, undefined)
      t.same(data, { project: null, issue: null, user: null }, id)
    }
  })

  t.test('bad arguments are coded errors that name the bound', async t => {
    const cursor = (text: string): string => Buffer.from(text).toString('base64url')
    const cases: [query: string, message: RegExp][] = [
      ['{ issues(first: 0) { totalCount } }', /first is 0: expected 1 to 100/],
      ['{ users(first: 101) { pageInfo { endCursor } } }', /first is 101/],
      ['{ issue(id: 1) { comments(first: -1) { id } } }', /first is -1/],
      ['{ issues(after: "") { totalCount } }', /not a cursor of issues/],
      [`{ issues(after: "${cursor('projects:1')}") { totalCount } }`, /not a cursor of issues/],
      [`{ issues(after: "${cursor('issues:1')}*") { totalCount } }`, /not a cursor/],
      [`{ issues(after: "${cursor('issues:99999999999')}") { totalCount } }`, /not a cursor/],
      [`{ issues(after: "${cursor('issues:1; DROP TABLE issues')}") { totalCount } }`, /not a cursor/],
      [
        '{ issues(filter: { search: "  " }) { totalCount } }',
        /search has nothing but spaces: expected 1 to 100 characters/
      ],
      ['{ issue(id: 1) { comments(after: "first") { id } } }', /after is not the id of a comment/],
      ['{ issues(filter: { search: "a\\u0000" }) { totalCount } }', /NUL/]
    ]
    for (const [query, message] of cases) {
      const answer = await ask(query)
      t.equal(answer.status, 200, query)
      t.same(codesOf(answer), ['BAD_INPUT'], query)
      t.match(answer.errors?.[0]?.message, message)
    }
  })

  t.test('mutations change what queries answer', async t => {
    const created = await ask(
      'mutation ($input: CreateIssueInput!) { createIssue(input: $input) { id title status priority assignee { id } } }',
      { input: { projectId: '1', authorId: '2', assigneeId: '3', title: "It's; DROP TABLE issues --" } }
    )
    const issue = { title: "It's; DROP TABLE issues --", status: 'OPEN', priority: 'NORMAL', assignee: { id: '3' } }
    t.match(created.data, { createIssue: issue })
    const { id } = (created.data as unknown as { createIssue: { id: string } }).createIssue

    const update =
      'mutation ($id: ID!, $input: UpdateIssueInput!) { updateIssue(id: $id, input: $input) { title status assignee { id } } }'
    t.match((await ask(update, { id, input: { status: 'CLOSED' } })).data, {
      updateIssue: { ...issue, priority: undefined, status: 'CLOSED' }
    })
    t.match((await ask(update, { id, input: { assigneeId: null } })).data, {
      updateIssue: { status: 'CLOSED', assignee: null }
    })

    const label = 'mutation ($id: ID!) { addLabelToIssue(issueId: $id, labelId: 1) { labels { id } } }'
    t.same((await ask(label, { id })).data, { addLabelToIssue: { labels: [{ id: '1' }] } })
    t.same((await ask(label, { id })).data, { addLabelToIssue: { labels: [{ id: '1' }] } }, 'twice does no harm')

    await ask('mutation ($id: ID!) { addComment(input: { issueId: $id, authorId: 1, body: "Seen." }) { id } }', { id })
    t.same((await ask('query ($id: ID!) { issue(id: $id) { commentCount comments { body } } }', { id })).data, {
      issue: { commentCount: 1, comments: [{ body: 'Seen.' }] }
    })
  })

  t.test('mutations name what does not exist, and change nothing', async t => {
    const cases: [mutation: string, noun: string][] = [
      ['createIssue(input: { projectId: 999, authorId: 1, title: "t" }) { id }', 'project'],
      ['createIssue(input: { projectId: 1, authorId: 999, title: "t" }) { id }', 'user'],
      ['createIssue(input: { projectId: 1, authorId: 1, assigneeId: 999, title: "t" }) { id }', 'user'],
      ['createIssue(input: { projectId: "x", authorId: 1, title: "t" }) { id }', 'project'],
      ['updateIssue(id: 99999, input: { title: "t" }) { id }', 'issue'],
      ['updateIssue(id: 1, input: { assigneeId: 999 }) { id }', 'user'],
      ['addComment(input: { issueId: 99999, authorId: 1, body: "b" }) { id }', 'issue'],
      ['addComment(input: { issueId: 1, authorId: 999, body: "b" }) { id }', 'user'],
      ['addLabelToIssue(issueId: 99999, labelId: 1) { id }', 'issue'],
      ['addLabelToIssue(issueId: 1, labelId: 999) { id }', 'label']
    ]
    const count = 'SELECT (SELECT count(*) FROM issues) AS issues, (SELECT count(*) FROM comments) AS comments'
    const before = await pool.query(count)
    for (const [mutation, noun] of cases) {
      const answer = await ask(`mutation { ${mutation} }`)
      t.same(codesOf(answer), ['NOT_FOUND'], mutation)
      t.equal(answer.errors?.[0]?.message, `there is no such ${noun}`)
    }
    for (const title of ['""', `"${'x'.repeat(201)}"`]) {
      t.same(
        codesOf(await ask(`mutation { createIssue(input: { projectId: 1, authorId: 1, title: ${title} }) { id } }`)),
        ['BAD_INPUT']
      )
    }
    t.same((await pool.query(count)).rows, before.rows)
  })
})

interface Page {
  readonly edges: readonly { readonly node: { readonly id: string } }[]
  readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string }
}
