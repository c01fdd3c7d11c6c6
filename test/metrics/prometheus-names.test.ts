import { test } from 'tap'
import { METRICS } from '../../src/metrics/names.js'
import { familyName, labelName, type Shape } from '../../src/metrics/prometheus-names.js'

/** What Prometheus makes of them: written by its own translator, github.com/prometheus/otlptranslator 1.0.0. */
const translated: readonly (readonly [name: string, unit: string, shape: Shape, expected: string])[] = [
  ['orders_total', '', 'counter', 'orders_total'],
  ['orders', '1', 'counter', 'orders_total'],
  ['total.orders', '{order}', 'counter', 'orders_total'],
  ['total', '', 'counter', 'total'],
  ['x_total_y', '', 'counter', 'x_y_total'],
  ['io', 'By', 'counter', 'io_bytes_total'],
  ['io_bytes_total', 'By', 'counter', 'io_bytes_total'],
  ['fuel', 'kg/y', 'counter', 'fuel_kg_per_year_total'],
  ['growth', '1/s', 'counter', 'growth_per_second_total'],
  ['2xx.responses', '', 'counter', '_2xx_responses_total'],
  ['job_seconds', 's', 'histogram', 'job_seconds'],
  ['job.seconds.spent', 's', 'histogram', 'job_seconds_spent'],
  ['http.server.request.duration', 's', 'histogram', 'http_server_request_duration_seconds'],
  ['wait', 'us', 'histogram', 'wait_microseconds'],
  ['delay', 'ns', 'histogram', 'delay_nanoseconds'],
  ['hits', '1', 'histogram', 'hits'],
  ['uptime', 'h', 'gauge', 'uptime_hours'],
  ['age', 'd', 'gauge', 'age_days'],
  ['left', 'min', 'gauge', 'left_minutes'],
  ['cpu', '%', 'gauge', 'cpu_percent'],
  ['network.io', 'By/s', 'gauge', 'network_io_bytes_per_second'],
  ['memory', 'MiBy', 'gauge', 'memory_mebibytes'],
  ['disk', 'GBy', 'gauge', 'disk_gigabytes'],
  ['cache.hits', '1', 'gauge', 'cache_hits_ratio'],
  ['hit_ratio', '1', 'gauge', 'hit_ratio'],
  ['ratio.of.hits', '1', 'gauge', 'of_hits_ratio'],
  ['queue', '1', 'upDownCounter', 'queue'],
  ['queue', '{item}', 'gauge', 'queue'],
  ['rate', '{request}/s', 'gauge', 'rate_per_second'],
  ['bytes.per.request', 'By/{request}', 'gauge', 'bytes_per_request'],
  ['growth', '1/d', 'gauge', 'growth_per_day'],
  ['speed', 'm/h', 'gauge', 'speed_meters_per_hour'],
  ['speed', 'km/h', 'gauge', 'speed_km_per_hour'],
  ['speed', 'm/m', 'gauge', 'speed_meters_per_minute'],
  ['meters_per_second', 'm/s', 'gauge', 'meters_per_second_per_second'],
  ['temperature', 'Cel', 'gauge', 'temperature_celsius'],
  ['temperature', '°F', 'gauge', 'temperature_F'],
  ['odd', 'foo bar', 'gauge', 'odd_foo_bar'],
  ['odd', ' s ', 'gauge', 'odd_seconds'],
  ['odd', 'a__b/', 'gauge', 'odd_a_b'],
  ['odd', 'a_/b_', 'gauge', 'odd_a_per_b'],
  ['odd', '/s', 'gauge', 'odd_per_second'],
  ['odd', '/__', 'gauge', 'odd'],
  ['odd', '$/°C', 'gauge', 'odd_per_C'],
  ['odd', 's/w/mo', 'gauge', 'odd_seconds_per_w_mo'],
  ['constructor', 'constructor', 'gauge', 'constructor'],
  ['job:orders', '', 'gauge', 'job:orders'],
  ['__private.thing__', '', 'gauge', 'private_thing'],
  ['größe', '', 'gauge', 'gr_e']
]

test('a metric of the application has the name on the scrape that it has when it comes over OTLP', t => {
  for (const [name, unit, shape, expected] of translated) {
    t.equal(familyName({ name, unit }, shape), expected, `${shape} ${name}, ${unit}`)
  }
  t.end()
})

test('our own metrics are called what they were always called', t => {
  const names = METRICS.flatMap(({ duration, errors }) => [
    familyName(duration, 'histogram'),
    ...(errors === undefined ? [] : [familyName(errors, 'counter')])
  ])
  t.strictSame(names, [
    'graphql_server_processing_duration_seconds',
    'graphql_server_processing_errors_total',
    'graphql_server_resolver_duration_seconds',
    'graphql_server_resolver_errors_total',
    'graphql_server_loader_batch_duration_seconds',
    'graphql_server_loader_batch_errors_total',
    'db_client_operation_duration_seconds',
    'db_client_operation_errors_total',
    'mercurius_performance_cache_duration_seconds'
  ])
  t.end()
})

test('a label that would begin with a digit or an underscore begins with `key_`, as Prometheus has it', t => {
  for (const [name, expected] of [
    ['2xx', 'key_2xx'],
    ['http.route', 'http_route'],
    ['_private', 'key_private'],
    ['___private.thing_', 'key_private_thing_'],
    ['a__b', 'a_b'],
    ['ünï', 'key_n_'],
    ['ключ', 'key_']
  ] as const) {
    t.equal(labelName(name), expected)
  }
  t.end()
})
