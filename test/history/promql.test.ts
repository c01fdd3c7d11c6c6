import { test } from 'tap'
import { growth, oneOf, restarted, restartedSamples, selector, sumBy } from '../../src/history/prometheus/promql.js'

test('a value of a label is a value, whatever stands in it', t => {
  t.equal(
    selector('a_total', { job: 'shop', 'graphql.operation.name': 'a"} or vector(1) #\\\n', 'otel.flag': true }),
    String.raw`a_total{job="shop",graphql_operation_name="a\"} or vector(1) #\\\n",otel_flag="true"}`
  )
  t.equal(oneOf('instance', ['a.b|c', '', '(d)"']), String.raw`instance=~"a\\.b\\|c||\\(d\\)\""`)
  t.end()
})

test('what grew is the last value less the last one before, or all of it', t => {
  const stretch = { from: 5000, to: 6000, base: 2000 }
  const [until, before] = ['resets(x[4000ms])', 'resets(x[3000ms] offset 1000ms)']
  const anew = `(${until} > (${before} or ${until} * 0))`
  const last = 'last_over_time(x[1000ms])'
  const earlier = 'last_over_time(x[3000ms] offset 1000ms)'
  t.equal(restarted('x', stretch, 6000), anew)
  t.equal(growth('x', stretch), `((${last} - (${earlier} or ${last} * 0)) unless ${anew})`)
  t.equal(restartedSamples('x', stretch), `count_over_time(x[1000ms]) and ${anew}`)
  const within = { from: 5000, to: 8000, base: 2000 }
  t.match(growth('x', stretch, within), / and \(resets\(x\[6000ms\] offset -2000ms\) > /)
  t.equal(sumBy(['db.query.summary'], 'x'), 'sum by (db_query_summary) (x)')
  t.end()
})
